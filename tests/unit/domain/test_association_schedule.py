"""The schedules that State Manager takes, and those that only windows have."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.association_schedule import timing
from patchwindow.domain.errors import InvalidSchedule
from patchwindow.domain.opening import Timing

NOW = datetime(2026, 3, 14, 9, 10, tzinfo=UTC)


def read(expression: str, *, offset: int | None = None, only_at_interval: bool = False) -> Timing:
    return timing(expression, schedule_offset=offset, only_at_interval=only_at_interval, set_at=NOW)


@pytest.mark.parametrize(
    ("expression", "next_run"),
    [
        ("cron(0/30 * * * ? *)", "2026-03-14T09:30"),
        ("cron(*/30 * * * ? *)", "2026-03-14T09:30"),
        ("cron(0 0/1 * * ? *)", "2026-03-14T10:00"),
        ("cron(15 * * * ? *)", "2026-03-14T09:15"),
        ("cron(0 0/12 * * ? *)", "2026-03-14T12:00"),
        ("cron(15 13 ? * * *)", "2026-03-14T13:15"),
        ("cron(15 13 ? * MON *)", "2026-03-16T13:15"),
        ("cron(0 2 ? * THU#3 *)", "2026-03-19T02:00"),
        ("cron(0 2 ? * FRIL *)", "2026-03-27T02:00"),
        ("rate(30 minutes)", "2026-03-14T09:40"),
        ("rate(30 days)", "2026-04-13T09:10"),
        ("at(2026-07-07T15:55:00)", "2026-07-07T15:55"),
    ],
)
def test_these_schedules_are_taken(expression: str, next_run: str) -> None:
    assert read(expression).next_opening(NOW) == datetime.fromisoformat(next_run).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("rate(29 minutes)", "30 minutes or more"),
        ("rate(31 days)", "under 31 days"),
        ("cron(0/5 * * * ? *)", "its minute is"),
        ("cron(0 0/3 * * ? *)", "its hour is"),
        ("cron(0 2 ? JAN SUN *)", "names no month"),
        ("cron(0 2 ? * SUN 2027)", "no year"),
        ("cron(30 0 2 ? * SUN *)", "no second"),
        ("cron(0 2 15 * ? *)", "no day of the month"),
        ("every day", r"use cron\("),
    ],
)
def test_these_are_refused(expression: str, why: str) -> None:
    with pytest.raises(InvalidSchedule, match=why):
        read(expression)


def test_an_offset_goes_with_a_cron_that_is_waited_for_alone() -> None:
    found = read("cron(0 2 ? * TUE#2 *)", offset=3, only_at_interval=True).next_opening(NOW)
    assert found == datetime(2026, 4, 17, 2, tzinfo=UTC)
    for expression, only_at_interval in (("cron(0 2 ? * TUE#2 *)", False), ("at(2026-07-07T15:55:00)", True)):
        with pytest.raises(InvalidSchedule, match="ScheduleOffset is 3"):
            read(expression, offset=3, only_at_interval=only_at_interval)
    with pytest.raises(InvalidSchedule, match="ApplyOnlyAtCronInterval does not go with"):
        read("rate(1 hour)", only_at_interval=True)


@given(st.integers(min_value=1, max_value=50_000))
def test_a_rate_is_taken_from_30_minutes_to_under_31_days(minutes: int) -> None:
    """Source: State Manager, "rate expressions: 30 minutes or greater and less than 31 days"."""
    expression = f"rate({minutes} minute{'s' if minutes > 1 else ''})"
    if 30 <= minutes < 31 * 24 * 60:
        assert read(expression).next_opening(NOW) == NOW + timedelta(minutes=minutes)
    else:
        with pytest.raises(InvalidSchedule):
            read(expression)
