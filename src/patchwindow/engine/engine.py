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
from patchwindow.engine.perform_association import step_association, step_run
from patchwindow.engine.perform_command import step_command
from patchwindow.engine.perform_window import step_execution
from patchwindow.engine.recompute import recompute
from patchwindow.engine.upkeep import keep_up
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
    (step_run, lambda work, now, limit: work.association_runs.due(now, limit)),
    (step_association, lambda work, now, limit: work.associations.due(now, limit)),
    (recompute, lambda work, now, limit: work.cohorts.due(now, limit)),
    (keep_up, lambda work, now, limit: work.chores.due(now, limit)),
)


def _instants(work: Work) -> tuple[datetime | None, ...]:
    """Return for each round when something is due in it."""
    return (
        work.commands.next_wake_at(),
        work.executions.next_wake_at(),
        work.windows.next_opening_at(),
        work.association_runs.next_wake_at(),
        work.associations.next_wake_at(),
        work.cohorts.next_due_at(),
        work.chores.next_due_at(),
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


@dataclass(frozen=True, slots=True)
class _Found:
    """What is due in a round, and when anything is due at all."""

    round: int
    ids: list[str]
    next_at: datetime | None


class Engine:
    """Opens windows, moves their executions, lets associations run, and hands out commands."""

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
                        # A step costs the same for one reply as for many. Who rests finds that more have come,
                        # and leaves the database to those who tell of it.
                        await asyncio.sleep(min(_REST * (loop.time() - began_at_s), _REST_MAX_S))
                        await asyncio.wait([rung], timeout=pause.total_seconds())
                    finally:
                        rung.cancel()
            finally:
                self._is_stopping.set()

    def turn(self) -> datetime | None:
        """Do all that is due, and return the instant at which something is due next; None where nothing is planned."""
        while True:
            took_any, at = self._look()
            if at is None or at > self._clock.now():
                return at
            if not took_any:
                return self._clock.now() + _LOOK_AGAIN

    def _round(self) -> timedelta:
        """Look once, and return how long to wait for the next look; a database that fails does not end the engine."""
        try:
            took_any, at = self._look()
            pause = _LOOK_AGAIN if at is None else min(at - self._clock.now(), _LOOK_AGAIN)
            if pause <= timedelta():
                pause = timedelta() if took_any else _LOOK_AGAIN
        except Exception:  # noqa: BLE001  (whatever it is, windows must open once it is over)
            if not self._is_blind:
                _LOG.exception("the engine cannot look at the database; it tries again every %s", _LOOK_AGAIN)
            self._is_blind = True
            return _LOOK_AGAIN
        if self._is_blind:
            _LOG.warning("the engine can look at the database again")
        self._is_blind = False
        return pause

    def _look(self) -> tuple[bool, datetime | None]:
        """Take a step with everything that is due, round by round.

        Return whether there was anything, and when something is due next: at once where all of it is set aside, or
        where a step made something due whose round was over.
        """
        now = self._clock.now()
        # What has long not failed again succeeded, or is gone.
        self._set_aside = {id: one for id, one in self._set_aside.items() if now < one.until + _SET_ASIDE_MAX}
        took_any, first = False, 0
        while True:
            found = self._find(first, now)
            if not found.ids:
                return took_any, found.next_at
            took_any = True
            step, _ = _ROUNDS[found.round]
            for id in found.ids:
                if self._is_stopping.is_set():
                    return took_any, found.next_at
                self._take(step, id)
            first = found.round if len(found.ids) >= _BATCH else found.round + 1

    def _find(self, first: int, now: datetime) -> _Found:
        """Return some of what is due in the first round, from the round *first* on, in which anything is.

        All in one transaction, which costs more than the look-ups in it. What is set aside takes no place in it.
        """
        left_alone = {id for id, one in self._set_aside.items() if now < one.until}
        with self._database.read() as work:
            instants = _instants(work)
            next_at = min((one for one in instants if one is not None), default=None)
            for number in range(first, len(_ROUNDS)):
                at = instants[number]
                if at is None or at > now:
                    continue
                _, due = _ROUNDS[number]
                ids = [id for id in due(work, now, _BATCH + len(left_alone)) if id not in left_alone]
                if ids:
                    return _Found(number, ids, next_at)
        return _Found(first, [], next_at)

    def _take(self, step: Step, id: str) -> None:
        try:
            with self._database.write() as work:
                # Read when it has its turn, for which it may have waited: until then a cutoff may have passed.
                step(work, self._ids, id, self._clock.now())
        except Exception:  # noqa: BLE001  (one bad row must not stop the rest; it is said, and tried again later)
            before = self._set_aside.get(id)
            pause = _SET_ASIDE if before is None else min(2 * before.pause, _SET_ASIDE_MAX)
            _LOG.exception("%s of %s failed; tried again in %s", step.__name__, id, pause)
            self._set_aside[id] = _SetAside(self._clock.now() + pause, pause)
        else:
            self._set_aside.pop(id, None)
