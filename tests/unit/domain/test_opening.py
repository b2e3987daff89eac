from datetime import UTC, datetime
from itertools import islice

import pytest

from patchwindow.domain.errors import Invalid
from patchwindow.domain.opening import Timing, check_duration, parse_instant, timing
from patchwindow.domain.schedule_zone import format_instant, parse_zone

_CREATED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_THIRD_TUESDAY = "cron(0 30 23 ? * TUE#3 *)"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def first(timing_: Timing, count: int, after: datetime = _CREATED_AT) -> list[str]:
    """Return the first *count* openings, as the API writes them."""
    return [format_instant(opening, timing_.zone) for opening in islice(timing_.openings(after), count)]


def test_a_cron_without_zone_opens_by_utc() -> None:
    weekly = timing(schedule="cron(0 2 ? * THU#3 *)", created_at=_CREATED_AT)
    assert first(weekly, 2) == ["2026-01-15T02:00Z", "2026-02-19T02:00Z"]


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        ("cron(0 2 ? * THU#3 *)", ["01-15T02:00Z", "02-19T02:00Z", "03-19T02:00Z", "04-16T02:00Z"]),
        ("cron(0 2 ? * THU#5 *)", ["01-29T02:00Z", "04-30T02:00Z", "07-30T02:00Z", "10-29T02:00Z", "12-31T02:00Z"]),
        ("cron(15 10 ? * 6L *)", ["01-30T10:15Z", "02-27T10:15Z", "03-27T10:15Z"]),
        ("cron(0 0 ? * 3L *)", ["01-27T00:00Z", "02-24T00:00Z", "03-31T00:00Z"]),
        ("cron(0 2 L * ? *)", ["01-31T02:00Z", "02-28T02:00Z", "03-31T02:00Z"]),
        ("cron(24 30 09 ? * * *)", ["01-01T09:30:24Z", "01-02T09:30:24Z"]),
    ],
)
def test_the_calendar_of_2026_opens_on_the_days_of_the_reference(schedule: str, days: list[str]) -> None:
    assert first(timing(schedule=schedule, created_at=_CREATED_AT), len(days)) == [f"2026-{day}" for day in days]


@pytest.mark.parametrize(
    ("schedule", "moved"),
    [
        ("cron(0 2 1W * ? *)", ["2026-02-02", "2026-03-02", "2026-08-03", "2026-11-02"]),
        ("cron(0 2 15W * ? *)", ["2026-02-16", "2026-03-16", "2026-08-14", "2026-11-16"]),
    ],
)
def test_the_nearest_weekday_never_leaves_its_month(schedule: str, moved: list[str]) -> None:
    found = [day.removesuffix("T02:00Z") for day in first(timing(schedule=schedule, created_at=_CREATED_AT), 12)]
    assert [day for day in found if not day.endswith(("-01", "-15"))] == moved


def test_an_opening_at_the_given_instant_is_not_after_it() -> None:
    daily = timing(schedule="cron(0 2 * * ? *)", created_at=_CREATED_AT)
    assert first(daily, 1, instant("2026-01-05T02:00:00Z")) == ["2026-01-06T02:00Z"]
    assert first(daily, 1, instant("2026-01-05T01:59:59.999999Z")) == ["2026-01-05T02:00Z"]


def test_the_given_instant_may_be_of_any_zone() -> None:
    # Two times of one zone are compared by their wall clocks; the openings must not be.
    berlin = parse_zone("Europe/Berlin")
    hourly = timing(schedule="rate(1 hour)", schedule_timezone="Europe/Berlin", created_at=_CREATED_AT)
    second_time = datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=1)
    assert first(hourly, 1, second_time) == ["2026-10-25T03:00+01:00"]


def test_utc_has_no_second_time_through_an_hour() -> None:
    secondly = timing(schedule="cron(* * * * * ? *)", created_at=_CREATED_AT)
    assert first(secondly, 1, datetime(2026, 1, 5, fold=1, tzinfo=UTC)) == ["2026-01-05T00:00:01Z"]


def test_the_wall_clock_is_kept_across_a_clock_change() -> None:
    weekly = timing(
        schedule="cron(0 16 ? * TUE *)",
        schedule_timezone="America/Los_Angeles",
        created_at=instant("2026-03-01T00:00Z"),
    )
    assert first(weekly, 2, weekly.anchor_at) == ["2026-03-03T16:00-08:00", "2026-03-10T16:00-07:00"]


def test_a_time_that_the_clock_jumps_over_opens_when_the_jump_ends() -> None:
    nightly = timing(schedule="cron(30 2 * * ? *)", schedule_timezone="Europe/Berlin", created_at=_CREATED_AT)
    assert first(nightly, 3, instant("2026-03-27T12:00Z")) == [
        "2026-03-28T02:30+01:00",
        "2026-03-29T03:00+02:00",
        "2026-03-30T02:30+02:00",
    ]


def test_a_time_that_the_clock_shows_twice_opens_the_first_time_only() -> None:
    nightly = timing(schedule="cron(30 2 * * ? *)", schedule_timezone="Europe/Berlin", created_at=_CREATED_AT)
    assert first(nightly, 2, instant("2026-10-24T12:00Z")) == ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]
    # A server that starts between the two does not open it either.
    assert first(nightly, 1, instant("2026-10-25T01:10Z")) == ["2026-10-26T02:30+01:00"]


def test_times_that_the_clock_jumps_over_together_open_once() -> None:
    often = timing(schedule="cron(0/20 1-3 * * ? *)", schedule_timezone="Europe/Berlin", created_at=_CREATED_AT)
    assert first(often, 6, instant("2026-03-29T00:10Z")) == [
        "2026-03-29T01:20+01:00",
        "2026-03-29T01:40+01:00",
        "2026-03-29T03:00+02:00",
        "2026-03-29T03:20+02:00",
        "2026-03-29T03:40+02:00",
        "2026-03-30T01:00+02:00",
    ]


def test_at_opens_once_in_the_zone_of_the_window() -> None:
    once = timing(schedule="at(2026-07-07T15:55:00)", schedule_timezone="Asia/Tokyo", created_at=_CREATED_AT)
    assert first(once, 2) == ["2026-07-07T15:55+09:00"]
    assert once.next_opening(instant("2026-07-07T06:55:00Z")) is None


def test_at_without_zone_is_utc() -> None:
    assert first(timing(schedule="at(2026-07-07T15:55:00)", created_at=_CREATED_AT), 2) == ["2026-07-07T15:55Z"]


@pytest.mark.parametrize(("start_date", "end_date"), [("2026-08-01T00:00:00Z", None), (None, "2026-07-01T00:00:00Z")])
def test_at_outside_its_bounds_never_opens(start_date: str | None, end_date: str | None) -> None:
    once = timing(schedule="at(2026-07-07T15:55:00)", start_date=start_date, end_date=end_date, created_at=_CREATED_AT)
    assert once.next_opening(_CREATED_AT) is None


def test_a_start_date_bounds_the_first_opening() -> None:
    weekly = timing(
        schedule="cron(0 09 ? * WED *)",
        schedule_timezone="America/Los_Angeles",
        start_date="2021-01-01T00:00:00-08:00",
        created_at=instant("2020-11-01T00:00Z"),
    )
    assert first(weekly, 1, instant("2020-11-01T00:00Z")) == ["2021-01-06T09:00-08:00"]


def test_both_bounds_are_openings_themselves() -> None:
    daily = timing(
        schedule="cron(0 2 * * ? *)",
        start_date="2026-02-01T02:00:00Z",
        end_date="2026-02-03T02:00:00Z",
        created_at=_CREATED_AT,
    )
    assert first(daily, 9) == ["2026-02-01T02:00Z", "2026-02-02T02:00Z", "2026-02-03T02:00Z"]


def test_a_rate_counts_from_its_start_date() -> None:
    weekly = timing(
        schedule="rate(7 days)",
        schedule_timezone="Asia/Tokyo",
        start_date="2019-01-01T00:03:15+09:00",
        end_date="2019-06-30T00:06:15+09:00",
        created_at=instant("2018-12-01T00:00Z"),
    )
    found = first(weekly, 99, instant("2018-12-01T00:00Z"))
    assert found[0] == "2019-01-01T00:03:15+09:00"
    assert found[-1] == "2019-06-25T00:03:15+09:00"
    assert len(found) == 26


@pytest.mark.parametrize("start_date", [None, "2019-01-01T00:00:00Z"])
def test_a_rate_without_start_date_to_come_first_runs_one_period_after_creation(start_date: str | None) -> None:
    created_at = instant("2019-05-18T17:01:01.137Z")
    hourly = timing(schedule="rate(1 hour)", start_date=start_date, created_at=created_at)
    assert first(hourly, 2, instant("2000-01-01T00:00Z")) == ["2019-05-18T18:01:01.137Z", "2019-05-18T19:01:01.137Z"]


def test_a_rate_does_not_shift_when_its_window_is_saved_again() -> None:
    created_at, start_date = instant("2026-01-01T00:00Z"), "2026-01-02T10:00:00Z"
    before = timing(schedule="rate(3 days)", start_date=start_date, created_at=created_at)
    after = timing(
        schedule="rate(3 days)", start_date=start_date, created_at=created_at, basis_at=instant("2026-01-20T07:00Z")
    )
    noon = instant("2026-01-20T12:00Z")
    assert before.next_opening(noon) == after.next_opening(noon) == instant("2026-01-23T10:00Z")


def test_a_daily_rate_moves_on_the_wall_clock_when_that_changes() -> None:
    daily = timing(
        schedule="rate(1 day)",
        schedule_timezone="Europe/Berlin",
        start_date="2026-03-28T12:00:00+01:00",
        created_at=_CREATED_AT,
    )
    assert first(daily, 2) == ["2026-03-28T12:00+01:00", "2026-03-29T13:00+02:00"]


def test_an_offset_opens_days_after_the_match() -> None:
    delayed = timing(schedule=_THIRD_TUESDAY, schedule_offset=2, created_at=_CREATED_AT)
    assert first(delayed, 3) == ["2026-01-22T23:30Z", "2026-02-19T23:30Z", "2026-03-19T23:30Z"]


def test_a_match_before_the_window_was_made_is_skipped_with_its_offset() -> None:
    delayed = timing(schedule=_THIRD_TUESDAY, schedule_offset=2, created_at=instant("2026-01-21T00:00Z"))
    assert first(delayed, 1, instant("2026-01-21T00:00Z")) == ["2026-02-19T23:30Z"]


def test_a_match_before_the_schedule_was_changed_is_skipped_with_its_offset() -> None:
    delayed = timing(
        schedule=_THIRD_TUESDAY, schedule_offset=2, created_at=_CREATED_AT, basis_at=instant("2026-01-21T00:00Z")
    )
    assert first(delayed, 1) == ["2026-02-19T23:30Z"]


@pytest.mark.parametrize(
    ("created_at", "expected"),
    [("2026-01-20T23:30:00Z", "2026-01-22T23:30Z"), ("2026-01-20T23:30:00.000001Z", "2026-02-19T23:30Z")],
)
def test_a_match_at_the_instant_of_creation_counts(created_at: str, expected: str) -> None:
    delayed = timing(schedule=_THIRD_TUESDAY, schedule_offset=2, created_at=instant(created_at))
    assert first(delayed, 1, instant(created_at)) == [expected]


def test_an_offset_keeps_the_wall_clock() -> None:
    delayed = timing(
        schedule="cron(0 12 ? * SAT#4 *)",
        schedule_timezone="Europe/Berlin",
        schedule_offset=1,
        created_at=_CREATED_AT,
    )
    assert first(delayed, 1, instant("2026-03-28T12:00Z")) == ["2026-03-29T12:00+02:00"]


def test_bounds_hold_for_the_opening_and_not_for_the_match() -> None:
    delayed = timing(
        schedule=_THIRD_TUESDAY,
        schedule_offset=2,
        start_date="2026-01-22T00:00:00Z",
        end_date="2026-02-18T00:00:00Z",
        created_at=_CREATED_AT,
    )
    assert first(delayed, 9) == ["2026-01-22T23:30Z"]


@pytest.mark.parametrize("schedule", ["cron(0 2 * * ? *)", "rate(36525 days)", "at(2199-12-31T23:59:59)"])
def test_nothing_opens_beyond_the_years_of_the_calendar(schedule: str) -> None:
    endless = timing(schedule=schedule, schedule_timezone="Pacific/Pago_Pago", created_at=_CREATED_AT)
    for after in ("2200-01-02T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
        assert endless.next_opening(instant(after)) is None


@pytest.mark.parametrize("start_date", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("schedule", ["cron(0 2 * * ? *)", "rate(2 days)", "at(2026-07-07T15:55:00)"])
def test_bounds_at_the_ends_of_time_are_harmless(schedule: str, start_date: str) -> None:
    bounded = timing(schedule=schedule, start_date=start_date, created_at=_CREATED_AT)
    assert (bounded.next_opening(_CREATED_AT) is None) == start_date.startswith("9")
    assert (
        timing(schedule=schedule, end_date="0001-01-01T00:00:00Z", created_at=_CREATED_AT).next_opening(
            datetime.min.replace(tzinfo=UTC)
        )
        is None
    )


@pytest.mark.parametrize("offset", [0, 7, -1])
def test_an_offset_is_one_to_six_days(offset: int) -> None:
    with pytest.raises(Invalid, match=f"^ScheduleOffset is {offset}; use 1-6 days$"):
        timing(schedule=_THIRD_TUESDAY, schedule_offset=offset, created_at=_CREATED_AT)


@pytest.mark.parametrize("schedule", ["rate(2 days)", "at(2026-07-07T15:55:00)"])
def test_only_a_cron_has_an_offset(schedule: str) -> None:
    with pytest.raises(Invalid, match=r"^ScheduleOffset is 2, but only a cron can have one"):
        timing(schedule=schedule, schedule_offset=2, created_at=_CREATED_AT)


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(
        Invalid, match=r"^EndDate is 2026-01-01T00:00:00\+01:00, before StartDate 2026-01-01T00:00:00Z; "
    ):
        timing(
            schedule=_THIRD_TUESDAY,
            start_date="2026-01-01T00:00:00Z",
            end_date="2026-01-01T00:00:00+01:00",
            created_at=_CREATED_AT,
        )


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(Invalid, match=r"^ScheduleTimezone is Mars/Base; use an IANA name"):
        timing(schedule=_THIRD_TUESDAY, schedule_timezone="Mars/Base", created_at=_CREATED_AT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T22:00Z", "2026-03-01T22:00:00+00:00"),
        ("2026-03-01T22:00:00+01:00", "2026-03-01T21:00:00+00:00"),
        ("2026-03-01T22:00:00-08", "2026-03-02T06:00:00+00:00"),
        ("2026-03-01T22:00:00.123456789Z", "2026-03-01T22:00:00.123456+00:00"),
    ],
)
def test_a_date_is_an_instant_with_its_offset(text: str, expected: str) -> None:
    assert parse_instant("StartDate", text).isoformat() == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-03-01",
        "2026-03-01T22:00:00",
        "20260301T220000Z",
        "2026-02-30T00:00:00Z",
        "2026-W09-7T22:00Z",
        "2026-03-01 22:00:00Z",
        "2026-03-01T22:00:00+25:00",
        "0001-01-01T00:00:00+01:00",
        "2026-03-01T22:00:00Z ",
    ],
)
def test_what_is_no_date_is_refused_with_a_date_that_is_one(text: str) -> None:
    advice = " is .*; use a time such as 2026-03-01T22:00:00Z or "
    with pytest.raises(Invalid, match=f"^StartDate{advice}"):
        timing(schedule=_THIRD_TUESDAY, created_at=_CREATED_AT, start_date=text)
    with pytest.raises(Invalid, match=f"^EndDate{advice}"):
        timing(schedule=_THIRD_TUESDAY, created_at=_CREATED_AT, end_date=text)


@pytest.mark.parametrize(("duration_hours", "cutoff_hours"), [(2, 1), (1, 0), (24, 23)])
def test_a_cutoff_below_the_duration_is_accepted(duration_hours: int, cutoff_hours: int) -> None:
    check_duration(duration_hours, cutoff_hours)


@pytest.mark.parametrize(("duration_hours", "cutoff_hours"), [(2, 2), (1, 1), (5, 23)])
def test_a_cutoff_that_leaves_no_hour_is_refused(duration_hours: int, cutoff_hours: int) -> None:
    with pytest.raises(Invalid, match=r"^Cuttoff was "):
        check_duration(duration_hours, cutoff_hours)


def test_a_cutoff_is_refused_in_the_words_of_the_api() -> None:
    with pytest.raises(Invalid) as refused:
        check_duration(6, 12)
    assert str(refused.value) == "Cuttoff was 12 but must be smaller than 5 (Duration - 1 )"
