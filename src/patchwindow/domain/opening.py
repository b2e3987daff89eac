"""When a window opens: its schedule joined with zone, offset and bounds.

An opening is an instant in UTC; ``format_instant`` writes it as the API does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import count, repeat, takewhile
from typing import Final

from patchwindow.domain.cron import Cron
from patchwindow.domain.errors import Invalid
from patchwindow.domain.schedule import At, Rate, Schedule, parse
from patchwindow.domain.schedule_zone import first_shown, latest_shown, parse_zone

_TICK: Final = timedelta(microseconds=1)
# All openings lie between these: years 1970 to 2199 of any zone's clock, and the largest offset in days.
_FIRST_AT: Final = datetime(1969, 12, 30, tzinfo=UTC)
_LAST_AT: Final = datetime(2200, 1, 8, tzinfo=UTC)

_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}(:[0-9]{2})?)"
)


@dataclass(frozen=True, slots=True)
class Timing:
    """All that decides when a window opens; instants are in UTC.

    * *offset_days*: a cron opens so many days after its match, at the same time of the wall clock.
    * *not_before*, *not_after*: bounds of the opening itself, both included.
    * *anchor_at*: the first run of a rate, from which the others are counted.
    * *basis_at*: a match before it does not count, even where its opening still lies ahead.
    """

    schedule: Schedule
    anchor_at: datetime
    zone: tzinfo = UTC
    offset_days: int = 0
    not_before: datetime | None = None
    not_after: datetime | None = None
    basis_at: datetime | None = None

    def next_opening(self, after: datetime) -> datetime | None:
        """Return the first opening strictly after *after*, in UTC, or None; after 2199 none is looked for."""
        return next(self.openings(after), None)

    def openings(self, after: datetime) -> Iterator[datetime]:
        """Yield every opening strictly after *after*, in UTC and in order; after 2199 none is looked for."""
        # UTC shows no hour twice, but a datetime may say so; what follows would take it at its word.
        floor = max(after.astimezone(UTC).replace(fold=0), _FIRST_AT)
        if self.not_before is not None and self.not_before > floor:
            floor = self.not_before - _TICK
        if floor >= _LAST_AT:
            return
        last = self.not_after or _LAST_AT
        for opening in self._scheduled(floor):
            if opening > last:
                return
            # All the matches that a clock jumps over open once, when the jump ends.
            if opening > floor:
                yield opening
                floor = opening

    def _scheduled(self, floor: datetime) -> Iterator[datetime]:
        """Yield the openings after *floor* in order, some of them more than once, whatever the last day is."""
        match self.schedule:
            case Cron() as cron:
                return self._matched(cron, floor)
            case Rate(period):
                first = max(self.anchor_at, self.anchor_at + ((floor - self.anchor_at) // period + 1) * period)
                return takewhile(_LAST_AT.__gt__, (first + number * period for number in count()))
            case At(local):
                return iter([first_shown(local, self.zone)])

    def _matched(self, cron: Cron, floor: datetime) -> Iterator[datetime]:
        """Yield the openings of the matches after *floor*.

        The clock never shows a time again that it has passed, so the first match after what it has shown until *floor*
        is the first, and no match is tried twice: neither in an hour that comes twice nor in one that does not come.
        """
        zone, offset = self.zone, timedelta(days=self.offset_days)
        passed = latest_shown(floor, zone) - offset
        if offset and self.basis_at is not None and self.basis_at > _FIRST_AT:
            passed = max(passed, latest_shown(min(self.basis_at, _LAST_AT) - _TICK, zone))
        matches = cron.matches(passed)
        moved = (match + offset for match in matches) if offset else matches
        return map(first_shown, moved, repeat(zone))


def timing(
    *,
    schedule: str,
    created_at: datetime,
    schedule_timezone: str | None = None,
    schedule_offset: int | None = None,
    start_date: str | None = None,
    end_date: str | None = None,
    basis_at: datetime | None = None,
) -> Timing:
    """Return the timing that a window's members mean, as the API's strings.

    *basis_at* is when the schedule was last set; without it, *created_at*.  A rate starts at StartDate.  Without one, or
    with one that had passed when the window was made, the first run is one period after *created_at*.  No later change
    moves that, so that saving a window again does not shift its runs.

    Raises:
        Invalid: a member is malformed, the zone is unknown, or members contradict one another.
    """
    read = parse(schedule)
    zone = UTC if schedule_timezone is None else parse_zone(schedule_timezone)
    if schedule_offset is not None and not isinstance(read, Cron):
        raise Invalid(
            f"ScheduleOffset is {schedule_offset}, but only a cron can have one; leave it out with {schedule}"
        )
    if schedule_offset is not None and not 1 <= schedule_offset <= 6:
        raise Invalid(f"ScheduleOffset is {schedule_offset}; use 1-6 days")
    not_before = None if start_date is None else parse_instant("StartDate", start_date)
    not_after = None if end_date is None else parse_instant("EndDate", end_date)
    if not_before is not None and not_after is not None and not_after < not_before:
        raise Invalid(f"EndDate is {end_date}, before StartDate {start_date}; use a later EndDate")
    anchor_at = created_at.astimezone(UTC)
    if not_before is not None and not_before >= anchor_at:
        anchor_at = not_before
    elif isinstance(read, Rate):
        anchor_at += read.period
    return Timing(
        schedule=read,
        anchor_at=anchor_at,
        zone=zone,
        offset_days=schedule_offset or 0,
        not_before=not_before,
        not_after=not_after,
        basis_at=(created_at if basis_at is None else basis_at).astimezone(UTC),
    )


def parse_instant(member: str, text: str) -> datetime:
    """Return the instant, in UTC, that *text* means: ISO 8601 in its extended form, with ``Z`` or an offset.

    Raises:
        Invalid: it is of another form, or no such time exists; the message names *member*.
    """
    try:
        if _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Invalid(
        f"{member} is {text or 'empty'}; use a time such as 2026-03-01T22:00:00Z or 2026-03-01T22:00:00+01:00"
    )


def check_duration(duration_hours: int, cutoff_hours: int) -> None:
    """Refuse a cutoff that leaves no hour in which tasks may start.

    The words are those of the API, spelling included, for clients match on them.

    Raises:
        Invalid: Cutoff is greater than Duration - 1.
    """
    if cutoff_hours > duration_hours - 1:
        raise Invalid(f"Cuttoff was {cutoff_hours} but must be smaller than {duration_hours - 1} (Duration - 1 )")
