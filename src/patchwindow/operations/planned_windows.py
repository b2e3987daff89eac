"""The windows that open, with their openings in a time, the freezes that they heed, and words for the nodes that they ask for."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.freeze import TAG, Freeze, names
from patchwindow.domain.schedule_zone import parse_zone
from patchwindow.domain.window import Window
from patchwindow.domain.window_calendar import PlannedWindow, asked_for
from patchwindow.operations.freezes import freezes_of
from patchwindow.store.tags import WINDOW_TAGS
from patchwindow.store.work import Work

_PAGE: Final = 500


def planned_windows(work: Work, since: datetime, until: datetime) -> Iterator[PlannedWindow]:
    """Yield every window that is enabled, with what its schedule says now of the time after *since* and before *until*."""
    heeding = work.tags.with_key(WINDOW_TAGS, TAG)
    nodes: dict[str, set[str]] = {}
    for target in work.window_targets.all():
        asked = [(one.key, one.values) for one in target.targets]
        nodes.setdefault(target.window_id, set()).update(asked_for(asked))
    after = ""
    while page := work.windows.page(after=after, limit=_PAGE, is_enabled=True):
        for stored in page:
            window = stored.window
            freezes, problem = _freezes(work, window, heeding.get(window.window_id, ""), since, until)
            yield PlannedWindow(
                id=window.window_id,
                name=window.name,
                openings=tuple(takewhile(until.__gt__, window.timing().openings(since))),
                duration_hours=window.duration,
                cutoff_hours=window.cutoff,
                zone=window.schedule_timezone or "UTC",
                changed_at=window.modified_date,
                nodes=frozenset(nodes.get(window.window_id, ())),
                freezes=freezes,
                problem=problem,
            )
        after = page[-1].window.window_id


def _freezes(
    work: Work, window: Window, value: str, since: datetime, until: datetime
) -> tuple[tuple[Freeze, ...], str]:
    zone, ends_at = parse_zone(window.schedule_timezone or "UTC"), until + timedelta(hours=window.duration)
    try:
        return freezes_of(work, names(value), since, ends_at, zone), ""
    except (Invalid, NotFound) as problem:
        return (), str(problem)
