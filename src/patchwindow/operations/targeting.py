"""Which nodes the targets of commands and windows select."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from patchwindow.domain.errors import Invalid
from patchwindow.domain.node import Node
from patchwindow.domain.window import Target
from patchwindow.protocol.records import from_members
from patchwindow.store.work import Work

IDS: Final = "InstanceIds"
TAG: Final = "tag:"
TAG_KEY: Final = "tag-key"
_RESOURCE_GROUP: Final = "resource-groups:"
_NODE_ID: Final = re.compile(r"i-(\w{8}|\w{17})|mi-\w{17}")
_VALUES_MAX: Final = 50
_TAG_KEYS_MAX: Final = 5


def targets_of(members: Sequence[Mapping[str, Any]]) -> tuple[Target, ...]:
    """Return the targets of a request.

    Raises:
        Invalid: a key is not one that selects nodes, or has no values.
    """
    targets = tuple(from_members(Target, {"Values": (), **member}) for member in members)
    for target in targets:
        _check(target)
    if sum(target.key.startswith(TAG) or target.key == TAG_KEY for target in targets) > _TAG_KEYS_MAX:
        raise Invalid(f"targets name more than {_TAG_KEYS_MAX} tag keys; use fewer")
    return targets


def select(work: Work, targets: Sequence[Target]) -> list[Node]:
    """Return the nodes that all *targets* select, in order of id; ids that no node has are passed over."""
    ids: set[str] | None = None
    tags: list[tuple[str, Sequence[str]]] = []
    for target in targets:
        if target.key == IDS:
            ids = set(target.values) if ids is None else ids & set(target.values)
        elif target.key == TAG_KEY:
            tags.extend((key, ()) for key in target.values)
        else:
            tags.append((target.key.removeprefix(TAG), target.values))
    return work.nodes.selected(ids=ids, tags=tags)


def is_selected(work: Work, node_id: str, targets: Sequence[Target]) -> bool:
    """Return whether *targets* select this node."""
    return bool(select(work, (*targets, Target(key=IDS, values=(node_id,)))))


def _check(target: Target) -> None:
    if target.key.startswith(_RESOURCE_GROUP):
        raise Invalid(f"target key {target.key!r}: resource groups are not served yet; use tag:<key> instead")
    if target.key not in (IDS, TAG_KEY) and not target.key.startswith(TAG):
        raise Invalid(f"target key {target.key!r} is not known; use InstanceIds, tag:<key> or tag-key")
    if not target.values or not all(target.values):
        raise Invalid(
            f"Please specify at least one target. Filter values can't be null or empty, as those of {target.key!r} are"
        )
    if target.key == IDS:
        if len(target.values) > _VALUES_MAX:
            raise Invalid(f"InstanceIds names {len(target.values)} nodes; {_VALUES_MAX} are the most, use tags for more")
        for node_id in target.values:
            if not _NODE_ID.fullmatch(node_id):
                raise Invalid(f"{node_id!r} is not a node id (mi- and 17 characters, or i- and 8 or 17)")
