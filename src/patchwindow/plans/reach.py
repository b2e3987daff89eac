"""What changes of windows mean for nodes: which gain or lose one, and when it first opens for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from patchwindow.plans.apply import Comparison
from patchwindow.plans.difference import Action
from patchwindow.plans.reached import Nodes, next_opening
from patchwindow.plans.state import Kind

# What changes neither who is patched nor when.
_SILENT: Final = frozenset({"Description", "OwnerInformation", "Name"})


@dataclass(frozen=True, slots=True)
class Reach:
    """A window that opens at other times, for others, or with other tasks than before; nodes by id, its next opening.

    The next opening is when the change takes effect.  *opens_at* is None where it does not open within a year, or will not be there.
    """

    window: str
    gaining: tuple[str, ...]
    losing: tuple[str, ...]
    opens_at: datetime | None


def reaches(nodes: Nodes, comparison: Comparison, now: datetime) -> Iterator[Reach]:
    """Yield each window that the changes of *comparison* open at other times, for other nodes or with other tasks.

    *nodes* are those that the service knows now; one that comes later is not among them.

    Raises:
        ClientProblem: the API could not be asked.
    """
    for name in _windows_that_change(comparison):
        before, after = nodes.reached(comparison, name, is_after=False), nodes.reached(comparison, name, is_after=True)
        gaining, losing = tuple(sorted(after - before)), tuple(sorted(before - after))
        yield Reach(name, gaining, losing, next_opening(comparison, name, now))


def _windows_that_change(comparison: Comparison) -> list[str]:
    kinds = {Kind.WINDOW, Kind.TARGET, Kind.TASK}
    names = (
        change.address.path[0]
        for change in comparison.coming
        if change.address.kind in kinds and not (change.action is Action.UPDATE and _SILENT.issuperset(change.changed))
    )
    return list(dict.fromkeys(names))
