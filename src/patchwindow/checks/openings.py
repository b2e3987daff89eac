"""When the windows of a snapshot open."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Final

from patchwindow.checks.snapshot import Window
from patchwindow.domain.errors import Invalid
from patchwindow.domain.opening import Timing, timing
from patchwindow.domain.schedule import Rate, parse

_OPENINGS_MAX: Final = 2_000
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00Z")
_AHEAD: Final = timedelta(days=366)


def timing_of(window: Window, now: datetime) -> Timing | None:
    """Return when *window* opens, None where its schedule cannot be read.

    A rate counts from an instant that only the service knows, so from the next opening that it told.
    """
    try:
        is_anchored = isinstance(parse(window.schedule), Rate) and window.next_at is not None
        return timing(
            schedule=window.schedule,
            created_at=now,
            schedule_timezone=window.zone,
            schedule_offset=window.offset,
            start_date=window.next_at.isoformat() if is_anchored and window.next_at else window.start_date,
            end_date=window.end_date,
            basis_at=_EPOCH,
        )
    except Invalid:
        return None


def openings(window: Window, now: datetime) -> list[datetime]:
    """Return the openings of an enabled window within a year of *now*, and of one that is disabled none."""
    return list(_openings(window, now)) if window.is_enabled else []


def _openings(window: Window, now: datetime) -> Iterator[datetime]:
    times = timing_of(window, now)
    if times is None:
        return
    # Of a schedule with an offset only the service knows whether the day that has begun still counts.
    first = now if window.next_at is None else max(now, window.next_at - timedelta(microseconds=1))
    yield from islice(takewhile((now + _AHEAD).__gt__, times.openings(first)), _OPENINGS_MAX)


def next_after_freezes(
    window: Window, now: datetime, closed_until: Callable[[datetime], datetime | None]
) -> datetime | None:
    """Return the first opening within a year of *now* that lies in no freeze, None where there is none or it cannot be told.

    *closed_until* says until when calendars are closed at an opening: until then itself where they are open, and None
    where nobody knows an end.
    """
    times = timing_of(window, now)
    at = window.next_at
    while times is not None and at is not None and at < now + _AHEAD:
        until = closed_until(at)
        if until is None or until <= at:
            return at if until else None
        # One at which the freeze ends is free of it.
        at = times.next_opening(until - timedelta(microseconds=1))
    return None


def opens_again(window: Window, now: datetime) -> bool:
    """Say whether *window* will open, however late; what cannot be read here is taken at the service's word."""
    times = timing_of(window, now)
    if times is None:
        return window.is_enabled and window.next_at is not None
    return window.is_enabled and times.next_opening(now) is not None


def minute(at: datetime) -> str:
    """Return *at* for a sentence; what the SDK reads is in the zone of this machine."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
