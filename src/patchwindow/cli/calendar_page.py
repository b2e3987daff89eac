"""A calendar for the terminal: months with a mark for each day, and the openings one by one."""

import calendar
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from patchwindow.domain.freeze import Freeze
from patchwindow.domain.window_calendar import Occurrence

_FROZEN, _OVERLAP, _OPENS, _FREEZE = "#", "!", "*", "~"
_LEGEND: Final[Mapping[str, str]] = {
    _OPENS: "opens",
    _OVERLAP: "overlaps",
    _FROZEN: "does not open",
    _FREEZE: "freeze",
}
# The first that a day has is its mark: what needs a look goes before what is as planned.
_ORDER: Final = (_FROZEN, _OVERLAP, _OPENS, _FREEZE)
_TICK: Final = timedelta(microseconds=1)


def months(
    found: Sequence[Occurrence], freezes: Sequence[Freeze], zone: tzinfo, since: datetime, until: datetime
) -> Iterator[str]:
    """Yield the lines of every month between the two, in *zone*, and a legend of the marks that occur."""
    marks = _marks(found, freezes, zone)
    day, last = since.astimezone(zone).date(), (until - _TICK).astimezone(zone).date()
    shown: set[str] = set()
    while (day.year, day.month) <= (last.year, last.month):
        yield f"{calendar.month_name[day.month]} {day.year}".center(27).rstrip()
        yield " ".join(f"{name:<3}" for name in calendar.day_abbr).rstrip()
        for week in calendar.Calendar().monthdatescalendar(day.year, day.month):
            cells = [_cell(each, marks) if each.month == day.month else "" for each in week]
            shown |= {cell[-1] for cell in cells if cell} & set(_LEGEND)
            yield " ".join(f"{cell:<3}" for cell in cells).rstrip()
        yield ""
        day = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    if shown:
        yield "  ".join(f"{mark} {words}" for mark, words in _LEGEND.items() if mark in shown)
        yield ""


def row(each: Occurrence, zone: tzinfo) -> dict[str, Any]:
    """Return an opening for the list."""
    return {
        "Opens": f"{each.opens_at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}",
        "Ends": f"{each.ends_at.astimezone(zone):%H:%M}",
        "Window": each.window.name,
        "Remark": each.remark,
    }


def member(each: Occurrence) -> dict[str, Any]:
    """Return an opening for programs; times are in UTC."""
    freeze = each.heeded.freeze
    return {
        "WindowId": each.window.id,
        "Name": each.window.name,
        "OpensAt": each.opens_at,
        "CutoffAt": each.heeded.cutoff_at,
        "EndsAt": each.ends_at,
        "Opens": each.heeded.opens,
        "Overlaps": list(each.beside),
        "Freeze": None if freeze is None else freeze.calendar,
        "Remark": each.remark,
    }


def _marks(found: Sequence[Occurrence], freezes: Sequence[Freeze], zone: tzinfo) -> dict[date, set[str]]:
    marks: dict[date, set[str]] = {}
    for each in found:
        mark = _FROZEN if not each.heeded.opens else _OVERLAP if each.beside else _OPENS
        marks.setdefault(each.opens_at.astimezone(zone).date(), set()).add(mark)
    for freeze in freezes:
        day, last = freeze.starts_at.astimezone(zone).date(), (freeze.ends_at - _TICK).astimezone(zone).date()
        while day <= last:
            marks.setdefault(day, set()).add(_FREEZE)
            day += timedelta(days=1)
    return marks


def _cell(day: date, marks: Mapping[date, set[str]]) -> str:
    mark = next((each for each in _ORDER if each in marks.get(day, ())), "")
    return f"{day.day:>2}{mark}"
