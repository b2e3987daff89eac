"""Which days of a month a cron's day field means.

A month has one of 28 shapes: four lengths and seven first weekdays.  What a day field means depends on the shape alone,
so it is worked out once for each, and a month of any year is then one look at a table.  Days are bits: bit 1 is the
first of the month.
"""

from calendar import monthrange
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_SUNDAY: Final = 1
_SATURDAY: Final = 7
_WEEK: Final = 0b111_1111
# A week of seven bits times this is six weeks, which no month exceeds, wherever in the first of them it begins.
_SIX_WEEKS: Final = sum(1 << 7 * week for week in range(6))


@dataclass(frozen=True, slots=True)
class MonthShape:
    """A month's length, all its *days*, and the weekday it begins with, as the API counts: 1 is Sunday, 7 is Saturday."""

    length: int
    days: int
    first_weekday: int

    def weekday(self, day: int) -> int:
        """Return the weekday of *day*."""
        return (self.first_weekday + day - 2) % 7 + 1

    def first(self, weekday: int) -> int:
        """Return the first day that is a *weekday*."""
        return (weekday - self.first_weekday) % 7 + 1


SHAPES: Final = tuple(
    MonthShape(length, (2 << length) - 2, weekday) for length in range(28, 32) for weekday in range(1, 8)
)


@lru_cache(maxsize=256)
def shapes_of(year: int) -> tuple[int, ...]:
    """Return the place in ``SHAPES`` of the shape of each month of *year*, January first."""
    # The first weekday is Monday's 0 for `monthrange`; Sunday is 1 for the API, and its place within a length is 0.
    months = (monthrange(year, month) for month in range(1, 13))
    return tuple((length - 28) * 7 + (weekday + 1) % 7 for weekday, length in months)


@dataclass(frozen=True, slots=True)
class Days:
    """The days of the month whose bits are set."""

    bits: int


@dataclass(frozen=True, slots=True)
class FromLast:
    """The day *back* days before the last of the month: ``L``, ``L-3``; moved to a working day: ``LW``, ``L-3W``."""

    back: int
    is_working_day: bool


@dataclass(frozen=True, slots=True)
class WorkingDay:
    """The Monday to Friday nearest to *day*, within the month: ``15W``."""

    day: int


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Every day of the month whose weekday's bit is set."""

    bits: int


@dataclass(frozen=True, slots=True)
class LastWeekday:
    """The month's last *weekday*: ``6L``."""

    weekday: int


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """The month's *nth* *weekday*, if there is one: ``THU#3``."""

    weekday: int
    nth: int


DayRule = Days | FromLast | WorkingDay | Weekdays | LastWeekday | NthWeekday


def days_by_shape(rule: DayRule) -> tuple[int, ...]:
    """Return the days that *rule* means in each of ``SHAPES``, as bits; none where a month has no such day."""
    match rule:
        case Days(bits):
            return tuple(bits & month.days for month in SHAPES)
        case FromLast(back, is_working_day=True):
            return tuple(_nearest_working_day(month.length - back, month) for month in SHAPES)
        case FromLast(back):
            return tuple(_bit(month.length - back, month) for month in SHAPES)
        case WorkingDay(day):
            return tuple(_nearest_working_day(day, month) for month in SHAPES)
        case Weekdays(bits):
            weeks = (bits >> _SUNDAY) * _SIX_WEEKS
            return tuple(weeks >> month.first_weekday - 1 << 1 & month.days for month in SHAPES)
        case LastWeekday(weekday):
            weekly = days_by_shape(Weekdays(1 << weekday))
            return tuple(1 << days.bit_length() - 1 for days in weekly)
        case NthWeekday(weekday, nth):
            # It is the one among the days from the first of the nth seven days to the last of them.
            weekly = days_by_shape(Weekdays(1 << weekday))
            return tuple(days & _WEEK << 7 * nth - 6 for days in weekly)


def _bit(day: int, month: MonthShape) -> int:
    return 1 << max(day, 0) & month.days


def _nearest_working_day(day: int, month: MonthShape) -> int:
    # "1W" on a Saturday is Monday the third, not the Friday before: the day never leaves its month.
    if not _bit(day, month):
        return 0
    weekday = month.weekday(day)
    if weekday == _SATURDAY:
        return 1 << (day - 1 if day > 1 else day + 2)
    if weekday == _SUNDAY:
        return 1 << (day + 1 if day < month.length else day - 2)
    return 1 << day
