"""The values of a baseline."""

import pytest

from patchwindow.domain.baseline import Baseline, ComplianceLevel, PatchAction, highest
from patchwindow.domain.operating_system import OperatingSystem


def test_a_baseline_of_a_name_alone_has_the_defaults_of_the_api() -> None:
    baseline = Baseline(name="web")
    assert baseline.operating_system is OperatingSystem.WINDOWS
    assert baseline.global_filters.patch_filters == ()
    assert baseline.approval_rules.patch_rules == ()
    assert baseline.approved_patches_compliance_level is ComplianceLevel.UNSPECIFIED
    assert baseline.rejected_patches_action is PatchAction.ALLOW_AS_DEPENDENCY
    assert baseline.description is None


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([], ComplianceLevel.UNSPECIFIED),
        ([ComplianceLevel.INFORMATIONAL, ComplianceLevel.UNSPECIFIED], ComplianceLevel.INFORMATIONAL),
        ([ComplianceLevel.LOW, ComplianceLevel.CRITICAL, ComplianceLevel.HIGH], ComplianceLevel.CRITICAL),
    ],
)
def test_the_highest_level_is_the_worst(levels: list[ComplianceLevel], expected: ComplianceLevel) -> None:
    assert highest(levels) is expected
