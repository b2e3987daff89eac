"""Traps of a zone's clock: times that it jumps over or shows twice, and rates that do not follow it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from patchwindow.domain.cron import Cron
from patchwindow.domain.lint_finding import Finding, LintCode, Subject, WindowTimes, named
from patchwindow.domain.opening import Timing
from patchwindow.domain.schedule import At, Rate, parse
from patchwindow.domain.schedule_zone import Change, changes, first_shown

_TICK: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)


def time_skipped(subject: Subject) -> Finding | None:
    """Find openings at a local time that the clock jumps over, and name the dates."""
    ahead = _changes(subject)
    times = [hit for hit in _hits(subject.timing, ahead, subject.now) if hit[0].is_jump]
    if not times:
        return None
    jump, local = times[0]
    corrected, advice = _clear_of_changes(subject, ahead)
    return Finding(
        LintCode.TIME_SKIPPED,
        f"Schedule {subject.times.schedule} opens at {local:%H:%M}, which the clock of {subject.zone_name} jumps over "
        f"on {named([f'{time:%Y-%m-%d}' for _, time in times])}; there the window opens when the jump ends, "
        f"at {jump.high:%H:%M}{advice}",
        corrected,
    )


def time_repeated(subject: Subject) -> Finding | None:
    """Find openings at a local time that the clock shows twice, and name the dates."""
    ahead = _changes(subject)
    times = [time for change, time in _hits(subject.timing, ahead, subject.now) if not change.is_jump]
    if not times:
        return None
    corrected, advice = _clear_of_changes(subject, ahead)
    return Finding(
        LintCode.TIME_REPEATED,
        f"Schedule {subject.times.schedule} opens at {times[0]:%H:%M}, which the clock of {subject.zone_name} "
        f"shows twice on {named([f'{time:%Y-%m-%d}' for time in times])}; there the window opens the first time only"
        f"{advice}",
        corrected,
    )


def rate_moves(subject: Subject) -> Finding | None:
    """Find a rate of whole days in a zone whose clock changes: it keeps the distance, and not the time of day."""
    match subject.timing.schedule:
        case Rate(period) if not period % _DAY:
            ahead = _changes(subject)
        case _:
            return None
    if not ahead:
        return None
    return Finding(
        LintCode.RATE_MOVES,
        f"Schedule {subject.times.schedule} counts elapsed time, so its time of day in {subject.zone_name} moves on "
        f"{named([f'{change.low:%Y-%m-%d}' for change in ahead])}; use a cron to keep the time of day",
    )


def _changes(subject: Subject) -> tuple[Change, ...]:
    return changes(subject.timing.zone, subject.now, subject.until)


def _hits(timing: Timing, ahead: Iterable[Change], now: datetime) -> Iterator[tuple[Change, datetime]]:
    """Yield the changes that an opening falls into, each with the first such local time.

    A cron of every hour is left out: it cannot keep clear of any change, and is not meant for a time of day.
    """
    if isinstance(timing.schedule, Cron) and timing.schedule.hours.bit_count() == 24:
        return
    for change in ahead:
        local = _first_between(timing, change.low, change.high)
        if local is None:
            continue
        opening = first_shown(local, timing.zone)
        is_after = opening > now and opening >= (timing.not_before or opening)
        if is_after and opening <= (timing.not_after or opening):
            yield change, local


def _first_between(timing: Timing, low: datetime, high: datetime) -> datetime | None:
    """Return the first local time at which *timing* opens from *low* on and before *high*, if there is one."""
    local: datetime | None = None
    match timing.schedule:
        case Cron() as cron:
            offset = timedelta(days=timing.offset_days)
            matched = cron.next_match(low - offset - _TICK)
            local = None if matched is None else matched + offset
        case At(at):
            local = at
        case Rate():
            pass  # It has no local time.
    return local if local is not None and low <= local < high else None


def _clear_of_changes(subject: Subject, ahead: Iterable[Change]) -> tuple[WindowTimes | None, str]:
    """Return the times with the next hour, else an earlier one, that no change falls on, and how to say so."""
    cron, text = subject.timing.schedule, subject.text
    if not isinstance(cron, Cron) or text is None or cron.hours.bit_count() > 1:
        return None, ""
    hour = cron.hours.bit_length() - 1
    for other in (*range(hour + 1, 24), *range(hour - 1, -1, -1)):
        schedule = str(replace(text, hours=str(other)))
        if not any(_hits(replace(subject.timing, schedule=parse(schedule)), ahead, subject.now)):
            return replace(subject.times, schedule=schedule), f"; {schedule} keeps clear of it"
    return None, ""
