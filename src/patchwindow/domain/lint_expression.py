"""Traps that an expression shows by the way it is written: hours, minutes and the numbers of weekdays."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from patchwindow.domain.cron import Cron, CronText
from patchwindow.domain.cron_fields import DAY_OF_WEEK
from patchwindow.domain.lint_finding import Finding, LintCode, Subject, WindowTimes, named

_SPAN: Final = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")
_NUMBERED: Final = re.compile(r"([0-7])(?:-([0-7]))?(L|#[1-5]|/[0-9]+)?")


def hours_as_span(subject: Subject) -> Finding | None:
    """Find a range of hours that opens at each of them, where one opening lasting that long was surely meant.

    The exact rule: the hours are one range without a step, of 2 to 23 hours, and each of them has one opening.  As a
    window lasts at least an hour, these openings cover the span without a pause anyway, or overlap.
    """
    cron, text = subject.timing.schedule, subject.text
    if not isinstance(cron, Cron) or text is None or (span := _SPAN.fullmatch(text.hours)) is None:
        return None
    first, last = map(int, span.groups())
    count, minute = cron.hours.bit_count(), cron.minutes.bit_length() - 1
    if count in {1, 24} or cron.minutes.bit_count() * cron.seconds.bit_count() > 1:
        return None
    duration = (last - first) % 24
    corrected = replace(
        subject.times,
        schedule=str(replace(text, minutes=str(minute), hours=str(first))),
        duration_hours=duration,
        cutoff_hours=min(subject.times.cutoff_hours, duration - 1),
    )
    opens_at = [f"{hour:02}:{minute:02}" for hour in range(24) if cron.hours >> hour & 1]
    return Finding(
        LintCode.HOURS_AS_SPAN,
        f"Schedule {subject.times.schedule} opens {count} times on each of its days, at {named(opens_at)}; "
        f"for one window from {first:02}:{minute:02} to {last:02}:{minute:02} "
        f"write {corrected.schedule} with Duration {duration}",
        corrected,
    )


def every_minute(subject: Subject) -> Finding | None:
    """Find ``*`` for minutes beside chosen hours, or for seconds: it is every one of them, and not any of them."""
    cron, text = subject.timing.schedule, subject.text
    if not isinstance(cron, Cron) or text is None:
        return None
    in_all = {"seconds": cron.seconds.bit_count() == 60}
    in_all["minutes"] = cron.minutes.bit_count() == 60 and cron.hours.bit_count() < 24
    fields = [name for name, is_all in in_all.items() if is_all]
    if not fields:
        return None
    count = cron.minutes.bit_count() * cron.seconds.bit_count()
    corrected = replace(subject.times, schedule=str(replace(text, **dict.fromkeys(fields, "0"))))
    return Finding(
        LintCode.EVERY_MINUTE,
        f"Schedule {subject.times.schedule} opens {count} times in each of its hours, "
        f"for it allows all {' and '.join(fields)}; write {corrected.schedule}",
        corrected,
    )


def unix_weekday(subject: Subject) -> Finding | None:
    """Find a day-of-week that begins with 1, which is Sunday, and not the Monday that it is in Unix cron."""
    text = subject.text
    if text is None or not any(first == 1 for first, _ in _suspects(text)):
        return None
    corrected = _by_names(subject.times, text)
    return Finding(
        LintCode.UNIX_WEEKDAY,
        f"Schedule {subject.times.schedule} has {text.day_of_week} for day-of-week, where 1 is Sunday; "
        f"if it was meant as in Unix cron, where 1 is Monday, write {corrected.schedule}, else name the days",
        corrected,
    )


def unix_sunday(times: WindowTimes, text: CronText) -> Finding | None:
    """Find a 0 in day-of-week, which the API refuses; Unix cron calls Sunday so."""
    if not any(0 in numbers for numbers in _suspects(text)):
        return None
    corrected = _by_names(times, text)
    return Finding(
        LintCode.UNIX_WEEKDAY,
        f"Schedule {times.schedule} has {text.day_of_week} for day-of-week, which goes from 1, Sunday, to 7, Saturday; "
        f"if it was meant as in Unix cron, where 0 is Sunday, write {corrected.schedule}",
        corrected,
    )


def _suspects(text: CronText) -> Iterator[tuple[int, int | None]]:
    """Yield the first and the last number of the items that read differently in Unix cron.

    Left out are ``1-7`` and steps without an end, ``1/2``, which mean the same or nothing there.
    """
    for item in text.day_of_week.upper().split(","):
        found = _NUMBERED.fullmatch(item)
        if found is None:
            continue
        first, last = int(found[1]), None if found[2] is None else int(found[2])
        is_open = last is None and (found[3] or "").startswith("/")
        if 0 in {first, last} or (first == 1 and last != 7 and not is_open):
            yield first, last


def _by_names(times: WindowTimes, text: CronText) -> WindowTimes:
    """Return *times* with the numbers of day-of-week read as Unix cron reads them, and written as names."""

    def name(item: str) -> str:
        found = _NUMBERED.fullmatch(item)
        if found is None:
            return item
        numbers = [int(number) for number in found.groups()[:2] if number is not None]
        return "-".join(DAY_OF_WEEK.names[number % 7] for number in numbers) + (found[3] or "")

    items = ",".join(map(name, text.day_of_week.upper().split(",")))
    return replace(times, schedule=str(replace(text, day_of_week=items)))
