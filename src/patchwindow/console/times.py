"""Instants and spans as people read them."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

UTC_NAME: Final = "UTC"

_UNITS: Final = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def zone_of(name: str | None) -> ZoneInfo:
    """Return the zone that a reader chose, UTC where none is, or one that does not exist."""
    if name:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    return ZoneInfo(UTC_NAME)


def zones() -> list[str]:
    """Return the names of all zones, UTC first."""
    return [UTC_NAME, *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]


def clock(instant: datetime, zone: ZoneInfo) -> str:
    """Return the time of day, such as `23:00`."""
    return f"{instant.astimezone(zone):%H:%M}"


def day(instant: datetime, zone: ZoneInfo) -> str:
    """Return the day, such as `Thu 3 Dec 2026`."""
    local = instant.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}"


def moment(instant: datetime, zone: ZoneInfo) -> str:
    """Return day and time of day, such as `Thu 3 Dec 2026, 23:00`."""
    return f"{day(instant, zone)}, {clock(instant, zone)}"


def span(length: timedelta) -> str:
    """Return a length in its two largest units, such as `2 h 5 min`; of a negative one its size."""
    left = abs(round(length.total_seconds()))
    parts: list[str] = []
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or "0 s"


def ago(instant: datetime, now: datetime) -> str:
    """Return how long ago, or in how long, an instant is."""
    distance = now - instant
    if abs(distance) < timedelta(seconds=1):
        return "now"
    return f"{span(distance)} ago" if distance > timedelta() else f"in {span(distance)}"
