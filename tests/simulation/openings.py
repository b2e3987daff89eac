"""The openings of one window: which must come, which have come, and which the API told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tests.simulation.freezes import Freezes
from tests.simulation.rules import Checks, Rule

from patchwindow.domain.opening import Timing
from patchwindow.domain.window import Window

_SCHEDULE = ("schedule", "schedule_timezone", "schedule_offset", "start_date", "end_date")


@dataclass(slots=True)
class Openings:
    """What is known of a window from its rows alone; instants are of the clock of whoever acted.

    A window's openings are those of its schedule after it was last set. One that is due when another member is changed
    still comes. One that is due when the schedule itself is changed, or when the window is disabled or deleted, and that
    nobody recorded before, is given up with it.
    """

    window_id: str
    checks: Checks
    window: Window | None = None
    """None once it is deleted."""
    name: str = ""
    recorded: set[datetime] = field(default_factory=set)
    since: datetime | None = None
    seen_count: int = 0
    """How many looks of engines had been taken when it was last set."""
    _told: datetime | None = None
    _told_at: datetime | None = None
    _kept: set[datetime] = field(default_factory=set)
    _coming: Iterator[datetime] = field(default_factory=lambda: iter(()))
    _next: datetime | None = None

    def become(self, window: Window | None, now: datetime, seen_count: int) -> None:
        """Note that the window was made, changed or deleted."""
        before, self.name = self.window, self.name if window is None else window.name
        goes_on = (
            before is not None
            and window is not None
            and before.enabled
            and window.enabled
            and all(getattr(before, name) == getattr(window, name) for name in _SCHEDULE)
        )
        self._kept = self._due(now) if goes_on else set()
        self.window, self.since, self._told = window, now, None
        self.seen_count = seen_count if not goes_on else self.seen_count
        timing = self._timing()
        self._coming = iter(()) if timing is None else timing.openings(now)
        self._next = next(self._coming, None)

    def record(self, opens_at: datetime, cutoff_at: datetime, now: datetime, freezes: Freezes) -> None:
        """Check and note that this opening was recorded."""
        hold, what = self.checks.hold, f"{self.window_id} at {opens_at}"
        hold(Rule.SHUT_OPENS_NOTHING, self.window is not None and self.window.enabled, f"{what} was recorded")
        hold(Rule.OPENS_ONCE, opens_at not in self.recorded, f"{what} was recorded before")
        hold(Rule.OPENS_AS_SCHEDULED, opens_at <= now, f"{what} was recorded at {now}")
        hold(Rule.OPENS_AS_SCHEDULED, self._is_expected(opens_at), f"{what} is none of {self.window}")
        assert self.window is not None
        expected = freezes.cutoff(opens_at, self.window.cutoff_at(opens_at))
        hold(Rule.CUTOFF_AS_SET, cutoff_at == expected, f"that of {what} is {cutoff_at}, not {expected}")
        if self._told is not None and self._told_at is not None and opens_at > self._told_at:
            hold(Rule.TOLD_COMES_TRUE, opens_at == self._told, f"{what} came, told was {self._told}")
            self._told = None
        self.recorded.add(opens_at)

    def told(self, opens_at: datetime | None, now: datetime) -> None:
        """Note what the API answered at *now*."""
        if opens_at is None:
            coming = {*self._kept, *(() if self._next is None else (self._next,))} - self.recorded
            self.checks.hold(Rule.TOLD_COMES_TRUE, not coming or max(coming) <= now, f"nothing was told of {coming}")
        self._told, self._told_at = opens_at, now

    def check(self, now: datetime) -> None:
        """Check that no opening is left that an engine, which looked at *now*, had to record."""
        missing = self._due(now) - self.recorded
        self.checks.hold(Rule.OPENS_ONCE, not missing, f"{self.window_id} has no record of {missing} at {now}")
        self._kept.clear()

    def conclude(self) -> None:
        """Check, at the end of all times, that everything came."""
        rest = {opening for opening in (self._next, *self._coming) if opening is not None}
        missing = (rest | self._kept) - self.recorded
        self.checks.hold(Rule.OPENS_ONCE, not missing, f"{self.window_id} has no record of {missing}")
        kept = self._told is None or self._told in self.recorded
        self.checks.hold(Rule.TOLD_COMES_TRUE, kept, f"{self.window_id} was told to open at {self._told}")

    def _timing(self) -> Timing | None:
        return self.window.timing() if self.window is not None and self.window.enabled else None

    def _is_expected(self, opens_at: datetime) -> bool:
        timing = self._timing()
        if timing is None or self.since is None:
            return False
        return opens_at in self._kept or (opens_at > self.since and opens_at in _until(timing, self.since, opens_at))

    def _due(self, now: datetime) -> set[datetime]:
        """Return what had to be recorded by *now*, and has no record."""
        while self._next is not None and self._next <= now:
            self._kept.add(self._next)
            self._next = next(self._coming, None)
        self._kept -= self.recorded
        return set(self._kept)


def _until(timing: Timing, since: datetime, last: datetime) -> Iterator[datetime]:
    for opening in timing.openings(since):
        if opening > last:
            return
        yield opening
