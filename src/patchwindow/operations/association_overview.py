"""How an association is shown: as it is, with how it stands on its nodes."""

from collections import Counter
from typing import Any, Final

from patchwindow.domain.association import Association
from patchwindow.domain.association_execution import overview, together
from patchwindow.operations.call import Call
from patchwindow.protocol.records import to_members

CREATING: Final = "Creating"
"""The details of an association that has not run yet."""

_LISTED: Final = (
    "Name",
    "InstanceId",
    "AssociationId",
    "AssociationVersion",
    "DocumentVersion",
    "Targets",
    "ScheduleExpression",
    "AssociationName",
    "ScheduleOffset",
    "Duration",
)


def description(call: Call, association: Association) -> dict[str, Any]:
    """Return the API's AssociationDescription of an association, in whatever version it is given."""
    members = {**to_members(association), **_runs(call, association)}
    del members["ScheduledAt"]
    succeeded_at = call.work.association_runs.last_success(association.association_id)
    if succeeded_at is not None:
        members["LastSuccessfulExecutionDate"] = succeeded_at
    return members


def listed(call: Call, association: Association) -> dict[str, Any]:
    """Return the association as lists show it."""
    members = to_members(association)
    return {**{name: members[name] for name in _LISTED if name in members}, **_runs(call, association)}


def status_of(call: Call, association: Association) -> str:
    """Return how the association stands: Pending, Success or Failed."""
    runs = call.work.association_runs
    latest = runs.latest(association.association_id)
    return overview(runs.counts(association.association_id), None if latest is None else latest.status)


def of_node(call: Call, node_id: str) -> dict[str, Any]:
    """Return the members of the API's InstanceInformation that say how the node stands with all its associations."""
    counts = Counter(one.status for one in call.work.association_runs.on_node(node_id).values())
    status = together(counts)
    if status is None:
        return {}
    last, last_success = call.work.association_runs.executed(node_id)
    members = {
        "AssociationStatus": str(status),
        "AssociationOverview": {
            "DetailedStatus": str(status),
            "InstanceAssociationStatusAggregatedCount": {str(one): count for one, count in sorted(counts.items())},
        },
        "LastAssociationExecutionDate": last,
        "LastSuccessfulAssociationExecutionDate": last_success,
    }
    return {name: value for name, value in members.items() if value is not None}


def _runs(call: Call, association: Association) -> dict[str, Any]:
    runs = call.work.association_runs
    latest, counts = runs.latest(association.association_id), runs.counts(association.association_id)
    members: dict[str, Any] = {
        "Overview": {
            "Status": str(overview(counts, None if latest is None else latest.status)),
            "DetailedStatus": CREATING if latest is None else latest.details,
            "AssociationStatusAggregatedCount": {str(status): count for status, count in sorted(counts.items())},
        }
    }
    if latest is not None:
        members["LastExecutionDate"] = latest.created_at
    return members
