"""What changes of windows mean for nodes: which gain or lose one, and when it first opens for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from patchwindow.client import SsmClient, pages
from patchwindow.plans.apply import Comparison
from patchwindow.plans.closing import openings_of, skipped
from patchwindow.plans.difference import Action, Change
from patchwindow.plans.state import Address, Kind

_NODE_IDS: Final = "InstanceIds"
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


def reaches(client: SsmClient, comparison: Comparison, now: datetime) -> Iterator[Reach]:
    """Yield each window that the changes of *comparison* open at other times, for other nodes or with other tasks.

    The nodes are those that the service knows now; one that comes later is not among them.

    Raises:
        ClientProblem: the API could not be asked.
    """
    found = _Nodes(client)
    for name in _windows_that_change(comparison):
        before, after = found.reached(comparison, name, is_after=False), found.reached(comparison, name, is_after=True)
        gaining, losing = tuple(sorted(after - before)), tuple(sorted(before - after))
        yield Reach(name, gaining, losing, _opens_at(comparison, name, now))


def _windows_that_change(comparison: Comparison) -> list[str]:
    kinds = {Kind.WINDOW, Kind.TARGET, Kind.TASK}
    names = (
        change.address.path[0]
        for change in comparison.coming
        if change.address.kind in kinds and not (change.action is Action.UPDATE and _SILENT.issuperset(change.changed))
    )
    return list(dict.fromkeys(names))


def _opens_at(comparison: Comparison, name: str, now: datetime) -> datetime | None:
    window = comparison.plan.windows.get(name)
    if window is None or not window.enabled:
        return None
    openings = list(openings_of(window, now))
    given_up = {at for at, _ in skipped(comparison.plan, window, openings)}
    return next((at.astimezone(UTC) for at in openings if at.astimezone(UTC) not in given_up), None)


class _Nodes:
    """Nodes by what targets ask for; what was asked once is not asked again."""

    def __init__(self, client: SsmClient) -> None:
        self._client = client
        self._known: dict[str, frozenset[str]] = {}

    def reached(self, comparison: Comparison, window: str, *, is_after: bool) -> frozenset[str]:
        """Return the nodes for which an enabled *window* opens, before the changes or after them."""
        changes = {change.address: change for change in comparison.changes}
        own = changes.get(Address(Kind.WINDOW, (window,)))
        if own is None or not _state(own, is_after=is_after).get("Enabled", False):
            return frozenset()
        targets = (
            _state(change, is_after=is_after)
            for address, change in changes.items()
            if address.kind is Kind.TARGET and address.path[0] == window
        )
        return frozenset().union(*(self._matching(target["Targets"]) for target in targets if target))

    def _matching(self, targets: Sequence[Mapping[str, Any]]) -> frozenset[str]:
        """Return the managed nodes that a target means; those that it names by id need no question."""
        keys = {target["Key"] for target in targets}
        if keys == {_NODE_IDS}:
            return frozenset(id for target in targets for id in target["Values"])
        if not all(key.startswith("tag:") for key in keys):
            # A target that was registered by hand, in a way that plans do not have.
            return frozenset()
        key = str(targets)
        if key not in self._known:
            filters = [{"Key": target["Key"], "Values": list(target["Values"])} for target in targets]
            entries = pages(self._client, "DescribeInstanceInformation", "InstanceInformationList", Filters=filters)
            self._known[key] = frozenset(entry["InstanceId"] for entry in entries)
        return self._known[key]


def _state(change: Change, *, is_after: bool) -> Mapping[str, Any]:
    """Return the members of a resource before or after a change; empty where it is not there."""
    if not is_after:
        return change.before
    return {} if change.action is Action.DELETE else change.members
