"""The seven states of a node in our own views of a fleet; each node is in exactly one."""

from enum import StrEnum

from patchwindow.domain.baseline import ComplianceStatus
from patchwindow.domain.patch_state import Counts


class FleetState(StrEnum):
    """How a node stands; what keeps us from knowing comes before what we know."""

    COMPLIANT = "Compliant"
    MISSING = "Missing"
    FAILED = "Failed"
    PENDING_REBOOT = "PendingReboot"
    STALE = "Stale"
    NEVER_SCANNED = "NeverScanned"
    OFFLINE = "Offline"


def standing_of(counts: Counts) -> FleetState:
    """Return how a node with these *counts* stands by its patches alone.

    A failed installation counts before a missing patch, and that before a reboot, which needs the least.  What is not
    as the baseline wants it for another reason, such as a rejected patch that is installed, counts as missing: it too
    is something left to do.
    """
    if counts.status is ComplianceStatus.COMPLIANT:
        return FleetState.COMPLIANT
    if counts.failed_count:
        return FleetState.FAILED
    other_count = counts.installed_rejected_count + counts.missing_count
    if counts.installed_pending_reboot_count and not other_count:
        return FleetState.PENDING_REBOOT
    return FleetState.MISSING


def state_of(standing: FleetState | None, *, is_stale: bool, is_offline: bool) -> FleetState:
    """Return the state of a node whose patches stand so, `None` where it was never scanned."""
    if standing is None:
        return FleetState.NEVER_SCANNED
    if is_offline:
        return FleetState.OFFLINE
    return FleetState.STALE if is_stale else standing
