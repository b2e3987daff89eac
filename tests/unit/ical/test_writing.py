"""Calendars for calendar programs, read again by parsers that are not ours."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import vobject
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.freeze import Freeze
from patchwindow.domain.window_calendar import PlannedWindow, occurrences
from patchwindow.ical.writing import write

CHANGED = datetime(2026, 1, 1, 12, tzinfo=UTC)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Pacific/Kiritimati",
    "Europe/Dublin",
    "Africa/Casablanca",
)
HOUR = timedelta(hours=1)


def window(*openings: datetime, name: str = "web", zone: str = "Europe/Berlin", **more: Any) -> PlannedWindow:
    """Return a window of three hours."""
    made = {"id": "mw-1", "duration_hours": 3, "cutoff_hours": 1, "changed_at": CHANGED, **more}
    return PlannedWindow(name=name, openings=openings, zone=zone, **made)


def text_of(*windows: PlannedWindow, freezes: tuple[Freeze, ...] = ()) -> str:
    return write("patching", occurrences(windows), freezes)


def events(text: str) -> list[Any]:
    """Return the events as an independent parser reads them, zones by the text's own VTIMEZONE."""
    return list(_read(text).contents.get("vevent", []))


def _read(text: str) -> Any:
    # The parser keeps each zone by its name, and takes that of the text before for the next.
    vars(vobject.icalendar)["__tzidMap"].clear()
    return vobject.readOne(text)


def instant(value: datetime) -> datetime:
    return value.astimezone(UTC)


def test_a_calendar_is_read_by_others_as_it_was_meant() -> None:
    at = datetime(2026, 7, 14, 20, tzinfo=UTC)
    text = text_of(window(at, name="web, Tuesday; 2nd"))
    (event,) = events(text)
    assert event.summary.value == "web, Tuesday; 2nd"
    assert (instant(event.dtstart.value), instant(event.dtend.value)) == (at, at + 3 * HOUR)
    assert event.uid.value == "mw-1-20260714T200000Z@patchwindow"
    assert (event.status.value, event.transp.value) == ("CONFIRMED", "TRANSPARENT")
    assert "DTSTART;TZID=Europe/Berlin:20260714T220000" in text
    assert icalendar.Calendar.from_ical(text).errors == []


def test_an_empty_calendar_is_valid() -> None:
    assert events(text_of()) == []
    assert icalendar.Calendar.from_ical(text_of()).name == "VCALENDAR"


def test_a_frozen_opening_is_cancelled_and_says_why_and_the_freeze_is_an_event() -> None:
    at = datetime(2026, 12, 24, 2, tzinfo=UTC)
    freeze = Freeze(at - HOUR, at + HOUR, "year-end", "closing of the books")
    frozen, also = events(text_of(window(at, freezes=(freeze,)), freezes=(freeze, freeze)))
    assert (frozen.summary.value, frozen.status.value) == ("web (does not open)", "CANCELLED")
    assert frozen.description.value == "frozen by year-end (closing of the books)"
    assert also.summary.value == "Freeze year-end: closing of the books"
    assert (instant(also.dtstart.value), instant(also.dtend.value)) == (freeze.starts_at, freeze.ends_at)


def test_the_same_opening_keeps_its_uid_when_the_window_is_given_another_length() -> None:
    at = datetime(2026, 7, 14, 20, tzinfo=UTC)
    before, after = events(text_of(window(at)))[0], events(text_of(window(at, duration_hours=5, name="renamed")))[0]
    assert before.uid.value == after.uid.value


def test_the_second_of_two_equal_local_times_is_written_in_utc() -> None:
    # Berlin's clock shows 02:30 twice on this day: 00:30Z and 01:30Z.
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    text = text_of(window(first, second))
    assert "DTSTART;TZID=Europe/Berlin:20261025T023000" in text
    assert "DTSTART:20261025T013000Z" in text
    assert [instant(event.dtstart.value) for event in events(text)] == [first, second]


def test_no_line_is_longer_than_the_format_allows_and_no_character_is_cut() -> None:
    text = text_of(window(datetime(2026, 7, 14, 20, tzinfo=UTC), name="Übergrößenträger " * 12))
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert events(text)[0].summary.value == "Übergrößenträger " * 12


@given(
    st.sampled_from(ZONES),
    st.lists(st.integers(0, 5 * 366 * 24 * 4), min_size=1, max_size=4, unique=True),
)
def test_times_are_right_across_every_change_of_a_clock(zone: str, quarters: list[int]) -> None:
    """ "Times are those of the window's zone, with a VTIMEZONE that says when its clock changes." """
    openings = tuple(CHANGED + quarter * HOUR / 4 for quarter in sorted(quarters))
    text = text_of(window(*openings, zone=zone))
    # By the rules in the text itself.
    assert [instant(event.dtstart.value) for event in events(text)] == list(openings)
    assert [instant(event.dtend.value) for event in events(text)] == [at + 3 * HOUR for at in openings]
    # By the name of the zone.
    read = icalendar.Calendar.from_ical(text)
    assert [event.start for event in read.events] == list(openings)


@given(st.sampled_from(ZONES[1:]), st.integers(0, 24 * 366))
def test_a_vtimezone_says_the_offset_of_every_hour_of_the_year(zone: str, hour: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + hour * HOUR
    rules = _read(text_of(window(datetime(2026, 6, 1, tzinfo=UTC), zone=zone))).vtimezone.tzinfo
    shown = at.astimezone(ZoneInfo(zone))
    if not shown.fold:
        assert rules.utcoffset(shown.replace(tzinfo=None)) == shown.utcoffset()
