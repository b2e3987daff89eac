"""Compliance that is told: items of associations and of types of the user's own, beside the patches that scans find."""

import operator
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from patchwindow.domain.baseline import ComplianceLevel, ComplianceStatus
from patchwindow.domain.compliance_filters import Conditions
from patchwindow.domain.compliance_item import ComplianceItem, Tally
from patchwindow.domain.errors import (
    ContentTooLarge,
    InvalidItemContent,
    InvalidResourceType,
    ItemTooLarge,
    TooManyCustomTypes,
    UnknownResource,
)
from patchwindow.domain.inventory import COMPLIANCE_ITEM
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.tags import NODE
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import dumps
from patchwindow.store.compliance_items import ComplianceSet
from patchwindow.store.work import Work

ASSOCIATION: Final = "Association"
PATCH: Final = "Patch"
ITEM_BYTES_MAX: Final = 200 * 1024
NODE_BYTES_MAX: Final = 5000 * 1024

_CUSTOM: Final = "Custom:"
_PARTIAL: Final = "PARTIAL"


def put(call: Call, request: Request) -> Answer:
    """PutComplianceItems: in place of all that the node has of the type, or with PARTIAL of those associations alone."""
    node_id, compliance_type = request["ResourceId"], request["ComplianceType"]
    if request["ResourceType"] != NODE:
        raise InvalidResourceType(f"ResourceType is {request['ResourceType']!r}; only {NODE} resources have compliance")
    # Locked, so that two who tell something of one node do so one after another.
    if call.work.nodes.lock(node_id) is None:
        raise UnknownResource(f"there is no {NODE} {node_id!r}; check its id")
    is_partial = request.get("UploadType") == _PARTIAL
    check_type(call, compliance_type, is_partial=is_partial)
    found = execution_of(request["ExecutionSummary"])
    items = tuple(_item(one, found) for one in request["Items"])
    tell(
        call.work,
        node_id,
        compliance_type,
        items,
        is_partial=is_partial,
        content_hash=request.get("ItemContentHash", ""),
    )
    return {}


def tell(
    work: Work,
    node_id: str,
    compliance_type: str,
    items: Sequence[ComplianceItem],
    *,
    is_partial: bool,
    content_hash: str = "",
) -> None:
    """Keep *items* of a node, in place of all of the type; with *is_partial*, of those with the same ids alone.

    What comes with the hash of what is kept is ignored.

    Raises:
        InvalidItemContent: an item has no id, and only the id could say which is replaced.
        ItemTooLarge, ContentTooLarge: it is more than is kept.
    """
    former = work.compliance_items.get(node_id, compliance_type)
    if former is not None and content_hash and former.content_hash == content_hash:
        return
    ids = {item.id for item in items}
    if is_partial and "" in ids:
        raise InvalidItemContent(
            "an item has no Id, by which a PARTIAL upload replaces; give the association's id",
            type_name=COMPLIANCE_ITEM,
        )
    kept = [item for item in former.items if item.id not in ids] if is_partial and former is not None else []
    together = (*kept, *items)
    if not together:
        work.compliance_items.delete(node_id, compliance_type)
        return
    for item in items:
        if (size := len(dumps(item))) > ITEM_BYTES_MAX:
            raise ItemTooLarge(
                f"item {item.id!r} has {size} bytes, and one may have {ITEM_BYTES_MAX}; shorten Details",
                type_name=COMPLIANCE_ITEM,
            )
    # A partial upload has the hash of a part, which says nothing of the whole.
    work.compliance_items.put(
        node_id,
        compliance_type,
        together,
        latest=max(items or together, key=operator.attrgetter("execution_time")),
        content_hash="" if is_partial else content_hash,
    )
    if (size := work.compliance_items.size_of(node_id)) > NODE_BYTES_MAX:
        raise ContentTooLarge(
            f"compliance of {node_id} would be {size} bytes, and a node may have {NODE_BYTES_MAX}; put fewer items"
        )


def execution_of(summary: Mapping[str, Any]) -> tuple[datetime, str, str]:
    """Return the time, id and type of an ExecutionSummary."""
    return summary["ExecutionTime"], summary.get("ExecutionId", ""), summary.get("ExecutionType", "")


def items_of(call: Call, node_id: str) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    """Yield the items of the node in the API's form, in order of type, title and id, each after its place."""
    for one in call.work.compliance_items.of(node_id):
        ordered = sorted(enumerate(one.items), key=lambda pair: (pair[1].title, pair[1].id, pair[0]))
        for ordinal, item in ordered:
            yield (one.compliance_type, item.title, item.id, ordinal), _members(one, item)


def tallies(call: Call, wanted: Conditions) -> dict[str, Tally]:
    """Return by type how many nodes that pass have which status and severity."""
    found: dict[str, Tally] = {}
    for counted in call.work.compliance_items.tally(wanted.all):
        tally = found.setdefault(counted.compliance_type, Counter())
        tally[counted.status, counted.overall_severity] += counted.node_count
    return found


def check_type(call: Call, compliance_type: str, *, is_partial: bool) -> None:
    """Check that items of the type can be told.

    Raises:
        InvalidItemContent: they are drawn from scans, or there is no such type, or its items come only together.
        TooManyCustomTypes: there are as many types as there may be.
    """
    if compliance_type == PATCH:
        raise InvalidItemContent(
            f"ComplianceType {PATCH} is drawn from scans and cannot be put; run AWS-RunPatchBaseline, or use {_CUSTOM}…",
            type_name=COMPLIANCE_ITEM,
        )
    if compliance_type != ASSOCIATION and not compliance_type.startswith(_CUSTOM):
        raise InvalidItemContent(
            f"ComplianceType {compliance_type!r} is not known; use {ASSOCIATION}, or {_CUSTOM} and a name",
            type_name=COMPLIANCE_ITEM,
        )
    if is_partial and compliance_type != ASSOCIATION:
        raise InvalidItemContent(
            f"UploadType {_PARTIAL} is for {ASSOCIATION} alone, not for {compliance_type}", type_name=COMPLIANCE_ITEM
        )
    # All types are looked for only where one is new: there may be many items.
    if compliance_type.startswith(_CUSTOM) and not call.work.compliance_items.has_type(compliance_type):
        count = sum(name.startswith(_CUSTOM) for name in call.work.compliance_items.types())
        call.site.quotas.check("custom-compliance-types", count + 1, refuse=TooManyCustomTypes)


def _item(given: Mapping[str, Any], execution: tuple[datetime, str, str]) -> ComplianceItem:
    at, id, type_ = execution
    return ComplianceItem(
        id=given.get("Id", ""),
        title=given.get("Title", ""),
        severity=ComplianceLevel(given["Severity"]),
        status=ComplianceStatus(given["Status"]),
        details=given.get("Details", {}),
        execution_time=at,
        execution_id=id,
        execution_type=type_,
    )


def _members(one: ComplianceSet, item: ComplianceItem) -> dict[str, Any]:
    return {
        "ComplianceType": one.compliance_type,
        "ResourceType": NODE,
        "ResourceId": one.node_id,
        "Id": item.id,
        "Title": item.title,
        "Status": str(item.status),
        "Severity": str(item.severity),
        "ExecutionSummary": execution_members(item),
        "Details": item.details,
    }


def execution_members(one: ComplianceItem | ComplianceSet) -> dict[str, Any]:
    """Return the ExecutionSummary of an item, or of the latest item of a set."""
    return {
        "ExecutionTime": one.execution_time,
        "ExecutionId": one.execution_id,
        "ExecutionType": one.execution_type,
    }
