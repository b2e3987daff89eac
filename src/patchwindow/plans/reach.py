"""What changes of windows mean for nodes: which gain or lose one, and when it first opens for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from patchwindow.plans.apply import Comparison
from patchwindow.plans.difference import Action, Change
from patchwindow.plans.reached import Nodes, next_opening
from patchwindow.plans.state import Kind

# What changes neither who is patched nor when.
_SILENT: Final = frozenset({"Description", "OwnerInformation", "Name"})


@dataclass(frozen=True, slots=True)
class Reach:
    """A window that opens at other times, for others, with other tasks or freezes than before; nodes by id, its next opening.

    The next opening is when the change takes effect.  *opens_at* is None where it does not open within a year, or will not be there.
    """

    window: str
    gaining: tuple[str, ...]
    losing: tuple[str, ...]
    opens_at: datetime | None


def reaches(nodes: Nodes, comparison: Comparison, now: datetime) -> Iterator[Reach]:
    """Yield each window that the changes of *comparison* open at other times, for other nodes, with other tasks or freezes.

    *nodes* are those that the service knows now; one that comes later is not among them.

    Raises:
        ClientProblem: the API could not be asked.
    """
    for name in _windows_that_change(comparison):
        before, after = nodes.reached(comparison, name, is_after=False), nodes.reached(comparison, name, is_after=True)
        gaining, losing = tuple(sorted(after - before)), tuple(sorted(before - after))
        yield Reach(name, gaining, losing, next_opening(comparison, name, now))


def _windows_that_change(comparison: Comparison) -> list[str]:
    changes = (
        change
        for change in comparison.coming
        if not (change.action is Action.UPDATE and _SILENT.issuperset(change.changed))
    )
    return list(dict.fromkeys(name for change in changes for name in _windows_of(comparison, change)))


def _windows_of(comparison: Comparison, change: Change) -> Iterator[str]:
    """Yield the windows for which *change* means something."""
    name = change.address.path[0]
    match change.address.kind:
        case Kind.WINDOW | Kind.TARGET | Kind.TASK:
            yield name
        case Kind.FREEZE:
            yield from (each for each, window in comparison.plan.windows.items() if name in (window.freezes or ()))
        case _:
            return
