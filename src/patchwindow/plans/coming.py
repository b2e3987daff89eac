"""The openings that a plan's windows will have, for a calendar."""

from datetime import datetime, timedelta
from itertools import takewhile

from patchwindow.domain.window_calendar import PlannedWindow
from patchwindow.plans.check_overlaps import nodes_of
from patchwindow.plans.closing import freezes_of, timing_of
from patchwindow.plans.definitions import Plan


def coming(plan: Plan, since: datetime, until: datetime) -> list[PlannedWindow]:
    """Return the enabled windows of *plan* with their openings after *since* and before *until*.

    A rate is counted from *since*: when a window was made is not in a plan.
    """
    return [
        PlannedWindow(
            id=f"{plan.name}/{name}",
            name=name,
            openings=tuple(takewhile(until.__gt__, timing_of(window, since).openings(since))),
            duration_hours=window.duration,
            cutoff_hours=window.cutoff,
            zone=window.timezone or "UTC",
            changed_at=since,
            nodes=frozenset(words for target in window.targets.values() for words in nodes_of(target)),
            freezes=freezes_of(plan, window, since, until + timedelta(hours=window.duration)),
        )
        for name, window in plan.windows.items()
        if window.enabled
    ]
