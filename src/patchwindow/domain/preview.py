"""What another baseline would make of nodes: which updates it approves that theirs does not, and the other way round."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from patchwindow.domain.evaluation import Evaluation
from patchwindow.domain.patch_state import PatchState

# An approved update that is not on the node is in one of these.
_APPROVED = frozenset({PatchState.MISSING, PatchState.FAILED})


@dataclass(frozen=True, slots=True)
class Preview:
    """So many nodes, and of how many of them which titles become approved, or are approved no longer."""

    node_count: int = 0
    approved: Counter[str] = field(default_factory=Counter)
    no_longer: Counter[str] = field(default_factory=Counter)


def preview(evaluations: Iterable[tuple[Evaluation, Evaluation, int]]) -> Preview:
    """Return what changes between the first and the second evaluation of so many nodes each."""
    result = Counter[str](), Counter[str]()
    node_count = 0
    for before, after, count in evaluations:
        node_count += count
        were, will_be = _wanted(before), _wanted(after)
        result[0].update(dict.fromkeys(will_be - were, count))
        result[1].update(dict.fromkeys(were - will_be, count))
    return Preview(node_count, *result)


def _wanted(evaluation: Evaluation) -> set[str]:
    return {entry.title for entry in evaluation.entries if entry.state in _APPROVED}
