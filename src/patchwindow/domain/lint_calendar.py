"""Traps of the calendar: days that some months do not have, days that come before others, days that never come."""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from patchwindow.domain.cron import Cron
from patchwindow.domain.cron_days import SHAPES, NthWeekday, shapes_of
from patchwindow.domain.cron_fields import DAY_OF_WEEK, MONTH, YEAR, read_days_of_week
from patchwindow.domain.lint_finding import Finding, LintCode, Subject, named
from patchwindow.domain.schedule import At, parse
from patchwindow.domain.schedule_zone import format_instant

_FIFTH: Final = re.compile(r"([1-7]|[A-Z]{3})#5")
_LATE_DAY: Final = re.compile(r"(?:(29|3[01])|L-(2[89]|30))(W?)")
_TUESDAY: Final = 3


def fifth_weekday(subject: Subject) -> Finding | None:
    """Find ``#5``: four or five months of a year have a fifth weekday of one kind, and the others no opening."""
    text = subject.text
    if text is None or (fifth := _FIFTH.search(text.day_of_week.upper())) is None:
        return None
    name = DAY_OF_WEEK.names[DAY_OF_WEEK.value(fifth[1]) - DAY_OF_WEEK.low]
    items = [_FIFTH.sub(_last, item) for item in text.day_of_week.upper().split(",")]
    corrected = replace(subject.times, schedule=str(replace(text, day_of_week=_joined(items))))
    return Finding(
        LintCode.FIFTH_WEEKDAY,
        f"Schedule {subject.times.schedule} opens only in months with a fifth {name}, four or five in a year; "
        f"for the last {name} of each month write {corrected.schedule}",
        corrected,
    )


def _last(fifth: re.Match[str]) -> str:
    number = DAY_OF_WEEK.value(fifth[1])
    # The documented form has the number; but 1 is taken for Monday too easily.
    return "SUNL" if number == DAY_OF_WEEK.low else f"{number}L"


def day_not_in_every_month(subject: Subject) -> Finding | None:
    """Find a single day 29 to 31, or one as far before the last, that a month of the schedule does not have.

    In a range or behind a step such a day is no trap: ``*`` means as many days as there are.
    """
    cron, text = subject.timing.schedule, subject.text
    if not isinstance(cron, Cron) or text is None:
        return None
    items = text.day_of_month.upper().split(",")
    for item in items:
        late = _LATE_DAY.fullmatch(item)
        if late is None:
            continue
        day = int(late[1]) if late[1] else int(late[2]) + 1
        without = [MONTH.names[month - 1] for month, length in _shortest(cron, subject.now.year) if length < day]
        if without:
            break
    else:
        return None
    said = (
        f"Schedule {subject.times.schedule} has {item} for day-of-month, but not every {named(without)} has that day, "
        "and in a month without it there is no opening"
    )
    if late[1] is None:
        return Finding(LintCode.DAY_NOT_IN_EVERY_MONTH, said)
    days = _joined([_LATE_DAY.sub(r"L\3", one) if not one.startswith("L") else one for one in items])
    corrected = replace(subject.times, schedule=str(replace(text, day_of_month=days)))
    return Finding(
        LintCode.DAY_NOT_IN_EVERY_MONTH, f"{said}; for the last day of each month write {corrected.schedule}", corrected
    )


def _shortest(cron: Cron, since_year: int) -> Iterator[tuple[int, int]]:
    """Yield the months of *cron*, each with the fewest days that it has in a year of *cron* from now on."""
    years = [year for year in range(since_year, YEAR.high + 1) if cron.years >> year & 1]
    for month in range(1, 13):
        if cron.months >> month & 1 and years:
            yield month, min(monthrange(year, month)[1] for year in years)


def _joined(items: list[str]) -> str:
    """Return *items* as a list of the grammar, each once."""
    return ",".join(dict.fromkeys(items))


def before_second_tuesday(subject: Subject) -> Finding | None:
    """Find the second of another weekday, which in some months comes before the second Tuesday, when Microsoft's patches come out.

    A third one always follows it, and a first one never does in its own month.
    """
    text = subject.text
    if text is None or text.day_of_month != "?":
        return None
    match read_days_of_week(text.day_of_week):
        case [NthWeekday(weekday, nth=2)] if weekday != _TUESDAY:
            months = list(_months_before_tuesday(subject))
        case _:
            return None
    if not months:
        return None
    offset = (weekday - _TUESDAY) % 7
    name = DAY_OF_WEEK.names[weekday - DAY_OF_WEEK.low]
    corrected = replace(subject.times, schedule=str(replace(text, day_of_week="TUE#2")), schedule_offset=offset)
    return Finding(
        LintCode.BEFORE_SECOND_TUESDAY,
        f"Schedule {subject.times.schedule} opens before the second Tuesday, when Microsoft's patches come out, in {named(months)}; "
        f"for the {name} after it write {corrected.schedule} with ScheduleOffset {offset}",
        corrected,
    )


def _months_before_tuesday(subject: Subject) -> dict[str, None]:
    """Return the months ahead with an opening before their second Tuesday, in order and each once."""
    openings = (opening.astimezone(subject.timing.zone) for opening in subject.openings())
    return dict.fromkeys(
        f"{local:%Y-%m}"
        for local in openings
        if local.day < SHAPES[shapes_of(local.year)[local.month - 1]].first(_TUESDAY) + 7
    )


def never_opens(subject: Subject) -> Finding | None:
    """Find a window that has no opening left, and say what keeps it from opening."""
    timing, times, now = subject.timing, subject.times, subject.now
    if timing.next_opening(now) is not None:
        return None
    said = f"Schedule {times.schedule} never opens"
    if replace(timing, not_before=None, not_after=None).next_opening(now) is not None:
        bounds = [
            f"{member} is {format_instant(bound, timing.zone)}"
            for member, bound in (("StartDate", timing.not_before), ("EndDate", timing.not_after))
            if bound is not None
        ]
        return Finding(LintCode.NEVER_OPENS, f"{said}: {' and '.join(bounds)}; use later dates or none")
    if isinstance(timing.schedule, At) or subject.text is None:
        return Finding(LintCode.NEVER_OPENS, f"{said}: its time has passed; use a later one")
    corrected = replace(times, schedule=str(replace(subject.text, year="*")))
    if replace(timing, schedule=parse(corrected.schedule)).next_opening(now) is None:
        return Finding(LintCode.NEVER_OPENS, f"{said}: there is no such date; use a day that its months have")
    return Finding(
        LintCode.NEVER_OPENS,
        f"{said}: it has no date left in {subject.text.year}; for every year write {corrected.schedule}",
        corrected,
    )
