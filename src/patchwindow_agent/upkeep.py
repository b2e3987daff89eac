"""What the agent does after each sign of life: take up what was left, clear away, and keep up with the server's program."""

import time
from pathlib import Path
from typing import Callable, Mapping, Optional

from patchwindow_agent import old_programs
from patchwindow_agent.errors import AgentError
from patchwindow_agent.journal import Journal, Record, State
from patchwindow_agent.pool import Pool
from patchwindow_agent.runner import Runner
from patchwindow_agent.update import Updater

_CLEAR_EVERY_S = 86_400.0
# A shutdown that takes longer has been called off by somebody.
_REBOOT_WITHIN_S = 3600.0


class Upkeep:
    """Keeps an agent in order."""

    def __init__(
        self,
        *,
        journal: Journal,
        pool: Pool,
        runner: Runner,
        updater: Optional[Updater],
        become: Callable[[Path], None],
        environ: Mapping[str, str],
        boot_id: str,
        log: Callable[[str], None],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._pool = pool
        self._runner = runner
        self._updater = updater
        self._become = become
        self._environ = environ
        self._boot_id = boot_id
        self._log = log
        self._steady = steady
        self._clears_at = steady() + _CLEAR_EVERY_S

    def begin(self) -> None:
        """Take up what an earlier run of the agent left.

        Raises:
            StateProblem: a record cannot be read or written.
        """
        self._journal.forget_old(time.time())
        self._take_up(self._journal.unfinished(), "the agent or the machine stopped while the step ran")

    def turn(self, digest: str, fetch: Callable[[], bytes]) -> None:
        """Do all that is due; *digest* is the SHA-256 of the server's program, which *fetch* gets.

        Raises:
            StateProblem: a record cannot be read or written.
        """
        self._mend()
        if self._steady() >= self._clears_at and self._pool.hold():
            self._clear(digest)
        if self._updater is not None:
            self._updater.settle()
            if digest and self._updater.wants(digest) and self._pool.hold():
                self._update(self._updater, digest, fetch)

    def no_reboot(self, reason: str) -> None:
        """Let the commands end that wait for a reboot, which does not come for *reason*, and let the others run.

        Raises:
            StateProblem: a record cannot be read or written.
        """
        self._log(f"there is no reboot: {reason}")
        for command_id, record in self._journal.unfinished().items():
            if record.state is State.REBOOTING:
                if self._runner.may_run_again(record):
                    # It reports what is so without it.
                    self._pool.add(command_id, record)
                else:
                    self._runner.fail(command_id, record, f"the reboot that the step asked for did not come: {reason}")
        self._pool.forget_reboot()

    def _mend(self) -> None:
        stuck = self._pool.take_stuck()
        if stuck:
            unfinished = self._journal.unfinished()
            found = {command_id: unfinished[command_id] for command_id in stuck if command_id in unfinished}
            self._take_up(found, "the state folder could not be written while the command ran")
        asked_at = self._pool.reboot_asked_at
        if asked_at is not None and self._steady() - asked_at > _REBOOT_WITHIN_S:
            self.no_reboot(f"the machine still runs {_REBOOT_WITHIN_S / 60:.0f} minutes after it was asked to reboot")

    def _take_up(self, commands: Mapping[str, Record], cut_off: str) -> None:
        """Let commands go on that were left; *cut_off* in a step that may not run again, they fail."""
        awaiting = [id for id, record in commands.items() if self._is_before_reboot(record) and record.is_reboot_asked]
        if awaiting:
            self._pool.await_reboot()
        for command_id, found in commands.items():
            if command_id in awaiting:
                continue
            record, reason = found, cut_off
            if self._is_before_reboot(record):
                # Now it would come at any time of the day: who asked for it must ask again.
                record = record.moved(State.RUNNING)
                reason = "the agent stopped before the reboot was begun that the step asked for"
            elif record.state is not State.RUNNING and self._journal.is_old(command_id, time.time()):
                reason = "it was left here more than 48 hours ago, after which nobody waits for it"
                record = record.moved(State.RUNNING)
            if record.state is State.RUNNING and not self._runner.may_run_again(record):
                self._runner.fail(command_id, record, reason)
            else:
                self._pool.add(command_id, record._replace(is_left=True))

    def _is_before_reboot(self, record: Record) -> bool:
        """Return whether a command waits for a reboot that has not been; without the name of the boot nobody knows."""
        return record.state is State.REBOOTING and record.boot_id == self._boot_id != ""

    def _clear(self, digest: str) -> None:
        """Clear away what is old, while the pool is held."""
        self._clears_at = self._steady() + _CLEAR_EVERY_S
        try:
            self._journal.forget_old(time.time())
            old_programs.remove(self._environ, digest)
        finally:
            self._pool.release()

    def _update(self, updater: Updater, digest: str, fetch: Callable[[], bytes]) -> None:
        """Take the server's program over, while the pool is held; this process becomes it."""
        try:
            updater.take(digest, fetch)
            self._log(f"becoming the server's program {digest[:12]}")
            self._become(updater.program)
        except AgentError as problem:
            self._log(str(problem))
        finally:
            self._pool.release()
