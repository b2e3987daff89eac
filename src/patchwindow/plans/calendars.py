"""The calendars of a plan's freezes: text as RFC 5545 wants it, of dates or out of a file."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeGuard

from icalendar import Calendar, Event

from patchwindow.domain.errors import Invalid
from patchwindow.domain.schedule_zone import parse_zone
from patchwindow.ical.reading import OPEN, read
from patchwindow.plans.definitions import Freeze, FreezeDates, Plan
from patchwindow.plans.problems import Mark

Note = Callable[[Mark, str], None]
Span = tuple[datetime, datetime, str]
"""Begin, end and reason of a frozen time."""

_BEGIN: Final = "BEGIN:VCALENDAR"
# What a change calendar says of its events: outside of them the calendar is open.  Source: Change Calendar's user guide.
_TYPE: Final = "X-CALENDAR-TYPE"
_OPEN: Final = f"{_TYPE}:{OPEN}"
_PRODUCT: Final = "-//patchwindow//plan//EN"
_DATE_LENGTH: Final = len("2026-12-20")


def read_calendars(plan: Plan, file: str, note: Note) -> dict[str, str]:
    """Return the calendar of each freeze of *plan* by name; what is wrong with one is noted, and it is left out."""
    read = ((name, _read(name, freeze, file, note)) for name, freeze in plan.freezes.items())
    return {name: text for name, text in read if text is not None}


def dates_of(text: str) -> tuple[Span, ...] | None:
    """Return begin, end and reason of each event of a calendar that a plan has written; None for any other calendar."""
    try:
        events = Calendar.from_ical(text).events
        spans = [(event.DTSTART, event.DTEND, str(event.get("SUMMARY", ""))) for event in events]
        name = str(events[0]["UID"]).partition("@")[2]
    except (ValueError, KeyError, IndexError):
        return None
    dates = tuple((begin, end, why) for begin, end, why in spans if _is_instant(begin) and _is_instant(end))
    return dates if write_calendar(name, dates) == text else None


def _is_instant(value: object) -> TypeGuard[datetime]:
    return isinstance(value, datetime) and value.tzinfo is not None


def write_calendar(name: str, dates: Iterable[Span]) -> str:
    """Return the calendar of the freeze *name*, the same text whenever it is written."""
    calendar = Calendar()
    calendar.add("PRODID", _PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add(_TYPE, OPEN)
    for number, (begin, end, reason) in enumerate(dates):
        event = Event()
        event.add("UID", f"{number}-{begin.astimezone(UTC):%Y%m%dT%H%M%SZ}@{name}")
        # Not the clock's: a plan that has not changed must not change a calendar.
        event.add("DTSTAMP", begin.astimezone(UTC))
        event.add("DTSTART", begin.astimezone(UTC))
        event.add("DTEND", end.astimezone(UTC))
        event.add("SUMMARY", reason)
        calendar.add_component(event)
    text: bytes = calendar.to_ical()
    return text.decode()


def _read(name: str, freeze: Freeze, file: str, note: Note) -> str | None:
    what, marks = f"freeze {name!r}", freeze.marks
    ways = [member for member in ("dates", "ics", "calendar") if getattr(freeze, member) is not None]
    if len(ways) != 1:
        if freeze.sound("dates", "ics", "calendar"):
            has = f"has {' and '.join(ways)}" if ways else "has no times"
            note(marks.record, f"{what} {has}; say one of dates, ics and calendar")
        return None
    if freeze.dates is not None:
        return _of_dates(name, freeze, freeze.dates, note)
    if freeze.timezone is not None:
        note(marks.at("timezone"), f"{what}: timezone is for dates; a calendar says its zones itself, leave it out")
    if freeze.ics is None:
        return _calendar(freeze.calendar or "", marks.at("calendar"), f"{what}: calendar", note)
    mark = marks.at("ics")
    path = Path(mark.file or file).parent / freeze.ics
    try:
        # Line ends are the calendar's own.
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        note(mark, f"{what}: {path} cannot be read: {error.strerror}")
        return None
    except UnicodeDecodeError as error:
        note(mark, f"{what}: {path} is not UTF-8 text: {error.reason}")
        return None
    return _calendar(text, mark, f"{what}: {path}", note)


def _calendar(text: str, mark: Mark, what: str, note: Note) -> str | None:
    """Return *text* as a calendar whose events are the frozen times, unless it says its own meaning."""
    try:
        calendar = read(text)
    except Invalid as problem:
        note(mark, f"{what}: {problem}")
        return None
    if not calendar.events.events:
        note(mark, f"{what} has no events, so it freezes nothing")
        return None
    return text if _TYPE in calendar.events else text.replace(_BEGIN, f"{_BEGIN}\r\n{_OPEN}", 1)


def _of_dates(name: str, freeze: Freeze, entries: tuple[FreezeDates, ...], note: Note) -> str | None:
    zone = freeze.timezone or "UTC"
    try:
        parse_zone(zone)
    except Invalid as problem:
        note(freeze.marks.at("timezone"), f"freeze {name!r}: {problem}")
        return None
    dates = list(_spans(name, zone, entries, note))
    return write_calendar(name, dates) if len(dates) == len(entries) else None


def _spans(name: str, zone: str, entries: tuple[FreezeDates, ...], note: Note) -> Iterator[Span]:
    for number, entry in enumerate(entries, start=1):
        what = f"freeze {name!r}: entry {number}"
        begin, end = (
            _instant(entry, member, zone, f"{what}: {key}", note) for member, key in (("from_", "from"), ("to", "to"))
        )
        if begin is None or end is None:
            continue
        if end <= begin:
            note(entry.marks.at("to"), f"{what}: to is {entry.to}, not after from {entry.from_}")
            continue
        yield begin, end, entry.reason or ""


def _instant(entry: FreezeDates, member: str, zone: str, what: str, note: Note) -> datetime | None:
    """Return the instant of a member; a date as the end means the whole of that day."""
    text = getattr(entry, member)
    if not entry.sound(member):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        note(entry.marks.at(member), f"{what} is {text!r}, which no calendar has")
        return None
    if len(text) == _DATE_LENGTH and member == "to":
        moment += timedelta(days=1)
    return moment if moment.tzinfo else moment.replace(tzinfo=parse_zone(zone))
