"""What the engine does every hour, or day: it notes the trend, and forgets what is older than it should be kept."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from patchwindow.operations import catalog_age, fleet, retention
from patchwindow.ports import Ids
from patchwindow.store.history import CATALOG, PRUNE, TREND
from patchwindow.store.work import Work

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_BATCH: Final = 1000
"""So many rows are deleted in one transaction, for others wait to write."""
_FACTS_REST: Final = timedelta(days=1)
"""Facts are left alone for so long after they were first seen."""
_USE_SLACK: Final = timedelta(days=2)
"""The use of an evaluation is noted to the day: it goes surely after the scans that refer to it."""


def keep_up(work: Work, _: Ids, name: str, now: datetime) -> None:
    """Do the chore if it is still due, and plan it anew: at once where there was more than one batch."""
    due_at = work.chores.lock(name)
    if due_at is None or due_at > now:
        return
    do, every = _CHORES[name]
    has_more = do(work, now)
    work.chores.put(name, now if has_more else now + every)


def _note_trend(work: Work, now: datetime) -> bool:
    """Keep how many nodes are in which state now, as the day's numbers."""
    counts = fleet.count_states(work, now)
    rows = ((cell.patch_group, cell.operating_system, str(cell.state), count) for cell, count in counts.items())
    work.trend.put(now.astimezone(UTC).date(), rows)
    return False


def _prune(work: Work, now: datetime) -> bool:
    """Forget a batch of what nobody asks for any more; return whether there may be more of it."""
    oldest = now - retention.of(work).history
    work.trend.prune(oldest.astimezone(UTC).date())
    counts = (
        work.scans.prune(oldest, _BATCH),
        work.changes.prune(oldest, _BATCH),
        work.cohorts.prune(_BATCH),
        work.evaluations.prune(oldest - _USE_SLACK, _BATCH),
        work.evaluations.prune_listings(_BATCH),
        work.facts.prune(now - _FACTS_REST, _BATCH),
        work.output.prune(now - retention.of(work).output, _BATCH),
    )
    return max(counts) >= _BATCH


_CHORES: Final[Mapping[str, tuple[Callable[[Work, datetime], bool], timedelta]]] = {
    TREND: (_note_trend, _HOUR),
    PRUNE: (_prune, _HOUR),
    CATALOG: (catalog_age.forget, _DAY),
}
