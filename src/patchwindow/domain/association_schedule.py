"""The schedules of associations: those of windows, but for what State Manager does not take.

A rate is 30 minutes or more and under 31 days; a cron runs every half hour, every 1, 2, 4, 8 or 12 hours, daily, or on
days of the week, and names no month, no day of the month and no year.  All times are UTC.
Source: State Manager, "Cron and rate expressions for associations".
"""

import re
from datetime import datetime, timedelta
from typing import Final

from patchwindow.domain import opening
from patchwindow.domain.cron import split_cron
from patchwindow.domain.errors import Invalid, InvalidSchedule
from patchwindow.domain.opening import Timing
from patchwindow.domain.schedule import Rate, is_cron, parse

_RATE_MIN: Final = timedelta(minutes=30)
_RATE_END: Final = timedelta(days=31)
_NUMBER: Final = re.compile(r"[0-9]{1,2}")
_EACH_HALF_HOUR: Final = re.compile(r"(0|00|\*)/30")
_EACH_HOURS: Final = re.compile(r"\*|(0|00|\*)/(1|2|4|8|12)")


def timing(expression: str, *, schedule_offset: int | None, only_at_interval: bool, set_at: datetime) -> Timing:
    """Return when an association runs whose schedule was set at *set_at*; a rate then runs one period later.

    Raises:
        InvalidSchedule: the schedule is malformed or too narrow, or does not go with the other members.
    """
    try:
        schedule = parse(expression)
        if isinstance(schedule, Rate):
            _check_rate(expression, schedule)
        if is_cron(expression):
            _check_cron(expression)
        _check_companions(expression, schedule_offset, only_at_interval=only_at_interval)
        return opening.timing(schedule=expression, created_at=set_at, schedule_offset=schedule_offset)
    except Invalid as problem:
        raise InvalidSchedule(str(problem)) from None


def _check_rate(expression: str, rate: Rate) -> None:
    if not _RATE_MIN <= rate.period < _RATE_END:
        raise Invalid(
            f"ScheduleExpression is {expression}; an association's rate is 30 minutes or more and under 31 days"
        )


def _check_cron(expression: str) -> None:
    text = split_cron(expression)
    if text.month != "*" or text.year != "*" or (text.seconds or "0") != "0":
        raise Invalid(
            f"ScheduleExpression is {expression}; an association's cron names no month, no year and no second, write *"
        )
    if text.day_of_month not in ("*", "?"):
        raise Invalid(
            f"ScheduleExpression is {expression}; an association's cron names no day of the month, "
            "write ? and a day of the week such as SUN, THU#3 or FRIL"
        )
    if _EACH_HALF_HOUR.fullmatch(text.minutes) and text.hours == "*":
        return
    if not _NUMBER.fullmatch(text.minutes):
        raise Invalid(f"ScheduleExpression is {expression}; its minute is a number, or 0/30 with * as the hour")
    if not _NUMBER.fullmatch(text.hours) and not _EACH_HOURS.fullmatch(text.hours):
        raise Invalid(f"ScheduleExpression is {expression}; its hour is a number, or 0/1, 0/2, 0/4, 0/8 or 0/12")


def _check_companions(expression: str, schedule_offset: int | None, *, only_at_interval: bool) -> None:
    if only_at_interval and expression.startswith("rate("):
        raise Invalid(f"ApplyOnlyAtCronInterval does not go with {expression}; use a cron, or leave it out")
    if schedule_offset is not None and not only_at_interval:
        raise Invalid(
            f"ScheduleOffset is {schedule_offset}; it goes with ApplyOnlyAtCronInterval alone, set that to true"
        )
