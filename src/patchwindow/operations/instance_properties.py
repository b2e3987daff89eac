"""Managed nodes as consoles list them: those of DescribeInstanceInformation, with filters that compare."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from patchwindow.domain.errors import InvalidFilterKey, InvalidFilterValue
from patchwindow.domain.node import Node, PingStatus
from patchwindow.operations.association_overview import of_node
from patchwindow.operations.call import Answer, Call, Request, after_text
from patchwindow.operations.nodes import RESOURCE_TYPE, shown

_PAGE: Final = 50
_BATCH: Final = 200

_READ: Final[dict[str, Callable[[Call, Node], str]]] = {
    "InstanceIds": lambda _, node: node.instance_id,
    "AgentVersion": lambda _, node: node.agent_version or "",
    "PingStatus": lambda call, node: node.ping_status(call.now),
    "PlatformTypes": lambda _, node: node.platform_type or "",
    "ActivationIds": lambda _, node: node.activation_id,
    "IamRole": lambda _, node: node.iam_role,
    "ResourceType": lambda *_: RESOURCE_TYPE,
    "AssociationStatus": lambda call, node: of_node(call, node.instance_id).get("AssociationStatus", ""),
}
COMPARE: Final[dict[str, Callable[[str, Sequence[str]], bool]]] = {
    "Equal": lambda value, wanted: value in wanted,
    "NotEqual": lambda value, wanted: value not in wanted,
    "BeginWith": lambda value, wanted: value.startswith(tuple(wanted)),
    "LessThan": lambda value, wanted: any(_order(value) < _order(one) for one in wanted),
    "GreaterThan": lambda value, wanted: any(_order(value) > _order(one) for one in wanted),
}
"""How filters compare, by the name of the operator."""


@dataclass(frozen=True, slots=True)
class _Condition:
    """A filter: *key* of the node, how it is compared, and with what."""

    key: str
    operator: str
    values: Sequence[str]

    def holds(self, call: Call, node: Node) -> bool:
        return COMPARE[self.operator](_READ[self.key](call, node), self.values)


def describe(call: Call, request: Request) -> Answer:
    """DescribeInstanceProperties: all filters together, of either form."""
    conditions = [_condition(*each) for each in _filters(request)]
    # What asks the database for each node comes last.
    conditions.sort(key=lambda one: one.key == "AssociationStatus")

    def passing(after: str) -> Iterator[Node]:
        return (node for node in each_node(call, after) if all(one.holds(call, node) for one in conditions))

    return call.pages(
        request,
        "InstanceProperties",
        default=_PAGE,
        fetch=lambda after, limit: list(islice(passing(after_text(after)), limit)),
        key=lambda node: (node.instance_id,),
        shape=lambda node: shown(call, node),
    )


def each_node(call: Call, after: str) -> Iterator[Node]:
    """Yield every node whose id comes after *after*, in the order of ids."""
    while batch := call.work.nodes.page(after=after, limit=_BATCH, columns={}):
        yield from batch
        after = batch[-1].instance_id


def _filters(request: Request) -> Iterator[tuple[str, str, Sequence[str]]]:
    for each in request.get("InstancePropertyFilterList") or ():
        yield each["key"], "Equal", each["valueSet"]
    for each in request.get("FiltersWithOperator") or ():
        yield each["Key"], each.get("Operator", "Equal"), each["Values"]


def _condition(key: str, operator: str, values: Sequence[str]) -> _Condition:
    if key not in _READ:
        raise InvalidFilterKey(f"filter key {key!r} is not known here; use one of {', '.join(_READ)}")
    if key == "PingStatus" and (unknown := set(values) - set(PingStatus)):
        raise InvalidFilterValue(f"filter {key} has the value {min(unknown)!r}; use one of {', '.join(PingStatus)}")
    return _Condition(key, operator, values)


def _order(text: str) -> list[tuple[int, str]]:
    """Return what *text* is ordered by: runs of digits as numbers, so that version 3.10 comes after 3.9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.findall(r"\d+|\D+", text)]
