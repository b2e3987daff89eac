"""Search a window's schedule for traps: what the API accepts, and what is hardly what its writer meant.

Schedules are opened as they are written; a server must not guess.  Lint guesses, and says what it thinks was meant.
`docs/schedules.md` has an example of each finding.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from patchwindow.domain.cron import CronText, split_cron
from patchwindow.domain.lint_calendar import before_second_tuesday, day_not_in_every_month, fifth_weekday, never_opens
from patchwindow.domain.lint_clock import rate_moves, time_repeated, time_skipped
from patchwindow.domain.lint_expression import every_minute, hours_as_span, unix_sunday, unix_weekday
from patchwindow.domain.lint_finding import Finding, LintCode, Subject, WindowTimes
from patchwindow.domain.lint_length import cutoff_leaves_little_time, cutoff_leaves_no_time, openings_overlap
from patchwindow.domain.opening import Timing, timing
from patchwindow.domain.schedule import is_cron

__all__ = ["Finding", "LintCode", "WindowTimes", "lint"]

_RULES: Final[Mapping[LintCode, Callable[[Subject], Finding | None]]] = {
    LintCode.HOURS_AS_SPAN: hours_as_span,
    LintCode.EVERY_MINUTE: every_minute,
    LintCode.UNIX_WEEKDAY: unix_weekday,
    LintCode.FIFTH_WEEKDAY: fifth_weekday,
    LintCode.DAY_NOT_IN_EVERY_MONTH: day_not_in_every_month,
    LintCode.BEFORE_SECOND_TUESDAY: before_second_tuesday,
    LintCode.NEVER_OPENS: never_opens,
    LintCode.OPENINGS_OVERLAP: openings_overlap,
    LintCode.TIME_SKIPPED: time_skipped,
    LintCode.TIME_REPEATED: time_repeated,
    LintCode.RATE_MOVES: rate_moves,
    LintCode.CUTOFF_LEAVES_NO_TIME: cutoff_leaves_no_time,
    LintCode.CUTOFF_LEAVES_LITTLE_TIME: cutoff_leaves_little_time,
}


def lint(
    schedule: str,
    duration_hours: int,
    zone: str | None = None,
    *,
    now: datetime,
    cutoff_hours: int = 0,
    schedule_offset: int | None = None,
    start_date: str | None = None,
    end_date: str | None = None,
) -> tuple[Finding, ...]:
    """Return what is likely wrong with a window of these members, in the order of ``LintCode``; each code at most once.

    It looks five years ahead of *now*.  A cutoff that the API refuses and the weekday 0 of Unix cron are findings; the
    latter stands alone, for what else such an expression means is not known.

    Raises:
        Invalid: a member is malformed, the zone is unknown, or members contradict one another.
    """

    def timing_of(expression: str) -> Timing:
        return timing(
            schedule=expression,
            schedule_timezone=zone,
            schedule_offset=schedule_offset,
            start_date=start_date,
            end_date=end_date,
            created_at=now,
        )

    times = WindowTimes(schedule, duration_hours, cutoff_hours, schedule_offset)
    text: CronText | None = split_cron(schedule) if is_cron(schedule) else None
    sunday = None if text is None else unix_sunday(times, text)
    if sunday is not None and sunday.corrected is not None:
        timing_of(sunday.corrected.schedule)
        return (sunday,)
    subject = Subject(times, text, timing_of(schedule), zone or "UTC", now)
    return tuple(finding for rule in _RULES.values() if (finding := rule(subject)) is not None)
