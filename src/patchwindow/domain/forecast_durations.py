"""How long operations last on nodes of a group: what was recorded, else what is taken where there is no history."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain
from typing import Final

from patchwindow.domain.forecast_facts import RecordedDurations, Work
from patchwindow.domain.list_scheduling import DEFAULT_DURATIONS, Spread, median, spread


class Durations:
    """Recorded durations by operation and group. A group without any takes those of all, and no history the default."""

    def __init__(self, recorded: Iterable[RecordedDurations]) -> None:
        self._of_group: Final[dict[tuple[Work, str], tuple[timedelta, ...]]] = {}
        everywhere: defaultdict[Work, list[timedelta]] = defaultdict(list)
        for one in recorded:
            if one.seconds:
                seconds = tuple(timedelta(seconds=each) for each in sorted(one.seconds))
                self._of_group[one.work, one.patch_group] = seconds
                everywhere[one.work] += seconds
        self._everywhere: Final = {work: tuple(sorted(seconds)) for work, seconds in everywhere.items()}

    def typical(self, work: Work, patch_group: str) -> timedelta:
        """Return the duration in the middle of those recorded."""
        return median(self._recorded(work, patch_group))

    def spread(self, work: Work, patch_groups: Sequence[str], count: int, slots: int) -> Spread:
        """Return how long *count* nodes of these groups take, *slots* at a time."""
        recorded = tuple(chain.from_iterable(self._recorded(work, group) for group in patch_groups))
        return spread(recorded, count, slots)

    def _recorded(self, work: Work, patch_group: str) -> tuple[timedelta, ...]:
        found = self._of_group.get((work, patch_group)) or self._everywhere.get(work)
        return found or (DEFAULT_DURATIONS[work],)
