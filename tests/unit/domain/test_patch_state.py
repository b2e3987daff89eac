"""States and counts."""

from datetime import UTC, datetime

import pytest

from patchwindow.domain.baseline import ComplianceLevel, ComplianceStatus
from patchwindow.domain.patch_state import (
    COMPLIANCE,
    PatchEntry,
    PatchState,
    counts,
    state_named,
    summarize,
)


def entry(
    state: PatchState, classification: str = "", level: ComplianceLevel = ComplianceLevel.UNSPECIFIED
) -> PatchEntry:
    return PatchEntry(
        title="p",
        kb_id="p",
        classification=classification,
        severity="",
        state=state,
        compliance_level=level,
        reason="rule 1 approves it",
    )


CRITICAL, HIGH = ComplianceLevel.CRITICAL, ComplianceLevel.HIGH
SIX = (
    entry(PatchState.MISSING, "Security", CRITICAL),
    entry(PatchState.FAILED, "Bugfix", CRITICAL),
    entry(PatchState.INSTALLED_PENDING_REBOOT, "Security", HIGH),
    entry(PatchState.MISSING, "Bugfix", HIGH),
    entry(PatchState.INSTALLED, "Security", HIGH),
    entry(PatchState.INSTALLED_OTHER),
)


def test_the_counts_of_six_patches_are_those_of_the_reference() -> None:
    found = counts(SIX)
    assert (found.installed_count, found.installed_other_count, found.installed_pending_reboot_count) == (1, 1, 1)
    assert (found.installed_rejected_count, found.missing_count, found.failed_count) == (0, 2, 1)
    assert found.critical_non_compliant_count == 2
    assert found.security_non_compliant_count == 2
    assert found.other_non_compliant_count == 1
    assert found.status is ComplianceStatus.NON_COMPLIANT
    assert found.overall_severity is CRITICAL


def test_a_node_without_a_bad_patch_is_compliant_and_of_no_severity() -> None:
    found = counts(SIX[4:], not_applicable_count=3)
    assert found.status is ComplianceStatus.COMPLIANT
    assert found.overall_severity is ComplianceLevel.UNSPECIFIED
    assert found.not_applicable_count == 3


@pytest.mark.parametrize(
    ("setting", "status", "count"),
    [
        (None, ComplianceStatus.COMPLIANT, 0),
        (ComplianceStatus.COMPLIANT, ComplianceStatus.COMPLIANT, 0),
        (ComplianceStatus.NON_COMPLIANT, ComplianceStatus.NON_COMPLIANT, 1),
    ],
)
def test_an_available_security_update_is_as_bad_as_the_baseline_says(
    setting: ComplianceStatus | None, status: ComplianceStatus, count: int
) -> None:
    """ "Never in CriticalNonCompliantCount; in SecurityNonCompliantCount only if the baseline says NON_COMPLIANT"."""
    found = counts(
        [entry(PatchState.AVAILABLE_SECURITY_UPDATE, "SecurityUpdates", CRITICAL)], available_security_updates=setting
    )
    assert found.status is status
    assert found.available_security_update_count == 1
    assert found.security_non_compliant_count == count
    assert found.critical_non_compliant_count == 0


def test_every_state_has_its_compliance() -> None:
    assert set(COMPLIANCE) == set(PatchState)


@pytest.mark.parametrize("state", PatchState)
def test_a_filter_may_spell_a_state_either_way(state: PatchState) -> None:
    assert state_named(state.value) is state_named(state.name) is state_named(state.name.lower()) is state


def test_what_is_no_state_is_none() -> None:
    assert state_named("Broken") is None


def test_a_summary_carries_the_counts_under_the_names_of_the_api() -> None:
    start = datetime(2026, 3, 14, tzinfo=UTC)
    summary = summarize(
        counts(SIX, not_applicable_count=4),
        instance_id="mi-0123456789abcdef0",
        baseline_id="pb-0123456789abcdef0",
        operation="Scan",
        operation_start_time=start,
        operation_end_time=start,
        patch_group="web",
    )
    assert (summary.missing_count, summary.not_applicable_count, summary.other_non_compliant_count) == (2, 4, 1)
    assert (summary.patch_group, summary.unreported_not_applicable_count, summary.snapshot_id) == ("web", 0, None)
