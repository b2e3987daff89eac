"""Local times and instants: the one place that knows of clock changes.

Two rules say everything.  A local time belongs to the first instant at which the zone's clock shows it *or a later
one*: in the hour that the clock jumps over that is the end of the jump, and in the hour that it shows twice, the first
time.  And a zone's clock has passed a local time once it has shown it, even when it shows it again.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from patchwindow.domain.errors import Invalid

_SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_SHOWN: Final = _EPOCH.replace(tzinfo=None)


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    # The names and no attempt to open: some names open files that are no zone, or another one on each machine.
    return frozenset(available_timezones() - {"localtime", "Factory"})


def parse_zone(name: str) -> tzinfo:
    """Return the zone of an IANA *name*.

    Raises:
        Invalid: there is no such zone.
    """
    if name == "UTC":
        return UTC
    if name not in _zone_names():
        raise Invalid(
            f"ScheduleTimezone is {name or 'empty'}; use an IANA name such as Europe/Berlin, in its exact spelling"
        )
    return ZoneInfo(name)


def first_shown(local: datetime, zone: tzinfo) -> datetime:
    """Return the first instant, in UTC, at which the clock of *zone* shows *local* or later."""
    # No zone jumps further than a day, or changes back within one: a clock with the same offset a day later has not
    # jumped over *local*.  So it is nearly always, and then this is several times faster than what is said below.
    offset = zone.utcoffset(local)
    assert offset is not None
    if zone.utcoffset(local + _DAY) == offset:
        return _EPOCH + (local - _EPOCH_SHOWN - offset)
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    # The clock jumps over it.  Read with the offsets before and after the jump it lies on either side of it.
    return _change(local.replace(tzinfo=zone, fold=1).astimezone(UTC), instant, zone)


def latest_shown(instant: datetime, zone: tzinfo) -> datetime:
    """Return the latest local time that the clock of *zone* has shown until *instant*, naive.

    It is what the clock shows at *instant*, but for the second time through an hour: then the clock was further before
    it was set back, and the answer is the last microsecond before that.
    """
    local = instant.astimezone(zone)
    if not local.fold:
        return local.replace(tzinfo=None)
    first_time = local.replace(fold=0).astimezone(UTC)
    change = _change(first_time.replace(microsecond=0), instant.replace(microsecond=0), zone)
    return (change - timedelta(microseconds=1)).astimezone(zone).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Change:
    """A clock change: at the instant *at* the zone's offset is no longer *before* but *after*."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def is_jump(self) -> bool:
        """Whether the clock skips the times between *low* and *high*; otherwise it shows them a second time."""
        return self.after > self.before

    @property
    def low(self) -> datetime:
        """The first local time that is skipped or repeated, naive."""
        return self.at.replace(tzinfo=None) + min(self.before, self.after)

    @property
    def high(self) -> datetime:
        """The first local time that is no longer skipped or repeated, naive."""
        return self.at.replace(tzinfo=None) + max(self.before, self.after)


# A pure function of few arguments that costs a look at each day: one search for traps asks it several times.
@lru_cache(maxsize=64)
def changes(zone: tzinfo, since: datetime, until: datetime) -> tuple[Change, ...]:
    """Return the clock changes of *zone* between two instants, whole days apart, in order."""
    days = [since.astimezone(UTC) + number * _DAY for number in range((until - since) // _DAY + 1)]
    offsets = [_offset(day, zone) for day in days]
    return tuple(
        Change(_change(day.replace(microsecond=0), later, zone), before, after)
        for (day, before), (later, after) in pairwise(zip(days, offsets, strict=True))
        if before != after
    )


def _offset(instant: datetime, zone: tzinfo) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Return the second, later than *before*, from which on the offset is that of *after*."""
    offset = after.astimezone(zone).utcoffset()

    def has_changed(seconds: int) -> bool:
        return (before + seconds * _SECOND).astimezone(zone).utcoffset() == offset

    seconds = range((after - before) // _SECOND + 1)
    return before + bisect_left(seconds, x=True, key=has_changed) * _SECOND


def format_instant(instant: datetime, zone: tzinfo) -> str:
    """Return *instant* as the API writes NextExecutionTime: ``2020-02-19T16:00Z``, ``2020-07-26T00:00+10:00``.

    ISO 8601 in the window's zone.  Seconds stand only where they are not zero, milliseconds likewise; ``Z`` is an offset
    of zero.  Source: the forms that the API was seen to answer, ``2019-05-18T17:01:01.137Z`` among them.
    """
    local = instant.astimezone(zone)
    if local.microsecond >= 1000:
        text = local.isoformat(timespec="milliseconds")
    else:
        text = local.isoformat(timespec="seconds" if local.second else "minutes")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
