"""Freezes of a plan at an instant: which windows they keep from opening."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice, takewhile
from typing import Final

from patchwindow.domain.freeze import Freeze, heeded, in_force
from patchwindow.domain.opening import Timing, timing
from patchwindow.domain.schedule_zone import parse_zone
from patchwindow.ical.reading import read
from patchwindow.plans.definitions import Plan, Window

# No cutoff matters to the question whether a window opens at all.
_AT_ONCE: Final = timedelta(0)
AHEAD: Final = timedelta(days=366)
"""How far windows are looked at beside freezes and beside one another: a year, in which calendars repeat."""

_OPENINGS_MAX: Final = 2_000


def closed_windows(plan: Plan, now: datetime) -> frozenset[str]:
    """Return the windows that are in a freeze at *now*, or whose next opening is.

    For a service whose windows heed no freezes: these must not be enabled until somebody looks again, which must be
    before the opening after the next.
    """
    return frozenset(name for name, window in plan.windows.items() if window.freezes and _is_closed(plan, window, now))


def freezes_of(plan: Plan, window: Window, since: datetime, until: datetime) -> tuple[Freeze, ...]:
    """Return the freezes that *window* heeds between two instants."""
    zone = parse_zone(window.timezone or "UTC")
    calendars = ((name, read(plan.calendars[name])) for name in window.freezes or ())
    return tuple(chain.from_iterable(calendar.freezes(name, since, until, zone) for name, calendar in calendars))


def timing_of(window: Window, now: datetime) -> Timing:
    """Return when *window* opens; a rate is counted from *now*, for when it was made is not in a plan."""
    return timing(
        schedule=window.schedule,
        created_at=now,
        schedule_timezone=window.timezone,
        schedule_offset=window.offset,
        start_date=window.start_date,
        end_date=window.end_date,
    )


def openings_of(window: Window, now: datetime) -> Iterator[datetime]:
    """Yield the openings of *window* within a year, and no more than can be gone through at once."""
    return islice(takewhile((now + AHEAD).__gt__, timing_of(window, now).openings(now)), _OPENINGS_MAX)


def skipped(plan: Plan, window: Window, openings: list[datetime]) -> Iterator[tuple[datetime, Freeze]]:
    """Yield which of *openings*, in their order, a freeze gives up, and the freeze."""
    if not openings or not window.freezes:
        return
    freezes = freezes_of(plan, window, openings[0], openings[-1] + timedelta(seconds=1))
    for at in openings:
        result = heeded(freezes, at, at + _AT_ONCE)
        if not result.opens and result.freeze is not None:
            yield at.astimezone(UTC), result.freeze


def _is_closed(plan: Plan, window: Window, now: datetime) -> bool:
    freezes = freezes_of(plan, window, now, now + AHEAD)
    following = timing_of(window, now).next_opening(now)
    return any(at is not None and in_force(freezes, at) is not None for at in (now, following))
