"""How long the nodes of a command take, so many at a time: whoever is free takes the next.

This is what MaxConcurrency does. Two things are left out, both small beside a patch operation: sending begins with one
node and doubles as nodes answer, and a message waits for its node to ask for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from heapq import heapify, heapreplace
from itertools import repeat
from typing import Final

# Without history: what a patch operation takes on a server of usual size, its reboot included, and any other command.
DEFAULT_DURATIONS: Final = {
    "Scan": timedelta(minutes=2),
    "Install": timedelta(minutes=20),
    "Other": timedelta(minutes=1),
}

# So many nights are played. The spread is read off at the nearest rank: the 20th and the 38th of 40.
_NIGHTS: Final = 40
_P50_RANK: Final = 20
_P95_RANK: Final = 38
_GOLDEN: Final = 0x9E3779B97F4A7C15
_WORD: Final = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long something takes in one case of two, and in nineteen of twenty."""

    p50: timedelta
    p95: timedelta


def starts(durations: Iterable[timedelta], slots: int) -> list[timedelta]:
    """Return when each begins, counted from the first: in order, each in the slot that is free first."""
    assert slots > 0, "MaxConcurrency lets at least one run"
    free = [timedelta(0)] * slots
    return [heapreplace(free, free[0] + duration) for duration in durations]


def makespan(durations: Sequence[timedelta], slots: int) -> timedelta:
    """Return when the last of *durations* has ended, counted from the begin of the first; 0 where there are none."""
    begun = starts(durations, slots)
    return max((at + duration for at, duration in zip(begun, durations, strict=True)), default=timedelta(0))


@lru_cache(maxsize=4096)
def spread(recorded: tuple[timedelta, ...], count: int, slots: int) -> Spread:
    """Return how long *count* parts take, *slots* at a time, whose durations are like the *recorded* ones.

    Each of 40 nights draws *count* durations from those recorded. What is drawn is chosen by a fixed sequence and not by
    chance, so that the same history always gives the same answer.
    """
    assert recorded, "without history the default is what was recorded"
    if min(recorded) == max(recorded):
        # All nights are alike, and full rounds follow one another.
        alike = recorded[0] * -(-count // slots)
        return Spread(p50=alike, p95=alike)
    seconds = [duration.total_seconds() for duration in sorted(recorded)]
    nights = sorted(_night(seconds, count, slots, night) for night in range(_NIGHTS))
    return Spread(p50=timedelta(seconds=nights[_P50_RANK - 1]), p95=timedelta(seconds=nights[_P95_RANK - 1]))


def median(recorded: Sequence[timedelta]) -> timedelta:
    """Return the duration in the middle of *recorded*, the lower one of two."""
    return sorted(recorded)[(len(recorded) - 1) // 2]


def _night(seconds: Sequence[float], count: int, slots: int, night: int) -> float:
    """Return the makespan, in seconds, of one draw."""
    free = list(repeat(0.0, min(slots, max(count, 1))))
    heapify(free)
    for index in range(count):
        drawn = seconds[_mixed(night * count + index) % len(seconds)]
        heapreplace(free, free[0] + drawn)
    return max(free)


def _mixed(number: int) -> int:
    """Return *number* scattered over 64 bits, as the output function of SplitMix64 does."""
    bits = (number + 1) * _GOLDEN & _WORD
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9 & _WORD
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB & _WORD
    return bits ^ (bits >> 31)
