"""Managed nodes as fleet views list and count them: ListNodes and ListNodesSummary; and whether one is heard of."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from patchwindow.domain.errors import InvalidAggregator, UnknownSync
from patchwindow.domain.node import Node, PingStatus
from patchwindow.operations.call import Answer, Call, Request, after_text, slice_after
from patchwindow.operations.instance_properties import COMPARE, each_node
from patchwindow.operations.nodes import RESOURCE_TYPE

_PAGE: Final = 50
_DEPTH_MAX: Final = 2
"""So many attributes are counted by at once: the model lets an aggregator hold others, and these no further ones."""
_ALL: Final = "All"

# What no node of this server has is empty: it has no organization, and its nodes are in no cloud.
_READ: Final[Mapping[str, Callable[[Call, Node], str]]] = {
    "AgentType": lambda _, node: node.agent_name or "",
    "AgentVersion": lambda _, node: node.agent_version or "",
    "ComputerName": lambda _, node: node.computer_name or "",
    "InstanceId": lambda _, node: node.instance_id,
    "InstanceStatus": lambda call, node: "Active" if _is_heard_of(call, node) else "ConnectionLost",
    "IpAddress": lambda _, node: node.ip_address or "",
    "ManagedStatus": lambda *_: "Managed",
    "PlatformName": lambda _, node: node.platform_name or "",
    "PlatformType": lambda _, node: node.platform_type or "",
    "PlatformVersion": lambda _, node: node.platform_version or "",
    "ResourceType": lambda *_: RESOURCE_TYPE,
    "OrganizationalUnitId": lambda *_: "",
    "OrganizationalUnitPath": lambda *_: "",
    "Region": lambda call, _: call.site.region,
    "AccountId": lambda call, _: call.site.account_id,
    "SourceType": lambda *_: "",
    "SourceId": lambda *_: "",
    "SourceLocation": lambda *_: "",
    "AvailabilityZone": lambda *_: "",
    "AvailabilityZoneId": lambda *_: "",
}
_SHOWN: Final = (
    "AgentType",
    "AgentVersion",
    "ComputerName",
    "InstanceStatus",
    "IpAddress",
    "ManagedStatus",
    "PlatformType",
    "PlatformName",
    "PlatformVersion",
    "ResourceType",
)


@dataclass(frozen=True, slots=True)
class _Condition:
    """A filter: *key* of the node, how it is compared, and with what."""

    key: str
    operator: str
    values: Sequence[str]

    def holds(self, call: Call, node: Node) -> bool:
        return COMPARE[self.operator](_READ[self.key](call, node), self.values)


def list_nodes(call: Call, request: Request) -> Answer:
    """ListNodes: those that pass all filters."""
    _check_sync(request)
    conditions = [*_conditions(request)]
    return call.pages(
        request,
        "Nodes",
        default=_PAGE,
        fetch=lambda after, limit: list(islice(_passing(call, conditions, after_text(after)), limit)),
        key=lambda node: (node.instance_id,),
        shape=lambda node: _shape(call, node),
    )


def summarize(call: Call, request: Request) -> Answer:
    """ListNodesSummary: how many nodes there are of each value of an attribute, or of each pair of values of two."""
    _check_sync(request)
    wanted = [*_attributes(request["Aggregators"])]
    counts = {attributes: Counter[tuple[str, ...]]() for attributes in wanted}
    for node in _passing(call, [*_conditions(request)], ""):
        for attributes, counted in counts.items():
            counted[tuple(_READ[name](call, node) for name in attributes)] += 1
    rows = [
        {**dict(zip(attributes, values, strict=True)), "Count": str(count)}
        for attributes, counted in counts.items()
        for values, count in sorted(counted.items())
    ]
    return call.pages(
        request,
        "Summary",
        default=_PAGE,
        fetch=lambda after, limit: slice_after(range(len(rows)), after, limit),
        key=lambda place: (place,),
        shape=lambda place: rows[place],
    )


def search(call: Call, request: Request) -> Answer:
    """SearchInstances: those whose id, names or address begin with a text."""
    return call.pages(
        request,
        "Instances",
        default=_PAGE,
        fetch=lambda after, limit: call.work.nodes.beginning(request["Text"], after=after_text(after), limit=limit),
        key=lambda node: (node.instance_id,),
        shape=lambda node: {
            "InstanceId": node.instance_id,
            "InstanceName": node.computer_name or node.name or "",
            "IPAddress": node.ip_address or "",
        },
    )


def connection(call: Call, request: Request) -> Answer:
    """GetConnectionStatus: connected is a node whose agent is heard of; one that is not there is not, as on AWS."""
    node = call.work.nodes.get(request["Target"])
    is_connected = node is not None and _is_heard_of(call, node)
    return {"Target": request["Target"], "Status": "connected" if is_connected else "notconnected"}


def _is_heard_of(call: Call, node: Node) -> bool:
    return node.ping_status(call.now) is PingStatus.ONLINE


def _passing(call: Call, conditions: Sequence[_Condition], after: str) -> Iterator[Node]:
    return (node for node in each_node(call, after) if all(one.holds(call, node) for one in conditions))


def _conditions(request: Request) -> Iterator[_Condition]:
    for each in request.get("Filters") or ():
        # All nodes here are managed, and that is what is meant by any of them.
        if not (each["Key"] == "ManagedStatus" and _ALL in each["Values"]):
            yield _Condition(each["Key"], each.get("Type", "Equal"), each["Values"])


def _attributes(aggregators: Sequence[Mapping[str, Any]], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield what is counted by: the attribute of each aggregator, with those that it stands in.

    Raises:
        InvalidAggregator: they stand in each other too deep.
    """
    for each in aggregators:
        attributes = (*above, each["AttributeName"])
        if len(attributes) > _DEPTH_MAX or len(set(attributes)) < len(attributes):
            raise InvalidAggregator(
                f"aggregators {' in '.join(reversed(attributes))}: at most {_DEPTH_MAX} stand in each other, of different attributes"
            )
        inner = each.get("Aggregators") or ()
        yield from _attributes(inner, attributes) if inner else (attributes,)


def _check_sync(request: Request) -> None:
    if "SyncName" in request:
        raise UnknownSync(
            f"SyncName {request['SyncName']!r} is no resource data sync: there are none here; leave it out"
        )


def _shape(call: Call, node: Node) -> dict[str, Any]:
    told = {name: value for name in _SHOWN if (value := _READ[name](call, node))}
    return {
        "CaptureTime": node.last_ping_date_time,
        "Id": node.instance_id,
        "Owner": {"AccountId": call.site.account_id},
        "Region": call.site.region,
        "NodeType": {"Instance": {**told, **({"Name": node.name} if node.name else {})}},
    }
