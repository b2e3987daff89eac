"""Change calendars: what of an iCalendar text freezes windows, and what is refused."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from patchwindow.domain.errors import InvalidDocumentContent
from patchwindow.domain.freeze import Freeze
from patchwindow.ical.reading import FreezeCalendar, read

SINCE, UNTIL = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)


def calendar(*lines: str, kind: str | None = "DEFAULT_OPEN") -> str:
    """Return an iCalendar text with one event of *lines*."""
    head = [] if kind is None else [f"X-CALENDAR-TYPE:{kind}"]
    event = ["BEGIN:VEVENT", "UID:1@test", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"] if lines else []
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *head, *event, "END:VCALENDAR", ""])


CHRISTMAS = ("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227", "SUMMARY:Christmas")
NIGHT = ("DTSTART:20261224T220000Z", "DTEND:20261225T040000Z", "SUMMARY:release")


def closed(found: FreezeCalendar, zone: str = "UTC") -> list[str]:
    """Return when the calendar is closed between `SINCE` and `UNTIL`."""
    return [
        f"{one.starts_at:%m-%d %H:%M}/{one.ends_at:%m-%d %H:%M}"
        for one in found.freezes("holidays", SINCE, UNTIL, ZoneInfo(zone))
    ]


def test_events_close_a_calendar_that_is_open_by_default() -> None:
    found = read(calendar(*NIGHT)).freezes("holidays", SINCE, UNTIL)
    assert found == (
        Freeze(datetime(2026, 12, 24, 22, tzinfo=UTC), datetime(2026, 12, 25, 4, tzinfo=UTC), "holidays", "release"),
    )


def test_events_open_a_calendar_that_is_closed_by_default() -> None:
    found = read(calendar(*NIGHT, kind="DEFAULT_CLOSED"))
    assert closed(found) == ["12-01 00:00/12-24 22:00", "12-25 04:00/02-01 00:00"]


def test_a_calendar_without_a_type_is_that_of_a_calendar_program_and_closed_by_its_events() -> None:
    assert closed(read(calendar(*NIGHT, kind=None))) == ["12-24 22:00/12-25 04:00"]


def test_an_all_day_event_is_a_day_of_whoever_asks() -> None:
    found = read(calendar(*CHRISTMAS))
    assert closed(found, "Europe/Berlin") == ["12-23 23:00/12-26 23:00"]
    assert closed(found, "America/New_York") == ["12-24 05:00/12-27 05:00"]


def test_the_calendars_own_zone_counts_before_that_of_whoever_asks() -> None:
    text = calendar(*CHRISTMAS).replace("PRODID", "X-WR-TIMEZONE:Asia/Tokyo\r\nPRODID")
    assert closed(read(text), "Europe/Berlin") == ["12-23 15:00/12-26 15:00"]


def test_an_event_that_began_before_is_a_freeze_still() -> None:
    found = read(calendar("DTSTART:20251101T000000Z", "DTEND:20261215T000000Z"))
    assert closed(found) == ["11-01 00:00/12-15 00:00"]


def test_what_repeats_comes_again_by_the_wall_clock() -> None:
    weekly = calendar(
        "DTSTART;TZID=Europe/Berlin:20261002T220000", "DURATION:PT2H", "RRULE:FREQ=MONTHLY;BYDAY=1FR", "SUMMARY:close"
    )
    found = read(weekly).freezes("close", datetime(2026, 10, 1, tzinfo=UTC), UNTIL)
    assert [f"{one.starts_at:%m-%d %H:%M}" for one in found] == [
        "10-02 20:00",
        "11-06 21:00",
        "12-04 21:00",
        "01-01 21:00",
    ]


def test_what_is_cancelled_or_excepted_or_a_to_do_freezes_nothing() -> None:
    assert closed(read(calendar(*NIGHT, "STATUS:CANCELLED"))) == []
    assert closed(read(calendar(*NIGHT, "RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20261225T220000Z"))) == [
        "12-24 22:00/12-25 04:00"
    ]
    assert closed(read(calendar(*NIGHT).replace("VEVENT", "VTODO").replace("DTEND", "DUE"))) == []


def test_a_calendar_without_events_is_what_it_is_by_default() -> None:
    assert closed(read(calendar())) == []
    assert closed(read(calendar(kind="DEFAULT_CLOSED"))) == ["12-01 00:00/02-01 00:00"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "Content is no iCalendar"),
        ("closed at Christmas", "Content is no iCalendar"),
        (calendar(*NIGHT) * 2, "Content is no iCalendar"),
        ("BEGIN:VEVENT\r\nEND:VEVENT\r\n", "Content is a VEVENT"),
        ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "VERSION is missing"),
        (calendar(kind="SOMETIMES"), "X-CALENDAR-TYPE is 'SOMETIMES'"),
        (calendar().replace("PRODID", "X-WR-TIMEZONE:Berlin\r\nPRODID"), "X-WR-TIMEZONE is 'Berlin'"),
        (calendar("SUMMARY:some time"), "event 1 (some time): has no DTSTART"),
        (calendar("DTSTART:20261224T220000Z"), "ends when it starts, or before"),
        (calendar("DTSTART:20261224T220000Z", "DTEND:20261223T220000Z"), "ends when it starts, or before"),
        (calendar("DTSTART:2026122x"), "DTSTART cannot be read"),
        (calendar("DTSTART;TZID=Middle/Earth:20261224T220000", "DURATION:PT1H"), "DTSTART is in Middle/Earth"),
        (calendar("DTSTART:20261224T220000Z", "DTEND:20261225T220000"), "are not both with a zone"),
        (calendar(*NIGHT, "RRULE:FREQ=SECONDLY"), "RRULE repeats within a day (FREQ=SECONDLY)"),
        (calendar(*NIGHT, "RRULE:FREQ=DAILY;BYMINUTE=1,2"), "RRULE repeats within a day (FREQ=DAILY, BYMINUTE)"),
        (calendar(*NIGHT, "RRULE:COUNT=3"), "RRULE has no FREQ"),
    ],
)
def test_what_says_no_time_that_can_be_told_is_refused(text: str, part: str) -> None:
    with pytest.raises(InvalidDocumentContent) as refused:
        read(text)
    assert part in str(refused.value)
