"""Change calendars for tests."""

from collections.abc import Iterable
from datetime import UTC, datetime


def calendar(*events: tuple[datetime, datetime, str], kind: str = "DEFAULT_OPEN") -> str:
    """Return an iCalendar text with an event from, to and called so for each of *events*."""
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//patchwindow//tests//EN",
            f"X-CALENDAR-TYPE:{kind}",
            *(line for number, event in enumerate(events) for line in _event(number, *event)),
            "END:VCALENDAR",
            "",
        ]
    )


def _event(number: int, starts_at: datetime, ends_at: datetime, summary: str) -> Iterable[str]:
    return (
        "BEGIN:VEVENT",
        f"UID:{number}@tests",
        "DTSTAMP:20260101T000000Z",
        f"DTSTART:{starts_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTEND:{ends_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{summary}",
        "END:VEVENT",
    )
