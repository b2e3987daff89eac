"""What came of the runs of associations, and which associations nodes have."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple

from patchwindow.domain import invocation
from patchwindow.domain.association import Association
from patchwindow.domain.association_execution import NODE_STATUS_OF, OPEN, SUPERSEDED, NodeStatus
from patchwindow.domain.association_run import NodeStanding, Run
from patchwindow.domain.errors import Invalid, InvalidDocumentVersion, UnknownDocument, UnknownNode, UnknownRun
from patchwindow.domain.opening import parse_instant
from patchwindow.domain.run import Invocation
from patchwindow.operations.association_nodes import is_for
from patchwindow.operations.associations import each, existing
from patchwindow.operations.call import Answer, Call, Request, after_number, after_text
from patchwindow.operations.documents_found import find
from patchwindow.operations.tags import NODE
from patchwindow.operations.targeting import group_queries
from patchwindow.protocol.records import to_ms

_PAGE: Final = 50
_EFFECTIVE_PAGE: Final = 5
_SIGN_OF: Final = {"EQUAL": "=", "LESS_THAN": "<", "GREATER_THAN": ">"}
_ASSOCIATED: Final = "Associated"
"""The details on a node that an association is for and has not run on."""

# What was taken back because a newer run began timed out with its run, whatever its command calls it.
_TAKEN_BACK: Final = frozenset(
    {invocation.State.CANCELLED, invocation.State.TERMINATED, invocation.State.CANCELLING, invocation.State.PENDING}
)
_SUMMARIES: Final[Mapping[NodeStatus, str]] = {
    NodeStatus.SUCCESS: "1 out of 1 plugin processed, 1 success, 0 failed, 0 timedout, 0 skipped. ",
    NodeStatus.FAILED: "1 out of 1 plugin processed, 0 success, 1 failed, 0 timedout, 0 skipped. ",
    NodeStatus.TIMED_OUT: "1 out of 1 plugin processed, 0 success, 0 failed, 1 timedout, 0 skipped. ",
    NodeStatus.SKIPPED: "1 out of 1 plugin processed, 0 success, 0 failed, 0 timedout, 1 skipped. ",
}


class _OnNode(NamedTuple):
    """An association that a node has; without a standing it has not run there."""

    association: Association
    standing: NodeStanding | None


def describe_executions(call: Call, request: Request) -> Answer:
    """DescribeAssociationExecutions: the newest first."""
    association = existing(call, request["AssociationId"])
    wanted = _execution_filters(request.get("Filters") or ())
    return call.pages(
        request,
        "AssociationExecutions",
        default=_PAGE,
        fetch=lambda after, limit: call.work.association_runs.page(
            association.association_id,
            before=None if after is None else (int(after[0]), str(after[1])),
            limit=limit,
            **wanted,
        ),
        key=lambda run: (to_ms(run.created_at), run.execution_id),
        shape=lambda run: _execution(call, run),
    )


def describe_targets(call: Call, request: Request) -> Answer:
    """DescribeAssociationExecutionTargets: the nodes of one run, in the order in which it came to them."""
    association = existing(call, request["AssociationId"])
    run = call.work.association_runs.get(request["ExecutionId"])
    if run is None or run.association_id != association.association_id:
        raise UnknownRun(f"association {association.association_id} has no execution {request['ExecutionId']}")
    filters = request.get("Filters") or ()
    parts = call.work.invocations.of_command(run.command_id) if run.command_id is not None else []
    found = [part for part in parts if _passes(run, part, filters)]
    return call.pages(
        request,
        "AssociationExecutionTargets",
        default=_PAGE,
        fetch=lambda after, limit: [part for part in found if part.ordinal > after_number(after)][:limit],
        key=lambda part: (part.ordinal,),
        shape=lambda part: _target(run, part),
    )


def describe_of_node(call: Call, request: Request) -> Answer:
    """DescribeInstanceAssociationsStatus: how the latest run of each association of the node stands."""
    node_id = _node_id(call, request)
    return call.pages(
        request,
        "InstanceAssociationStatusInfos",
        default=_PAGE,
        fetch=lambda after, limit: list(islice(_on_node(call, node_id, after_text(after)), limit)),
        key=lambda one: (one.association.association_id,),
        shape=lambda one: _status(node_id, one),
    )


def describe_effective(call: Call, request: Request) -> Answer:
    """DescribeEffectiveInstanceAssociations: the associations that are for the node now, with their documents."""
    node_id = _node_id(call, request)
    tags, queries = call.work.tags.of(NODE, node_id), group_queries(call.work)

    def fetch(after: str, limit: int) -> Sequence[Association]:
        found = (one for one in each(call, after) if is_for(one, node_id, tags, queries))
        return list(islice(found, limit))

    return call.pages(
        request,
        "Associations",
        default=_EFFECTIVE_PAGE,
        fetch=lambda after, limit: fetch(after_text(after), limit),
        key=lambda one: (one.association_id,),
        shape=lambda one: _effective(call, node_id, one),
    )


def _execution_filters(filters: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return the conditions on runs; of several with one key, ids and statuses are joined, and times all must hold."""
    wanted: dict[str, Any] = {}
    created: list[tuple[str, datetime]] = []
    for one in filters:
        key, value, type = one["Key"], one["Value"], one["Type"]
        if key == "CreatedTime":
            created.append((_SIGN_OF[type], parse_instant(key, value)))
        elif type != "EQUAL":
            raise Invalid(f"filter {key} is compared by {type}; it can only be EQUAL")
        else:
            wanted.setdefault("execution_ids" if key == "ExecutionId" else "statuses", []).append(value)
    return {**wanted, "created": created}


def _execution(call: Call, run: Run) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    if run.command_id is not None:
        for (_, details), count in call.work.invocations.tally(run.command_id).items():
            counts[_node_status(run, details)] += count
    return {
        "AssociationId": run.association_id,
        "AssociationVersion": run.association_version,
        "ExecutionId": run.execution_id,
        "Status": str(run.status),
        "DetailedStatus": run.details,
        "CreatedTime": run.created_at,
        "LastExecutionDate": run.created_at,
        "ResourceCountByStatus": "{" + ", ".join(f"{status}={count}" for status, count in sorted(counts.items())) + "}",
    }


def _passes(run: Run, part: Invocation, filters: Sequence[Mapping[str, str]]) -> bool:
    about = {"Status": _node_status(run, part.details), "ResourceId": part.instance_id, "ResourceType": NODE}
    return all(
        any(about[key] == one["Value"] for one in filters if one["Key"] == key)
        for key in {one["Key"] for one in filters}
    )


def _target(run: Run, part: Invocation) -> dict[str, Any]:
    status = _node_status(run, part.details)
    members = {
        "AssociationId": run.association_id,
        "AssociationVersion": run.association_version,
        "ExecutionId": run.execution_id,
        "ResourceId": part.instance_id,
        "ResourceType": NODE,
        "Status": str(status),
        "DetailedStatus": part.details,
        "OutputSource": {"OutputSourceId": run.command_id, "OutputSourceType": "RunCommand"},
    }
    at = part.ended_at or part.dispatched_at
    return members if at is None else {**members, "LastExecutionDate": at}


def _node_status(run: Run, details: str) -> NodeStatus:
    state = invocation.State(details)
    if run.details == SUPERSEDED and state in _TAKEN_BACK:
        return NodeStatus.TIMED_OUT
    return NODE_STATUS_OF[state]


def _node_id(call: Call, request: Request) -> str:
    node_id: str = request["InstanceId"]
    if call.work.nodes.get(node_id) is None:
        raise UnknownNode(f"there is no managed node {node_id}; check its id")
    return node_id


def _on_node(call: Call, node_id: str, after: str) -> Iterator[_OnNode]:
    """Yield the associations that are for the node, or have run on it, in order of id."""
    tags, queries = call.work.tags.of(NODE, node_id), group_queries(call.work)
    standings = call.work.association_runs.on_node(node_id)
    for association in each(call, after):
        standing = standings.get(association.association_id)
        if standing is not None or is_for(association, node_id, tags, queries):
            yield _OnNode(association, standing)


def _status(node_id: str, one: _OnNode) -> dict[str, Any]:
    association, standing = one
    members: dict[str, Any] = {
        "AssociationId": association.association_id,
        "AssociationVersion": association.association_version,
        "InstanceId": node_id,
        "Status": str(NodeStatus.PENDING if standing is None else standing.status),
        "DetailedStatus": _ASSOCIATED if standing is None else standing.details,
    }
    told = {
        "Name": association.name,
        "DocumentVersion": association.document_version,
        "AssociationName": association.association_name,
        "ExecutionDate": None if standing is None or standing.status in OPEN else standing.at,
        "ExecutionSummary": None if standing is None else _SUMMARIES.get(standing.status),
    }
    return members | {name: value for name, value in told.items() if value is not None}


def _effective(call: Call, node_id: str, association: Association) -> dict[str, Any]:
    members = {
        "AssociationId": association.association_id,
        "InstanceId": node_id,
        "AssociationVersion": association.association_version,
    }
    try:
        document = find(call.work, association.name or "", association.document_version)
    except (UnknownDocument, InvalidDocumentVersion):
        # It was deleted, or the version was.
        return members
    return {**members, "Content": document.text}
