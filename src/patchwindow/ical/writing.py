"""Openings and freezes as an iCalendar text (RFC 5545), which calendar programs subscribe to.

An event keeps its UID for as long as its window has this opening, so that a program moves nothing twice.  Times are those
of the window's zone, with a VTIMEZONE that says when its clock changes.  In the hour that a clock shows twice a local time
means the first of the two, so what lies in the second is written in UTC.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

from patchwindow.domain.freeze import Freeze
from patchwindow.domain.window_calendar import Occurrence

PRODUCT: Final = "-//patchwindow//calendar//EN"
REFRESH: Final = timedelta(hours=1)
"""How often programs should ask a feed again."""

_LINE_OCTETS: Final = 75
_ESCAPES: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})
_YEAR: Final = timedelta(days=366)
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)


def write(name: str, found: Sequence[Occurrence], freezes: Iterable[Freeze] = ()) -> str:
    """Return the calendar called *name*: an event for each opening, and one for each freeze.

    An opening that a freeze gives up is an event that is cancelled.  No event makes anybody busy.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{_escaped(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:PT{REFRESH // timedelta(hours=1)}H",
        *_zones(found),
        *(line for each in found for line in _opening(each)),
        *(line for each in sorted(set(freezes)) for line in _freeze(each)),
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _zones(found: Sequence[Occurrence]) -> Iterator[str]:
    """Yield a VTIMEZONE for each zone that is used, over the years that are."""
    if not found:
        return
    first, last = found[0].opens_at - _YEAR, max(each.ends_at for each in found) + _YEAR
    for zone in sorted({each.window.zone for each in found} - {"UTC"}):
        yield from _zone(zone, first.year, last.year + 1)


@functools.lru_cache(maxsize=64)
def _zone(name: str, first_year: int, last_year: int) -> tuple[str, ...]:
    """Return the VTIMEZONE of a zone from the beginning of the first year to that of the last.

    A change of the clock begins at the local time that the clock would have shown without it: RFC 5545, 3.6.5.
    """
    zone = ZoneInfo(name)
    since, until = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year, 1, 1, tzinfo=UTC)
    lines = ["BEGIN:VTIMEZONE", f"TZID:{name}"]
    before = since - _SECOND
    for at in (since, *_changes(zone, since, until)):
        shown, was = at.astimezone(zone), before.astimezone(zone).utcoffset()
        kind = "DAYLIGHT" if shown.dst() else "STANDARD"
        lines += [
            f"BEGIN:{kind}",
            f"DTSTART:{_digits(at.astimezone(timezone(was or timedelta())))}",
            f"TZOFFSETFROM:{_offset(was)}",
            f"TZOFFSETTO:{_offset(shown.utcoffset())}",
            f"TZNAME:{shown.tzname()}",
            f"END:{kind}",
        ]
        before = at
    return (*lines, "END:VTIMEZONE")


def _changes(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield each second, in UTC, at which the clock of *zone* has changed; no zone changes twice within a day."""
    at = since
    while at < until:
        later = at + _DAY
        if at.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            low, high = at, later
            while high - low > _SECOND:
                middle = low + (high - low) // (2 * _SECOND) * _SECOND
                if middle.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset():
                    low = middle
                else:
                    high = middle
            yield high
        at = later


def _offset(offset: timedelta | None) -> str:
    seconds = round((offset or timedelta()).total_seconds())
    sign, seconds = "-" if seconds < 0 else "+", abs(seconds)
    return f"{sign}{seconds // 3600:02}{seconds // 60 % 60:02}"


def _opening(each: Occurrence) -> Iterator[str]:
    window, remark = each.window, each.remark
    yield "BEGIN:VEVENT"
    yield f"UID:{_escaped(window.id)}-{_utc(each.opens_at)}@patchwindow"
    yield f"DTSTAMP:{_utc(window.changed_at)}"
    yield f"DTSTART{_local(each.opens_at, window.zone)}"
    yield f"DTEND{_local(each.ends_at, window.zone)}"
    yield f"SUMMARY:{_escaped(window.name)}{'' if each.heeded.opens else ' (does not open)'}"
    if remark:
        yield f"DESCRIPTION:{_escaped(remark)}"
    yield f"STATUS:{'CONFIRMED' if each.heeded.opens else 'CANCELLED'}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _freeze(freeze: Freeze) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_escaped(freeze.calendar)}-{_utc(freeze.starts_at)}-{_utc(freeze.ends_at)}@freezes.patchwindow"
    yield f"DTSTAMP:{_utc(freeze.starts_at)}"
    yield f"DTSTART:{_utc(freeze.starts_at)}"
    yield f"DTEND:{_utc(freeze.ends_at)}"
    reason = f": {freeze.reason}" if freeze.reason else ""
    yield f"SUMMARY:{_escaped(f'Freeze {freeze.calendar}{reason}')}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _local(at: datetime, zone: str) -> str:
    if zone != "UTC":
        shown = at.astimezone(ZoneInfo(zone))
        if not shown.fold:
            return f";TZID={zone}:{_digits(shown)}"
    return f":{_utc(at)}"


def _utc(at: datetime) -> str:
    return f"{_digits(at.astimezone(UTC))}Z"


def _digits(at: datetime) -> str:
    # Several times as fast as strftime, of which a calendar would be four calls for each opening.
    return at.isoformat()[:19].replace("-", "").replace(":", "")


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _folded(line: str) -> str:
    """Return *line* in parts of at most 75 octets, none of which cuts a character."""
    if len(line) <= _LINE_OCTETS and line.isascii():
        return line
    parts, part, room = [], "", _LINE_OCTETS
    for character in line:
        if len(part.encode()) + len(character.encode()) > room:
            parts.append(part)
            part, room = "", _LINE_OCTETS - 1
        part += character
    return "\r\n ".join([*parts, part])
