"""The engine: looks at what is due, one thing at a time, and sleeps until the next."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final, Protocol

from patchwindow.engine.open_window import open_window
from patchwindow.engine.perform_command import step_command
from patchwindow.engine.perform_window import step_execution
from patchwindow.ports import ENGINE, Clock, Ids
from patchwindow.store.database import Database
from patchwindow.store.work import Work

_LOG: Final = logging.getLogger(__name__)
_BATCH: Final = 100
_LOOK_AGAIN: Final = timedelta(seconds=1)
"""At least so often the database is looked at: other replicas ring no bell here, and clocks are set."""
_SET_ASIDE: Final = timedelta(seconds=30)
"""For so long a thing whose step failed is left alone, so that it cannot keep the others waiting."""

Step = Callable[[Work, Ids, str, datetime], None]


class Listener(Protocol):
    """What the engine waits on."""

    def listen(self, name: str) -> "asyncio.Future[None]":
        """Return a future that the next ring of *name* completes."""
        ...


class Engine:
    """Opens windows, moves their executions, and hands out commands."""

    def __init__(self, *, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._set_aside: dict[str, datetime] = {}

    async def run(self, bell: Listener) -> None:
        """Work until cancelled."""
        with ThreadPoolExecutor(1, thread_name_prefix="engine") as thread:
            while True:
                rung = bell.listen(ENGINE)
                try:
                    wake_at = await asyncio.get_running_loop().run_in_executor(thread, self.turn)
                    pause = min(wake_at - self._clock.now(), _LOOK_AGAIN) if wake_at else _LOOK_AGAIN
                    await asyncio.wait([rung], timeout=max(pause.total_seconds(), 0))
                finally:
                    rung.cancel()

    def turn(self) -> datetime | None:
        """Do all that is due, and return the instant at which something is due next; None where nothing is planned."""
        while self._look():
            pass
        with self._database.read() as work:
            instants = (work.windows.next_opening_at(), work.executions.next_wake_at(), work.commands.next_wake_at())
        now = self._clock.now()
        return min((max(one, self._earliest(now, one)) for one in instants if one is not None), default=None)

    def _earliest(self, now: datetime, instant: datetime) -> datetime:
        # What is due and still there was set aside; it must not keep the engine spinning.
        return instant if instant > now else now + _LOOK_AGAIN

    def _look(self) -> bool:
        """Take a step with everything that is due, and return whether there was anything."""
        now = self._clock.now()
        with self._database.read() as work:
            due: list[tuple[Step, str]] = [
                *((open_window, id) for id in work.windows.due(now, _BATCH)),
                *((step_execution, id) for id in work.executions.due(now, _BATCH)),
                *((step_command, id) for id in work.commands.due(now, _BATCH)),
            ]
        due = [(step, id) for step, id in due if self._set_aside.get(id, now) <= now]
        for step, id in due:
            self._take(step, id)
        return bool(due)

    def _take(self, step: Step, id: str) -> None:
        now = self._clock.now()
        try:
            with self._database.write() as work:
                step(work, self._ids, id, now)
            self._set_aside.pop(id, None)
        except Exception:
            # One bad row must not stop the rest; it is said once, and tried again later.
            _LOG.exception("%s of %s failed; set aside for %s", step.__name__, id, _SET_ASIDE)
            self._set_aside[id] = now + _SET_ASIDE
