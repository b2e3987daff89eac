"""What the runs of associations say about the compliance of nodes: one item of type Association for each."""

import dataclasses
from datetime import datetime
from typing import Any, Final

from patchwindow.domain.association import Association
from patchwindow.domain.baseline import ComplianceLevel, ComplianceStatus
from patchwindow.domain.compliance_item import ComplianceItem
from patchwindow.operations.call import bare_id
from patchwindow.store.work import Work

ASSOCIATION: Final = "Association"
REPORTING: Final = "AWS-RunPatchBaselineAssociation"
"""Where this document succeeds on a node, its report has said whether the node complies."""

_EXECUTION_TYPE: Final = "Command"
_DETAILS_MAX: Final = 4096


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one run found about one node."""

    status: ComplianceStatus
    command_id: str
    at: datetime
    severity: ComplianceLevel | None = None
    """How bad it is; else the association says so."""
    details: dict[str, Any]


def put_item(work: Work, association: Association, node_id: str, finding: Finding) -> None:
    """Keep whether a node complies with the association, in place of what was said before."""
    name = bare_id(association.name or "")
    item = ComplianceItem(
        id=association.association_id,
        title=association.association_name or name,
        severity=finding.severity or ComplianceLevel(association.compliance_severity or ComplianceLevel.UNSPECIFIED),
        status=finding.status,
        details={
            "DocumentName": name,
            "DocumentVersion": association.document_version or "$DEFAULT",
            "AssociationVersion": association.association_version,
            **{key: str(value)[:_DETAILS_MAX] for key, value in finding.details.items()},
        },
        execution_time=finding.at,
        execution_id=finding.command_id,
        execution_type=_EXECUTION_TYPE,
    )
    others = _others(work, association.association_id, node_id)
    work.compliance_items.put(node_id, ASSOCIATION, (*others, item), latest=item, content_hash="")


def forget_item(work: Work, association_id: str, node_id: str) -> None:
    """Say no more whether the node complies with the association, which is gone or no longer for it."""
    found = work.compliance_items.get(node_id, ASSOCIATION)
    if found is None:
        return
    others = _others(work, association_id, node_id)
    if not others:
        work.compliance_items.delete(node_id, ASSOCIATION)
    elif len(others) < len(found.items):
        latest = max(others, key=lambda item: item.execution_time)
        work.compliance_items.put(node_id, ASSOCIATION, others, latest=latest, content_hash="")


def _others(work: Work, association_id: str, node_id: str) -> tuple[ComplianceItem, ...]:
    found = work.compliance_items.get(node_id, ASSOCIATION)
    return () if found is None else tuple(item for item in found.items if item.id != association_id)
