"""Managed nodes: what they are, and their end."""

import dataclasses
import functools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Final

from patchwindow.domain.association_execution import Overview
from patchwindow.domain.errors import Invalid, InvalidFilterKey, InvalidFilterValue, UnknownNode
from patchwindow.domain.node import CONNECTION_LOST_AFTER, Node, PingStatus, PlatformType
from patchwindow.domain.operating_system import from_platform
from patchwindow.domain.patch_group import group_of
from patchwindow.operations.association_overview import of_node
from patchwindow.operations.call import Answer, Call, Request, after_text
from patchwindow.operations.sending import end_on
from patchwindow.operations.tags import NODE
from patchwindow.protocol.records import to_members

OUR_AGENT: Final = "patchwindow-agent"
RESOURCE_TYPE: Final = "ManagedInstance"

_PAGE: Final = 10
_NOT_SHOWN: Final = ("Fingerprint", "PublicKey", "PublicKeyType", "PublicKeyDate", "AgentName")
_TAG: Final = "tag:"
_TAG_KEY: Final = "tag-key"
_PING_STATUS: Final = "PingStatus"
_ASSOCIATION_STATUS: Final = "AssociationStatus"

_COLUMNS: Final = {
    "ActivationIds": "activation_id",
    "AgentVersion": "agent_version",
    "IamRole": "iam_role",
    "InstanceIds": "node_id",
    "PlatformType": "platform_type",
    "PlatformTypes": "platform_type",
}
# What no node of this server has, but for the one resource type. Nodes out of a cloud have a source.
_SAME_FOR_ALL: Final[dict[str, str | None]] = {
    "ResourceType": RESOURCE_TYPE,
    "SourceIds": None,
    "SourceTypes": None,
}
_KEYS: Final = (
    *sorted((*_COLUMNS, *_SAME_FOR_ALL, _PING_STATUS, _ASSOCIATION_STATUS)),
    _TAG_KEY,
    f"{_TAG}<key>",
)
_NODE_ID: Final = re.compile(r"i-(\w{8}|\w{17})|mi-\w{17}")
_VALUES: Final[dict[str, Collection[str]]] = {
    _ASSOCIATION_STATUS: tuple(Overview),
    _PING_STATUS: tuple(PingStatus),
    "PlatformType": tuple(PlatformType),
    "PlatformTypes": tuple(PlatformType),
    "ResourceType": (RESOURCE_TYPE, "EC2Instance"),
    "SourceTypes": (
        "AWS::EC2::Instance",
        "AWS::IoT::Thing",
        "AWS::SSM::ManagedInstance",
        "Microsoft.Compute/virtualMachines",
        "compute.googleapis.com/Instance",
    ),
}


@dataclass(slots=True)
class _Wanted:
    """The conditions of all filters together."""

    columns: dict[str, set[str]] = field(default_factory=dict)
    tags: list[tuple[str, Collection[str]]] = field(default_factory=list)
    tag_keys: list[Collection[str]] = field(default_factory=list)
    pings: set[str] = field(default_factory=lambda: {PingStatus.ONLINE, PingStatus.CONNECTION_LOST})
    standings: set[Overview] | None = None

    def limit(self, column: str, values: Collection[str]) -> None:
        """Demand one of *values*, and what was demanded before."""
        self.columns[column] = self.columns.get(column, set(values)) & set(values)


def describe(call: Call, request: Request) -> Answer:
    """DescribeInstanceInformation: whether a node is heard of is seen from now."""
    wanted = _wanted(_filters(request))
    lost_before = call.now - CONNECTION_LOST_AFTER
    return call.pages(
        request,
        "InstanceInformationList",
        default=_PAGE,
        fetch=lambda after, limit: call.work.nodes.page(
            after=after_text(after),
            limit=limit,
            columns=wanted.columns,
            tags=wanted.tags,
            tag_keys=wanted.tag_keys,
            pinged_since=None if PingStatus.CONNECTION_LOST in wanted.pings else lost_before,
            pinged_before=None if PingStatus.ONLINE in wanted.pings else lost_before,
            standings=wanted.standings,
        ),
        key=lambda node: (node.instance_id,),
        shape=lambda node: shown(call, node),
    )


def deregister(call: Call, request: Request) -> Answer:
    """DeregisterManagedInstance: the node goes with its tags and its patch state; what it ran stays.

    Its credentials end with it: what was signed with them is looked up in the table of nodes.
    """
    node_id = stored(call, request["InstanceId"]).instance_id
    end_on(call.work, node_id, call.now)
    call.work.messages.settle_all(node_id)
    call.work.tags.remove_all(NODE, node_id)
    call.work.nodes.delete(node_id)
    # Its poll, which was let in before.
    call.work.wake(node_id)
    return {}


def update_role(call: Call, request: Request) -> Answer:
    """UpdateManagedInstanceRole."""
    keep(call, dataclasses.replace(locked(call, request["InstanceId"]), iam_role=request["IamRole"]))
    return {}


def stored(call: Call, node_id: str) -> Node:
    """Return the node.

    Raises:
        UnknownNode: there is none of this id.
    """
    return _existing(call.work.nodes.get(node_id), node_id)


def locked(call: Call, node_id: str) -> Node:
    """Return the node, and keep other writers from it until the transaction ends; see `stored`.

    Whoever puts a changed node reads it so: a ping must not bring back a key that was replaced meanwhile.
    """
    return _existing(call.work.nodes.lock(node_id), node_id)


def keep(call: Call, node: Node) -> None:
    """Keep a new or changed node, with the operating system and the patch group that follow from it and its tags."""
    call.work.nodes.put(
        node,
        operating_system=from_platform(node.platform_name or "", node.platform_version or "") or "",
        patch_group=group_of(call.work.tags.of(NODE, node.instance_id)) or "",
    )


def shown(call: Call, node: Node) -> dict[str, Any]:
    """Return the node as lists show it."""
    members = to_members(node)
    for name in _NOT_SHOWN:
        members.pop(name, None)
    if node.agent_name == OUR_AGENT:
        # Of other agents this server cannot know which version is the latest.
        members["IsLatestVersion"] = node.agent_version == _latest_version()
    return {
        **members,
        **of_node(call, node.instance_id),
        "PingStatus": node.ping_status(call.now),
        "ResourceType": RESOURCE_TYPE,
    }


def _existing(node: Node | None, node_id: str) -> Node:
    if node is None:
        raise UnknownNode(f"managed node {node_id} does not exist")
    return node


@functools.cache
def _latest_version() -> str:
    # Server and agent are one distribution.
    return metadata.version("patchwindow")


def _filters(request: Request) -> Sequence[tuple[str, Sequence[str]]]:
    """Return the filters of either form."""
    filters, legacy = request.get("Filters") or (), request.get("InstanceInformationFilterList") or ()
    if filters and legacy:
        raise Invalid("Filters and InstanceInformationFilterList cannot be given together; use Filters")
    return [
        *((each["Key"], each["Values"]) for each in filters),
        *((each["key"], each["valueSet"]) for each in legacy),
    ]


def _wanted(filters: Sequence[tuple[str, Sequence[str]]]) -> _Wanted:
    wanted = _Wanted()
    for key, values in filters:
        _check(key, values)
        if key in _COLUMNS:
            wanted.limit(_COLUMNS[key], values)
        elif key == _PING_STATUS:
            wanted.pings &= set(values)
        elif key == _ASSOCIATION_STATUS:
            standings = {Overview(value) for value in values}
            wanted.standings = standings if wanted.standings is None else wanted.standings & standings
        elif key == _TAG_KEY:
            wanted.tag_keys.append(values)
        elif key.startswith(_TAG):
            wanted.tags.append((key.removeprefix(_TAG), values))
        elif _SAME_FOR_ALL[key] not in values:
            wanted.limit("node_id", ())
    if not wanted.pings:
        wanted.limit("node_id", ())
    return wanted


def _check(key: str, values: Sequence[str]) -> None:
    is_tag = key.startswith(_TAG) and key != _TAG
    if not (is_tag or key in _COLUMNS or key in _SAME_FOR_ALL or key in (_PING_STATUS, _TAG_KEY, _ASSOCIATION_STATUS)):
        raise InvalidFilterKey(f"filter key {key!r} is not known here; use one of {', '.join(_KEYS)}")
    allowed = _VALUES.get(key)
    for value in values:
        if allowed is not None and value not in allowed:
            raise InvalidFilterValue(f"filter {key} has the value {value!r}; use one of {', '.join(allowed)}")
        if key == "InstanceIds" and not _NODE_ID.fullmatch(value):
            raise InvalidFilterValue(
                f"filter {key} has the value {value!r}, which is not a node id (mi- and 17 digits)"
            )
