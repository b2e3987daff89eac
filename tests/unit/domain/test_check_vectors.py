"""Check vectors: small cases with known results.  All that the reference of patch management has, and their tests:

| vector | test |
|---|---|
| §3, released on 7 July with a delay of 7 days | `test_seven_days_after_the_7th_is_the_14th` |
| §3, what comes after the last date is never approved | `test_what_comes_after_the_last_date_is_never_approved` |
| §4, forms of names by operating system | `test_patch_name.py`, `test_baseline_check.py` |
| §4, RejectedPatchesAction | `TestInstalled`, `TestDependencies` of `test_evaluation_of_rpm_systems.py`; `test_a_rejected_update` of Windows |
| §5, predefined baselines, their ids and the names that clients look for | `test_predefined_table.py`, `test_predefined.py` |
| §6, which baseline applies | `tests/unit/operations/test_baselines.py`, `test_reports.py`, `test_snapshots.py`, `test_associations.py` |
| §7, entries of an install override list | `test_override.py` |
| §15, rule evaluation: each row | `test_a_rule_decides_as_documented` |
| §15, not yet approved is not reported as missing | `test_what_is_not_yet_approved_is_not_reported_as_missing` of the operations |
| §15, counts of a node with six patches | `test_the_counts_of_a_node_are_as_documented` |
| §15, the same by facts, on the wire | `test_the_state_of_the_node_with_six_patches_is_as_documented` of the operations |
| §15, a patch on the wire | `test_a_missing_patch_is_written_as_documented` of the operations |
"""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.unit.domain.test_decision import baseline, group, rule

from patchwindow.domain.baseline import Baseline, ComplianceLevel, ComplianceStatus
from patchwindow.domain.baseline_check import check
from patchwindow.domain.decision import DecisionStatus, decide
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch import Patch
from patchwindow.domain.patch_state import PatchEntry, PatchState, counts

TODAY = date(2026, 3, 14)
CRITICAL = baseline(OperatingSystem.AMAZON_LINUX_2, rule(CLASSIFICATION="Security", SEVERITY="Critical", days=7))
UNTIL = baseline(OperatingSystem.AMAZON_LINUX_2, rule(CLASSIFICATION="Security", until="2026-03-08"))
UBUNTU = baseline(OperatingSystem.UBUNTU, rule(PRIORITY="Important", days=100))
SCOPED = replace(UBUNTU, global_filters=group(PRODUCT="Ubuntu24.04"), approved_patches=("openssl",))
REJECTING = replace(CRITICAL, rejected_patches=("openssl",))
TWO = baseline(
    OperatingSystem.AMAZON_LINUX_2, rule(CLASSIFICATION="Security", days=30), rule(SEVERITY="Critical", days=1)
)
ANY = baseline(OperatingSystem.AMAZON_LINUX_2, rule(SEVERITY="*", days=0))

AMAZON_PATCH = Patch(
    name="openssl",
    arch="x86_64",
    version="1.0.2k",
    release="24.amzn2",
    classification="Security",
    severity="Critical",
    product="AmazonLinux2",
    advisory_ids=("ALAS2-2026-2000",),
    is_security=True,
)
UBUNTU_PATCH = Patch(
    name="openssl",
    arch="amd64",
    version="3.0.2-0ubuntu1.19",
    classification="Security",
    priority="important",
    product="Ubuntu22.04",
    is_security=True,
)


def dated(day: str, severity: str = "Critical") -> Patch:
    return replace(AMAZON_PATCH, released_on=date.fromisoformat(day), severity=severity)


@pytest.mark.parametrize(
    ("own", "patch", "expected"),
    [
        pytest.param(CRITICAL, dated("2026-03-07"), DecisionStatus.APPROVED, id="whole-day arithmetic"),
        pytest.param(CRITICAL, dated("2026-03-08"), DecisionStatus.PENDING_APPROVAL, id="not yet approved"),
        pytest.param(CRITICAL, dated("2026-03-07", ""), DecisionStatus.APPROVED, id="on Classification alone"),
        pytest.param(UNTIL, dated("2026-03-08"), DecisionStatus.APPROVED, id="until, inclusive"),
        pytest.param(UNTIL, dated("2026-03-09"), DecisionStatus.NOT_MATCHED, id="after the date, never"),
        pytest.param(UBUNTU, UBUNTU_PATCH, DecisionStatus.APPROVED, id="apt, the delay is ignored"),
        pytest.param(
            UBUNTU, replace(UBUNTU_PATCH, is_security=False), DecisionStatus.NOT_MATCHED, id="in jammy-updates alone"
        ),
        pytest.param(SCOPED, UBUNTU_PATCH, DecisionStatus.EXPLICIT_APPROVED, id="listed, past the global filters"),
        pytest.param(REJECTING, dated("2026-03-07"), DecisionStatus.REJECTED, id="approved and rejected"),
        pytest.param(TWO, dated("2026-03-07"), DecisionStatus.APPROVED, id="two rules, one waits"),
        *(
            pytest.param(ANY, dated("2026-03-07", severity), DecisionStatus.APPROVED, id=f"any severity, {severity}")
            for severity in ("Critical", "Important", "Medium", "Low")
        ),
    ],
)
def test_a_rule_decides_as_documented(own: Baseline, patch: Patch, expected: DecisionStatus) -> None:
    check(own)
    assert decide(patch, own, TODAY).status is expected


def test_seven_days_after_the_7th_is_the_14th() -> None:
    """ "Released 7 July, N=7: approved from 14 July." """
    patch = dated("2026-07-07")
    assert not decide(patch, CRITICAL, date(2026, 7, 13)).is_approved
    assert decide(patch, CRITICAL, date(2026, 7, 14)).is_approved


def test_what_comes_after_the_last_date_is_never_approved() -> None:
    assert not decide(dated("2026-03-09"), UNTIL, TODAY + timedelta(days=3650)).is_approved


def entry(name: str, level: ComplianceLevel, classification: str, state: PatchState) -> PatchEntry:
    return PatchEntry(
        title=name,
        kb_id=name,
        classification=classification,
        severity="",
        state=state,
        compliance_level=level,
        reason="",
    )


def test_the_counts_of_a_node_are_as_documented() -> None:
    """Rule A has the level CRITICAL, rule B HIGH."""
    a, b = ComplianceLevel.CRITICAL, ComplianceLevel.HIGH
    found = counts(
        [
            entry("p1", a, "Security", PatchState.MISSING),
            entry("p2", a, "Bugfix", PatchState.FAILED),
            entry("p3", b, "Security", PatchState.INSTALLED_PENDING_REBOOT),
            entry("p4", b, "Bugfix", PatchState.MISSING),
            entry("p5", b, "Security", PatchState.INSTALLED),
            entry("p6", ComplianceLevel.UNSPECIFIED, "", PatchState.INSTALLED_OTHER),
        ]
    )
    assert (found.installed_count, found.installed_other_count, found.installed_pending_reboot_count) == (1, 1, 1)
    assert (found.installed_rejected_count, found.missing_count, found.failed_count) == (0, 2, 1)
    assert found.critical_non_compliant_count == 2
    assert found.security_non_compliant_count == 2
    assert found.other_non_compliant_count == 1
    assert found.status is ComplianceStatus.NON_COMPLIANT
    assert found.overall_severity is ComplianceLevel.CRITICAL
