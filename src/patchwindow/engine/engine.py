"""The engine: looks at what is due, one thing at a time, and sleeps until the next."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
"""At least so often the database is looked at: a new window rings no bell, nor do other replicas, and clocks are set."""
_SET_ASIDE: Final = timedelta(seconds=1)
"""For so long a thing whose step failed is left alone, and twice as long each time that it fails again."""
_SET_ASIDE_MAX: Final = timedelta(minutes=5)
_REST: Final = 4
"""For so much longer than it worked the engine rests."""
_REST_MAX_S: Final = 0.25

Step = Callable[[Work, Ids, str, datetime], None]
Due = Callable[[Work, datetime, int], Sequence[str]]

# What has ended makes room: a window does not overlap with an execution of which, now that one looks, all is over.
_ROUNDS: Final[tuple[tuple[Step, Due], ...]] = (
    (step_command, lambda work, now, limit: work.commands.due(now, limit)),
    (step_execution, lambda work, now, limit: work.executions.due(now, limit)),
    (open_window, lambda work, now, limit: work.windows.due(now, limit)),
)


class Listener(Protocol):
    """What the engine waits on."""

    def listen(self, name: str) -> "asyncio.Future[None]":
        """Return a future that the next ring of *name* completes."""
        ...


@dataclass(frozen=True, slots=True)
class _SetAside:
    """Something whose last step failed, so that it does not keep the others waiting."""

    until: datetime
    pause: timedelta


class Engine:
    """Opens windows, moves their executions, and hands out commands."""

    def __init__(self, *, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._set_aside: dict[str, _SetAside] = {}
        self._is_blind = False
        self._is_stopping = threading.Event()

    async def run(self, bell: Listener) -> None:
        """Work until cancelled; the step that is being taken then is finished."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="engine") as thread:
            try:
                while True:
                    rung = bell.listen(ENGINE)
                    try:
                        began_at_s = loop.time()
                        pause = await loop.run_in_executor(thread, self._round)
                        # A step costs what is in flight, however much has happened. Who rests finds that more has,
                        # and leaves the database to those who tell of it.
                        await asyncio.sleep(min(_REST * (loop.time() - began_at_s), _REST_MAX_S))
                        await asyncio.wait([rung], timeout=pause.total_seconds())
                    finally:
                        rung.cancel()
            finally:
                self._is_stopping.set()

    def turn(self) -> datetime | None:
        """Do all that is due, and return the instant at which something is due next; None where nothing is planned."""
        while (at := self._next_at()) is not None and at <= self._clock.now():
            if not self._look():
                return self._clock.now() + _LOOK_AGAIN
        return at

    def _round(self) -> timedelta:
        """Look once, and return how long to wait for the next look; a database that fails does not end the engine."""
        try:
            at = self._next_at()
            pause = _LOOK_AGAIN if at is None else min(at - self._clock.now(), _LOOK_AGAIN)
            if pause <= timedelta():
                pause = timedelta() if self._look() else _LOOK_AGAIN
        except Exception:  # noqa: BLE001  (whatever it is, windows must open once it is over)
            if not self._is_blind:
                _LOG.exception("the engine cannot look at the database; it tries again every %s", _LOOK_AGAIN)
            self._is_blind = True
            return _LOOK_AGAIN
        if self._is_blind:
            _LOG.warning("the engine can look at the database again")
        self._is_blind = False
        return pause

    def _next_at(self) -> datetime | None:
        with self._database.read() as work:
            instants = (work.windows.next_opening_at(), work.executions.next_wake_at(), work.commands.next_wake_at())
        return min((one for one in instants if one is not None), default=None)

    def _look(self) -> bool:
        """Take a step with everything that is due; return False where all of that is set aside."""
        now = self._clock.now()
        # What has long not failed again succeeded, or is gone.
        self._set_aside = {id: one for id, one in self._set_aside.items() if now < one.until + _SET_ASIDE_MAX}
        took_any = [self._take_all(step, due, now) for step, due in _ROUNDS]
        return any(took_any)

    def _take_all(self, step: Step, due: Due, now: datetime) -> bool:
        """Take *step* with all that is due at *now*, and return whether there was anything."""
        took_any = False
        while not self._is_stopping.is_set() and (ids := self._due(due, now)):
            took_any = True
            for id in ids:
                if self._is_stopping.is_set():
                    break
                self._take(step, id)
            if len(ids) < _BATCH:
                break
        return took_any

    def _due(self, due: Due, now: datetime) -> list[str]:
        """Return some of what is due; what is set aside takes no place among it."""
        left_alone = {id for id, one in self._set_aside.items() if now < one.until}
        with self._database.read() as work:
            return [id for id in due(work, now, _BATCH + len(left_alone)) if id not in left_alone]

    def _take(self, step: Step, id: str) -> None:
        now = self._clock.now()
        try:
            with self._database.write() as work:
                step(work, self._ids, id, now)
        except Exception:  # noqa: BLE001  (one bad row must not stop the rest; it is said, and tried again later)
            before = self._set_aside.get(id)
            pause = _SET_ASIDE if before is None else min(2 * before.pause, _SET_ASIDE_MAX)
            _LOG.exception("%s of %s failed; tried again in %s", step.__name__, id, pause)
            self._set_aside[id] = _SetAside(now + pause, pause)
        else:
            self._set_aside.pop(id, None)
