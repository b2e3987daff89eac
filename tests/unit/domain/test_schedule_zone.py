from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones
from zoneinfo._common import load_data, load_tzdata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.errors import Invalid
from patchwindow.domain.schedule_zone import changes, first_shown, format_instant, latest_shown, parse_zone

_HALF_MINUTE = timedelta(seconds=30)

zones = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Africa/Casablanca",
        "Asia/Tokyo",
    ]
).map(ZoneInfo)


@pytest.mark.parametrize(
    ("instant", "zone", "expected"),
    [
        ("2020-02-19T16:00:00Z", "UTC", "2020-02-19T16:00Z"),
        ("2020-07-25T14:00:00Z", "Australia/Sydney", "2020-07-26T00:00+10:00"),
        ("2019-05-18T17:01:01.137Z", "UTC", "2019-05-18T17:01:01.137Z"),
        ("2019-05-18T17:01:00.137999Z", "UTC", "2019-05-18T17:01:00.137Z"),
        ("2019-05-18T17:01:00.000999Z", "UTC", "2019-05-18T17:01Z"),
        ("2018-12-31T15:03:15Z", "Asia/Tokyo", "2019-01-01T00:03:15+09:00"),
        ("2026-03-03T00:00:00Z", "America/St_Johns", "2026-03-02T20:30-03:30"),
        ("2026-01-01T00:00:00Z", "Europe/London", "2026-01-01T00:00Z"),
    ],
)
def test_an_instant_is_written_as_next_execution_time_is(instant: str, zone: str, expected: str) -> None:
    assert format_instant(datetime.fromisoformat(instant), parse_zone(zone)) == expected


@given(st.datetimes(datetime.fromisoformat("1975-01-01"), datetime.fromisoformat("2199-01-01")), zones)
def test_what_is_written_is_the_same_instant_when_read(time: datetime, zone: ZoneInfo) -> None:
    instant = time.replace(microsecond=time.microsecond // 1000 * 1000, tzinfo=UTC)
    assert datetime.fromisoformat(format_instant(instant, zone)) == instant


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Base",
        "America",
        "europe/berlin",
        "../UTC",
        "/etc/localtime",
        "localtime",
        "right/UTC",
        "a\0b",
        "GMT+25",
    ],
)
def test_what_is_no_iana_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match=r"^ScheduleTimezone is (?s:.)*; use an IANA name such as Europe/Berlin"):
        parse_zone(name)


@pytest.mark.parametrize(
    ("local", "zone", "expected"),
    [
        ("2026-03-29T01:59:59", "Europe/Berlin", "2026-03-29T00:59:59+00:00"),
        ("2026-03-29T02:00:00", "Europe/Berlin", "2026-03-29T01:00:00+00:00"),
        ("2026-03-29T02:59:59", "Europe/Berlin", "2026-03-29T01:00:00+00:00"),
        ("2026-03-29T03:00:00", "Europe/Berlin", "2026-03-29T01:00:00+00:00"),
        ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25T03:00:00", "Europe/Berlin", "2026-10-25T02:00:00+00:00"),
        ("2026-10-04T02:15:00", "Australia/Lord_Howe", "2026-10-03T15:30:00+00:00"),
        # A day that Samoa never had.
        ("2011-12-30T10:00:00", "Pacific/Apia", "2011-12-30T10:00:00+00:00"),
    ],
)
def test_a_local_time_belongs_to_the_first_instant_that_shows_it_or_a_later_one(
    local: str, zone: str, expected: str
) -> None:
    assert first_shown(datetime.fromisoformat(local), parse_zone(zone)).isoformat() == expected


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00"),
        ("2026-10-25T00:59:59Z", "2026-10-25T02:59:59"),
        ("2026-10-25T01:00:00Z", "2026-10-25T02:59:59.999999"),
        ("2026-10-25T01:30:00.5Z", "2026-10-25T02:59:59.999999"),
        ("2026-10-25T02:00:00Z", "2026-10-25T03:00:00"),
        ("2026-03-29T01:00:00Z", "2026-03-29T03:00:00"),
    ],
)
def test_a_clock_that_was_set_back_has_passed_the_hour_that_it_shows_again(instant: str, expected: str) -> None:
    assert latest_shown(datetime.fromisoformat(instant), parse_zone("Europe/Berlin")).isoformat() == expected


@given(
    st.datetimes(datetime.fromisoformat("1975-01-01"), datetime.fromisoformat("2100-01-01")).map(
        lambda time: time.replace(microsecond=0)
    ),
    zones,
)
def test_the_first_instant_of_a_local_time_is_when_the_clock_passes_it(local: datetime, zone: ZoneInfo) -> None:
    instant = first_shown(local, zone)
    assert latest_shown(instant, zone) >= local
    assert latest_shown(instant - _HALF_MINUTE, zone) < local


@pytest.mark.parametrize("asked_in", ["UTC", "Asia/Tokyo"])
def test_the_changes_of_a_year_are_its_jump_and_its_repetition(asked_in: str) -> None:
    since = datetime(2026, 1, 1, 0, 30, tzinfo=UTC).astimezone(ZoneInfo(asked_in))
    jump, repetition = changes(ZoneInfo("America/New_York"), since, since + timedelta(days=364))
    assert jump.is_jump
    assert (jump.low.isoformat(), jump.high.isoformat()) == ("2026-03-08T02:00:00", "2026-03-08T03:00:00")
    assert not repetition.is_jump
    assert (repetition.low.isoformat(), repetition.high.isoformat()) == ("2026-11-01T01:00:00", "2026-11-01T02:00:00")
    assert [change.at.isoformat() for change in (jump, repetition)] == [
        "2026-03-08T07:00:00+00:00",
        "2026-11-01T06:00:00+00:00",
    ]
    assert changes(UTC, since, since + timedelta(days=364)) == ()


def test_no_zone_jumps_further_than_a_day_or_changes_twice_within_three() -> None:
    """What `first_shown` rests on: a clock with the same offset a day later has not jumped in between."""
    since = datetime(1969, 12, 30, tzinfo=UTC).timestamp()
    for name in available_timezones() - {"localtime", "Factory"}:
        with load_tzdata(name) as file:
            kinds, changes_at, offsets, *_ = load_data(file)
        shown = [(at, offsets[kind]) for at, kind in zip(changes_at, kinds, strict=True) if at >= since]
        for (at, offset), (later_at, later_offset) in pairwise(shown):
            assert later_at - at > 3 * 86_400, name
            assert abs(later_offset - offset) <= 86_400, name
