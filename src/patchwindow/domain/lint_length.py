"""Traps of a window's length: openings that come while it is still open, and a cutoff that leaves no time."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Final

from patchwindow.domain.lint_expression import every_minute, hours_as_span
from patchwindow.domain.lint_finding import Finding, LintCode, Subject
from patchwindow.domain.schedule_zone import format_instant

_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)


def openings_overlap(subject: Subject) -> Finding | None:
    """Find openings closer together than the window is long; where another finding names the cause, none."""
    if hours_as_span(subject) or every_minute(subject):
        return None
    length = subject.times.duration_hours * _HOUR
    first, least = None, length
    for one, other in pairwise(subject.openings()):
        if other - one < least:
            first, least = first or (one, other), other - one
        if least < _HOUR:
            break
    if first is None:
        return None
    shown = [format_instant(opening, subject.timing.zone) for opening in first]
    corrected, advice = None, "space the openings by an hour or more"
    if least >= _HOUR:
        duration = least // _HOUR
        cutoff = min(subject.times.cutoff_hours, duration - 1)
        corrected = replace(subject.times, duration_hours=duration, cutoff_hours=cutoff)
        advice = f"use Duration {duration}"
    return Finding(
        LintCode.OPENINGS_OVERLAP,
        f"Schedule {subject.times.schedule} opens at {shown[1]}, only {_words(first[1] - first[0])} after {shown[0]}, when a window "
        f"of Duration {subject.times.duration_hours} is still open, so that opening is skipped as SKIPPED_OVERLAPPING; "
        f"{advice}",
        corrected,
    )


def _words(distance: timedelta) -> str:
    hours, rest = divmod(distance, _HOUR)
    minutes, seconds = divmod(rest, _MINUTE)
    counts = {"hours": hours, "minutes": minutes, "seconds": seconds // timedelta(seconds=1)}
    return " ".join(f"{count} {unit if count > 1 else unit[:-1]}" for unit, count in counts.items() if count)


def cutoff_leaves_no_time(subject: Subject) -> Finding | None:
    """Find a cutoff as long as the window, or longer, which the API refuses."""
    times = subject.times
    if times.cutoff_hours < times.duration_hours:
        return None
    return _cutoff_finding(LintCode.CUTOFF_LEAVES_NO_TIME, subject, "so no task can start")


def cutoff_leaves_little_time(subject: Subject) -> Finding | None:
    """Find a cutoff more than twice as long as the time before it, in which alone tasks may start.

    It is counted from the window's end; who takes it for the time in which tasks start writes the one for the other.
    """
    times = subject.times
    before = times.duration_hours - times.cutoff_hours
    if before <= 0 or times.cutoff_hours <= 2 * before:
        return None
    said = f"so tasks start in the first {'hour' if before == 1 else f'{before} hours'} only"
    return _cutoff_finding(LintCode.CUTOFF_LEAVES_LITTLE_TIME, subject, said)


def _cutoff_finding(code: LintCode, subject: Subject, said: str) -> Finding:
    times = subject.times
    most = times.duration_hours * 2 // 3
    return Finding(
        code,
        f"Cutoff is {times.cutoff_hours} hours before the end of a window of Duration {times.duration_hours}, {said}; "
        f"use Cutoff {most} or less",
        replace(times, cutoff_hours=most),
    )
