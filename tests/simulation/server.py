"""One process of a server: the real database access, service and engine, and where misfortune can strike them."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from tests.fakes.site import OPERATOR, SITE

from patchwindow.engine import engine as engine_module
from patchwindow.engine.call_webhooks import Caller
from patchwindow.engine.engine import Engine
from patchwindow.operations.call import Answer
from patchwindow.operations.call import Caller as ApiCaller
from patchwindow.operations.service import Service, authorize, find
from patchwindow.ports import Clock, Ids
from patchwindow.store.database import Database
from patchwindow.store.work import Work


class PowerCut(BaseException):
    """The process of a server ends in the middle of something; nothing can catch it."""


class Point(Enum):
    """Where in a transaction something can happen to it."""

    BEFORE_READ = auto()
    BEFORE_WRITE = auto()
    IN_WRITE = auto()
    BEFORE_COMMIT = auto()
    AFTER_COMMIT = auto()


Misfortune = Callable[[Point, Any], None]
"""What may happen at a point; a point in an open transaction has the driver's connection."""


class _FatedDatabase(Database):
    """A database that asks, wherever something could happen, whether it does."""

    def __init__(self, url: str, strike: Callable[[Point, Any], None]) -> None:
        super().__init__(url)
        self._strike = strike

    @contextmanager
    def read(self) -> Iterator[Work]:
        """Open a transaction that only reads."""
        self._strike(Point.BEFORE_READ, None)
        with super().read() as work:
            yield work

    @contextmanager
    def write(self) -> Iterator[Work]:
        """Open a transaction."""
        self._strike(Point.BEFORE_WRITE, None)
        with super().write() as work:
            driver: Any = work.basis[0].connection.dbapi_connection
            try:
                self._strike(Point.IN_WRITE, driver)
                yield work
                self._strike(Point.BEFORE_COMMIT, driver)
            finally:
                driver.set_progress_handler(None, 0)
            # The bell is rung outside: whoever dies before that leaves the others asleep.
        self._strike(Point.AFTER_COMMIT, None)


class OwnClock:
    """The clock of one server: the world's, and how much it is wrong."""

    def __init__(self, shared: Clock, skew: timedelta) -> None:
        self._shared = shared
        self._skew = skew

    def now(self) -> datetime:
        """Return what the clock shows."""
        return self._shared.now() + self._skew


class _Paused:
    """A round of an engine on a thread of its own, which runs only while it is told to."""

    def __init__(self, take_round: Callable[[], timedelta]) -> None:
        self._take_round = take_round
        self._mine, self._theirs = threading.Semaphore(0), threading.Semaphore(0)
        self._is_doomed = False
        self._problem: BaseException | None = None
        self.pause: timedelta | None = None
        self.thread = threading.Thread(target=self._run, name="simulated engine", daemon=True)
        self.thread.start()

    def go_on(self) -> bool:
        """Let it run to the next transaction, or to its end; return whether that was its end."""
        self._mine.release()
        self._theirs.acquire()
        if self.pause is None and self._problem is None:
            return False
        self.thread.join()
        if self._problem is not None:
            raise self._problem
        return True

    def end(self) -> None:
        """Let it end where it is."""
        self._is_doomed = True
        self._mine.release()
        self.thread.join()

    def wait(self) -> None:
        """Wait, on its own thread, to be told to go on."""
        self._theirs.release()
        self._mine.acquire()
        if self._is_doomed:
            raise PowerCut

    def _run(self) -> None:
        self._mine.acquire()
        try:
            if not self._is_doomed:
                self.pause = self._take_round()
        except BaseException as problem:  # noqa: BLE001  (it is raised again where it was told to go on)
            self._problem = problem
        finally:
            self._theirs.release()


class Failures(logging.Handler):
    """Hears of every step that an engine could not take, instead of the log."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[BaseException] = []
        self._logger = engine_module._LOG
        self._logger.addHandler(self)
        self._logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        """Note the exception of a record."""
        if record.exc_info and record.exc_info[1]:
            self.heard.append(record.exc_info[1])

    def close(self) -> None:
        """Leave the log as it was."""
        self._logger.removeHandler(self)
        self._logger.propagate = True
        super().close()


class Server:
    """A process that can end at any time; what it had in memory is gone then."""

    def __init__(self, *, number: int, url: str, clock: Clock, ids: Ids, misfortune: Misfortune) -> None:
        self.number: Final = number
        self.clock: Final = clock
        self._url = url
        self._ids = ids
        self._misfortune = misfortune
        self._round: _Paused | None = None
        self._database: Database | None = None

    @property
    def is_up(self) -> bool:
        """Whether the process runs."""
        return self._database is not None

    @property
    def is_paused(self) -> bool:
        """Whether its engine has stopped between two transactions."""
        return self._round is not None

    def start(self, ring: Callable[[str], None]) -> None:
        """Begin, with nothing but the database."""
        self._database = database = _FatedDatabase(self._url, self._strike)
        database.on_wake(ring)
        self._service = Service(database=database, clock=self.clock, ids=self._ids, site=SITE)
        self.engine = Engine(database=database, clock=self.clock, ids=self._ids)
        self.caller = Caller(database=database, clock=self.clock, ids=self._ids)

    def end(self) -> None:
        """Lose all that is in memory."""
        if self._round is not None:
            self._round.end()
            self._round = None
        if self._database is not None:
            self._database.close()
            self._database = None

    def perform(self, operation: str, caller: ApiCaller = OPERATOR, /, **request: Any) -> Answer:
        """Carry out one operation of the API."""
        authorize(operation, find(operation), request, caller)
        return self._service.perform(operation, request, caller)

    def look(self) -> timedelta:
        """Let the engine look once and do what is due; return how long it then waits."""
        return self.engine._round()

    def look_slowly(self) -> timedelta | None:
        """Let the engine go on to its next transaction only; return how long it then waits, or None where it stopped."""
        if self._round is None:
            self._round = _Paused(self.engine._round)
        paused = self._round
        try:
            has_ended = paused.go_on()
        except BaseException:
            self._round = None
            raise
        if not has_ended:
            return None
        self._round = None
        return paused.pause

    @property
    def is_content(self) -> bool:
        """Whether the engine has nothing that it could not do."""
        return not self.engine._set_aside and not self.engine._is_blind

    def _strike(self, point: Point, driver: Any) -> None:
        paused = self._round
        begins = point in (Point.BEFORE_READ, Point.BEFORE_WRITE)
        if begins and paused is not None and threading.current_thread() is paused.thread:
            paused.wait()
        self._misfortune(point, driver)
