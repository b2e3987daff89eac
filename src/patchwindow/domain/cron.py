"""The cron schedule: a calendar of local times, without zone or offset.

Its value is what the expression means, not how it was written: ``MON`` and ``2`` are the same cron.  Sets are bits of
an integer, so that the next allowed value is found without going through those that are not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, reduce
from operator import or_
from typing import Final

from patchwindow.domain.cron_days import days_by_shape, shapes_of
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

_SECOND: Final = timedelta(seconds=1)


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

        *after* is naive, and so is the answer.  A calendar without a match costs one look at each of its months.
        """
        return next(self.matches(after), None)

    def matches(self, after: datetime) -> Iterator[datetime]:
        """Yield the local times of the calendar that are strictly later than *after*, in order, until 2199 ends.

        *after* is naive, and so are they.
        """
        # Nothing is tried and refused: each loop runs over allowed values only.  Flat on purpose, and guarded by
        # `bench/schedule.py`: a generator for each level would cost more than the work.
        earliest = after.replace(microsecond=0) + _SECOND
        hours, minutes, seconds = _values(self.hours), _values(self.minutes), _values(self.seconds)
        for year in _values(self.years, earliest.year):
            shapes = shapes_of(year)
            is_first = year == earliest.year
            for month in _values(self.months, earliest.month if is_first else 1):
                is_first = is_first and month == earliest.month
                for day in _values(self.days[shapes[month - 1]], earliest.day if is_first else 1):
                    if is_first and day == earliest.day:
                        yield from self._rest_of_day(earliest)
                        continue
                    for hour in hours:
                        for minute in minutes:
                            for second in seconds:
                                yield datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  # local time

    def _rest_of_day(self, earliest: datetime) -> Iterator[datetime]:
        """Yield the times of the day of *earliest*, whatever day that is, from *earliest* on."""
        for hour in _values(self.hours, earliest.hour):
            is_first = hour == earliest.hour
            for minute in _values(self.minutes, earliest.minute if is_first else 0):
                is_first = is_first and minute == earliest.minute
                for second in _values(self.seconds, earliest.second if is_first else 0):
                    yield earliest.replace(hour=hour, minute=minute, second=second)


# A calendar has the same few sets of days in every year.
@lru_cache(maxsize=4096)
def _values(bits: int, low: int = 0) -> tuple[int, ...]:
    """Return the set bits of *bits* from *low* on, in order."""
    return tuple(value for value in range(low, bits.bit_length()) if bits >> value & 1)


@dataclass(frozen=True, slots=True)
class CronText:
    """The fields of a cron expression as somebody wrote them; *seconds* is None where there are only six."""

    minutes: str
    hours: str
    day_of_month: str
    month: str
    day_of_week: str
    year: str
    seconds: str | None = None

    def __str__(self) -> str:
        seconds = "" if self.seconds is None else f"{self.seconds} "
        return f"cron({seconds}{self.minutes} {self.hours} {self.day_of_month} {self.month} {self.day_of_week} {self.year})"


def split_cron(expression: str) -> CronText:
    """Return the fields of *expression*, written ``cron(…)``; what stands in them is not looked at.

    Raises:
        Invalid: it has not six or seven fields.
    """
    fields = expression.removeprefix("cron(").removesuffix(")").split()
    match fields:
        case [minutes, hours, day_of_month, month, day_of_week, year]:
            return CronText(minutes, hours, day_of_month, month, day_of_week, year)
        case [seconds, minutes, hours, day_of_month, month, day_of_week, year]:
            return CronText(minutes, hours, day_of_month, month, day_of_week, year, seconds)
        case _:
            raise Invalid(
                f"Schedule {expression} has {len(fields)} fields; a cron has six, "
                "minutes hours day-of-month month day-of-week year, or seven with seconds before them"
            )


def parse_cron(expression: str) -> Cron:
    """Return the calendar that *expression*, written ``cron(…)``, means.

    A calendar faster than every five minutes is read like any other.  The API's guide calls it not supported, but does
    not say that it is refused, and a window that AWS accepts must not fail here.

    Raises:
        Invalid: it has not six or seven fields, one of them is malformed, or not exactly one day field is ``?``.
    """
    text = split_cron(expression)
    if (text.day_of_month == "?") == (text.day_of_week == "?"):
        raise Invalid(
            f"Schedule {expression} has {text.day_of_month} for {DAY_OF_MONTH.name} and {text.day_of_week} for "
            f"{DAY_OF_WEEK.name}; exactly one of the two must be ?"
        )
    by_weekday = text.day_of_month == "?"
    rules = read_days_of_week(text.day_of_week) if by_weekday else read_days_of_month(text.day_of_month)
    return Cron(
        seconds=read_values(SECONDS, text.seconds or "0"),
        minutes=read_values(MINUTES, text.minutes),
        hours=read_values(HOURS, text.hours),
        days=reduce(_either, map(days_by_shape, rules)),
        months=read_values(MONTH, text.month),
        years=read_values(YEAR, text.year),
    )


def _either(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(or_, one, other))
