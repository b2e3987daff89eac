"""The predefined baselines against the published table: names, ids, and what each approves after how many days."""

from typing import Final

import pytest

from patchwindow.domain.baseline import Baseline, ComplianceLevel, PatchAction
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import PREDEFINED, default_for

Filters = dict[str, tuple[str, ...]]
Rule = tuple[Filters, int | None]

SEVERE: Final[Rule] = ({"CLASSIFICATION": ("Security",), "SEVERITY": ("Critical", "Important")}, 7)
BUGFIX: Final[Rule] = ({"CLASSIFICATION": ("Bugfix",)}, 7)
ORACLE: Final[Rule] = ({"CLASSIFICATION": ("Security",), "SEVERITY": ("Important", "Moderate")}, 7)
PRIORITIES: Final = ("Required", "Important", "Standard", "Optional", "Extra")
WINDOWS: Final[Filters] = {
    "CLASSIFICATION": ("CriticalUpdates", "SecurityUpdates"),
    "MSRC_SEVERITY": ("Critical", "Important"),
}

TABLE: Final[dict[str, tuple[str, str | None, tuple[Rule, ...]]]] = {
    "AWS-AlmaLinuxDefaultPatchBaseline": ("ALMA_LINUX", "pb-0cb0c4966f86b059b", (SEVERE, BUGFIX)),
    "AWS-AmazonLinuxDefaultPatchBaseline": ("AMAZON_LINUX", "pb-0c10e657807c7a700", (SEVERE, BUGFIX)),
    "AWS-AmazonLinux2DefaultPatchBaseline": ("AMAZON_LINUX_2", "pb-0be8c61cde3be63f3", (SEVERE, BUGFIX)),
    "AWS-AmazonLinux2022DefaultPatchBaseline": ("AMAZON_LINUX_2022", "pb-0028ca011460d5eaf", (SEVERE, BUGFIX)),
    "AWS-AmazonLinux2023DefaultPatchBaseline": ("AMAZON_LINUX_2023", "pb-05c9c9bf778d4c4d0", (SEVERE, BUGFIX)),
    "AWS-CentOSDefaultPatchBaseline": ("CENTOS", "pb-03e3f588eec25344c", (({"CLASSIFICATION": ("*",)}, 7),)),
    "AWS-DebianDefaultPatchBaseline": ("DEBIAN", "pb-09a5f8eb62bde80b1", (({"PRIORITY": PRIORITIES}, None),)),
    "AWS-MacOSDefaultPatchBaseline": ("MACOS", "pb-0ee4f94581368c0d4", (({"CLASSIFICATION": ("Security",)}, 7),)),
    "AWS-OracleLinuxDefaultPatchBaseline": ("ORACLE_LINUX", "pb-06bff38e95fe85c02", (ORACLE, BUGFIX)),
    "AWS-DefaultRaspbianPatchBaseline": ("RASPBIAN", "pb-0ec16280999c5c75e", (({"PRIORITY": PRIORITIES}, None),)),
    "AWS-RedHatDefaultPatchBaseline": ("REDHAT_ENTERPRISE_LINUX", "pb-0cbb3a633de00f07c", (SEVERE, BUGFIX)),
    "AWS-RockyLinuxDefaultPatchBaseline": ("ROCKY_LINUX", "pb-03ec98bc512aa3ac0", (SEVERE, BUGFIX)),
    "AWS-SuseDefaultPatchBaseline": ("SUSE", "pb-07d8884178197b66b", (SEVERE,)),
    "AWS-UbuntuDefaultPatchBaseline": ("UBUNTU", "pb-0c7e89f711c3095f4", (({"PRIORITY": PRIORITIES}, 7),)),
    "AWS-DefaultPatchBaseline": ("WINDOWS", "pb-09ca3fb51f0412ec3", ((WINDOWS, 7),)),
    # The ids of these two are published nowhere.
    "AWS-WindowsPredefinedPatchBaseline-OS": ("WINDOWS", None, ((WINDOWS, 7),)),
    "AWS-WindowsPredefinedPatchBaseline-OS-Applications": (
        "WINDOWS",
        None,
        (
            ({"PATCH_SET": ("OS",), **WINDOWS}, 7),
            ({"PATCH_SET": ("APPLICATION",), "PRODUCT_FAMILY": ("*",), "PRODUCT": ("*",)}, 7),
        ),
    ),
}
"""By name: operating system, id and rules; a rule is its filters and its delay in days."""


def test_the_table_has_every_baseline_and_no_other() -> None:
    assert {baseline.name for baseline in PREDEFINED} == TABLE.keys()
    assert {system for system, _, _ in TABLE.values()} == set(OperatingSystem)
    assert default_for(OperatingSystem.WINDOWS).name == "AWS-DefaultPatchBaseline"


@pytest.mark.parametrize("baseline", PREDEFINED, ids=lambda baseline: baseline.name)
def test_each_is_as_published(baseline: Baseline) -> None:
    system, id, rules = TABLE[baseline.name]
    assert baseline.operating_system == system
    assert id in (None, baseline.baseline_id)
    found = [
        ({one.key: one.values for one in rule.patch_filter_group.patch_filters}, rule.approve_after_days)
        for rule in baseline.approval_rules.patch_rules
    ]
    assert found == list(rules)
    assert [(one.key, one.values) for one in baseline.global_filters.patch_filters] == [("PRODUCT", ("*",))]


@pytest.mark.parametrize("baseline", PREDEFINED, ids=lambda baseline: baseline.name)
def test_what_holds_for_all(baseline: Baseline) -> None:
    """ "All: ComplianceLevel UNSPECIFIED, no approved/rejected patches, ALLOW_AS_DEPENDENCY, no Sources"."""
    for rule in baseline.approval_rules.patch_rules:
        assert rule.compliance_level is ComplianceLevel.UNSPECIFIED
        assert rule.approve_until_date is None
        assert rule.enable_non_security is (baseline.operating_system is OperatingSystem.CENTOS)
    assert (baseline.approved_patches, baseline.rejected_patches, baseline.sources) == ((), (), ())
    assert baseline.approved_patches_compliance_level is ComplianceLevel.UNSPECIFIED
    assert baseline.rejected_patches_action is PatchAction.ALLOW_AS_DEPENDENCY
    assert not baseline.approved_patches_enable_non_security
    assert baseline.description is not None
    assert baseline.description.endswith("Provided by AWS.")
