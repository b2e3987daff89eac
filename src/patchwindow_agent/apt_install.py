"""How apt installs an order: simulated, fetched, installed, and read back from dpkg's database.

Each round takes what is left of the order and what is known not to go; what a round learns (an archive that cannot be
had, a script that fails) keeps those patches out of the next one that need it, so that the rest goes on.
"""

import contextlib
import re
from pathlib import Path
from typing import Callable, Mapping, Optional, Sequence

from patchwindow_agent import apt_plan, apt_room, isolation
from patchwindow_agent.apt_commands import Commands
from patchwindow_agent.apt_plan import Change, Simulation, State, States
from patchwindow_agent.disk_room import Disk, Need, shortage
from patchwindow_agent.errors import InstallFailed
from patchwindow_agent.package_manager import Order, Outcome, Over, Phase, Tell, Wanted
from patchwindow_agent.programs import TIMED_OUT

# How long after a failed download the next try is made, in seconds.
_BACK_OFF_S = (5, 20, 60)

_DOWNLOADING = re.compile(r"dlstatus:\d+:[\d.]+:Retrieving file (\d+) of (\d+)")
_INSTALLING = re.compile(r"pmstatus:([^:]+):[\d.]+:(Preparing to configure|Configuring|Installed|Unpacking)")


class Installation:
    """One order under way; *native* is the machine's own architecture, *archives* where apt keeps what it fetches."""

    def __init__(
        self,
        commands: Commands,
        order: Order,
        tell: Tell,
        over: Over,
        *,
        root: Path,
        native: str,
        archives: Path,
        sleep: Callable[[float], None],
        disk_of: Callable[[Path], Disk],
    ) -> None:
        self._commands = commands
        self._order = order
        self._tell = tell
        self._over = over
        self._root = root
        self._native = native
        self._archives = archives
        self._sleep = sleep
        self._disk_of = disk_of
        self._states: States = {}
        # What no transaction may bring, with the reason.
        self._refused: dict[Change, str] = {}
        self._failed: dict[str, str] = {}
        self._remarks: list[str] = []
        self._fetched: set[Path] = set()
        # Why the last transaction did not go as a whole.
        self._problem = ""
        self._is_over = False

    def carry_out(self) -> Outcome:
        """Install what can be installed of the order.

        Raises:
            InstallFailed: nothing could be tried.
        """
        try:
            return self._carry_out()
        finally:
            # What was fetched for this order is not left behind to fill the disk.
            for path in self._fetched:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _carry_out(self) -> Outcome:
        before = self._states = self._commands.states()
        for wanted in self._left():
            state = self._state_of(wanted)
            if state is None:
                self._failed[wanted.title] = "not installed on the node, so there is nothing to update"
            elif state.is_held:
                self._failed[wanted.title] = "held on the node"
        self._round()
        # A round after which nothing is known that was not known before would be followed by the same one.
        known = None
        while not self._is_over and self._left() and known != (known := self._known()):
            try:
                self._round()
            except InstallFailed as problem:
                # Once something has been tried, what came of it must be told.
                self._fail_rest(str(problem))
        if not self._is_over:
            self._fail_rest(self._problem or "could not be installed")
        return self._outcome(before)

    def _known(self) -> "tuple[int, int]":
        return len(self._left()), len(self._refused)

    def _round(self) -> None:
        """Try to install what is left, and note what does not go.

        Raises:
            InstallFailed: nothing of it could be tried.
        """
        left = self._left()
        simulated: dict[tuple[str, ...], Simulation] = {}

        def problem_of(some: Sequence[Wanted]) -> Optional[str]:
            self._tell(Phase.SIMULATING, 0, len(left), "")
            names = tuple(self._named(wanted) for wanted in some)
            simulated[names] = self._commands.simulate("install", *names)
            return self._refusal(simulated[names])

        good, bad = isolation.choose(left, problem_of)
        for wanted, problem in bad:
            self._failed[wanted.title] = problem.removeprefix(f"needs {wanted.title}: ")
        if not good:
            return
        names = [self._named(wanted) for wanted in good]
        plan = simulated[tuple(names)]
        lacking = self._download(names, plan)
        if lacking:
            self._refused.update(lacking)
            return
        self._is_over = bool(self._over())
        if not self._is_over:
            self._transact(names, plan)

    def _refusal(self, simulation: Simulation) -> Optional[str]:
        """Return why a transaction must not be done, None where it may."""
        if simulation.problem is not None:
            return simulation.problem
        for change in simulation.installs:
            if change in self._refused:
                return f"needs {_title(change)}: {self._refused[change]}"
            if apt_plan.is_blocked(change, self._order.blocked):
                return f"needs {_title(change)}, which is rejected by the baseline"
        lost = [] if self._order.may_remove else self._commands.lost(simulation)
        if lost:
            return f"would remove {', '.join(lost)}, which nothing replaces"
        return shortage(apt_room.kernel_needs(simulation, self._root), self._disk_of)

    def _download(self, names: Sequence[str], plan: Simulation) -> Mapping[Change, str]:
        """Fetch the archives of *plan*; return those that cannot be had, and why.

        Raises:
            InstallFailed: the disk has no room, or nothing could be fetched for another reason than single archives.
        """
        told = self._commands.ask("apt-get", "-qq", "-y", "--print-uris", "install", *names)
        archives = apt_plan.parse_archives(told.stdout)
        needs = [
            Need(self._archives, sum(archive.size for archive in archives.values())),
            apt_room.file_needs(plan, self._commands.details(plan.installs), self._states, self._root),
            *apt_room.kernel_needs(plan, self._root),
        ]
        lack = shortage(needs, self._disk_of)
        if lack is not None:
            raise InstallFailed(lack)
        paths = (self._archives / archive.name for archive in archives.values())
        self._fetched.update(path for path in paths if not path.exists())

        def on_line(line: str) -> None:
            if (at := _DOWNLOADING.search(line)) is not None:
                self._tell(Phase.DOWNLOADING, int(at[1]) - 1, int(at[2]), "")

        pauses_s = list(_BACK_OFF_S)
        while True:
            self._tell(Phase.DOWNLOADING, 0, len(archives), "")
            done = self._commands.apt_get(
                "--download-only", "install", *names, on_line=on_line, on_wait=self._on_wait(Phase.DOWNLOADING)
            )
            if done.exit_code == 0:
                return {}
            missed = apt_plan.parse_not_fetched(done.stderr)
            # What a mirror says that it does not have, it will not have in a minute.
            is_final = bool(missed) and all(": 404 " in reason for reason in missed.values())
            if not pauses_s or is_final:
                break
            pause_s = pauses_s.pop(0)
            self._remarks.append(f"tried to download again after {pause_s} s: {apt_plan.install_problem(done)}")
            self._sleep(pause_s)
        lacking = {
            archive.package: f"cannot be downloaded: {missed[name]}"
            for name, archive in archives.items()
            if name in missed
        }
        if not lacking:
            raise InstallFailed(f"cannot download the packages: {apt_plan.install_problem(done)}")
        return lacking

    def _transact(self, names: Sequence[str], plan: Simulation) -> None:
        """Install *plan*; what did not go is failed or refused, so that the next round is a smaller one.

        Raises:
            InstallFailed: a lock was not released.
        """
        configured: set[str] = set()
        at_hand = ""

        def on_line(line: str) -> None:
            nonlocal at_hand
            if (at := _INSTALLING.search(line)) is not None:
                at_hand = at[1]
                if at[2] == "Installed":
                    configured.add(at_hand)
                self._tell(Phase.INSTALLING, len(configured), len(plan.installs), at_hand)

        self._tell(Phase.INSTALLING, 0, len(plan.installs), "")
        # What the simulation did not tell must not happen, whatever has changed since.
        # (Not with `--no-download`, under which apt cannot use repositories on the machine's own disk.)
        limits = () if plan.removes else ("--no-remove",)
        done = self._commands.apt_get(
            *limits, "install", *names, on_line=on_line, on_wait=self._on_wait(Phase.INSTALLING)
        )
        self._states = self._commands.states()
        if done.exit_code == 0:
            self._fail_rest("apt-get reported success, but dpkg's database does not have it", among=names)
            return
        self._problem = apt_plan.install_problem(done)
        if done.exit_code == TIMED_OUT:
            # What has waited for ever once would do so again.
            self._fail_rest(f"apt-get did not end in time and was killed at {at_hand or 'its beginning'}")
            return
        # apt stops at the first failure; the others that are unpacked can be finished all the same.
        finished = self._commands.configure_all(self._on_wait(Phase.INSTALLING))
        failures = apt_plan.parse_failures(f"{done.stderr}\n{finished.stderr}")
        self._states = self._commands.states()
        ordered = {wanted.name for wanted in self._order.wanted}
        for change in plan.installs:
            if change.name in failures:
                self._refused[change] = failures[change.name]
                if change.name not in ordered:
                    self._remarks.append(f"{_title(change)}, which others need, failed: {failures[change.name]}")
        for wanted in self._left():
            state = self._state_of(wanted)
            if wanted.name in failures:
                self._failed[wanted.title] = failures[wanted.name]
            elif state is not None and state.version == wanted.version:
                self._failed[wanted.title] = f"unpacked, but not configured: {self._problem}"

    def _left(self) -> Sequence[Wanted]:
        """Return what is neither installed nor failed."""
        return [
            wanted
            for wanted in self._order.wanted
            if wanted.title not in self._failed and not self._is_installed(wanted)
        ]

    def _is_installed(self, wanted: Wanted) -> bool:
        state = self._state_of(wanted)
        return state is not None and state.is_whole and state.version == wanted.version

    def _state_of(self, wanted: Wanted) -> Optional[State]:
        """Return how dpkg has the package; one version may be for all architectures and the next for one."""
        return self._found(self._states, wanted.name, wanted.arch)

    def _found(self, states: States, name: str, arch: str) -> Optional[State]:
        natives = ("all", self._native)
        arches = (arch, *natives) if arch in natives else (arch,)
        found = (states.get((name, arch)) for arch in arches)
        return next((state for state in found if state is not None), None)

    def _fail_rest(self, reason: str, *, among: Optional[Sequence[str]] = None) -> None:
        for wanted in self._left():
            if among is None or self._named(wanted) in among:
                self._failed[wanted.title] = apt_plan.shortened(reason)

    def _outcome(self, before: States) -> Outcome:
        after = self._states
        installed = [wanted.title for wanted in self._order.wanted if self._is_installed(wanted)]
        named = {(wanted.name, wanted.version) for wanted in self._order.wanted}
        came_along = []
        for (name, arch), state in sorted(after.items()):
            old = self._found(before, name, arch)
            is_new = old is None or old.version != state.version
            if is_new and state.is_whole and (name, state.version) not in named:
                came_along.append(f"{name}.{arch}:{state.version}")
        removed = [
            f"{name}.{arch}:{state.version}"
            for (name, arch), state in sorted(before.items())
            if self._found(after, name, arch) is None
        ]
        # What has been finished by a later attempt has not failed.
        failed = {title: reason for title, reason in self._failed.items() if title not in installed}
        left = [wanted.title for wanted in self._left()]
        return Outcome(installed, failed, came_along, removed, self._remarks, left)

    def _named(self, wanted: Wanted) -> str:
        return f"{self._commands.full_name(wanted.name, wanted.arch)}={wanted.version}"

    def _on_wait(self, phase: Phase) -> Callable[[str], None]:
        return lambda held: self._tell(phase, 0, 0, f"waiting: {held}")


def _title(change: Change) -> str:
    return f"{change.name}.{change.arch}:{change.version}"
