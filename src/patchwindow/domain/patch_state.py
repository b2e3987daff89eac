"""The states of a node's patches, and what a node's summary counts of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from patchwindow.domain.baseline import ComplianceLevel, ComplianceStatus, highest


class PatchState(StrEnum):
    """The state of one patch on one node, as answers spell it."""

    INSTALLED = "Installed"
    INSTALLED_OTHER = "InstalledOther"
    INSTALLED_PENDING_REBOOT = "InstalledPendingReboot"
    INSTALLED_REJECTED = "InstalledRejected"
    MISSING = "Missing"
    FAILED = "Failed"
    NOT_APPLICABLE = "NotApplicable"
    AVAILABLE_SECURITY_UPDATE = "AvailableSecurityUpdate"


# Neither: what is not applicable.  Available security updates are what the baseline says, here its default.
COMPLIANCE: Final[dict[PatchState, ComplianceStatus | None]] = {
    PatchState.INSTALLED: ComplianceStatus.COMPLIANT,
    PatchState.INSTALLED_OTHER: ComplianceStatus.COMPLIANT,
    PatchState.INSTALLED_PENDING_REBOOT: ComplianceStatus.NON_COMPLIANT,
    PatchState.INSTALLED_REJECTED: ComplianceStatus.NON_COMPLIANT,
    PatchState.MISSING: ComplianceStatus.NON_COMPLIANT,
    PatchState.FAILED: ComplianceStatus.NON_COMPLIANT,
    PatchState.NOT_APPLICABLE: None,
    PatchState.AVAILABLE_SECURITY_UPDATE: ComplianceStatus.COMPLIANT,
}

_BY_NAME: Final = {state.casefold(): state for state in PatchState}


def state_named(name: str) -> PatchState | None:
    """Return the state that a filter calls *name*: `InstalledOther` or `INSTALLED_OTHER`, in any case."""
    return _BY_NAME.get(name.replace("_", "").casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchEntry:
    """One patch of one node.

    *package_index* says which package of the facts it is, so that the time of installation can be looked up, which
    the facts do not have; `None` where it is not installed.
    """

    title: str
    kb_id: str = field(metadata={"wire": "KBId"})
    classification: str
    severity: str
    state: PatchState
    compliance_level: ComplianceLevel
    reason: str
    source: str = ""
    cve_ids: tuple[str, ...] = field(default=(), metadata={"wire": "CVEIds"})
    package_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many patches of a node are in which state, and what that makes of the node."""

    installed_count: int
    installed_other_count: int
    installed_pending_reboot_count: int
    installed_rejected_count: int
    missing_count: int
    failed_count: int
    not_applicable_count: int
    unreported_not_applicable_count: int = 0
    available_security_update_count: int
    critical_non_compliant_count: int
    security_non_compliant_count: int
    other_non_compliant_count: int
    overall_severity: ComplianceLevel
    status: ComplianceStatus


def compliance_of(
    entry: PatchEntry, available_security_updates: ComplianceStatus | None = None
) -> ComplianceStatus | None:
    """Return whether *entry* is as the baseline wants it; `None` where that cannot be asked."""
    if entry.state is PatchState.AVAILABLE_SECURITY_UPDATE and available_security_updates is not None:
        return available_security_updates
    return COMPLIANCE[entry.state]


def counts(
    entries: Sequence[PatchEntry],
    *,
    not_applicable_count: int = 0,
    unreported_not_applicable_count: int = 0,
    available_security_updates: ComplianceStatus | None = None,
) -> Counts:
    """Return the counts of *entries*; *not_applicable_count* more are not applicable and have no entry.

    Beyond those, *unreported_not_applicable_count* were too many to report, and are counted apart.
    *available_security_updates* is what the baseline says of security updates that it does not approve.
    """
    by_state = Counter(entry.state for entry in entries)
    bad = [
        entry for entry in entries if compliance_of(entry, available_security_updates) is ComplianceStatus.NON_COMPLIANT
    ]
    critical = {id(entry) for entry in bad if _is_critical(entry)}
    security = {id(entry) for entry in bad if _is_security(entry)}
    return Counts(
        installed_count=by_state[PatchState.INSTALLED],
        installed_other_count=by_state[PatchState.INSTALLED_OTHER],
        installed_pending_reboot_count=by_state[PatchState.INSTALLED_PENDING_REBOOT],
        installed_rejected_count=by_state[PatchState.INSTALLED_REJECTED],
        missing_count=by_state[PatchState.MISSING],
        failed_count=by_state[PatchState.FAILED],
        not_applicable_count=by_state[PatchState.NOT_APPLICABLE] + not_applicable_count,
        unreported_not_applicable_count=unreported_not_applicable_count,
        available_security_update_count=by_state[PatchState.AVAILABLE_SECURITY_UPDATE],
        critical_non_compliant_count=len(critical),
        security_non_compliant_count=len(security),
        other_non_compliant_count=len(bad) - len(critical | security),
        overall_severity=highest(entry.compliance_level for entry in bad),
        status=ComplianceStatus.NON_COMPLIANT if bad else ComplianceStatus.COMPLIANT,
    )


def _is_critical(entry: PatchEntry) -> bool:
    is_available = entry.state is PatchState.AVAILABLE_SECURITY_UPDATE
    return entry.compliance_level is ComplianceLevel.CRITICAL and not is_available


def is_security_class(classification: str) -> bool:
    """Return whether *classification* is that of security patches."""
    # Windows has SecurityUpdates where the others have Security, and the API counts both.
    return classification.casefold() in {"security", "securityupdates"}


def _is_security(entry: PatchEntry) -> bool:
    return is_security_class(entry.classification) or entry.state is PatchState.AVAILABLE_SECURITY_UPDATE


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSummary:
    """The API's InstancePatchState: what the latest patch operation found on a node."""

    instance_id: str
    patch_group: str = ""
    baseline_id: str
    snapshot_id: str | None = None
    install_override_list: str | None = None
    owner_information: str = ""
    installed_count: int
    installed_other_count: int
    installed_pending_reboot_count: int
    installed_rejected_count: int
    missing_count: int
    failed_count: int
    unreported_not_applicable_count: int = 0
    not_applicable_count: int
    available_security_update_count: int
    operation_start_time: datetime
    operation_end_time: datetime
    operation: str
    last_no_reboot_install_operation_time: datetime | None = None
    reboot_option: str | None = None
    critical_non_compliant_count: int
    security_non_compliant_count: int
    other_non_compliant_count: int


def summarize(
    counts: Counts,
    *,
    instance_id: str,
    baseline_id: str,
    operation: str,
    operation_start_time: datetime,
    operation_end_time: datetime,
    patch_group: str = "",
    snapshot_id: str | None = None,
    install_override_list: str | None = None,
    owner_information: str = "",
    last_no_reboot_install_operation_time: datetime | None = None,
    reboot_option: str | None = None,
) -> PatchSummary:
    """Return the summary of an operation that found *counts*."""
    return PatchSummary(
        instance_id=instance_id,
        patch_group=patch_group,
        baseline_id=baseline_id,
        snapshot_id=snapshot_id,
        install_override_list=install_override_list,
        owner_information=owner_information,
        installed_count=counts.installed_count,
        installed_other_count=counts.installed_other_count,
        installed_pending_reboot_count=counts.installed_pending_reboot_count,
        installed_rejected_count=counts.installed_rejected_count,
        missing_count=counts.missing_count,
        failed_count=counts.failed_count,
        unreported_not_applicable_count=counts.unreported_not_applicable_count,
        not_applicable_count=counts.not_applicable_count,
        available_security_update_count=counts.available_security_update_count,
        operation_start_time=operation_start_time,
        operation_end_time=operation_end_time,
        operation=operation,
        last_no_reboot_install_operation_time=last_no_reboot_install_operation_time,
        reboot_option=reboot_option,
        critical_non_compliant_count=counts.critical_non_compliant_count,
        security_non_compliant_count=counts.security_non_compliant_count,
        other_non_compliant_count=counts.other_non_compliant_count,
    )
