"""The patch baseline: the API's members as values, with the defaults that GetPatchBaseline fills in.

What may not stand in one is said in `baseline_check.py`, what one approves in `decision.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from patchwindow.domain.filter_values import FilterKey
from patchwindow.domain.operating_system import OperatingSystem


class ComplianceLevel(StrEnum):
    """How bad it is that an approved patch is missing; the highest first."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFORMATIONAL = "INFORMATIONAL"
    UNSPECIFIED = "UNSPECIFIED"


class ComplianceStatus(StrEnum):
    """Whether a patch, or a node, is as its baseline wants it."""

    COMPLIANT = "COMPLIANT"
    NON_COMPLIANT = "NON_COMPLIANT"


class PatchAction(StrEnum):
    """What is done about a rejected patch that an approved one depends on."""

    ALLOW_AS_DEPENDENCY = "ALLOW_AS_DEPENDENCY"
    BLOCK = "BLOCK"


_RANKS: Final = {level: rank for rank, level in enumerate(ComplianceLevel)}


def highest(levels: Iterable[ComplianceLevel]) -> ComplianceLevel:
    """Return the highest of *levels*, `UNSPECIFIED` where there is none."""
    return min(levels, key=_RANKS.__getitem__, default=ComplianceLevel.UNSPECIFIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchFilter:
    """One condition: any of *values* will do, and `*` is any value."""

    key: FilterKey
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchFilterGroup:
    """Conditions that must all hold."""

    patch_filters: tuple[PatchFilter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchRule:
    """One approval rule."""

    patch_filter_group: PatchFilterGroup
    compliance_level: ComplianceLevel = ComplianceLevel.UNSPECIFIED
    approve_after_days: int | None = None
    approve_until_date: str | None = None
    enable_non_security: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchRuleGroup:
    """Approval rules, of which any may approve."""

    patch_rules: tuple[PatchRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSource:
    """A package repository to patch from instead of those of the node."""

    name: str
    products: tuple[str, ...]
    configuration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What is approved on the nodes of one operating system.

    *approves_by_first_seen* is ours and not the API's: on apt systems, whose package lists carry no dates, the dates
    of rules then count from when a node first reported a version; otherwise they mean nothing there.
    """

    baseline_id: str = ""
    name: str
    operating_system: OperatingSystem = OperatingSystem.WINDOWS
    description: str | None = None
    global_filters: PatchFilterGroup = PatchFilterGroup()
    approval_rules: PatchRuleGroup = PatchRuleGroup()
    approved_patches: tuple[str, ...] = ()
    approved_patches_compliance_level: ComplianceLevel = ComplianceLevel.UNSPECIFIED
    approved_patches_enable_non_security: bool = False
    rejected_patches: tuple[str, ...] = ()
    rejected_patches_action: PatchAction = PatchAction.ALLOW_AS_DEPENDENCY
    sources: tuple[PatchSource, ...] = ()
    available_security_updates_compliance_status: ComplianceStatus | None = None
    approves_by_first_seen: bool | None = None
    created_date: datetime | None = None
    modified_date: datetime | None = None
