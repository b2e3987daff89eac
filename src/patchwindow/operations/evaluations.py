"""What facts and a baseline make of a node. Every view of a node's patches asks here, so no two can disagree."""

import functools
import json
from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from threading import Lock
from typing import Final

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.decision import Decide, compile_baseline, remembered
from patchwindow.domain.evaluation import Evaluation, evaluate
from patchwindow.domain.facts import Facts
from patchwindow.domain.facts_reading import parse
from patchwindow.store.patch_states import PatchState
from patchwindow.store.work import Work

_Key = tuple[str, Baseline, date]


class Memory:
    """The evaluations that were asked for last: nodes with equal facts and one baseline have equal ones."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._found: OrderedDict[_Key, Evaluation] = OrderedDict()
        self._lock = Lock()

    def recall(self, key: _Key, make: Callable[[], Evaluation]) -> Evaluation:
        """Return the evaluation under *key*; *make* it where it is not remembered."""
        with self._lock:
            found = self._found.get(key)
            if found is not None:
                self._found.move_to_end(key)
                return found
        # Outside the lock: two threads may make the same, which costs time and nothing else.
        made = make()
        with self._lock:
            self._found[key] = made
            while len(self._found) > self._count_max:
                self._found.popitem(last=False)
        return made


# An evaluation of 2000 packages takes about a megabyte.
_MEMORY: Final = Memory(64)


def evaluation_of(work: Work, state: PatchState) -> Evaluation:
    """Return what the node's patches are, from its facts, by its baseline as it was, on the day of the operation."""
    summary = state.summary
    baseline = work.baselines.revision(summary.baseline_id, state.baseline_revision)
    assert baseline is not None, "revisions are never deleted"
    day = summary.operation_end_time.date()

    def make() -> Evaluation:
        body = work.facts.get(state.facts_digest)
        assert body is not None, "a foreign key keeps the facts of a state"
        return _evaluate(parse(json.loads(body)), baseline, day)

    return _MEMORY.recall((state.facts_digest, baseline, day), make)


def evaluation_by(facts: Facts, facts_digest: str, baseline: Baseline, day: date) -> Evaluation:
    """Return what *baseline* makes of *facts* on *day*."""
    return _MEMORY.recall((facts_digest, baseline, day), lambda: _evaluate(facts, baseline, day))


def _evaluate(facts: Facts, baseline: Baseline, day: date) -> Evaluation:
    return evaluate(facts, baseline, day, decide=_decider(baseline))


@functools.lru_cache(maxsize=32)
def _decider(baseline: Baseline) -> Decide:
    # Nodes that differ in some packages share the others, and what is decided about them.
    return remembered(compile_baseline(baseline), count_max=50_000)
