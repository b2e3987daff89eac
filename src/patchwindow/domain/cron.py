"""The cron schedule: a calendar of local times, without zone or offset.

Its value is what the expression means, not how it was written: ``MON`` and ``2`` are the same cron.  Sets are bits of
an integer, so that the next allowed value is found without going through those that are not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from patchwindow.domain.cron_days import SHAPES, days_in, shape_index
from patchwindow.domain.cron_fields import (
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    HOURS,
    MINUTES,
    MONTH,
    SECONDS,
    YEAR,
    read_days_of_month,
    read_days_of_week,
    read_values,
)
from patchwindow.domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class Cron:
    """A set of local times.  Bit n of a field stands for the value n; *days* has one set for each shape of month."""

    seconds: int
    minutes: int
    hours: int
    days: tuple[int, ...]
    months: int
    years: int

    def next_match(self, after: datetime) -> datetime | None:
        """Return the first local time of the calendar that is strictly later than *after*, or None.

        *after* is naive, and so is the answer.  The walk goes by fields and ends with the year 2199: a calendar
        without a match costs at most one look at each of its months.
        """
        earliest = after.replace(microsecond=0) + timedelta(seconds=1)
        day = self._next_day(earliest.year, earliest.month, earliest.day)
        if day is None:
            return None
        if day == (earliest.year, earliest.month, earliest.day):
            time = self._next_time(earliest.hour, earliest.minute, earliest.second)
            if time is not None:
                return datetime(*day, *time)  # noqa: DTZ001  # local time: the zone comes in at the opening
            day = self._next_day(earliest.year, earliest.month, earliest.day + 1)
            if day is None:
                return None
        return datetime(*day, _lowest(self.hours), _lowest(self.minutes), _lowest(self.seconds))  # noqa: DTZ001  # as above

    def _next_time(self, hour: int, minute: int, second: int) -> tuple[int, int, int] | None:
        """Return the first time of day at or after the given one, or None if the day has no more."""
        if self.hours >> hour & 1:
            if self.minutes >> minute & 1:
                allowed = _at_or_after(self.seconds, second)
                if allowed >= 0:
                    return hour, minute, allowed
            allowed = _at_or_after(self.minutes, minute + 1)
            if allowed >= 0:
                return hour, allowed, _lowest(self.seconds)
        allowed = _at_or_after(self.hours, hour + 1)
        return None if allowed < 0 else (allowed, _lowest(self.minutes), _lowest(self.seconds))

    def _next_day(self, year: int, month: int, day: int) -> tuple[int, int, int] | None:
        """Return the first day at or after the given one, which need not exist, or None before the end of 2199."""
        while (allowed_year := _at_or_after(self.years, year)) >= 0:
            if allowed_year > year:
                year, month, day = allowed_year, 1, 1
            while (allowed_month := _at_or_after(self.months, month)) >= 0:
                if allowed_month > month:
                    month, day = allowed_month, 1
                allowed_day = _at_or_after(self.days[shape_index(year, month)], day)
                if allowed_day >= 0:
                    return year, month, allowed_day
                month, day = month + 1, 1
            year, month, day = year + 1, 1, 1
        return None


def _at_or_after(bits: int, low: int) -> int:
    """Return the lowest set bit of *bits* from *low* on, or -1."""
    rest = bits >> low << low
    return (rest & -rest).bit_length() - 1


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def parse_cron(expression: str) -> Cron:
    """Return the calendar that *expression*, written ``cron(…)``, means.

    A calendar faster than every five minutes is read like any other.  The API's guide calls it not supported, but does
    not say that it is refused, and a window that AWS accepts must not fail here.

    Raises:
        Invalid: it has not six or seven fields, one of them is malformed, or not exactly one day field is ``?``.
    """
    fields = expression.removeprefix("cron(").removesuffix(")").split()
    if len(fields) not in {6, 7}:
        raise Invalid(
            f"Schedule {expression} has {len(fields)} fields; a cron has six, "
            "minutes hours day-of-month month day-of-week year, or seven with seconds before them"
        )
    seconds, minutes, hours, day_of_month, month, day_of_week, year = fields if len(fields) == 7 else ["0", *fields]
    if (day_of_month == "?") == (day_of_week == "?"):
        raise Invalid(
            f"Schedule {expression} has {day_of_month} for {DAY_OF_MONTH.name} and {day_of_week} for "
            f"{DAY_OF_WEEK.name}; exactly one of the two must be ?"
        )
    rules = read_days_of_week(day_of_week) if day_of_month == "?" else read_days_of_month(day_of_month)
    return Cron(
        seconds=read_values(SECONDS, seconds),
        minutes=read_values(MINUTES, minutes),
        hours=read_values(HOURS, hours),
        days=tuple(reduce(or_, (days_in(rule, shape) for rule in rules)) for shape in SHAPES),
        months=read_values(MONTH, month),
        years=read_values(YEAR, year),
    )
