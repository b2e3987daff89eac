"""Compliance as the API's general form has it, drawn from patch states: the only type so far is `Patch`."""

import operator
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final

from patchwindow.documents import library
from patchwindow.domain.baseline import ComplianceLevel, ComplianceStatus
from patchwindow.domain.errors import InvalidResourceId, InvalidResourceType, UnknownResource
from patchwindow.domain.node import Node
from patchwindow.domain.patch_state import PatchEntry
from patchwindow.operations.call import Answer, Call, Request, after_text, slice_after
from patchwindow.operations.compliance_filters import TIME, Conditions, Value, conditions
from patchwindow.operations.evaluations import evaluation_of
from patchwindow.operations.patch_states import cve_ids, installed_time
from patchwindow.operations.tags import NODE
from patchwindow.protocol.pages import Key
from patchwindow.store.fleet import CohortFacts
from patchwindow.store.patch_states import PatchState

TYPE: Final = "Patch"

_PAGE: Final = 50
_EXECUTION_TYPE: Final = "Command"
_BATCH: Final = 500
_KINDS: Final = {"Compliant": ComplianceStatus.COMPLIANT, "NonCompliant": ComplianceStatus.NON_COMPLIANT}

Item = Mapping[str, Any]
Tally = Counter[tuple[str | None, str]]
"""How many nodes or patches have which status and severity."""

_RESOURCE_KEYS: Final[Mapping[str, Callable[[PatchState], Value]]] = {
    "ComplianceType": lambda _: TYPE,
    "OverallSeverity": operator.attrgetter("overall_severity"),
    "Status": operator.attrgetter("status"),
    "InstanceId": operator.attrgetter("summary.instance_id"),
    "ResourceId": operator.attrgetter("summary.instance_id"),
    "ResourceType": lambda _: NODE,
    "PatchGroup": operator.attrgetter("summary.patch_group"),
    "PatchBaselineId": operator.attrgetter("summary.baseline_id"),
    "ExecutionType": lambda _: _EXECUTION_TYPE,
    "ExecutionId": operator.attrgetter("command_id"),
    TIME: operator.attrgetter("summary.operation_end_time"),
}
_INVENTORY: Final = "AWS:InstanceInformation."
_NODE_KEYS: Final[Mapping[str, Callable[[Node], str | None]]] = {
    f"{_INVENTORY}AgentType": operator.attrgetter("agent_name"),
    f"{_INVENTORY}AgentVersion": operator.attrgetter("agent_version"),
    f"{_INVENTORY}ComputerName": operator.attrgetter("computer_name"),
    f"{_INVENTORY}IpAddress": operator.attrgetter("ip_address"),
    f"{_INVENTORY}PlatformName": operator.attrgetter("platform_name"),
    f"{_INVENTORY}PlatformType": operator.attrgetter("platform_type"),
    f"{_INVENTORY}PlatformVersion": operator.attrgetter("platform_version"),
}
# What all nodes of a cohort have in common: where filters ask for nothing else, nodes are counted and not read.
_COHORT_KEYS: Final[Mapping[str, Callable[[CohortFacts], Value]]] = {
    "ComplianceType": lambda _: TYPE,
    "OverallSeverity": operator.attrgetter("overall_severity"),
    "Status": operator.attrgetter("status"),
    "ResourceType": lambda _: NODE,
    "PatchBaselineId": operator.attrgetter("baseline_id"),
    "ExecutionType": lambda _: _EXECUTION_TYPE,
}
_SUMMARY_KEYS: Final = (*_RESOURCE_KEYS, *_NODE_KEYS)
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
    """ListComplianceItems: one item for each patch of one node; what is not applicable has none."""
    wanted = conditions(request.get("Filters"), _ITEM_KEYS)
    state = call.work.patch_states.get(_node_id(call, request))
    items = () if state is None else _items(call, state)
    found = [item for item in items if wanted.hold(partial(_of_item, item))]
    return call.pages(
        request,
        "ComplianceItems",
        default=_PAGE,
        # By title and not by place, so that a scan between two pages neither repeats nor skips a patch that stayed.
        fetch=lambda after, limit: [item for item in found if _place(item) > (after or ())][:limit],
        key=_place,
        shape=lambda item: item,
    )


def list_summaries(call: Call, request: Request) -> Answer:
    """ListComplianceSummaries: how many nodes are compliant and how many are not, by the worst of their patches."""
    wanted = conditions(request.get("Filters"), _SUMMARY_KEYS)
    tally = _tally(call, wanted)
    summaries = [{"ComplianceType": TYPE, **_summaries(tally)}] if tally else []
    return call.pages(
        request,
        "ComplianceSummaryItems",
        default=_PAGE,
        fetch=lambda after, limit: slice_after(summaries, after, limit),
        # There is one at most, so nothing ever follows it.
        key=lambda _: (0,),
        shape=lambda summary: summary,
    )


def list_resource_summaries(call: Call, request: Request) -> Answer:
    """ListResourceComplianceSummaries: of each node whether it is compliant, and the counts of its patches."""
    wanted = conditions(request.get("Filters"), _SUMMARY_KEYS)
    return call.pages(
        request,
        "ResourceComplianceSummaryItems",
        default=_PAGE,
        fetch=lambda after, limit: list(islice(_states(call, wanted, after_text(after)), limit)),
        key=lambda state: (state.summary.instance_id,),
        shape=lambda state: _resource(call, state),
    )


def _tally(call: Call, wanted: Conditions) -> Tally:
    """Return how many nodes that pass have which status and severity."""
    if any(condition.key not in _COHORT_KEYS for condition in wanted.all):
        return Counter((state.status, state.overall_severity) for state in _states(call, wanted))
    known = {id: cohort for id, cohort in call.work.fleet.cohorts().items() if wanted.hold(partial(_of_cohort, cohort))}
    tally: Tally = Counter()
    for one in call.work.fleet.scanned(stale_before=call.now):
        if one.cohort_id in known:
            cohort = known[one.cohort_id]
            tally[cohort.status, cohort.overall_severity] += one.node_count
    return tally


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


def _states(call: Call, wanted: Conditions, after: str = "") -> Iterator[PatchState]:
    """Yield the states that pass, in order of node; nodes are looked up only where a filter asks for one."""
    asks_nodes = any(condition.key in _NODE_KEYS for condition in wanted.all)
    states = (
        state
        for state in call.work.patch_states.each(after=after)
        if wanted.hold(partial(_of_state, state), _RESOURCE_KEYS)
    )
    if not asks_nodes:
        yield from states
        return
    while batch := list(islice(states, _BATCH)):
        nodes = {node.instance_id: node for node in call.work.nodes.many([one.summary.instance_id for one in batch])}
        for state in batch:
            # Deregistered between the two reads, where the database lets one transaction see another's commit.
            node = nodes.get(state.summary.instance_id)
            if node is not None and wanted.hold(partial(_of_node, node), _NODE_KEYS):
                yield state


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


def _of_state(state: PatchState, key: str) -> Value:
    return _RESOURCE_KEYS[key](state)


def _of_cohort(cohort: CohortFacts, key: str) -> Value:
    return _COHORT_KEYS[key](cohort)


def _of_node(node: Node, key: str) -> Value:
    return _NODE_KEYS[key](node) or ""


def _place(item: Item) -> Key:
    return item["Title"], item["Details"]["PatchState"]


def _resource(call: Call, state: PatchState) -> dict[str, Any]:
    evaluation = evaluation_of(call.work, state)
    tally: Tally = Counter((evaluation.compliance_of(entry), entry.compliance_level) for entry in evaluation.entries)
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
