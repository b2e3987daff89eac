"""A change calendar: an iCalendar text, and the times in which it is closed.

`X-CALENDAR-TYPE` says what its events mean: in a calendar that is DEFAULT_OPEN they close it, in one that is
DEFAULT_CLOSED they open it.  A text without that line comes from a calendar program, and its events are what is not to be
disturbed: they close it.  Events that are CANCELLED do not count, and neither does what is no event, such as a to-do.

Times without a zone (all-day events are of that kind) are those of the calendar's `X-WR-TIMEZONE`; without one they are
those of whoever asks, as RFC 5545 has it for floating times: a window's own zone.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

import icalendar
import recurring_ical_events

from patchwindow.domain.errors import Invalid, InvalidDocumentContent
from patchwindow.domain.freeze import Freeze, closed
from patchwindow.domain.schedule_zone import parse_zone

OPEN: Final = "DEFAULT_OPEN"
CLOSED: Final = "DEFAULT_CLOSED"

_TYPE: Final = "X-CALENDAR-TYPE"
_ZONE: Final = "X-WR-TIMEZONE"
_TOO_OFTEN: Final = ("SECONDLY", "MINUTELY", "HOURLY")
# Parts of a rule that would make many events of each day: a few words would be millions of freezes.
_MANY_A_DAY: Final = ("BYSECOND", "BYMINUTE", "BYHOUR")
_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class FreezeCalendar:
    """A change calendar that was read."""

    is_open_by_default: bool
    zone: tzinfo | None
    events: icalendar.Calendar

    def freezes(self, name: str, since: datetime, until: datetime, zone: tzinfo = UTC) -> tuple[Freeze, ...]:
        """Return when the calendar, called *name*, is closed between *since* and *until*, in order and in UTC.

        A freeze may begin before *since* and end after *until*; what a calendar that is closed by default is between its
        events is told within the two.  *zone* is that of times that have none.
        """
        found = sorted(
            Freeze(starts_at, ends_at, name, reason)
            for starts_at, ends_at, reason in self._events(since, until, zone)
            if starts_at < until and ends_at > since
        )
        if self.is_open_by_default:
            return tuple(found)
        return tuple(_between(name, found, since, until))

    def _events(self, since: datetime, until: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime, str]]:
        floating = self.zone or zone
        # The library compares floating times by their digits; a day on each side covers every zone.
        for event in recurring_ical_events.of(self.events).between(since - _A_DAY, until + _A_DAY):
            if str(event.get("STATUS", "")).upper() != "CANCELLED":
                yield _instant(event.start, floating), _instant(event.end, floating), str(event.get("SUMMARY", ""))


@functools.lru_cache(maxsize=256)
def read(text: str) -> FreezeCalendar:
    """Return the change calendar that *text* is.

    Raises:
        InvalidDocumentContent: it is no iCalendar, of an unknown type, or an event says no time that can be told.
    """
    try:
        calendar = icalendar.Calendar.from_ical(text)
        problems = [*_problems(calendar)]
        if not problems:
            # What the library cannot repeat it says only when it does.
            recurring_ical_events.of(calendar).at(date(2026, 1, 1))
    except InvalidDocumentContent:
        raise
    except Exception as problem:  # noqa: BLE001  (parsers of foreign text raise whatever they stumble over)
        raise InvalidDocumentContent(f"Content is no iCalendar: {' '.join(str(problem).split())}") from None
    if problems:
        raise InvalidDocumentContent("; ".join(problems))
    zone = parse_zone(str(calendar[_ZONE])) if _ZONE in calendar else None
    return FreezeCalendar(str(calendar.get(_TYPE, OPEN)) == OPEN, zone, calendar)


def _problems(calendar: Any) -> Iterator[str]:
    if calendar.name != "VCALENDAR":
        raise InvalidDocumentContent(f"Content is a {calendar.name}; write a VCALENDAR with the events in it")
    if "VERSION" not in calendar:
        yield "VERSION is missing; write VERSION:2.0"
    if _ZONE in calendar and not _is_zone(str(calendar[_ZONE])):
        yield f"{_ZONE} is {str(calendar[_ZONE])!r}; use a time zone such as Europe/Berlin, in its exact spelling"
    kind = str(calendar.get(_TYPE, OPEN))
    if kind not in (OPEN, CLOSED):
        yield f"{_TYPE} is {kind!r}; use {OPEN}, whose events close the calendar, or {CLOSED}, whose events open it"
    if calendar.errors:
        yield f"the calendar cannot be read: {calendar.errors[0]}"
    for place, event in enumerate(calendar.walk("VEVENT"), 1):
        name = f"event {place} ({event.get('SUMMARY', 'without SUMMARY')})"
        yield from (f"{name}: {problem}" for problem in _event_problems(event))


def _event_problems(event: Any) -> Iterator[str]:
    if event.errors:
        member, reason = event.errors[0]
        yield f"{member} cannot be read: {reason}"
        return
    if "DTSTART" not in event:
        yield "has no DTSTART; say when it starts"
        return
    for member in ("DTSTART", "DTEND"):
        if member in event and (zone := event[member].params.get("TZID")) and _naive(event[member].dt):
            yield f"{member} is in {zone}, which is no time zone that is known; use one such as Europe/Berlin"
    start, end = event.start, event.end
    if _naive(start) != _naive(end):
        yield "DTSTART and DTEND are not both with a zone, or both without one"
    elif not start < end:
        yield "ends when it starts, or before; give a later DTEND, or a DURATION"
    for rule in _rules(event):
        many = [part for part in _MANY_A_DAY if part in rule]
        frequency = str(rule.get("FREQ", ["missing"])[0])
        if frequency == "missing":
            yield "RRULE has no FREQ; use one such as FREQ=YEARLY"
        elif frequency in _TOO_OFTEN or many:
            yield f"RRULE repeats within a day (FREQ={frequency}{''.join(f', {part}' for part in many)}); use DAILY or slower"


def _rules(event: Any) -> list[Any]:
    rules = event.get("RRULE", [])
    return rules if isinstance(rules, list) else [rules]


def _between(name: str, opened: list[Freeze], since: datetime, until: datetime) -> Iterator[Freeze]:
    """Yield when a calendar is closed that is open in *opened* alone."""
    at = since
    for starts_at, ends_at in closed(opened):
        if starts_at > at:
            yield Freeze(at, starts_at, name)
        at = max(at, ends_at)
    if at < until:
        yield Freeze(at, until, name)


def _is_zone(name: str) -> bool:
    try:
        parse_zone(name)
    except Invalid:
        return False
    return True


def _naive(at: date) -> bool:
    return not isinstance(at, datetime) or at.tzinfo is None


def _instant(at: date, floating: tzinfo) -> datetime:
    local = at if isinstance(at, datetime) else datetime.combine(at, time())
    return (local if local.tzinfo is not None else local.replace(tzinfo=floating)).astimezone(UTC)
