"""The grammar of one cron field: text in, a set of allowed values out, as bits.

How fields make a schedule is said in ``cron.py``; which days a day rule means, in ``cron_days.py``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from patchwindow.domain.cron_days import DayRule, Days, FromLast, LastWeekday, NthWeekday, Weekdays, WorkingDay
from patchwindow.domain.errors import Invalid

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

_ITEM: Final = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]{1,4}))?", re.ASCII)
_FROM_LAST: Final = re.compile(r"L(?:-([0-9]{1,2}))?(W?)")
_WORKING_DAY: Final = re.compile(r"([0-9]{1,2})W")
_LAST_WEEKDAY: Final = re.compile(r"([1-7]|[A-Z]{3})L")
_NTH_WEEKDAY: Final = re.compile(r"([1-7]|[A-Z]{3})#([1-5])")


@dataclass(frozen=True, slots=True)
class Field:
    """What one field may hold: values from *low* to *high*, the first of which may have *names*."""

    name: str
    low: int
    high: int
    wildcards: str
    names: tuple[str, ...] = ()
    is_cyclic: bool = True

    def refuse(self, text: str) -> Invalid:
        """Return the error that says why *text* cannot stand in this field."""
        names = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return Invalid(
            f"Schedule has {text or 'nothing'} for {self.name}; "
            f"use {self.low}-{self.high}{names}, with the wildcards {self.wildcards}"
        )

    def value(self, text: str) -> int:
        """Return the value that a number or a name means.

        Raises:
            Invalid: it is neither, or outside the field's range.
        """
        if text in self.names:
            return self.names.index(text) + self.low
        if text.isdigit() and len(text) <= 4 and self.low <= int(text) <= self.high:
            return int(text)
        raise self.refuse(text)


SECONDS: Final = Field("seconds", 0, 59, ", - * /")
MINUTES: Final = Field("minutes", 0, 59, ", - * /")
HOURS: Final = Field("hours", 0, 23, ", - * /")
DAY_OF_MONTH: Final = Field("day-of-month", 1, 31, ", - * ? / L W (L-1 to L-30, 1W to 31W)")
MONTH: Final = Field("month", 1, 12, ", - * /", _MONTHS)
DAY_OF_WEEK: Final = Field("day-of-week", 1, 7, ", - * ? / L # (1L to 7L, 1#1 to 7#5)", _WEEKDAYS)
# After 2199 comes no 1970: a range of years cannot wrap around.
YEAR: Final = Field("year", 1970, 2199, ", - * /", is_cyclic=False)


def read_values(field: Field, text: str) -> int:
    """Return the values that *text* allows in *field*; bit n is the value n.

    Raises:
        Invalid: *text* is not of the field's grammar.
    """
    allowed = 0
    for item in text.upper().split(","):
        allowed |= _values(field, item)
    return allowed


def _values(field: Field, item: str) -> int:
    if item == "*":
        return (2 << field.high) - (1 << field.low)
    parts = _ITEM.fullmatch(item)
    if parts is None:
        raise field.refuse(item)
    step = int(parts["step"]) if parts["step"] else 1
    if not 1 <= step <= field.high:
        raise Invalid(f"Schedule has {item} for {field.name}; a step, which follows /, is 1-{field.high}")
    first = field.value(parts["first"]) if parts["first"] else field.low
    if parts["last"]:
        last = field.value(parts["last"])
    else:
        last = first if parts["first"] and not parts["step"] else field.high
    size = field.high - field.low + 1
    if last < first:
        if not field.is_cyclic:
            raise field.refuse(item)
        last += size
    return sum(1 << (value - field.low) % size + field.low for value in range(first, last + 1, step))


def read_days_of_month(text: str) -> tuple[DayRule, ...]:
    """Return the rules whose days *text* allows together.

    Raises:
        Invalid: *text* is not of the grammar of day-of-month.
    """
    return _rules(text, _day_of_month)


def read_days_of_week(text: str) -> tuple[DayRule, ...]:
    """Return the rules whose days *text* allows together.

    Raises:
        Invalid: *text* is not of the grammar of day-of-week.
    """
    return _rules(text, _day_of_week)


def _rules(text: str, read: Callable[[str], DayRule]) -> tuple[DayRule, ...]:
    return tuple(read(item) for item in text.upper().split(","))


def _day_of_month(item: str) -> DayRule:
    if found := _FROM_LAST.fullmatch(item):
        back, working = found.groups()
        # "L-30" is the first of a month of 31 days; nothing lies further back.
        if back is not None and not 1 <= int(back) <= 30:
            raise DAY_OF_MONTH.refuse(item)
        return FromLast(int(back or 0), bool(working))
    if found := _WORKING_DAY.fullmatch(item):
        if not 1 <= int(found[1]) <= 31:
            raise DAY_OF_MONTH.refuse(item)
        return WorkingDay(int(found[1]))
    return Days(_values(DAY_OF_MONTH, item))


def _day_of_week(item: str) -> DayRule:
    if item == "L":
        return Weekdays(1 << DAY_OF_WEEK.high)
    if found := _LAST_WEEKDAY.fullmatch(item):
        return LastWeekday(DAY_OF_WEEK.value(found[1]))
    if found := _NTH_WEEKDAY.fullmatch(item):
        return NthWeekday(DAY_OF_WEEK.value(found[1]), int(found[2]))
    return Weekdays(_values(DAY_OF_WEEK, item))
