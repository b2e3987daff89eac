"""PutInventory: what nodes, and programs that know them, report by type."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar

from patchwindow.domain.baseline import ComplianceLevel, ComplianceStatus
from patchwindow.domain.compliance_item import ComplianceItem
from patchwindow.domain.errors import (
    ContentTooLarge,
    Invalid,
    InvalidItemContent,
    InvalidItemContext,
    InvalidTypeName,
    ItemContentMismatch,
    ItemTooLarge,
    TooManyCustomTypes,
    UnknownNode,
    UnsupportedItemContext,
    UnsupportedSchemaVersion,
)
from patchwindow.domain.inventory import (
    ATTRIBUTES_MAX,
    COMPLIANCE_ITEM,
    TYPES,
    Entry,
    InventoryType,
    is_custom,
    is_custom_name,
    version_key,
)
from patchwindow.domain.opening import parse_instant
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.compliance_items import check_type, tell
from patchwindow.store.inventory import CustomType, InventoryItem

CUSTOM_BYTES_MAX: Final = 200 * 1024
NODE_BYTES_MAX: Final = 5000 * 1024

_OF_ITEMS: Final = ("Id", "Title", "Severity", "Status")

Item = Mapping[str, Any]
E = TypeVar("E", bound=StrEnum)


def put(call: Call, request: Request) -> Answer:
    """PutInventory: each item in place of what the node had of its type; content with the hash of what is kept is not read."""
    node_id, items = request["InstanceId"], request["Items"]
    # Locked, so that two who report of one node do so one after another.
    if call.work.nodes.lock(node_id) is None:
        raise UnknownNode(f"managed node {node_id} does not exist")
    for name, count in Counter(item["TypeName"] for item in items).items():
        if count > 1 and name != COMPLIANCE_ITEM:
            raise InvalidItemContent(
                f"inventory type {name} is given {count} times; give each type once", type_name=name
            )
    ignored = [item["TypeName"] for item in items if not _put(call, node_id, item)]
    if (size := call.work.inventory.size_of(node_id)) > NODE_BYTES_MAX:
        raise ContentTooLarge(
            f"inventory of {node_id} would be {size} bytes, and a node may have {NODE_BYTES_MAX}; report less"
        )
    return {"Message": f"ignored, for the type is disabled: {', '.join(ignored)}"} if ignored else {}


def _put(call: Call, node_id: str, item: Item) -> bool:
    """Keep an item, and return whether it was not ignored."""
    name = item["TypeName"]
    if name == COMPLIANCE_ITEM:
        _tell(call, node_id, item)
        return True
    if item.get("Context"):
        raise UnsupportedItemContext(f"items of {name} have no Context; leave it out", type_name=name)
    if is_custom(name):
        return _put_custom(call, node_id, item)
    type_ = TYPES.get(name)
    if type_ is None:
        raise InvalidTypeName(
            f"there is no inventory type {name!r}; use one that GetInventorySchema lists, or Custom:…"
        )
    if type_.is_drawn:
        raise InvalidItemContent(
            f"inventory of type {name} is drawn from what the server knows and cannot be put", type_name=name
        )
    _check_version(type_, item)
    content = _new_content(call, node_id, item)
    if content is not None:
        _check_numbers(type_, content)
        _keep(call, node_id, item, content)
    return True


def _put_custom(call: Call, node_id: str, item: Item) -> bool:
    name, version = item["TypeName"], item["SchemaVersion"]
    if not is_custom_name(name):
        raise InvalidTypeName(f"inventory type {name!r} has no name after Custom:; use letters, digits, -, _ and .")
    former = call.work.inventory.lock_type(name)
    if former is None:
        call.site.quotas.check(
            "custom-inventory-types", call.work.inventory.type_count() + 1, refuse=TooManyCustomTypes
        )
        # Two may be the first; then the second adds to what the first has reported.
        call.work.inventory.add_type(CustomType(type_name=name, version=version, attributes=()))
        former = call.work.inventory.lock_type(name)
        assert former is not None, "it was made just now"
    elif former.disabled_version and version_key(version) <= version_key(former.disabled_version):
        return False
    content = _new_content(call, node_id, item)
    if content is None:
        return True
    changed = _grown(former, version, content)
    if changed != former:
        call.work.inventory.put_type(changed)
    size = _keep(call, node_id, item, content)
    if size > CUSTOM_BYTES_MAX:
        raise ItemTooLarge(
            f"inventory of type {name} has {size} bytes, and one may have {CUSTOM_BYTES_MAX}", type_name=name
        )
    return True


def _new_content(call: Call, node_id: str, item: Item) -> Sequence[Entry] | None:
    """Return the content to keep; None where what is kept has the hash that came.

    Raises:
        ItemContentMismatch: a hash came alone, and is not that of what is kept.
        InvalidItemContent: neither content nor hash came.
    """
    name, hash, content = item["TypeName"], item.get("ContentHash"), item.get("Content")
    if hash and call.work.inventory.hash_of(node_id, name) == hash:
        return None
    if content is None and hash:
        raise ItemContentMismatch(
            f"content of {name} with the hash {hash!r} is not kept of {node_id}; send Content", type_name=name
        )
    if content is None:
        raise InvalidItemContent(
            f"the item of type {name} has neither Content nor ContentHash; give Content", type_name=name
        )
    found: Sequence[Entry] = content
    return found


def _keep(call: Call, node_id: str, item: Item, content: Sequence[Entry]) -> int:
    """Keep the content, and return its size."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    call.work.inventory.put(
        InventoryItem(
            node_id=node_id,
            type_name=item["TypeName"],
            schema_version=item["SchemaVersion"],
            captured_at=item["CaptureTime"],
            content_hash=item.get("ContentHash", ""),
            content=text,
        )
    )
    return len(text)


def _grown(type_: CustomType, version: str, content: Sequence[Entry]) -> CustomType:
    """Return the type with the attributes of *content*, which nodes may have reported in parts."""
    names = dict.fromkeys((*type_.attributes, *(name for entry in content for name in entry)))
    if len(names) > ATTRIBUTES_MAX:
        raise InvalidItemContent(
            f"inventory type {type_.type_name} would have {len(names)} attributes, and a type may have {ATTRIBUTES_MAX}",
            type_name=type_.type_name,
        )
    return CustomType(
        type_name=type_.type_name,
        version=max(type_.version, version, key=version_key),
        attributes=tuple(names),
        disabled_version="",
    )


def _check_version(type_: InventoryType, item: Item) -> None:
    if item["SchemaVersion"] != type_.version:
        raise UnsupportedSchemaVersion(
            f"inventory type {type_.name} has no version {item['SchemaVersion']}; use {type_.version}"
        )


def _check_numbers(type_: InventoryType, content: Sequence[Entry]) -> None:
    for entry in content:
        for name in type_.numbers & entry.keys():
            # Agents report what they could not find out as an empty text.
            if entry[name] and not _is_number(entry[name]):
                raise InvalidItemContent(f"{type_.name}.{name} is {entry[name]!r}; give a number", type_name=type_.name)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _tell(call: Call, node_id: str, item: Item) -> None:
    """Keep compliance that comes as inventory: its Context is what PutComplianceItems has beside the items."""
    type_ = TYPES[COMPLIANCE_ITEM]
    _check_version(type_, item)
    context: Mapping[str, str] = item.get("Context", {})
    if unknown := context.keys() - set(type_.context):
        raise InvalidItemContext(f"Context has {', '.join(sorted(unknown))}; use {', '.join(type_.context)}")
    for name in ("ComplianceType", "ExecutionTime"):
        if not context.get(name):
            raise InvalidItemContext(f"Context of {COMPLIANCE_ITEM} has no {name}; give it")
    try:
        at = parse_instant("ExecutionTime", context["ExecutionTime"])
    except Invalid as problem:
        raise InvalidItemContext(str(problem)) from None
    compliance_type = context["ComplianceType"]
    check_type(call, compliance_type, is_partial=False)
    if "Content" not in item:
        _check_told(call, node_id, compliance_type, item.get("ContentHash"))
        return
    found = [
        ComplianceItem(
            id=entry.get("Id", ""),
            title=entry.get("Title", ""),
            severity=_read(ComplianceLevel, "Severity", entry),
            status=_read(ComplianceStatus, "Status", entry),
            details={name: value for name, value in entry.items() if name not in _OF_ITEMS},
            execution_time=at,
            execution_id=context.get("ExecutionId", ""),
            execution_type=context.get("ExecutionType", ""),
        )
        for entry in item["Content"]
    ]
    tell(call.work, node_id, compliance_type, found, is_partial=False, content_hash=item.get("ContentHash", ""))


def _check_told(call: Call, node_id: str, compliance_type: str, hash: str | None) -> None:
    told = call.work.compliance_items.get(node_id, compliance_type)
    if not hash:
        raise InvalidItemContent(
            f"the item of type {COMPLIANCE_ITEM} has neither Content nor ContentHash; give Content",
            type_name=COMPLIANCE_ITEM,
        )
    if told is None or told.content_hash != hash:
        raise ItemContentMismatch(
            f"{compliance_type} items with the hash {hash!r} are not kept of {node_id}; send Content",
            type_name=COMPLIANCE_ITEM,
        )


def _read(enum: type[E], name: str, entry: Entry) -> E:
    value = entry.get(name, "")
    if value not in enum.__members__.values():
        raise InvalidItemContent(
            f"{name} of an item is {value!r}; use one of {', '.join(enum)}", type_name=COMPLIANCE_ITEM
        )
    return enum(value)
