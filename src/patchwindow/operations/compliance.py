"""Compliance as the API's general form has it: of patches, drawn from patch states, and of what else is told."""

import heapq
import operator
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

from patchwindow.documents import library
from patchwindow.domain.baseline import ComplianceLevel, ComplianceStatus
from patchwindow.domain.compliance_filters import TIME, Conditions, Value, conditions
from patchwindow.domain.compliance_item import Tally, tally_of
from patchwindow.domain.errors import InvalidResourceId, InvalidResourceType, UnknownResource
from patchwindow.domain.patch_state import PatchEntry
from patchwindow.operations import compliance_items
from patchwindow.operations.call import Answer, Call, Request, slice_after
from patchwindow.operations.evaluations import evaluation_of
from patchwindow.operations.patch_states import cve_ids, installed_time
from patchwindow.operations.tags import NODE
from patchwindow.protocol.pages import Key
from patchwindow.store.compliance_items import ComplianceSet
from patchwindow.store.patch_states import FILTERS, PatchState

TYPE: Final = compliance_items.PATCH

_PAGE: Final = 50
_EXECUTION_TYPE: Final = "Command"
_KINDS: Final = {"Compliant": ComplianceStatus.COMPLIANT, "NonCompliant": ComplianceStatus.NON_COMPLIANT}

Item = Mapping[str, Any]
Summed = PatchState | ComplianceSet
"""What one resource summary is of: the patches of a node, or its items of another type."""

_ITEM_KEYS: Final = (
    "ComplianceType",
    "Id",
    "Title",
    "Status",
    "Severity",
    "PatchState",
    "PatchSeverity",
    "Classification",
    "PatchBaselineId",
    "PatchGroup",
    "DocumentName",
    "DocumentVersion",
    "ExecutionId",
    "ExecutionType",
    TIME,
)


def list_items(call: Call, request: Request) -> Answer:
    """ListComplianceItems: one item for each patch of one node, and what else was told; not applicable has none."""
    wanted = conditions(request.get("Filters"), _ITEM_KEYS)
    items = items_of(call, _node_id(call, request))
    found = [(place, item) for place, item in items if wanted.hold(partial(_of_item, item))]
    return call.pages(
        request,
        "ComplianceItems",
        default=_PAGE,
        # By title and not by place, so that a scan between two pages neither repeats nor skips a patch that stayed.
        fetch=lambda after, limit: [pair for pair in found if pair[0] > (after or ())][:limit],
        key=operator.itemgetter(0),
        shape=operator.itemgetter(1),
    )


def list_summaries(call: Call, request: Request) -> Answer:
    """ListComplianceSummaries: by type how many nodes are compliant and how many are not, by the worst of their items."""
    wanted = conditions(request.get("Filters"), FILTERS)
    tallies = {**compliance_items.tallies(call, wanted), TYPE: call.work.patch_states.tally(wanted.all)}
    summaries = [{"ComplianceType": type_, **_summaries(tally)} for type_, tally in sorted(tallies.items()) if tally]
    return call.pages(
        request,
        "ComplianceSummaryItems",
        default=_PAGE,
        fetch=lambda after, limit: slice_after(summaries, after, limit),
        key=lambda summary: (summaries.index(summary),),
        shape=lambda summary: summary,
    )


def list_resource_summaries(call: Call, request: Request) -> Answer:
    """ListResourceComplianceSummaries: of each node and type whether it is compliant, and the counts of its items."""
    wanted = conditions(request.get("Filters"), FILTERS)
    return call.pages(
        request,
        "ResourceComplianceSummaryItems",
        default=_PAGE,
        fetch=lambda after, limit: _summed(call, wanted, after, limit),
        key=_place_of,
        shape=lambda one: _summary_of_set(one) if isinstance(one, ComplianceSet) else _patch_summary(call, one),
    )


def items_of(call: Call, node_id: str) -> Iterator[tuple[Key, Item]]:
    """Yield all items of a node, those of patches first, each after its place."""
    state = call.work.patch_states.get(node_id)
    for item in () if state is None else _items(call, state):
        yield ("", item["Title"], item["Details"]["PatchState"]), item
    yield from compliance_items.items_of(call, node_id)


def resource_summaries_of(call: Call, node_id: str, state: PatchState | None) -> Iterator[dict[str, Any]]:
    """Yield the summary of each type of a node, whose patches are in *state*; that of patches comes first."""
    if state is not None:
        yield _patch_summary(call, state)
    for one in call.work.compliance_items.of(node_id):
        yield _summary_of_set(one)


def _summed(call: Call, wanted: Conditions, after: Key | None, limit: int) -> list[Summed]:
    """Return up to *limit* that pass beyond *after*; of each node its patches come first."""
    node_id, type_ = map(str, after or ("", ""))
    # Whatever the place is, the patches of its node do not come after it.
    patches: Sequence[Summed] = call.work.patch_states.passing(wanted.all, after=node_id, limit=limit)
    others = call.work.compliance_items.page(wanted=wanted.all, after=(node_id, type_), limit=limit)
    return list(islice(heapq.merge(patches, others, key=_place_of), limit))


def _place_of(one: Summed) -> Key:
    if isinstance(one, ComplianceSet):
        return one.node_id, one.compliance_type
    return one.summary.instance_id, ""


def _node_id(call: Call, request: Request) -> str:
    """Return the one node that the request names."""
    ids: list[str] = request.get("ResourceIds", [])
    types: list[str] = request.get("ResourceTypes", [NODE])
    if len(ids) != 1:
        raise InvalidResourceId(f"ResourceIds names {len(ids)} resources; name exactly one")
    if set(types) != {NODE}:
        raise InvalidResourceType(f"ResourceTypes has {', '.join(types)}; only {NODE} resources have compliance here")
    if call.work.nodes.get(ids[0]) is None:
        raise UnknownResource(f"there is no {NODE} {ids[0]!r}; check its id")
    return ids[0]


def _items(call: Call, state: PatchState) -> Iterator[Item]:
    command = call.work.commands.get(state.command_id)
    document: dict[str, str] = {}
    if command is not None:
        version = library.get(command.document_name, command.document_version).version
        document = {"DocumentName": command.document_name, "DocumentVersion": version}
    evaluation = evaluation_of(call.work, state)
    for entry in evaluation.entries:
        status = evaluation.compliance_of(entry)
        if status is not None:
            yield {
                "ComplianceType": TYPE,
                "ResourceType": NODE,
                "ResourceId": state.summary.instance_id,
                "Id": entry.kb_id,
                "Title": entry.title,
                "Status": str(status),
                "Severity": str(entry.compliance_level),
                "ExecutionSummary": _execution(state),
                "Details": {**_details(state, entry), **document},
            }


def _details(state: PatchState, entry: PatchEntry) -> dict[str, str]:
    at = installed_time(entry, state.installed_at)
    details = {
        "PatchBaselineId": state.summary.baseline_id,
        "PatchGroup": state.summary.patch_group,
        "PatchState": str(entry.state),
        "PatchSeverity": entry.severity,
        "Classification": entry.classification,
        "InstalledTime": at.strftime("%Y-%m-%dT%H:%M:%SZ") if at.timestamp() else "",
    }
    if cves := cve_ids(entry):
        details["CVEIds"] = cves
    return details


def _of_item(item: Item, key: str) -> Value:
    """Return what stands under *key* in the item, its execution or its details."""
    for members in (item, item["ExecutionSummary"], item["Details"]):
        if key in members:
            value: Value = members[key]
            return value
    return ""


def _summary_of_set(one: ComplianceSet) -> dict[str, Any]:
    return {
        "ComplianceType": one.compliance_type,
        "ResourceType": NODE,
        "ResourceId": one.node_id,
        "Status": str(one.status),
        "OverallSeverity": str(one.overall_severity),
        "ExecutionSummary": compliance_items.execution_members(one),
        **_summaries(tally_of(one.items)),
    }


def _patch_summary(call: Call, state: PatchState) -> dict[str, Any]:
    tally = call.work.evaluations.tally(state.evaluation_id)
    if tally is None:
        tally = evaluation_of(call.work, state).tally
    return {
        "ComplianceType": TYPE,
        "ResourceType": NODE,
        "ResourceId": state.summary.instance_id,
        "Status": state.status,
        "OverallSeverity": state.overall_severity,
        "ExecutionSummary": _execution(state),
        **_summaries(tally),
    }


def _execution(state: PatchState) -> dict[str, Any]:
    return {
        "ExecutionTime": state.summary.operation_end_time,
        "ExecutionId": state.command_id,
        "ExecutionType": _EXECUTION_TYPE,
    }


def _summaries(tally: Tally) -> dict[str, Any]:
    """Return both summaries of what *tally* counts by status and severity, every count of them."""
    return {
        f"{kind}Summary": {
            f"{kind}Count": sum(count for (found, _), count in tally.items() if found == status),
            "SeveritySummary": {
                f"{level.capitalize()}Count": tally.get((status, level), 0) for level in ComplianceLevel
            },
        }
        for kind, status in _KINDS.items()
    }
