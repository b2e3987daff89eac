"""What lint looks at, and what it finds: values only; the rules are in the other `lint_*` files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice, takewhile
from typing import Final

from patchwindow.domain.cron import CronText
from patchwindow.domain.opening import Timing

HORIZON: Final = timedelta(days=5 * 365)
"""How far lint looks ahead: the dates of a calendar and of a clock repeat themselves well within that."""

_OPENINGS_MAX: Final = 10_000
_NAMED_MAX: Final = 3


class LintCode(StrEnum):
    """What can be wrong with a schedule that the API accepts.  Codes are stable; findings come in this order."""

    HOURS_AS_SPAN = "hours-as-span"
    EVERY_MINUTE = "every-minute"
    UNIX_WEEKDAY = "unix-weekday"
    FIFTH_WEEKDAY = "fifth-weekday"
    DAY_NOT_IN_EVERY_MONTH = "day-not-in-every-month"
    BEFORE_SECOND_TUESDAY = "before-second-tuesday"
    NEVER_OPENS = "never-opens"
    OPENINGS_OVERLAP = "openings-overlap"
    TIME_SKIPPED = "time-skipped"
    TIME_REPEATED = "time-repeated"
    RATE_MOVES = "rate-moves"
    CUTOFF_LEAVES_NO_TIME = "cutoff-leaves-no-time"
    CUTOFF_LEAVES_LITTLE_TIME = "cutoff-leaves-little-time"


@dataclass(frozen=True, slots=True)
class WindowTimes:
    """The members of a window that say when it is open; a correction is a whole set of them."""

    schedule: str
    duration_hours: int
    cutoff_hours: int = 0
    schedule_offset: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One trap.  *sentence* names the values; *corrected* is what to write instead, where that is known."""

    code: LintCode
    sentence: str
    corrected: WindowTimes | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A window as the rules look at it; *text* is None for a rate and an at."""

    times: WindowTimes
    text: CronText | None
    timing: Timing
    zone_name: str
    now: datetime

    @property
    def until(self) -> datetime:
        """The instant up to which rules look ahead."""
        return self.now + HORIZON

    def openings(self) -> Iterator[datetime]:
        """Yield the openings that rules look at: until the horizon, and no more than can be gone through at once."""
        return islice(takewhile(self.until.__gt__, self.timing.openings(self.now)), _OPENINGS_MAX)


def named(things: Sequence[str]) -> str:
    """Return *things* as a phrase that names the first few and counts the others."""
    if len(things) > _NAMED_MAX + 1:
        return f"{', '.join(things[:_NAMED_MAX])} and {len(things) - _NAMED_MAX} more"
    return " and ".join(filter(None, [", ".join(things[:-1]), things[-1]]))
