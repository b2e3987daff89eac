"""Installing with dnf or yum: planned by their solver, downloaded and tested, then carried out in one transaction."""

import re
from pathlib import Path
from typing import Callable, Mapping, Optional, Sequence

from patchwindow_agent import disk_room, dnf_output, isolation, rpm_outcome, rpm_version
from patchwindow_agent.disk_room import Need
from patchwindow_agent.dnf_command import Command
from patchwindow_agent.dnf_output import Offer
from patchwindow_agent.errors import InstallFailed, Locked, ScanFailed
from patchwindow_agent.package_manager import Blocked, Order, Outcome, Over, Phase, Tell, Wanted
from patchwindow_agent.programs import TIMED_OUT, Completed, OnLine
from patchwindow_agent.rpm_database import Installed

# Mirrors fail and come back; dnf has tried each of them several times before it gives up.
_DOWNLOAD_PAUSES_S = (10, 60)
# Each round ends with one package fewer that fails.
_ROUNDS_MAX = 10
_REASON_MAX = 500
# A transaction that is tested alone also downloads; what it has is kept for the one that follows, which lets it go.
_TEST = ("--setopt=tsflags=test", "--setopt=keepcache=1")

_NO_ROOM = re.compile(r"needs \S+ more (?:space|inodes) on|more space needed on")
# Of dnf 4 and yum, then of dnf 5.
_DOWNLOADED = re.compile(r"\((\d+)/(\d+)\): (\S+)")
_DOWNLOADED_5 = re.compile(r"\[ *(\d+)/(\d+)\] (\S+-\d+:\S+)")
_STEP = re.compile(r"  (?:Upgrading|Updating|Installing|Cleanup|Erasing|Obsoleting|Reinstalling) *: (\S+) +(\d+)/(\d+)")
_STEP_5 = re.compile(r"\[ *(\d+)/(\d+)\] (?:Upgrading|Installing|Removing|Reinstalling) (\S+)")


class Installing:
    """One installation: *installed* reads the package database, *offers* what repositories have, excluded or not."""

    def __init__(
        self,
        command: Command,
        tell: Tell,
        over: Over,
        *,
        cache: Path,
        installed: Callable[[], Sequence[Installed]],
        offers: Callable[[], Sequence[Offer]],
        sleep: Callable[[float], None],
    ) -> None:
        self._command = command
        self._tell = tell
        self._over = over
        self._cache = cache
        self._installed = installed
        self._offers = offers
        self._sleep = sleep
        self._options = list(command.dialect.exactly)
        self._failed: dict[str, str] = {}
        self._remarks: list[str] = []
        self._untried: list[str] = []

    def install(self, order: Order) -> Outcome:
        """Carry out *order*.

        Raises:
            InstallFailed: nothing could be tried.
        """
        before = self._installed()
        present = {package.title for package in before}
        self._options += [f"--exclude={_excluded(blocked)}" for blocked in order.blocked]
        self._options += ["--allowerasing"] if order.may_remove else []
        todo = [wanted for wanted in order.wanted if rpm_outcome.name(wanted) not in present]
        try:
            todo = list(self._tested(self._planned(todo, may_remove=order.may_remove)))
        except ScanFailed as problem:
            raise InstallFailed(str(problem)) from problem
        self._transacted(todo)
        return rpm_outcome.outcome(
            order,
            before,
            self._installed(),
            failed=self._failed,
            remarks=self._remarks,
            untried=self._untried,
        )

    def _planned(self, todo: Sequence[Wanted], *, may_remove: bool) -> Sequence[Wanted]:
        """Return those of *todo* that the solver can install together; note why the others cannot be."""
        self._tell(Phase.SIMULATING, 0, len(todo), "")
        todo = self._matched(todo)

        def problem_of(some: Sequence[Wanted]) -> Optional[str]:
            plan = self._plan(some)
            if plan.problem is None and plan.removes and not may_remove:
                return f"it would remove {', '.join(plan.removes)}, which nothing replaces, and the task does not allow that"
            return plan.problem

        return self._those_without(problem_of, todo)

    def _matched(self, todo: Sequence[Wanted]) -> Sequence[Wanted]:
        """Return *todo* without what the package manager does not know, or may not touch."""
        if not todo:
            return todo
        unmatched = set(self._plan(todo).unmatched)
        lacking = [wanted for wanted in todo if unmatched & {_spec(wanted), _spec_without_epoch(wanted)}]
        if not lacking:
            return todo
        offered = {(offer.name, offer.arch, offer.version) for offer in self._offers()}
        for wanted in lacking:
            if (wanted.name, wanted.arch, wanted.version) in offered:
                reason = (
                    f"the node holds {wanted.name} back by a version lock or an exclude; lift that, or reject the patch"
                )
            else:
                reason = f"no repository of the node offers {wanted.name} {wanted.version} any more; scan again"
            self._failed[wanted.title] = reason
        # dnf 5 says of the first alone what it does not know.
        return self._matched([wanted for wanted in todo if wanted not in lacking])

    def _plan(self, some: Sequence[Wanted]) -> dnf_output.Plan:
        done = self._command.plan([self._command.dialect.upgrade, *self._options, *map(_spec, some)])
        _refuse_if_stuck(done)
        return dnf_output.parse_plan(done.exit_code, done.stdout, done.stderr)

    def _tested(self, todo: Sequence[Wanted]) -> Sequence[Wanted]:
        """Download what is needed and let rpm test the transaction; return what can be installed."""
        if not todo:
            return todo
        lack = disk_room.shortage([Need(self._cache, self._plan(todo).size)])
        if lack is not None:
            raise InstallFailed(lack)
        total = len(todo)
        self._tell(Phase.DOWNLOADING, 0, total, "")
        problem = self._test(todo)
        for pause_s in _DOWNLOAD_PAUSES_S:
            if problem is None or not _is_of_a_mirror(problem):
                break
            self._remarks.append(f"tried again after {pause_s} s: {problem}"[:_REASON_MAX])
            self._sleep(pause_s)
            problem = self._test(todo)
        return self._those_without(self._test, todo) if problem is not None else todo

    def _test(self, some: Sequence[Wanted]) -> Optional[str]:
        def on_line(line: str) -> None:
            match = _DOWNLOADED.match(line) or _DOWNLOADED_5.match(line)
            if match is not None:
                self._tell(Phase.DOWNLOADING, int(match[1]), int(match[2]), match[3])

        done = self._run_upgrade(_TEST, some, on_line)
        _refuse_if_stuck(done)
        if done.exit_code == 0:
            return None
        problem = dnf_output.problem_text(*done)
        if _NO_ROOM.search(f"{done.stdout}\n{done.stderr}") is not None:
            # As many as fit would fill the disk.
            raise InstallFailed(f"no room on the disk: {problem}")
        return problem

    def _transacted(self, todo: Sequence[Wanted]) -> None:
        """Install *todo* in one transaction, and what is left of it once more without those whose scripts fail."""

        def on_line(line: str) -> None:
            match, later = _STEP.match(line), _STEP_5.match(line)
            if match is not None:
                self._tell(Phase.INSTALLING, int(match[2]), int(match[3]), match[1])
            elif later is not None:
                self._tell(Phase.INSTALLING, int(later[1]), int(later[2]), later[3])

        for number in range(_ROUNDS_MAX):
            if not todo:
                return
            if self._over():
                self._untried += [wanted.title for wanted in todo]
                return
            self._tell(Phase.INSTALLING, 0, len(todo), "")
            try:
                done = self._run_upgrade([], todo, on_line)
            except Locked as problem:
                if number == 0:
                    raise InstallFailed(str(problem)) from problem
                # Once something was installed, what came of it must be told.
                done = Completed(1, "", str(problem))
            said = dnf_output.scriptlets(done.stdout, done.stderr)
            self._remarks += sorted(set(said.values()) - set(self._remarks))
            present = {package.title for package in self._installed()}
            todo = [wanted for wanted in todo if rpm_outcome.name(wanted) not in present]
            named = {wanted.title: reason for wanted in todo if (reason := _reason(wanted, said)) is not None}
            if not named:
                reason = dnf_output.problem_text(*done) if done.exit_code else "it ended without an error"
                named = {wanted.title: f"the transaction did not install it: {reason}" for wanted in todo}
            self._failed.update(named)
            todo = [wanted for wanted in todo if wanted.title not in named]

    def _run_upgrade(self, options: Sequence[str], some: Sequence[Wanted], on_line: OnLine) -> Completed:
        arguments = [self._command.dialect.upgrade, *self._options, *options, *map(_spec, some)]
        done = self._command.transact(arguments, on_line=on_line)
        if dnf_output.is_locked(*done):
            raise Locked(f"the package manager is locked: {dnf_output.problem_text(*done)}")
        return done

    def _those_without(
        self, problem_of: Callable[[Sequence[Wanted]], Optional[str]], todo: Sequence[Wanted]
    ) -> Sequence[Wanted]:
        good, bad = isolation.choose(todo, problem_of)
        self._failed.update({wanted.title: reason for wanted, reason in bad})
        return good


def _spec(wanted: Wanted) -> str:
    """Return what names exactly one version to dnf and yum."""
    epoch, version, release = rpm_version.split(wanted.version)
    return f"{wanted.name}-{epoch}:{version}-{release}.{wanted.arch}"


def _spec_without_epoch(wanted: Wanted) -> str:
    return f"{wanted.name}-{wanted.version}.{wanted.arch}"


def _excluded(blocked: Blocked) -> str:
    """Return what names the versions that must not come: all of them, or one, of one architecture or any."""
    epoch, version, release = rpm_version.split(blocked.version)
    exact = f"-{epoch}:{version}-{release}" if blocked.version else ""
    return f"{blocked.name}{exact}{f'.{blocked.arch}' if blocked.arch else ''}"


def _reason(wanted: Wanted, said: Mapping[str, str]) -> Optional[str]:
    """Return what scripts of the package *said*; dnf names it by name, rpm by name, version and architecture."""
    _, version, release = rpm_version.split(wanted.version)
    return (
        said.get(wanted.name) or said.get(f"{wanted.name}-{version}-{release}.{wanted.arch}") or said.get(_spec(wanted))
    )


def _is_of_a_mirror(problem: str) -> bool:
    return re.search(r"download|mirror|Curl|timed? ?out|Cannot retrieve", problem, re.IGNORECASE) is not None


def _refuse_if_stuck(done: Completed) -> None:
    """Raise `Locked` where a command that changes nothing did not come to its end: dnf 5 waits for a lock for ever."""
    if done.exit_code == TIMED_OUT or dnf_output.is_locked(*done):
        raise Locked(f"the package manager is locked: {dnf_output.problem_text(*done)}")
