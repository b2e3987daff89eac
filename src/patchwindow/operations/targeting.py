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
        Invalid: there is none, or a key is absent or not one that selects nodes, or has no values.
    """
    if not members:
        # To select nodes by no condition would be to select all of them.
        raise Invalid("Please specify at least one target, such as Key=tag:<key>,Values=<value>")
    check_keys(members)
    targets = tuple(from_members(Target, {"Values": (), **member}) for member in members)
    for target in targets:
        _check(target)
    keys = sum(len(target.values) if target.key == TAG_KEY else target.key.startswith(TAG) for target in targets)
    if keys > _TAG_KEYS_MAX:
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


def includes(targets: Sequence[Target], node_id: str, tags: Mapping[str, str]) -> bool:
    """Return whether all *targets* select the node that has these *tags*: what `select` says, for one node."""
    return all(_includes(target, node_id, tags) for target in targets)


def check_keys(members: Sequence[Mapping[str, Any]]) -> None:
    """Refuse targets without a key, which the model lets pass.

    Raises:
        Invalid: one has none.
    """
    for place, member in enumerate(members):
        if "Key" not in member:
            raise Invalid(f"Targets[{place}] has no Key; give it one such as InstanceIds or tag:<key>")


def _includes(target: Target, node_id: str, tags: Mapping[str, str]) -> bool:
    if target.key == IDS:
        return node_id in target.values
    if target.key == TAG_KEY:
        return all(key in tags for key in target.values)
    return tags.get(target.key.removeprefix(TAG)) in target.values


def _check(target: Target) -> None:
    if target.key.startswith(_RESOURCE_GROUP):
        raise Invalid(f"target key {target.key!r}: resource groups are not served yet; use tag:<key> instead")
    if target.key not in (IDS, TAG_KEY) and not (target.key.startswith(TAG) and target.key != TAG):
        raise Invalid(f"target key {target.key!r} is not known; use InstanceIds, tag:<key> or tag-key")
    if not target.values or not all(target.values):
        raise Invalid(
            f"Please specify at least one target. Filter values can't be null or empty, as those of {target.key!r} are"
        )
    if target.key == IDS:
        if len(target.values) > _VALUES_MAX:
            raise Invalid(
                f"InstanceIds names {len(target.values)} nodes; {_VALUES_MAX} are the most, use tags for more"
            )
        for node_id in target.values:
            if not _NODE_ID.fullmatch(node_id):
                raise Invalid(f"{node_id!r} is not a node id (mi- and 17 characters, or i- and 8 or 17)")
