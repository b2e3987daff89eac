from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from patchwindow.domain.errors import Invalid
from patchwindow.domain.lint import Finding, LintCode, WindowTimes, lint
from patchwindow.domain.lint_finding import named

_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def found(schedule: str, duration_hours: int = 2, zone: str | None = None, **members: Any) -> dict[str, Finding]:
    """Return the findings by their code."""
    return {finding.code: finding for finding in lint(schedule, duration_hours, zone, now=_NOW, **members)}


def correction(code: LintCode, schedule: str, duration_hours: int = 2, **members: Any) -> WindowTimes:
    """Return the correction of the finding of *code*, which there must be."""
    corrected = found(schedule, duration_hours, **members)[code].corrected
    assert corrected is not None
    return corrected


@pytest.mark.parametrize(
    "schedule",
    [
        "cron(0 23 ? * THU#3 *)",
        "cron(0 2 ? * THU#3 *)",
        "cron(15 10 ? * * *)",
        "cron(15 10 ? * MON-FRI *)",
        "cron(0 2 L * ? *)",
        "cron(15 10 ? * 6L *)",
        "rate(7 days)",
        "at(2026-07-01T02:00:00)",
    ],
)
def test_a_schedule_that_means_what_it_says_has_no_finding(schedule: str) -> None:
    assert lint(schedule, 6, cutoff_hours=1, now=_NOW) == ()


def test_the_zone_in_which_now_is_said_changes_nothing() -> None:
    elsewhere = _NOW.astimezone(ZoneInfo("Asia/Tokyo")) + timedelta(microseconds=1)
    said = [lint("cron(30 2 * * ? *)", 2, "Europe/Berlin", now=now) for now in (elsewhere, elsewhere.astimezone(UTC))]
    assert said[0] == said[1] == lint("cron(30 2 * * ? *)", 2, "Europe/Berlin", now=_NOW)


def test_a_range_of_hours_across_midnight_is_one_opening_and_a_duration() -> None:
    (finding,) = lint("cron(00 23-5 ? * THU#3 *)", 6, cutoff_hours=1, now=_NOW)
    assert finding == Finding(
        LintCode.HOURS_AS_SPAN,
        "Schedule cron(00 23-5 ? * THU#3 *) opens 7 times on each of its days, at 00:00, 01:00, 02:00 and 4 more; "
        "for one window from 23:00 to 05:00 write cron(0 23 ? * THU#3 *) with Duration 6",
        WindowTimes("cron(0 23 ? * THU#3 *)", duration_hours=6, cutoff_hours=1),
    )


@pytest.mark.parametrize(
    ("schedule", "corrected"),
    [
        ("cron(0 9-17 ? * MON-FRI *)", WindowTimes("cron(0 9 ? * MON-FRI *)", 8, 4)),
        ("cron(30 22-02 * * ? *)", WindowTimes("cron(30 22 * * ? *)", 4, 3)),
        ("cron(0 0 1-2 ? * SAT *)", WindowTimes("cron(0 0 1 ? * SAT *)", 1, 0)),
    ],
)
def test_the_duration_of_a_span_is_its_hours_and_the_cutoff_is_within_it(schedule: str, corrected: WindowTimes) -> None:
    assert correction(LintCode.HOURS_AS_SPAN, schedule, 12, cutoff_hours=4) == corrected


@pytest.mark.parametrize("hours", ["*", "0-23", "5-4", "9", "9-9", "9,17", "9-17/4", "0/6", "22-23,0-5"])
def test_hours_that_are_no_plain_span_are_left_alone(hours: str) -> None:
    assert LintCode.HOURS_AS_SPAN not in found(f"cron(0 {hours} ? * SUN *)")


def test_several_openings_within_an_hour_are_no_span() -> None:
    assert LintCode.HOURS_AS_SPAN not in found("cron(0/15 9-17 ? * SUN *)")


@pytest.mark.parametrize(
    ("schedule", "corrected"),
    [
        ("cron(* 2 ? * SUN *)", "cron(0 2 ? * SUN *)"),
        ("cron(*/1 2,14 ? * SUN *)", "cron(0 2,14 ? * SUN *)"),
        ("cron(* 0 2 ? * SUN *)", "cron(0 0 2 ? * SUN *)"),
        ("cron(* * 2 ? * SUN *)", "cron(0 0 2 ? * SUN *)"),
        ("cron(* * * ? * SUN *)", "cron(0 * * ? * SUN *)"),
    ],
)
def test_every_minute_of_chosen_hours_is_one_opening_in_each(schedule: str, corrected: str) -> None:
    assert correction(LintCode.EVERY_MINUTE, schedule).schedule == corrected


@pytest.mark.parametrize("schedule", ["cron(* * ? * SUN *)", "cron(0/5 2 ? * SUN *)", "cron(0 2 ? * SUN *)"])
def test_what_is_not_every_minute_of_chosen_hours_is_left_alone(schedule: str) -> None:
    assert LintCode.EVERY_MINUTE not in found(schedule)


@pytest.mark.parametrize(
    ("days", "corrected"),
    [
        ("1", "MON"),
        ("1-5", "MON-FRI"),
        ("1,3,5", "MON,WED,FRI"),
        ("1-5/2", "MON-FRI/2"),
        ("1#3", "MON#3"),
        ("1L", "MONL"),
        ("wed,1", "WED,MON"),
        ("0", "SUN"),
        ("0-4", "SUN-THU"),
        ("5-0", "FRI-SUN"),
        ("0,6", "SUN,SAT"),
        ("0L", "SUNL"),
    ],
)
def test_weekdays_numbered_as_in_unix_cron_are_named(days: str, corrected: str) -> None:
    assert correction(LintCode.UNIX_WEEKDAY, f"cron(0 2 ? * {days} *)").schedule == f"cron(0 2 ? * {corrected} *)"


@pytest.mark.parametrize("days", ["2-6", "6L", "7", "1-7", "1/2", "SUN", "3#3", "*", "L"])
def test_weekdays_that_read_alike_or_begin_later_are_left_alone(days: str) -> None:
    assert LintCode.UNIX_WEEKDAY not in found(f"cron(0 2 ? * {days} *)")


def test_what_else_is_wrong_beside_a_weekday_0_is_refused() -> None:
    with pytest.raises(Invalid, match="Schedule has 25 for hours"):
        lint("cron(0 25 ? * 0 *)", 2, now=_NOW)


@pytest.mark.parametrize(
    ("days", "corrected"),
    [("THU#5", "5L"), ("5#5", "5L"), ("SUN#5", "SUNL"), ("MON#1,fri#5", "MON#1,6L"), ("2L,MON#5", "2L")],
)
def test_a_fifth_weekday_is_the_last_one(days: str, corrected: str) -> None:
    schedule = f"cron(0 2 ? * {days} *)"
    assert correction(LintCode.FIFTH_WEEKDAY, schedule).schedule == f"cron(0 2 ? * {corrected} *)"


@pytest.mark.parametrize(
    ("days", "corrected"),
    [
        ("31 * ?", "L * ?"),
        ("30 JAN,FEB ?", "L JAN,FEB ?"),
        ("29 * ?", "L * ?"),
        ("15,31 * ?", "15,L * ?"),
        ("30,31,L * ?", "L * ?"),
        ("31W * ?", "LW * ?"),
        ("L-2,31 * ?", "L-2,L * ?"),
    ],
)
def test_a_day_that_a_month_lacks_is_its_last_one(days: str, corrected: str) -> None:
    schedule = f"cron(0 2 {days} *)"
    assert correction(LintCode.DAY_NOT_IN_EVERY_MONTH, schedule).schedule == f"cron(0 2 {corrected} *)"


@pytest.mark.parametrize(
    "fields",
    ["31 JAN,MAR ? *", "30 APR-JUN ? *", "29 FEB ? 2028", "28 * ? *", "L * ? *", "1-31 * ? *", "1/30 * ? *", "* * ? *"],
)
def test_a_day_that_its_months_have_and_a_range_are_left_alone(fields: str) -> None:
    assert LintCode.DAY_NOT_IN_EVERY_MONTH not in found(f"cron(0 2 {fields})")


def test_a_day_counted_from_the_last_has_no_correction_where_a_month_is_too_short() -> None:
    assert found("cron(0 2 L-29 * ? *)")[LintCode.DAY_NOT_IN_EVERY_MONTH].corrected is None
    assert LintCode.DAY_NOT_IN_EVERY_MONTH not in found("cron(0 2 L-27 * ? *)")


@pytest.mark.parametrize(("day", "offset"), [("WED", 1), ("THU", 2), ("5", 2), ("SAT", 4), ("SUN", 5), ("MON", 6)])
def test_the_day_after_the_second_tuesday_is_reached_with_an_offset(day: str, offset: int) -> None:
    assert correction(LintCode.BEFORE_SECOND_TUESDAY, f"cron(0 2 ? * {day}#2 *)") == WindowTimes(
        "cron(0 2 ? * TUE#2 *)", duration_hours=2, schedule_offset=offset
    )


def test_only_months_in_which_the_day_comes_first_are_named() -> None:
    """In 2026 the second Saturday is before the second Tuesday when the month begins on one of Wednesday to Saturday."""
    assert "in 2026-01, 2026-04, 2026-05 and 2026-07;" in (
        found("cron(0 2 ? * SAT#2 2026)", end_date="2026-08-01T00:00:00Z")[LintCode.BEFORE_SECOND_TUESDAY].sentence
    )
    assert LintCode.BEFORE_SECOND_TUESDAY not in found("cron(0 2 ? JUN SAT#2 2026)")


@pytest.mark.parametrize("days", ["TUE#2", "SAT#1", "SAT#3", "SAT", "7L"])
def test_days_that_follow_the_second_tuesday_or_never_do_are_left_alone(days: str) -> None:
    assert LintCode.BEFORE_SECOND_TUESDAY not in found(f"cron(0 2 ? * {days} *)")


def test_an_offset_that_is_long_enough_follows_the_second_tuesday() -> None:
    assert LintCode.BEFORE_SECOND_TUESDAY in found("cron(0 2 ? * THU#2 *)", schedule_offset=4)
    assert LintCode.BEFORE_SECOND_TUESDAY not in found("cron(0 2 ? * THU#2 *)", schedule_offset=5)


@pytest.mark.parametrize(
    ("schedule", "bounds", "reason"),
    [
        ("cron(0 2 30 2 ? *)", {}, "there is no such date"),
        ("cron(0 2 ? * MON 2020)", {}, "it has no date left in 2020; for every year write cron(0 2 ? * MON *)"),
        ("at(2026-01-01T12:00:00)", {}, "its time has passed"),
        ("cron(0 2 ? * MON *)", {"end_date": "2025-01-01T00:00:00Z"}, "EndDate is 2025-01-01T00:00Z; use later dates"),
        (
            "at(2026-03-01T00:00:00)",
            {"start_date": "2026-04-01T00:00:00Z"},
            "StartDate is 2026-04-01T00:00Z; use later dates",
        ),
    ],
)
def test_a_window_that_never_opens_says_why(schedule: str, bounds: dict[str, Any], reason: str) -> None:
    assert reason in found(schedule, **bounds)[LintCode.NEVER_OPENS].sentence


def test_a_passed_year_becomes_every_year() -> None:
    assert correction(LintCode.NEVER_OPENS, "cron(0 2 ? * MON 2020-2025)").schedule == "cron(0 2 ? * MON *)"


@pytest.mark.parametrize(
    ("schedule", "duration_hours", "zone", "corrected"),
    [
        ("cron(0 0/4 * * ? *)", 6, None, 4),
        ("cron(0 9,12,20 * * ? *)", 5, None, 3),
        ("rate(2 hours)", 3, None, 2),
        ("rate(90 minutes)", 2, None, 1),
        # The day of the jump has only 23 hours.
        ("cron(0 4 * * ? *)", 24, "Europe/Berlin", 23),
    ],
)
def test_openings_closer_than_the_duration_ask_for_a_shorter_one(
    schedule: str, duration_hours: int, zone: str | None, corrected: int
) -> None:
    overlap = found(schedule, duration_hours, zone)[LintCode.OPENINGS_OVERLAP]
    assert overlap.corrected == WindowTimes(schedule, corrected)
    assert "SKIPPED_OVERLAPPING" in overlap.sentence


def test_openings_within_an_hour_of_each_other_have_no_duration_that_fits() -> None:
    assert found("rate(30 minutes)", 1)[LintCode.OPENINGS_OVERLAP].corrected is None


@pytest.mark.parametrize("schedule", ["rate(2 hours)", "cron(0 0/2 * * ? *)", "at(2026-07-01T02:00:00)"])
def test_a_window_may_open_as_the_one_before_ends(schedule: str) -> None:
    assert LintCode.OPENINGS_OVERLAP not in found(schedule, 2)


@pytest.mark.parametrize("schedule", ["cron(0 9-17 ? * MON-FRI *)", "cron(* 2 ? * SUN *)"])
def test_openings_that_overlap_for_a_cause_that_is_named_are_not_named_again(schedule: str) -> None:
    assert LintCode.OPENINGS_OVERLAP not in found(schedule, 6)


def test_a_time_that_the_clock_jumps_over_is_named_with_its_dates() -> None:
    skipped = found("cron(30 2 * * ? *)", 2, "Europe/Berlin")[LintCode.TIME_SKIPPED]
    assert "02:30, which the clock of Europe/Berlin jumps over on 2026-03-29, 2027-03-28, 2028-03-26 and" in (
        skipped.sentence
    )
    assert "the window opens when the jump ends, at 03:00" in skipped.sentence
    assert skipped.corrected == WindowTimes("cron(30 3 * * ? *)", 2)


def test_a_time_that_the_clock_shows_twice_is_named_with_its_dates() -> None:
    repeated = found("cron(0 2 L * ? *)", 2, "Europe/Berlin")[LintCode.TIME_REPEATED]
    assert "02:00, which the clock of Europe/Berlin shows twice on 2027-10-31;" in repeated.sentence
    assert repeated.corrected == WindowTimes("cron(0 3 L * ? *)", 2)


def test_a_time_is_moved_past_both_changes() -> None:
    """New York jumps over 02:30 and shows 01:30 twice."""
    assert correction(LintCode.TIME_REPEATED, "cron(30 1 * * ? *)", zone="America/New_York").schedule == (
        "cron(30 3 * * ? *)"
    )


def test_a_change_late_in_the_evening_is_kept_clear_of_by_an_earlier_hour() -> None:
    """Cairo sets its clock back from midnight to 23:00."""
    assert correction(LintCode.TIME_REPEATED, "cron(30 23 * * ? *)", zone="Africa/Cairo").schedule == (
        "cron(30 22 * * ? *)"
    )


@pytest.mark.parametrize(
    ("schedule", "members"),
    [
        ("cron(30 * * * ? *)", {}),
        ("cron(30 4 * * ? *)", {}),
        ("cron(30 2 ? * MON *)", {}),
        ("cron(30 2 * * ? *)", {"end_date": "2026-03-01T00:00:00Z"}),
        ("cron(30 2 * * ? *)", {"start_date": "2030-11-01T00:00:00Z"}),
        ("rate(1 hour)", {}),
    ],
)
def test_openings_clear_of_clock_changes_are_left_alone(schedule: str, members: dict[str, Any]) -> None:
    codes = found(schedule, 1, "Europe/Berlin", **members)
    assert LintCode.TIME_SKIPPED not in codes
    assert LintCode.TIME_REPEATED not in codes


def test_an_offset_moves_an_opening_into_the_jump() -> None:
    """The last Saturday of March 2026 is the day before the jump."""
    assert LintCode.TIME_SKIPPED not in found("cron(30 2 28 3 ? 2026)", zone="Europe/Berlin")
    assert LintCode.TIME_SKIPPED in found("cron(30 2 28 3 ? 2026)", zone="Europe/Berlin", schedule_offset=1)


def test_an_at_in_the_jump_is_noticed() -> None:
    assert LintCode.TIME_SKIPPED in found("at(2026-03-29T02:30:00)", zone="Europe/Berlin")
    assert LintCode.TIME_REPEATED in found("at(2026-10-25T02:30:00)", zone="Europe/Berlin")


def test_a_rate_of_days_leaves_its_time_of_day_where_the_clock_changes() -> None:
    assert (
        "moves on 2026-03-29, 2026-10-25," in found("rate(7 days)", zone="Europe/Berlin")[LintCode.RATE_MOVES].sentence
    )
    assert LintCode.RATE_MOVES not in found("rate(7 days)", zone="Asia/Tokyo")
    assert LintCode.RATE_MOVES not in found("rate(30 hours)", zone="Europe/Berlin")


@pytest.mark.parametrize(("duration_hours", "cutoff_hours", "corrected"), [(1, 1, 0), (2, 2, 1), (4, 9, 2)])
def test_a_cutoff_as_long_as_the_window_leaves_no_time(duration_hours: int, cutoff_hours: int, corrected: int) -> None:
    codes = found("cron(0 4 * * ? *)", duration_hours, cutoff_hours=cutoff_hours)
    assert codes.keys() == {LintCode.CUTOFF_LEAVES_NO_TIME}
    assert codes[LintCode.CUTOFF_LEAVES_NO_TIME].corrected == WindowTimes(
        "cron(0 4 * * ? *)", duration_hours, corrected
    )


@pytest.mark.parametrize(
    ("duration_hours", "cutoff_hours", "is_found"),
    [(2, 1, False), (3, 2, False), (4, 3, True), (6, 4, False), (6, 5, True), (24, 16, False), (24, 17, True)],
)
def test_a_cutoff_more_than_twice_as_long_as_the_time_before_it_is_noticed(
    duration_hours: int, cutoff_hours: int, *, is_found: bool
) -> None:
    codes = found("cron(0 4 * * ? *)", duration_hours, cutoff_hours=cutoff_hours)
    assert (LintCode.CUTOFF_LEAVES_LITTLE_TIME in codes) == is_found


@pytest.mark.parametrize(
    ("schedule", "zone", "message"),
    [
        ("cron(0 2 * * *)", None, "has 5 fields"),
        ("every day", None, "use cron"),
        ("cron(0 2 * * ? *)", "Mars/Olympus", "ScheduleTimezone is Mars/Olympus"),
    ],
)
def test_what_the_api_refuses_is_refused(schedule: str, zone: str | None, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        lint(schedule, 2, zone, now=_NOW)


@pytest.mark.parametrize(
    ("count", "phrase"), [(1, "a"), (2, "a and b"), (4, "a, b, c and d"), (5, "a, b, c and 2 more")]
)
def test_a_phrase_names_the_first_few_and_counts_the_others(count: int, phrase: str) -> None:
    assert named("abcde"[:count]) == phrase
