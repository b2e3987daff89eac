"""Installing with zypper: planned by its solver, downloaded and tested, then carried out in one transaction.

rpm installs package after package within it, so one that fails ends it half-way: what is left is begun anew without that.
"""

import html
import re
from pathlib import Path
from typing import Callable, Mapping, Optional, Sequence

from patchwindow_agent import disk_room, isolation, rpm_outcome, rpm_version, zypper_output
from patchwindow_agent.disk_room import Need
from patchwindow_agent.errors import InstallFailed, Locked, ScanFailed
from patchwindow_agent.package_manager import Blocked, Order, Outcome, Over, Phase, Tell, Wanted
from patchwindow_agent.programs import TIMED_OUT, Completed
from patchwindow_agent.rpm_database import Installed, Key
from patchwindow_agent.rpm_dependencies import Relation, relation
from patchwindow_agent.updateinfo import Named
from patchwindow_agent.zypper_command import Command
from patchwindow_agent.zypper_output import Plan

# Mirrors fail and come back; zypper has tried each of them several times before it gives up.
_DOWNLOAD_PAUSES_S = (10, 60)
_REASON_MAX = 500
_PLAN = ("--dry-run", "--details")
# Only with both of these does it look for files that two packages have.
_TEST = ("--dry-run", "--download-only")
_TRANSACTION = ("--download", "in-advance")
_OF_A_MIRROR = re.compile(r"download|curl|mirror|timed? ?out|Can't provide|not found on medium", re.IGNORECASE)
_NO_ROOM = re.compile(r"No space left on device|Not enough space|needs \S+ more space on", re.IGNORECASE)
_DOWNLOADED = re.compile(r"Retrieving package (\S+) \((\d+)/(\d+)\)")
_STEP = re.compile(r'name="\((\d+)/(\d+)\) (?:Installing|Removing): ([^"]+)" value="0"')


class Installing:
    """One installation; *installed* reads the package database, *locked* what the node has locked.

    *obsoleted* says what offered versions replace under other names.
    """

    def __init__(
        self,
        command: Command,
        tell: Tell,
        over: Over,
        *,
        root: Path,
        cache: Path,
        installed: Callable[[], Sequence[Installed]],
        locked: Callable[[], "frozenset[Key]"],
        obsoleted: Callable[[Sequence[Named]], Sequence[str]],
        sleep: Callable[[float], None],
    ) -> None:
        self._command = command
        self._tell = tell
        self._over = over
        self._root = root
        self._cache = cache
        self._installed = installed
        self._read_locked = locked
        self._obsoleted = obsoleted
        self._sleep = sleep
        self._solver: Sequence[str] = ()
        self._locked: frozenset[Key] = frozenset()
        self._failed: dict[str, str] = {}
        self._remarks: list[str] = []
        self._untried: list[str] = []
        self._is_begun = False

    def install(self, order: Order) -> Outcome:
        """Carry out *order*.

        Raises:
            InstallFailed: nothing could be tried.
        """
        before = self._installed()
        present = {package.title for package in before}
        # Without it, zypper would ask which of its solutions to take, and take none. What they do is looked at below.
        self._solver = ["--force-resolution" if order.may_remove else "--no-force-resolution"]
        todo = [wanted for wanted in order.wanted if rpm_outcome.name(wanted) not in present]
        try:
            self._locked = self._read_locked()
            todo = list(self._tested(self._planned(todo, order)))
        except ScanFailed as problem:
            raise InstallFailed(str(problem)) from problem
        if todo:
            self._transact(todo)
        return rpm_outcome.outcome(
            order,
            before,
            self._installed(),
            failed=self._failed,
            remarks=self._remarks,
            untried=self._untried,
        )

    def _planned(self, todo: Sequence[Wanted], order: Order) -> Sequence[Wanted]:
        """Return those of *todo* that the solver can install together; note why the others cannot be."""
        self._tell(Phase.SIMULATING, 0, len(todo), "")
        for wanted in todo:
            if (wanted.name, wanted.arch) in self._locked:
                self._failed[wanted.title] = (
                    f"the node holds {wanted.name} back by a lock; lift that (zypper removelock {wanted.name}), "
                    "or reject the patch"
                )
        todo = self._offered([wanted for wanted in todo if wanted.title not in self._failed])

        def problem_of(some: Sequence[Wanted]) -> Optional[str]:
            done = self._run(_PLAN, some)
            if done.exit_code not in zypper_output.DONE:
                return zypper_output.problem_text(*done)
            return self._objection(zypper_output.parse_plan(done.stdout), some, order)

        return self._those_without(problem_of, todo)

    def _offered(self, todo: Sequence[Wanted]) -> Sequence[Wanted]:
        """Return *todo* without what no repository has: zypper would install nothing at all."""
        if not todo:
            return todo
        done = self._run(_PLAN, todo)
        lacking = (
            set(zypper_output.unmatched(done.stdout)) if done.exit_code == zypper_output.NO_SUCH_PACKAGE else set()
        )
        for wanted in todo:
            if _spec(wanted) in lacking:
                self._failed[wanted.title] = (
                    f"no repository of the node offers {wanted.name} {wanted.version} any more; scan again"
                )
        return [wanted for wanted in todo if _spec(wanted) not in lacking]

    def _objection(self, plan: Plan, some: Sequence[Wanted], order: Order) -> Optional[str]:
        """Return why *plan* must not be carried out, None where it may."""
        blocked = [named for named in plan.installs if any(_is(named, one) for one in order.blocked)]
        if blocked:
            return f"it needs {', '.join(map(_text, blocked))}, which is blocked"
        locked = [named for named in plan.installs if named[:2] in self._locked]
        if locked:
            return f"it needs {', '.join(map(_text, locked))}, which the node holds back by a lock"
        if plan.downgrades:
            return f"it would put back {', '.join(plan.downgrades)}"
        removed = [] if order.may_remove else self._unreplaced(plan)
        if removed:
            return f"it would remove {', '.join(map(_text, removed))}, which nothing replaces, and the task does not allow that"
        planned = set(plan.installs)
        lacking = [wanted for wanted in some if (wanted.name, wanted.arch, wanted.version) not in planned]
        return f"the solver would leave out {', '.join(wanted.title for wanted in lacking)}" if lacking else None

    def _unreplaced(self, plan: Plan) -> Sequence[Named]:
        """Return what *plan* removes; zypper tells what is replaced under another name no differently."""
        if not plan.removes:
            return []
        relations = [found for text in self._obsoleted(plan.installs) if (found := relation(text)) is not None]
        return [
            (name, arch, version)
            for name, arch, version in plan.removes
            if not any(Relation(name, "=", version).meets(required) for required in relations)
        ]

    def _tested(self, todo: Sequence[Wanted]) -> Sequence[Wanted]:
        """Download what is needed and let zypper test the transaction; return what can be installed."""
        if not todo:
            return todo
        plan = zypper_output.parse_plan(self._run(_PLAN, todo).stdout)
        packages = Need(self._cache / "packages", plan.download_size)
        lack = disk_room.shortage([packages, Need(self._root / "usr", max(0, plan.installed_size))])
        if lack is not None:
            raise InstallFailed(lack)
        self._tell(Phase.DOWNLOADING, 0, len(todo), "")
        problem = self._test(todo)
        for pause_s in _DOWNLOAD_PAUSES_S:
            if problem is None or _OF_A_MIRROR.search(problem) is None:
                break
            self._remarks.append(f"tried again after {pause_s} s: {problem}"[:_REASON_MAX])
            self._sleep(pause_s)
            problem = self._test(todo)
        return self._those_without(self._test, todo) if problem is not None else todo

    def _test(self, some: Sequence[Wanted]) -> Optional[str]:
        done = self._run(_TEST, some)
        # It counts a package that could not be fetched, or has no good signature, as its user's wish to end.
        if done.exit_code in zypper_output.DONE and "aborted as directed" not in done.stdout:
            return None
        problem = zypper_output.problem_text(*done)
        if _NO_ROOM.search(problem) is not None:
            # As many as fit would fill the disk.
            raise InstallFailed(f"no room on the disk: {problem}")
        return problem

    def _transact(self, todo: Sequence[Wanted]) -> None:
        """Install *todo* in one transaction; where one fails, what is left without it, if need be each alone."""
        if self._over():
            self._untried += [wanted.title for wanted in todo]
            return
        self._tell(Phase.INSTALLING, 0, len(todo), "")
        try:
            done = self._run(_TRANSACTION, todo)
        except Locked as problem:
            if not self._is_begun:
                raise InstallFailed(str(problem)) from problem
            # Once something was installed, what came of it must be told.
            done = Completed(1, "", str(problem))
        self._is_begun = True
        self._note_scripts(done)
        present = {package.title for package in self._installed()}
        left = [wanted for wanted in todo if rpm_outcome.name(wanted) not in present]
        named = zypper_output.failed_packages(done.stdout)
        rest = []
        for wanted in left:
            reason = _reason(wanted, named)
            if reason is not None:
                self._failed[wanted.title] = reason
            else:
                rest.append(wanted)
        if rest and len(rest) < len(todo):
            self._transact(rest)
        elif len(rest) > 1:
            # One of them, or what it needs, keeps out the others.
            for wanted in rest:
                self._transact([wanted])
        elif rest:
            is_done = done.exit_code in zypper_output.DONE
            reason = "it ended without an error" if is_done else zypper_output.problem_text(*done)
            self._failed[rest[0].title] = f"the transaction did not install it: {reason}"

    def _note_scripts(self, done: Completed) -> None:
        said = zypper_output.failed_scripts(done.stdout)
        if done.exit_code == zypper_output.SCRIPTS_FAILED and not said:
            said = ["scripts of packages failed; /var/log/zypp/history says which"]
        self._remarks += [line for line in said if line not in self._remarks]

    def _run(self, options: Sequence[str], some: Sequence[Wanted]) -> Completed:
        done = self._command.install([*self._solver, *options], [_spec(wanted) for wanted in some], on_line=self._hear)
        if zypper_output.is_locked(done.exit_code) or (done.exit_code == TIMED_OUT and options != _TRANSACTION):
            raise Locked(f"the package manager is locked: {zypper_output.problem_text(*done)}")
        return done

    def _hear(self, line: str) -> None:
        got, step = _DOWNLOADED.search(line), _STEP.search(line)
        if got is not None:
            self._tell(Phase.DOWNLOADING, int(got[2]), int(got[3]), html.unescape(got[1]))
        elif step is not None:
            self._tell(Phase.INSTALLING, int(step[1]), int(step[2]), html.unescape(step[3]))

    def _those_without(
        self, problem_of: Callable[[Sequence[Wanted]], Optional[str]], todo: Sequence[Wanted]
    ) -> Sequence[Wanted]:
        good, bad = isolation.choose(todo, problem_of)
        self._failed.update({wanted.title: reason for wanted, reason in bad})
        return good


def _spec(wanted: Wanted) -> str:
    """Return what names exactly one version to zypper."""
    return f"{wanted.name}.{wanted.arch}={wanted.version}"


def _is(named: Named, blocked: Blocked) -> bool:
    name, arch, version = named
    return (
        name == blocked.name
        and blocked.arch in ("", arch)
        and (not blocked.version or rpm_version.sort_key(blocked.version) == rpm_version.sort_key(version))
    )


def _text(named: Named) -> str:
    name, arch, version = named
    return f"{name}.{arch}:{version}"


def _reason(wanted: Wanted, said: Mapping[str, str]) -> Optional[str]:
    """Return why the package failed, which is named with its epoch or without."""
    _, version, release = rpm_version.split(wanted.version)
    short = f"{wanted.name}-{version}-{release}.{wanted.arch}"
    return said.get(short) or said.get(f"{wanted.name}-{wanted.version}.{wanted.arch}")
