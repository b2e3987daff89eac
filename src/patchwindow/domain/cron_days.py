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
# A week of seven bits times this is six weeks, which no month exceeds, wherever in the first of them it begins.
_SIX_WEEKS: Final = sum(1 << 7 * week for week in range(6))


@dataclass(frozen=True, slots=True)
class MonthShape:
    """A month's length and the weekday it begins with, counted as the API does: 1 is Sunday, 7 is Saturday."""

    length: int
    first_weekday: int

    def weekday(self, day: int) -> int:
        """Return the weekday of *day*."""
        return (self.first_weekday + day - 2) % 7 + 1

    def first(self, weekday: int) -> int:
        """Return the first day that is a *weekday*."""
        return (weekday - self.first_weekday) % 7 + 1


SHAPES: Final = tuple(MonthShape(length, weekday) for length in range(28, 32) for weekday in range(1, 8))


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


def days_in(rule: DayRule, month: MonthShape) -> int:
    """Return the days that *rule* means in *month*, as bits; none where the month has no such day."""
    match rule:
        case Days(bits):
            return bits & ((2 << month.length) - 1)
        case FromLast(back, is_working_day):
            day = month.length - back
            return _nearest_working_day(day, month) if is_working_day else _bit(day, month)
        case WorkingDay(day):
            return _nearest_working_day(day, month)
        case Weekdays(bits):
            weeks = (bits >> _SUNDAY) * _SIX_WEEKS
            return weeks >> month.first_weekday - 1 << 1 & ((2 << month.length) - 1)
        case LastWeekday(weekday):
            fifth = month.first(weekday) + 28
            return 1 << (fifth if fifth <= month.length else fifth - 7)
        case NthWeekday(weekday, nth):
            return _bit(month.first(weekday) + 7 * (nth - 1), month)


def _bit(day: int, month: MonthShape) -> int:
    return 1 << day if 1 <= day <= month.length else 0


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
