"""What must change so that there is what is wanted.  Pure: two states in, a list of changes out."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from patchwindow.plans.problems import Mark
from patchwindow.plans.state import FIXED, Address, Found, Kind, Resource

_ORDER: Final = list(Kind)


class Action(Enum):
    """What is done about a resource."""

    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"
    DELETE = "delete"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Change:
    """What is done about one resource: *before* is what is there, *members* what is wanted, *changed* what differs.

    ``KEEP`` changes nothing, and is listed because what comes later may refer to it.  ``LEAVE`` is something of the
    plan's that the plan no longer has: it is told, and stays.  With ``DELETE`` it goes.
    """

    action: Action
    address: Address
    id: str | None
    before: Mapping[str, Any]
    members: Mapping[str, Any]
    changed: tuple[str, ...] = ()

    @property
    def changes_something(self) -> bool:
        """Whether an apply asks the service for something because of it."""
        return self.action not in {Action.KEEP, Action.LEAVE}

    def __str__(self) -> str:
        what = f"{self.action.value} {self.address}"
        return f"{what}: {', '.join(self.changed)}" if self.changed else what


@dataclass(frozen=True, slots=True)
class Difference:
    """The changes in the order in which they can be made, and what stands in their way."""

    changes: tuple[Change, ...]
    obstacles: tuple[tuple[Mark, str], ...]


def difference(desired: Iterable[Resource], current: Iterable[Found], *, prunes: bool = False) -> Difference:
    """Return what must be done about each resource, in the order of *desired*; what has left the plan comes last.

    With *prunes* that is deleted, in the order in which nothing refers to what is gone.
    """
    there: dict[Address, list[Found]] = {}
    for found in current:
        there.setdefault(found.address, []).append(found)
    changes: list[Change] = []
    obstacles: list[tuple[Mark, str]] = []
    for resource in desired:
        twins = there.pop(resource.address, [])
        if len(twins) > 1:
            obstacles.append((resource.mark, _ambiguity(twins)))
        change = _change(resource, next(iter(twins), None))
        fixed = FIXED.get(resource.address.kind, frozenset()).intersection(change.changed)
        if change.action is Action.UPDATE:
            obstacles += [(resource.mark, _obstacle(change, member)) for member in sorted(fixed)]
        changes.append(change)
    left = [found for twins in there.values() for found in twins if found.is_ours]
    if prunes:
        left.sort(key=lambda found: _ORDER.index(found.address.kind), reverse=True)
    parting = Action.DELETE if prunes else Action.LEAVE
    changes += [Change(parting, found.address, found.id, found.members, found.members) for found in left]
    return Difference(tuple(changes), tuple(obstacles))


def _change(resource: Resource, found: Found | None) -> Change:
    if found is None:
        return Change(Action.CREATE, resource.address, None, {}, resource.members)
    kind = resource.address.kind
    changed = tuple(name for name, value in resource.members.items() if not _same(kind, value, found.members.get(name)))
    action = Action.UPDATE if changed else Action.KEEP
    return Change(action, resource.address, found.id, found.members, resource.members, changed)


def _obstacle(change: Change, member: str) -> str:
    return (
        f"{change.address}: {change.id} has {member} {change.before[member]}, which cannot become "
        f"{change.members[member]}; choose another name, or delete {change.id} first"
    )


def _ambiguity(twins: list[Found]) -> str:
    """Only a person can say which of several is meant."""
    ids = " and ".join(found.id for found in twins)
    return f"{twins[0].address} is there {len(twins)} times: {ids}; delete or rename all but one, or take off its tags"


def _same(kind: Kind, left: Any, right: Any) -> bool:
    """Say whether two values of a member mean the same.

    The lists of baselines and targets are sets to the API, which may answer them in another order.  A task's are not:
    its targets are worked through in their order, and so are the lines of a script.
    """
    if kind in {Kind.BASELINE, Kind.TARGET}:
        return bool(_unordered(left) == _unordered(right))
    return bool(left == right)


def _unordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _unordered(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return sorted((_unordered(entry) for entry in value), key=lambda entry: json.dumps(entry, sort_keys=True))
    return value
