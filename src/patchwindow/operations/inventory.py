"""Inventory: what nodes have, by type; reported, or drawn from what the server knows."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from patchwindow.domain.errors import (
    InvalidDeletionId,
    InvalidResultAttribute,
    InvalidTypeName,
)
from patchwindow.domain.inventory import INSTANCE_INFORMATION, TYPES, InventoryType, is_custom
from patchwindow.domain.inventory_counts import read_aggregators
from patchwindow.domain.inventory_filters import Attributes, Conditions, read_conditions
from patchwindow.domain.node import Node
from patchwindow.operations.call import Answer, Call, Request, after_text, slice_after
from patchwindow.operations.inventory_views import Content, Views
from patchwindow.operations.nodes import stored
from patchwindow.protocol.pages import Key
from patchwindow.store.inventory import Deletion
from patchwindow.store.work import Work

_PAGE: Final = 50
_SCHEMAS: Final = 200
# Few, for each may have thousands of entries.
_BATCH: Final = 50
_DISABLE: Final = "DisableSchema"
_DELETE: Final = "DeleteSchema"


def query(call: Call, request: Request) -> Answer:
    """GetInventory: the nodes that pass, with one type of each; or counts of them."""
    known = attributes(call.work)
    wanted = read_conditions(request.get("Filters"), known)
    results = [each["TypeName"] for each in request.get("ResultAttributes", ())]
    for name in results:
        if known(name) is None:
            raise InvalidResultAttribute(f"there is no inventory type {name!r}; GetInventorySchema lists them")
    if "Aggregators" in request:
        return _counts(call, request, wanted, known)
    type_name = results[0] if results else INSTANCE_INFORMATION

    def fetch(after: Key | None, limit: int) -> Sequence[tuple[Node, Content | None]]:
        passing = _passing(call, wanted, after_text(after))
        found = ((node, views.content(node.instance_id, type_name)) for node, views in passing)
        return list(itertools.islice(found, limit))

    return call.pages(
        request,
        "Entities",
        default=_PAGE,
        fetch=fetch,
        key=lambda pair: (pair[0].instance_id,),
        shape=lambda pair: _entity(pair[0], type_name, pair[1]),
    )


def schemas(call: Call, request: Request) -> Answer:
    """GetInventorySchema: every type, or one; all of them can be counted by, and none has types below it."""
    own = [one.type for one in call.work.inventory.types()]
    found = sorted((*TYPES.values(), *own), key=lambda one: one.name)
    name = request.get("TypeName")
    if name:
        found = [one for one in found if one.name == name]
        if not found:
            raise InvalidTypeName(f"there is no inventory type {name!r}; without TypeName all are listed")
    if request.get("SubType"):
        found = []
    return call.pages(
        request,
        "Schemas",
        default=_SCHEMAS,
        fetch=lambda after, limit: [one for one in found if one.name > after_text(after)][:limit],
        key=lambda one: (one.name,),
        shape=_schema,
    )


def entries(call: Call, request: Request) -> Answer:
    """ListInventoryEntries: of one node and type."""
    node = stored(call, request["InstanceId"])
    type_name = request["TypeName"]
    known = attributes(call.work)
    if known(type_name) is None:
        raise InvalidTypeName(f"there is no inventory type {type_name!r}; GetInventorySchema lists them")
    wanted = read_conditions(request.get("Filters"), known, only_type=type_name)
    found = Views(call, [node]).content(node.instance_id, type_name)
    passing = [] if found is None else wanted.passing(found.entries)
    places = list(enumerate(passing))
    answer = call.pages(
        request,
        "Entries",
        default=_PAGE,
        fetch=lambda after, limit: slice_after(places, after, limit),
        key=lambda pair: (pair[0],),
        shape=lambda pair: pair[1],
    )
    about = {} if found is None else {"SchemaVersion": found.version, "CaptureTime": found.captured_at}
    return {"TypeName": type_name, "InstanceId": node.instance_id, **about, **answer}


def delete(call: Call, request: Request) -> Answer:
    """DeleteInventory: a type of the user's own, or with no option what nodes reported of it."""
    name, option = request["TypeName"], request.get("SchemaDeleteOption")
    if not is_custom(name):
        raise InvalidTypeName(f"inventory type {name} is the API's own and stays; only Custom:… types can be deleted")
    type_ = call.work.inventory.lock_type(name)
    if type_ is None:
        raise InvalidTypeName(f"there is no inventory type {name!r}; GetInventorySchema lists them")
    counts = call.work.inventory.versions(name)
    if request.get("DryRun"):
        return {"TypeName": name, "DeletionSummary": _summary(counts)}
    call.work.inventory.delete(name)
    if option == _DELETE:
        call.work.inventory.delete_type(name)
    elif option == _DISABLE:
        call.work.inventory.put_type(dataclasses.replace(type_, disabled_version=type_.version))
    id = call.ids.uuid()
    call.work.inventory.add_deletion(
        Deletion(deletion_id=id, type_name=name, started_at=call.now, counts=counts),
    )
    return {"DeletionId": id, "TypeName": name, "DeletionSummary": _summary(counts)}


def describe_deletions(call: Call, request: Request) -> Answer:
    """DescribeInventoryDeletions: the latest first; each was complete when it was answered."""
    id = request.get("DeletionId")
    if id is None:
        found = call.work.inventory.deletions()
    else:
        one = call.work.inventory.deletion(id)
        if one is None:
            raise InvalidDeletionId(f"there is no deletion {id}; without DeletionId all are listed")
        found = [one]
    places = list(enumerate(found))
    return call.pages(
        request,
        "InventoryDeletions",
        default=_PAGE,
        fetch=lambda after, limit: slice_after(places, after, limit),
        key=lambda pair: (pair[0],),
        shape=lambda pair: _deletion(pair[1]),
    )


def attributes(work: Work) -> Attributes:
    """Return what tells the attributes of a type; a type of the user's own is read when one is first asked for."""
    own: dict[str, Sequence[str]] = {}

    def of(name: str) -> Sequence[str] | None:
        if name in TYPES:
            return TYPES[name].attributes
        if is_custom(name) and not own:
            own.update({one.type_name: one.attributes for one in work.inventory.types()})
        return own.get(name)

    return of


def _counts(call: Call, request: Request, wanted: Conditions, known: Attributes) -> Answer:
    tally = read_aggregators(request["Aggregators"], known)
    for node, views in _passing(call, wanted):
        tally.add(views.known(node.instance_id))
    data = {name: {**_about(call, name), "Content": content} for name, content in tally.data().items()}
    return {"Entities": [{"Data": data}]}


def _about(call: Call, name: str) -> dict[str, str]:
    """Return the name and version of a type; nothing for a group, of which AWS tells the content alone."""
    if name in TYPES:
        return {"TypeName": name, "SchemaVersion": TYPES[name].version}
    own = {one.type_name: one.version for one in call.work.inventory.types()}
    return {"TypeName": name, "SchemaVersion": own[name]} if name in own else {}


def _passing(call: Call, wanted: Conditions, after: str = "") -> Iterator[tuple[Node, Views]]:
    """Yield the nodes that pass, in order of id, each with the views of the nodes that were read with it."""
    while batch := call.work.nodes.page(after=after, limit=_BATCH, columns={}):
        after = batch[-1].instance_id
        views = Views(call, batch)
        yield from ((node, views) for node in batch if wanted.hold(views.known(node.instance_id)))


def _entity(node: Node, type_name: str, found: Content | None) -> dict[str, Any]:
    if found is None:
        return {"Id": node.instance_id, "Data": {}}
    about = {"CaptureTime": found.captured_at or None, "ContentHash": found.content_hash or None}
    data = {"TypeName": type_name, "SchemaVersion": found.version, **about, "Content": found.entries}
    return {"Id": node.instance_id, "Data": {type_name: data}}


def _schema(one: InventoryType) -> dict[str, Any]:
    return {
        "TypeName": one.name,
        "Version": one.version,
        "DisplayName": one.name.partition(":")[2],
        "Attributes": [
            {"Name": name, "DataType": "number" if name in one.numbers else "string"} for name in one.attributes
        ],
    }


def _summary(counts: Mapping[str, int]) -> dict[str, Any]:
    """Return how many nodes had a type by version; nothing of it remains."""
    return {
        "TotalCount": sum(counts.values()),
        "RemainingCount": 0,
        "SummaryItems": [
            {"Version": version, "Count": count, "RemainingCount": 0} for version, count in sorted(counts.items())
        ],
    }


def _deletion(one: Deletion) -> dict[str, Any]:
    return {
        "DeletionId": one.deletion_id,
        "TypeName": one.type_name,
        "DeletionStartTime": one.started_at,
        "LastStatus": "Complete",
        "LastStatusMessage": "Deleted",
        "DeletionSummary": _summary(one.counts),
        "LastStatusUpdateTime": one.started_at,
    }
