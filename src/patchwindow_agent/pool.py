"""Which commands run now, which wait, and when the machine may reboot."""

import threading
import time
from typing import Callable, Optional, Sequence

from patchwindow_agent.errors import AgentError
from patchwindow_agent.journal import Record
from patchwindow_agent.results import End
from patchwindow_agent.runner import Runner
from patchwindow_agent.shell import Stop

# Beyond this a command is left with the server, which sends it again.
_WAITING_MAX = 100
_STOP_WITHIN_S = 5.0


class Pool:
    """Runs so many commands at once and no more, each on a thread of its own."""

    def __init__(self, runner: Runner, *, at_once: int, reboot: Callable[[], None], log: Callable[[str], None]) -> None:
        self._runner = runner
        self._at_once = at_once
        self._reboot = reboot
        self._log = log
        self._lock = threading.Lock()
        self._waiting: dict[str, Record] = {}
        self._running: dict[str, tuple[Stop, threading.Thread]] = {}
        # A command waits for a reboot: what runs may end, and nothing new begins.
        self._wants_reboot = False
        # When the machine was asked to reboot, on the clock that never jumps.
        self.reboot_asked_at: Optional[float] = None
        self._is_stopping = False
        self._is_held = False
        self._stuck: list[str] = []

    @property
    def is_full(self) -> bool:
        """Return whether no further command may be added."""
        return len(self._waiting) >= _WAITING_MAX

    def add(self, command_id: str, record: Record) -> None:
        """Run a command as soon as there is room."""
        with self._lock:
            self._waiting[command_id] = record
            self._start_next()

    def cancel(self, command_id: str) -> None:
        """End a command, running or waiting; another one is none of this pool's."""
        with self._lock:
            if command_id in self._running:
                self._running[command_id][0].ask(End.CANCELLED)
            elif command_id in self._waiting:
                # It takes no room: none of its steps will run.
                stop = Stop()
                stop.ask(End.CANCELLED)
                self._start(command_id, self._waiting.pop(command_id), stop)

    def hold(self) -> bool:
        """Begin nothing until `release`; return whether nothing runs or waits, which otherwise goes on as before."""
        with self._lock:
            is_idle = not (self._running or self._waiting or self._wants_reboot or self._is_stopping)
            self._is_held = is_idle
            return is_idle

    def release(self) -> None:
        """Begin again what has come meanwhile."""
        with self._lock:
            self._is_held = False
            self._start_next()

    def await_reboot(self) -> None:
        """Begin nothing until the machine reboots, which it was told to before this agent was started."""
        with self._lock:
            self._wants_reboot = True
            self.reboot_asked_at = time.monotonic()

    def forget_reboot(self) -> None:
        """Go on without the reboot that was asked for."""
        with self._lock:
            self._wants_reboot = False
            self.reboot_asked_at = None
            self._start_next()

    def take_stuck(self) -> Sequence[str]:
        """Return the commands that ended here because the state folder could not be written, each once."""
        with self._lock:
            stuck, self._stuck = self._stuck, []
        return stuck

    def stop(self) -> None:
        """End what runs, and begin nothing more. What waits is taken up after the next start."""
        with self._lock:
            self._is_stopping = True
            running = list(self._running.values())
        for stop, _ in running:
            stop.ask(End.AGENT_STOPPED)
        for _, thread in running:
            thread.join(_STOP_WITHIN_S)

    def _start_next(self) -> None:
        may_start = not (self._wants_reboot or self._is_stopping or self._is_held)
        while may_start and self._waiting and len(self._running) < self._at_once:
            command_id = next(iter(self._waiting))
            self._start(command_id, self._waiting.pop(command_id), Stop())

    def _start(self, command_id: str, record: Record, stop: Stop) -> None:
        thread = threading.Thread(target=self._work, args=(command_id, record, stop), daemon=True)
        self._running[command_id] = (stop, thread)
        thread.start()

    def _work(self, command_id: str, record: Record, stop: Stop) -> None:
        wants_reboot = False
        try:
            wants_reboot = self._runner.run(command_id, record, stop)
        except AgentError as problem:
            self._log(f"command {command_id}: {problem}")
            with self._lock:
                self._stuck.append(command_id)
        finally:
            with self._lock:
                del self._running[command_id]
                self._wants_reboot = self._wants_reboot or wants_reboot
                may_reboot = self._wants_reboot and not self._running and not self._is_stopping
                self._start_next()
        if may_reboot:
            self.reboot_asked_at = time.monotonic()
            self._reboot()
