"""Items of compliance that are told, and not drawn from scans; and what the items of one type make of a node."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from patchwindow.domain.baseline import ComplianceLevel, ComplianceStatus, highest

Tally = Counter[tuple[str | None, str]]
"""How many nodes or items have which status and severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceItem:
    """One item, and the execution that found it."""

    id: str = ""
    title: str = ""
    severity: ComplianceLevel
    status: ComplianceStatus
    details: Mapping[str, Any] = field(default_factory=dict)
    execution_time: datetime
    execution_id: str = ""
    execution_type: str = ""


def status_of(items: Sequence[ComplianceItem]) -> ComplianceStatus:
    """Return what a node is by *items*: compliant where all of them are."""
    is_bad = any(item.status is ComplianceStatus.NON_COMPLIANT for item in items)
    return ComplianceStatus.NON_COMPLIANT if is_bad else ComplianceStatus.COMPLIANT


def severity_of(items: Sequence[ComplianceItem]) -> ComplianceLevel:
    """Return the highest severity of the items that are not compliant; that of patches is found in the same way."""
    return highest(item.severity for item in items if item.status is ComplianceStatus.NON_COMPLIANT)


def tally_of(items: Sequence[ComplianceItem]) -> Tally:
    """Return how many of *items* have which status and severity."""
    return Counter((str(item.status), str(item.severity)) for item in items)
