"""Worlds side by side: one process for each core, each with one world at a time."""

import logging
import multiprocessing
import signal
import time
import traceback
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

from tests.simulation import forecasts, seeds
from tests.simulation.rules import Broken

_WORLD_MAX_S: Final = 600
"""A world that takes longer does not end."""
_LOOK_S: Final = 0.5
_FORECAST_OF: Final = 10
"""With one seed of so many goes a quiet world, which is forecast and must come true."""
# A child that begins anew inherits no connection and no lock, on any system.
_PROCESSES: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a world ended: *broken* is what did not hold, in a line, or None; *story* is all that is known of it."""

    seed: int
    broken: str | None = None
    story: str = ""


def ending(seed: int, template: Path) -> Ending:
    """Let the world of *seed* begin and end, and tell how it did."""
    try:
        seeds.live(seed, template)
        if seed % _FORECAST_OF == _FORECAST_OF - 1:
            forecasts.check(seed, template.parent)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is what this world has found)
        first, *_ = [*str(error).splitlines(), ""]
        broken = first if isinstance(error, Broken) else f"{type(error).__name__}: {first}"
        return Ending(seed, broken, "".join(traceback.format_exception(error)).rstrip())
    return Ending(seed)


def endings(asked: Iterable[int], template: Path, *, process_count: int) -> Generator[Ending | None, None, None]:
    """Run the worlds of the seeds that are *asked* for, and yield how each ended; None where for a while none did."""
    to_come = iter(asked)
    workers = [_Worker(template) for _ in range(process_count)]
    try:
        while busy := [one for one in workers if one.takes_on(to_come)]:
            ready = wait([one.connection for one in busy], timeout=_LOOK_S)
            if not ready:
                yield None
            for worker in busy:
                if worker.connection in ready or worker.is_overdue():
                    yield worker.ending()
    finally:
        for worker in workers:
            worker.close()


class _Worker:
    """A process that runs one world after another; where one ends the process, the next has a new one."""

    def __init__(self, template: Path) -> None:
        self._template = template
        self._process: Any = None
        self._seed: int | None = None
        self._began_at_s = 0.0

    def takes_on(self, to_come: Iterator[int]) -> bool:
        """Begin the next world unless one is going on; return whether one is then."""
        if self._seed is None:
            self._seed = next(to_come, None)
            if self._seed is not None:
                self._begin(self._seed)
        return self._seed is not None

    def _begin(self, seed: int) -> None:
        if self._process is None:
            self.connection, other = _PROCESSES.Pipe()
            self._process = _PROCESSES.Process(target=_work, args=(other, self._template), daemon=True)
            # An interrupt is for the process that the user started; a child inherits that it is ignored.
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            self._process.start()
            signal.signal(signal.SIGINT, before)
            other.close()
        self._began_at_s = time.monotonic()
        self.connection.send(seed)

    def is_overdue(self) -> bool:
        """Return whether the world has gone on for too long."""
        return time.monotonic() - self._began_at_s > _WORLD_MAX_S

    def ending(self) -> Ending:
        """Return how the world ended that has ended, or that has to."""
        assert self._seed is not None, "a world was going on"
        seed, self._seed = self._seed, None
        try:
            if self.connection.poll():
                told: Ending = self.connection.recv()
                return told
            broken = f"it did not end within {_WORLD_MAX_S} s"
        except (EOFError, ConnectionResetError):
            self._process.join()
            broken = f"its process ended with exit code {self._process.exitcode}"
        self.close()
        return Ending(seed, broken)

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self.connection.close()
            self._process = None


def _work(connection: Connection, template: Path) -> None:
    """Run the worlds that are asked for until nobody asks any more."""
    # What a step logs when it fails is part of a story only; here thousands of stories go well.
    logging.disable()
    try:
        while True:
            connection.send(ending(connection.recv(), template))
    except (EOFError, BrokenPipeError):
        return
