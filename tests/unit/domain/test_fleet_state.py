"""The seven states of a node."""

from typing import Any

import pytest
from tests.store.samples import counts

from patchwindow.domain.baseline import ComplianceStatus
from patchwindow.domain.fleet_state import FleetState, standing_of, state_of

NONE = {
    "missing_count": 0,
    "failed_count": 0,
    "installed_pending_reboot_count": 0,
    "installed_rejected_count": 0,
}


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ({"status": ComplianceStatus.COMPLIANT}, FleetState.COMPLIANT),
        ({"failed_count": 1, "missing_count": 1, "installed_pending_reboot_count": 1}, FleetState.FAILED),
        ({"missing_count": 1, "installed_pending_reboot_count": 1}, FleetState.MISSING),
        ({"installed_pending_reboot_count": 1}, FleetState.PENDING_REBOOT),
        ({"installed_rejected_count": 1}, FleetState.MISSING),
        ({}, FleetState.MISSING),
    ],
    ids=str,
)
def test_the_worst_that_is_known_of_its_patches_is_how_a_node_stands(found: dict[str, Any], state: FleetState) -> None:
    assert standing_of(counts(**{**NONE, **found})) is state


@pytest.mark.parametrize("standing", [FleetState.COMPLIANT, FleetState.MISSING])
def test_what_keeps_us_from_knowing_comes_before_what_we_know(standing: FleetState) -> None:
    assert state_of(standing, is_stale=False, is_offline=False) is standing
    assert state_of(standing, is_stale=True, is_offline=False) is FleetState.STALE
    assert state_of(standing, is_stale=True, is_offline=True) is FleetState.OFFLINE
    assert state_of(None, is_stale=False, is_offline=True) is FleetState.NEVER_SCANNED
