"""Carries out an installation of patches, step by step as operation.py says, each saved before it is done."""

import time
from typing import Any, Callable, Mapping, NamedTuple, Optional, Protocol, Sequence

from patchwindow_agent import operation_text
from patchwindow_agent.capability import SCHEMA, Plan, Task
from patchwindow_agent.errors import CommandOver, InstallFailed, NoRights, ScanFailed, StateProblem
from patchwindow_agent.operation import ATTEMPTS_MAX, Record, Stage, Step, has_rebooted, next_step, resumed
from patchwindow_agent.package_manager import Lists, Order, Outcome, PackageManager, Phase
from patchwindow_agent.pending import Pending, titles_of
from patchwindow_agent.results import EXIT_REBOOT

# The agent shuts the machine down a minute after it was asked to.
SHUTDOWN_WAIT_S = 300
_SHUTDOWN_LOOK_S = 5
_REFRESH_TRIES = 5
_REFRESH_PAUSE_S = 15
_TEXT_MAX = 1024
# They change the machine. What installs asks by itself, before each transaction.
_ASKED_BEFORE = frozenset({Step.REPAIR, Step.REBOOT})


class Ended(NamedTuple):
    """What an operation has to say, and the exit code that it ends with."""

    text: str
    exit_code: int


class Server(Protocol):
    """What an operation needs of its server; `capability.Capability` is the one there is."""

    def why_over(self) -> str:
        """Return why nothing more may be begun; empty while it may."""

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return what is to be installed on a node with *facts*."""

    def report(self, report: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the verdict on *report*."""

    def tell(self, phase: Phase, done: int, total: int, what: str) -> None:
        """Tell how far the operation is; never fails."""


class Journal(Protocol):
    """Where the record of the operation is; `operation_journal.OperationJournal` is the one there is."""

    def load(self) -> Optional[Record]:
        """Return the record; None where the operation has not begun."""

    def save(self, record: Record) -> None:
        """Keep *record*."""


class Installation:
    """One installation, from where an earlier process left it."""

    def __init__(
        self,
        task: Task,
        *,
        manager: PackageManager,
        server: Server,
        journal: Journal,
        pending: Pending,
        boot_id: str,
        cannot_reboot: str = "",
        was_unheard: bool = False,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._task = task
        self._manager = manager
        self._server = server
        self._journal = journal
        self._pending = pending
        self._boot_id = boot_id
        # Why whoever runs this cannot reboot the machine; empty where it can.
        self._cannot_reboot = cannot_reboot
        self._was_unheard = was_unheard
        self._wall = wall
        self._sleep = sleep
        self._plan = Plan((), (), {})
        self._over = task.over

    def run(self) -> Ended:
        """Carry out what is left; the exit code 194 asks for a reboot and to be run again afterwards.

        Raises:
            AgentError: it could not be carried out or reported, and nothing was installed that is not in the journal.
        """
        found = self._journal.load()
        if found is None:
            record = Record(started_at=self._wall(), boot_id=self._boot_id)
            self._journal.save(record)
        else:
            record = resumed(found, self._boot_id)
            if record != found:
                self._journal.save(record)
        while True:
            step = self._next_step(record)
            if step in _ASKED_BEFORE and self._why_over():
                step = self._next_step(record)
            if step is Step.NONE:
                return Ended(record.text, record.exit_code)
            if step is Step.REBOOT:
                problem = self._cannot_reboot or self._noted_reboot(record)
                if not problem:
                    return Ended(operation_text.before_reboot(record), EXIT_REBOOT)
                record = self._without_reboot(record, problem)
            elif step is Step.FORGO_REBOOT:
                record = self._without_reboot(record, self._over)
            else:
                record = self._perform(step, record)

    def _why_over(self) -> str:
        """Return why nothing more may be begun; once over, a command is not asked about any more."""
        self._over = self._over or self._server.why_over()
        return self._over

    def _next_step(self, record: Record) -> Step:
        return next_step(
            record,
            self._boot_id,
            may_reboot=self._task.may_reboot,
            was_unheard=self._was_unheard,
            is_over=bool(self._over),
        )

    def _perform(self, step: Step, record: Record) -> Record:
        if step is Step.REPAIR:
            return self._repaired(record)
        with self._manager.using(self._task.sources):
            if step is Step.PLAN:
                return self._planned(record)
            if step is Step.STOP:
                return self._stopped(self._credited(record, titles_of(self._manager.facts()[0])))
            if step is Step.INSTALL:
                return self._installed(record)
            if step is Step.AWAIT_SHUTDOWN:
                return self._awaited(record)
            if record.stage is not Stage.VERIFYING:
                record = self._saved(record.moved(Stage.VERIFYING))
            return self._reported(record)

    def _repaired(self, record: Record) -> Record:
        self._server.tell(Phase.REPAIRING, 0, 0, "")
        try:
            done = tuple(self._manager.repair())
        except InstallFailed as problem:
            reason = f"the package manager cannot be repaired, so nothing was installed: {problem}"
            record = record.moved(Stage.INSTALLED, problem=reason, failed=dict.fromkeys(record.wanted, str(problem)))
        else:
            was_repaired = bool(done) or record.was_repaired
            record = record.moved(Stage.REPAIRED, remarks=(*record.remarks, *done), was_repaired=was_repaired)
        self._journal.save(record)
        return record

    def _planned(self, record: Record) -> Record:
        self._server.tell(Phase.REFRESHING, 0, 0, "")
        lists = self._refreshed()
        self._server.tell(Phase.SCANNING, 0, 0, "")
        facts, _ = self._manager.facts()
        present = titles_of(facts)
        try:
            self._plan = self._server.plan(facts)
        except CommandOver as problem:
            self._over = str(problem)
            return self._stopped(self._credited(record, present))
        record = self._credited(record, present)
        wanted = tuple(patch.title for patch in self._plan.wanted)
        failed = dict(self._plan.failed)
        if record.attempt_count >= ATTEMPTS_MAX:
            failed.update(dict.fromkeys(wanted, f"its installation was cut off {record.attempt_count} times"))
        record = record.moved(Stage.PLANNED, wanted=wanted, failed=failed, lists_as_of=lists.as_of)
        self._journal.save(record)
        if not wanted or record.attempt_count >= ATTEMPTS_MAX:
            # Nothing is tried any more; what came of earlier attempts is reported.
            record = record.moved(Stage.INSTALLED)
            self._journal.save(record)
        return record

    def _stopped(self, record: Record) -> Record:
        """Install nothing more: what earlier attempts did is left to be reported."""
        return self._saved(record.moved(Stage.INSTALLED, problem=operation_text.stopped(self._over)))

    def _credited(self, record: Record, present: "frozenset[str]") -> Record:
        """Return *record* with what a former attempt installed before it was cut off: what it wanted and is *present*."""
        done = [title for title in record.wanted if title in present and title not in record.installed]
        before = record.before
        if before is None:
            # After a boot only what was finished since waits for another.
            before = tuple(sorted(present.difference(done) if record.was_repaired else present))
        fresh = [title for title in done if title not in before]
        if fresh:
            self._pending.add(fresh, self._boot_id)
        waiting = self._pending.waiting(self._boot_id, present)
        return record._replace(before=before, installed=(*record.installed, *done), waiting=waiting)

    def _installed(self, record: Record) -> Record:
        # Before they are installed, so that a crash in between leaves none out; what is not there does not wait.
        self._pending.add(record.wanted, self._boot_id)
        record = record.moved(Stage.INSTALLING, attempt_count=record.attempt_count + 1)
        self._journal.save(record)
        order = Order(self._plan.wanted, self._plan.blocked, self._task.may_remove)
        try:
            outcome = self._manager.install(order, self._server.tell, self._why_over)
        except InstallFailed as problem:
            outcome = Outcome((), dict.fromkeys(record.wanted, str(problem)))
            record = record._replace(problem=f"nothing could be installed: {problem}")
        if outcome.left:
            record = record._replace(problem=operation_text.stopped(self._over))
        new = (*outcome.installed, *outcome.came_along)
        return self._saved(
            record.moved(
                Stage.INSTALLED,
                installed=(*record.installed, *outcome.installed),
                failed={**record.failed, **outcome.failed},
                came_along=(*record.came_along, *outcome.came_along),
                removed=(*record.removed, *outcome.removed),
                remarks=(*record.remarks, *outcome.remarks),
                waiting=sorted({*record.waiting, *new}),
            )
        )

    def _without_reboot(self, record: Record, reason: str) -> Record:
        """Go on to the report without the reboot that is due, for *reason*."""
        problems = [*([record.problem] if record.problem else []), operation_text.no_reboot(reason)]
        return self._saved(record.moved(Stage.VERIFYING, problem="; ".join(problems)))

    def _noted_reboot(self, record: Record) -> str:
        """Note that a reboot is asked for; return why it must not be: what is not noted could be asked for again."""
        self._server.tell(Phase.REBOOTING, 0, 0, "")
        try:
            self._journal.save(record.moved(Stage.REBOOTING, reboot_count=1))
        except StateProblem as problem:
            return str(problem)
        return ""

    def _awaited(self, record: Record) -> Record:
        """Wait for the shutdown that ends this process; return what is so where it does not come."""
        for _ in range(SHUTDOWN_WAIT_S // _SHUTDOWN_LOOK_S):
            self._sleep(_SHUTDOWN_LOOK_S)
        return self._saved(record.moved(Stage.VERIFYING, problem=operation_text.no_shutdown(SHUTDOWN_WAIT_S)))

    def _reported(self, record: Record) -> Record:
        """Report what a fresh scan sees, and what the operation has left on top of it."""
        self._server.tell(Phase.VERIFYING, 0, 0, "")
        try:
            lists = self._refreshed()
        except ScanFailed as problem:
            # What was installed is reported, also where no mirror answers after the boot.
            lists = Lists(is_refreshed=False, as_of=record.lists_as_of, problem=_short(str(problem)))
        facts, installed_at = self._manager.facts()
        present = titles_of(facts)
        fresh: Sequence[str] = ()
        if not has_rebooted(record, self._boot_id) and record.before is not None:
            # As the package database has it: also what came along.
            fresh = sorted(present.difference(record.before))
            record = self._noted(fresh, record)
        # As with an update of macOS that a restart was to finish, and did not.
        absent = [title for title in record.installed if title not in present]
        told = {**dict.fromkeys(absent, operation_text.ABSENT), **record.failed}
        failed = {title: _short(reason) for title, reason in told.items() if title not in present}
        report = {
            "schema": SCHEMA,
            "operation": "Install",
            "startedAt": record.started_at,
            # A clock that was set back meanwhile must not make the report one that ends before it began.
            "endedAt": max(self._wall(), record.started_at),
            "bootId": self._boot_id,
            "lists": {"refreshed": lists.is_refreshed, "asOf": lists.as_of, "problem": lists.problem},
            "facts": facts,
            "installedAt": installed_at,
            "failed": failed,
            "pendingReboot": sorted({*fresh, *self._pending.waiting(self._boot_id, present)}),
        }
        verdict = self._server.report(report)
        record = record._replace(failed=failed, installed=[title for title in record.installed if title in present])
        text = operation_text.told(record, report, verdict, has_rebooted=has_rebooted(record, self._boot_id))
        exit_code = 1 if record.problem or record.failed.keys() & set(record.wanted) else 0
        return self._saved(record.moved(Stage.REPORTED, text=text, exit_code=exit_code))

    def _noted(self, fresh: Sequence[str], record: Record) -> Record:
        """Note that *fresh* wait for a reboot. Where that fails, a full disk perhaps, this report says so all the same."""
        try:
            self._pending.add(fresh, self._boot_id)
        except StateProblem as problem:
            return record._replace(remarks=(*record.remarks, str(problem)))
        return record

    def _refreshed(self) -> Lists:
        """Return how fresh the lists are, of which a mirror may fail for a while.

        Raises:
            ScanFailed: it failed each time.
        """
        for attempt in range(1, _REFRESH_TRIES + 1):
            try:
                return self._manager.refresh()
            except NoRights:
                raise
            except ScanFailed:
                if attempt == _REFRESH_TRIES:
                    raise
            self._sleep(_REFRESH_PAUSE_S)
        raise AssertionError("the last attempt returns or raises")

    def _saved(self, record: Record) -> Record:
        """Keep what is done already. Where that fails, a full disk perhaps, the operation goes on: it is to be reported."""
        try:
            self._journal.save(record)
        except StateProblem as problem:
            return record._replace(remarks=(*record.remarks, str(problem)))
        return record


def _short(text: str) -> str:
    """Return *text* as a report can have it: one line of printable characters."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:_TEXT_MAX] or "without a reason"
