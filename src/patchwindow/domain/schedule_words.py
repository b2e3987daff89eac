"""What a schedule means, in words for people.

Two crons that are said alike open alike: words are made of what an expression means, and leave nothing of it out.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import Final

from patchwindow.domain.cron import split_cron
from patchwindow.domain.cron_days import DayRule, Days, FromLast, LastWeekday, NthWeekday, Weekdays, WorkingDay
from patchwindow.domain.cron_fields import (
    HOURS,
    MINUTES,
    MONTH,
    SECONDS,
    YEAR,
    Field,
    read_days_of_month,
    read_days_of_week,
    read_values,
)
from patchwindow.domain.schedule import At, Rate, parse

_WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_NTH: Final = ("first", "second", "third", "fourth", "fifth")
_UNITS: Final = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))
_TIMES_MAX: Final = 4
_ALL_DAYS: Final = (2 << 31) - 2
_ALL_WEEKDAYS: Final = (2 << 7) - 2


def in_words(expression: str, offset_days: int = 0) -> str:
    """Return when *expression* opens, such as `the second Thursday of each month at 23:00`; times are the window's own.

    With *offset_days* it opens so many days later.

    Raises:
        Invalid: it is no schedule.
    """
    schedule = parse(expression)
    if isinstance(schedule, At):
        return f"once, on {schedule.local.day} {_MONTHS[schedule.local.month - 1]} {schedule.local:%Y at %H:%M:%S}"
    if isinstance(schedule, Rate):
        return f"every {_length(schedule.period)}"
    said = _cron(expression)
    return f"{_length(timedelta(days=offset_days))} after {said}" if offset_days else said


def _length(period: timedelta) -> str:
    unit, length = next((unit, length) for unit, length in _UNITS if not period % length)
    return f"{period // length} {unit}s" if period // length > 1 else unit if unit != "day" else "1 day"


def _cron(expression: str) -> str:
    text = split_cron(expression)
    by_weekday = text.day_of_month == "?"
    rules = read_days_of_week(text.day_of_week) if by_weekday else read_days_of_month(text.day_of_month)
    months, years = _listed(MONTH, text.month, _MONTHS), _listed(YEAR, text.year)
    said = dict.fromkeys(_day(rule, months or "each month") for rule in _merged(rules))
    days = _joined(list(said))
    # Only days that say no month by themselves need it said.
    in_months = f" in {months}" if months and any(one.startswith("every") for one in said) else ""
    in_years = f" in {years}" if years else ""
    return f"{days}{in_months}{in_years} {_time(text.minutes, text.hours, text.seconds or '0')}"


def _merged(rules: Sequence[DayRule]) -> Iterator[DayRule]:
    """Yield *rules*, those that name days of one kind as one."""
    days = reduce(or_, (rule.bits for rule in rules if isinstance(rule, Days)), 0)
    weekdays = reduce(or_, (rule.bits for rule in rules if isinstance(rule, Weekdays)), 0)
    if days:
        yield Days(days)
    if weekdays:
        yield Weekdays(weekdays)
    yield from (rule for rule in rules if not isinstance(rule, Days | Weekdays))


def _day(rule: DayRule, months: str) -> str:
    match rule:
        case Days(bits) if bits == _ALL_DAYS:
            return "every day"
        case Days(bits):
            return f"day {_numbers(_bits(bits))} of {months}"
        case Weekdays(bits) if bits == _ALL_WEEKDAYS:
            return "every day"
        case Weekdays(bits):
            return f"every {_joined([_WEEKDAYS[day - 1] for day in _bits(bits)])}"
        case NthWeekday(weekday, nth):
            return f"the {_NTH[nth - 1]} {_WEEKDAYS[weekday - 1]} of {months}"
        case LastWeekday(weekday):
            return f"the last {_WEEKDAYS[weekday - 1]} of {months}"
        case WorkingDay(day):
            return f"the working day nearest to day {day} of {months}"
        case FromLast(back, is_working_day):
            last = f"{_length(timedelta(days=back))} before the last day of {months}" if back else "the last day"
            last = last if back else f"{last} of {months}"
            return f"the working day nearest to {last}" if is_working_day else last


def _time(minutes: str, hours: str, seconds: str) -> str:
    in_minutes, in_hours = _values(MINUTES, minutes), _values(HOURS, hours)
    in_seconds = _values(SECONDS, seconds)
    beside = "" if in_seconds == [0] else f" and {_unit('second', in_seconds)}"
    if len(in_minutes) * len(in_hours) <= _TIMES_MAX:
        return f"at {_joined([f'{hour:02}:{minute:02}' for hour in in_hours for minute in in_minutes])}{beside}"
    past = "every minute" if len(in_minutes) == MINUTES.high + 1 else f"at {_unit('minute', in_minutes)}"
    whole_day = len(in_hours) == HOURS.high + 1
    return f"{past} of {'every hour' if whole_day else _unit('hour', in_hours)}{beside}"


def _unit(name: str, values: Sequence[int]) -> str:
    return f"{name}{'s' if len(values) > 1 else ''} {_numbers(values)}"


def _listed(field: Field, text: str, names: Sequence[str] = ()) -> str:
    """Return the values of a field, by name where it has names; nothing where it allows all."""
    values = _values(field, text)
    if len(values) == field.high - field.low + 1:
        return ""
    return _joined([names[value - field.low] for value in values]) if names else _numbers(values)


def _numbers(values: Sequence[int]) -> str:
    return _joined([str(first) if first == last else f"{first} to {last}" for first, last in _runs(values)])


def _runs(values: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the ends of each run of three or more, and every other value by itself."""
    begins = [0, *(at + 1 for at, (one, other) in enumerate(pairwise(values)) if other != one + 1), len(values)]
    for begin, end in pairwise(begins):
        if end - begin > 2:
            yield values[begin], values[end - 1]
        else:
            yield from ((value, value) for value in values[begin:end])


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _values(field: Field, text: str) -> list[int]:
    return _bits(read_values(field, text))


def _bits(bits: int) -> list[int]:
    return [value for value in range(bits.bit_length()) if bits >> value & 1]
