"""Associations that patch: scheduled runs outside of windows."""

from collections.abc import Iterator, Mapping
from typing import Any

from patchwindow.checks.asking import Asking
from patchwindow.checks.collect_nodes import Fleet
from patchwindow.checks.snapshot import Association, Topic
from patchwindow.plans.check_windows import is_patch_document


def read_associations(ask: Asking, fleet: Fleet) -> Iterator[Association]:
    """Yield the associations that run a patch document again and again; one without a schedule has had its run."""
    for entry in ask.pages(Topic.ASSOCIATIONS, "ListAssociations", "Associations"):
        if not entry.get("ScheduleExpression") or not is_patch_document(str(entry.get("Name", ""))):
            continue
        id = str(entry["AssociationId"])
        # What it is given is not in the list.
        told = ask.call(Topic.ASSOCIATIONS, "DescribeAssociation", AssociationId=id).get("AssociationDescription", {})
        operations = (told.get("Parameters") or {}).get("Operation") or [None]
        yield Association(
            id=id,
            name=str(entry.get("AssociationName", "")),
            operation=operations[0],
            nodes=_nodes(fleet, entry),
        )


def _nodes(fleet: Fleet, entry: Mapping[str, Any]) -> frozenset[str]:
    # The oldest form of an association names one node, and has no targets.
    named = {"Key": "InstanceIds", "Values": [entry["InstanceId"]]} if entry.get("InstanceId") else None
    return fleet.meant([named] if named else entry.get("Targets", ()))
