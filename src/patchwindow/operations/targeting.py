"""Which nodes the targets of commands and windows select."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.node import Node
from patchwindow.domain.resource_group import TagQuery, check_type, is_of_nodes, parse_query
from patchwindow.domain.window import INSTANCE_IDS, ResourceType, Target
from patchwindow.protocol.records import from_members
from patchwindow.store.work import Work

IDS: Final = INSTANCE_IDS
TAG: Final = "tag:"
TAG_KEY: Final = "tag-key"
GROUP_NAME: Final = "resource-groups:Name"
GROUP_TYPES: Final = "resource-groups:ResourceTypeFilters"
_NODE_ID: Final = re.compile(r"i-(\w{8}|\w{17})|mi-\w{17}")
_VALUES_MAX: Final = 50
_TAG_KEYS_MAX: Final = 5
_GROUP_TYPES_MAX: Final = 5
_NO_QUERIES: Final[Mapping[str, TagQuery]] = {}


def targets_of(
    members: Sequence[Mapping[str, Any]], *, resource_type: ResourceType | None = None
) -> tuple[Target, ...]:
    """Return the targets of a request; with *resource_type* only targets of that type are allowed.

    Whether a resource group exists is not asked here: it may be made, changed and deleted until it is looked into.

    Raises:
        Invalid: there is none, or a key is absent or not one that selects nodes, or has no values, or not those it may.
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
    _check_kind(targets, resource_type)
    return targets


class Selection(NamedTuple):
    """What a node must be to be selected: one of *ids*, where there are any, with all *tags*."""

    ids: set[str] | None
    tags: list[tuple[str, Sequence[str]]]


def select(work: Work, targets: Sequence[Target]) -> list[Node]:
    """Return the nodes that all *targets* select, in order of id; ids that no node has are passed over.

    Raises:
        NotFound: a resource group does not exist, or not any more.
    """
    wanted = selection(work, targets)
    return [] if wanted is None else work.nodes.selected(ids=wanted.ids, tags=wanted.tags)


def selection(work: Work, targets: Sequence[Target]) -> Selection | None:
    """Return what nodes must be that all *targets* select; None where they select no node, whatever it is.

    Raises:
        NotFound: a resource group does not exist, or not any more.
    """
    ids: set[str] | None = None
    tags: list[tuple[str, Sequence[str]]] = []
    types: list[Sequence[str]] = []
    for target in targets:
        if target.key == IDS:
            ids = set(target.values) if ids is None else ids & set(target.values)
        elif target.key == TAG_KEY:
            tags.extend((key, ()) for key in target.values)
        elif target.key == GROUP_NAME:
            query = _query_of(work, target.values[0])
            types.append(query.types)
            tags.extend(query.tags)
        elif target.key == GROUP_TYPES:
            types.append(target.values)
        else:
            tags.append((target.key.removeprefix(TAG), target.values))
    return Selection(ids, tags) if all(map(is_of_nodes, types)) else None


def includes(
    targets: Sequence[Target], node_id: str, tags: Mapping[str, str], queries: Mapping[str, TagQuery] = _NO_QUERIES
) -> bool:
    """Return whether all *targets* select the node that has these *tags*: what `select` says, for one node.

    *queries* are those of the resource groups (`group_queries`); a group that is not among them includes nothing.
    """
    return all(_includes(target, node_id, tags, queries) for target in targets)


def group_queries(work: Work) -> dict[str, TagQuery]:
    """Return what the query of each resource group says, by the group's name."""
    return {group.name: parse_query(group.resource_query) for group in work.resource_groups.all()}


def check_keys(members: Sequence[Mapping[str, Any]]) -> None:
    """Refuse targets without a key, which the model lets pass.

    Raises:
        Invalid: one has none.
    """
    for place, member in enumerate(members):
        if "Key" not in member:
            raise Invalid(f"Targets[{place}] has no Key; give it one such as InstanceIds or tag:<key>")


def _includes(target: Target, node_id: str, tags: Mapping[str, str], queries: Mapping[str, TagQuery]) -> bool:
    if target.key == IDS:
        return node_id in target.values
    if target.key == TAG_KEY:
        return all(key in tags for key in target.values)
    if target.key == GROUP_NAME:
        return target.values[0] in queries and queries[target.values[0]].includes(tags)
    if target.key == GROUP_TYPES:
        return is_of_nodes(target.values)
    return tags.get(target.key.removeprefix(TAG)) in target.values


def _query_of(work: Work, name: str) -> TagQuery:
    group = work.resource_groups.get(name)
    if group is None:
        # Not an empty group: what was meant is not known, and silence would look like success.
        raise NotFound(f"resource group {name!r} does not exist; create it, or name another in {GROUP_NAME}")
    return parse_query(group.resource_query)


def _check_kind(targets: Sequence[Target], resource_type: ResourceType | None) -> None:
    """Refuse targets that are not all of one type, and groups that are not named once."""
    of_groups = [target.key for target in targets if target.key in (GROUP_NAME, GROUP_TYPES)]
    of_nodes = [target.key for target in targets if target.key not in of_groups]
    if resource_type is ResourceType.INSTANCE and of_groups:
        raise Invalid(f"target key {of_groups[0]!r} does not go with ResourceType INSTANCE; use RESOURCE_GROUP")
    if resource_type is ResourceType.RESOURCE_GROUP and of_nodes:
        raise Invalid(
            f"target key {of_nodes[0]!r} does not go with ResourceType RESOURCE_GROUP; use {GROUP_NAME}, or INSTANCE"
        )
    if of_groups and of_nodes:
        raise Invalid(f"target keys {of_groups[0]!r} and {of_nodes[0]!r} do not go together; use one of the two")
    if of_groups and of_groups.count(GROUP_NAME) != 1:
        raise Invalid(f"targets name {of_groups.count(GROUP_NAME)} times {GROUP_NAME}; give it once")
    if of_groups.count(GROUP_TYPES) > 1:
        raise Invalid(f"targets name {of_groups.count(GROUP_TYPES)} times {GROUP_TYPES}; give it once, with all types")


def _check(target: Target) -> None:
    if target.key not in (IDS, TAG_KEY, GROUP_NAME, GROUP_TYPES) and not (
        target.key.startswith(TAG) and target.key != TAG
    ):
        raise Invalid(f"target key {target.key!r} is not known; use InstanceIds, tag:<key>, tag-key or {GROUP_NAME}")
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
    if target.key == GROUP_NAME and len(target.values) != 1:
        raise Invalid(f"{GROUP_NAME} names {len(target.values)} groups; name one, and register a target for each")
    if target.key == GROUP_TYPES:
        if len(target.values) > _GROUP_TYPES_MAX:
            raise Invalid(f"{GROUP_TYPES} names {len(target.values)} types; {_GROUP_TYPES_MAX} are the most")
        for type in target.values:
            check_type(type)
