"""The patch baselines that every account has from the start, owned by AWS and changed by nobody.

The ids are those of us-east-1, except that of the two Windows baselines beside the default, which no published list
gives: those two have the right form and are ours.  Creation dates are not published and stay away.
"""

from typing import Final

from patchwindow.domain.baseline import Baseline, PatchFilter, PatchFilterGroup, PatchRule, PatchRuleGroup
from patchwindow.domain.filter_values import ANY, FilterKey
from patchwindow.domain.operating_system import OperatingSystem

OWNER_ACCOUNT: Final = "075727635805"

_EVERY_PRODUCT: Final = PatchFilterGroup(patch_filters=(PatchFilter(key=FilterKey.PRODUCT, values=(ANY,)),))


def _rule(days: int | None, *, enable_non_security: bool = False, **filters: tuple[str, ...]) -> PatchRule:
    group = PatchFilterGroup(
        patch_filters=tuple(PatchFilter(key=FilterKey(key), values=values) for key, values in filters.items())
    )
    return PatchRule(patch_filter_group=group, approve_after_days=days, enable_non_security=enable_non_security)


def _baseline(id: str, name: str, operating_system: OperatingSystem, description: str, *rules: PatchRule) -> Baseline:
    return Baseline(
        baseline_id=id,
        name=name,
        operating_system=operating_system,
        description=description,
        global_filters=_EVERY_PRODUCT,
        approval_rules=PatchRuleGroup(patch_rules=rules),
    )


_SEVERE_SECURITY: Final = _rule(7, CLASSIFICATION=("Security",), SEVERITY=("Critical", "Important"))
_BUGFIX: Final = _rule(7, CLASSIFICATION=("Bugfix",))
_PRIORITIES: Final = ("Required", "Important", "Standard", "Optional", "Extra")
_WINDOWS_CLASSES: Final = ("CriticalUpdates", "SecurityUpdates")
_WINDOWS_SEVERITIES: Final = ("Critical", "Important")

PREDEFINED: Final[tuple[Baseline, ...]] = (
    _baseline(
        "pb-0cb0c4966f86b059b",
        "AWS-AlmaLinuxDefaultPatchBaseline",
        OperatingSystem.ALMA_LINUX,
        "Default Patch Baseline for Alma Linux Provided by AWS.",
        _SEVERE_SECURITY,
        _BUGFIX,
    ),
    _baseline(
        "pb-0c10e657807c7a700",
        "AWS-AmazonLinuxDefaultPatchBaseline",
        OperatingSystem.AMAZON_LINUX,
        "Default Patch Baseline for Amazon Linux Provided by AWS.",
        _SEVERE_SECURITY,
        _BUGFIX,
    ),
    _baseline(
        "pb-0be8c61cde3be63f3",
        "AWS-AmazonLinux2DefaultPatchBaseline",
        OperatingSystem.AMAZON_LINUX_2,
        "Default Patch Baseline for Amazon Linux 2 Provided by AWS.",
        _SEVERE_SECURITY,
        _BUGFIX,
    ),
    _baseline(
        "pb-0028ca011460d5eaf",
        "AWS-AmazonLinux2022DefaultPatchBaseline",
        OperatingSystem.AMAZON_LINUX_2022,
        "Default Patch Baseline for Amazon Linux 2022 Provided by AWS.",
        _SEVERE_SECURITY,
        _BUGFIX,
    ),
    _baseline(
        "pb-05c9c9bf778d4c4d0",
        "AWS-AmazonLinux2023DefaultPatchBaseline",
        OperatingSystem.AMAZON_LINUX_2023,
        "Default Patch Baseline for Amazon Linux 2023 Provided by AWS.",
        _SEVERE_SECURITY,
        _BUGFIX,
    ),
    _baseline(
        "pb-03e3f588eec25344c",
        "AWS-CentOSDefaultPatchBaseline",
        OperatingSystem.CENTOS,
        "Default Patch Baseline for CentOS Provided by AWS.",
        _rule(7, enable_non_security=True, CLASSIFICATION=(ANY,)),
    ),
    _baseline(
        "pb-09a5f8eb62bde80b1",
        "AWS-DebianDefaultPatchBaseline",
        OperatingSystem.DEBIAN,
        "Default Patch Baseline for Debian Provided by AWS.",
        _rule(None, PRIORITY=_PRIORITIES),
    ),
    # Its "packages with a current update" are Homebrew's, which no filter can name.
    _baseline(
        "pb-0ee4f94581368c0d4",
        "AWS-MacOSDefaultPatchBaseline",
        OperatingSystem.MACOS,
        "Default Patch Baseline for MacOS Provided by AWS.",
        _rule(7, CLASSIFICATION=("Security",)),
    ),
    _baseline(
        "pb-06bff38e95fe85c02",
        "AWS-OracleLinuxDefaultPatchBaseline",
        OperatingSystem.ORACLE_LINUX,
        "Default Patch Baseline for Oracle Linux Server Provided by AWS.",
        _rule(7, CLASSIFICATION=("Security",), SEVERITY=("Important", "Moderate")),
        _BUGFIX,
    ),
    _baseline(
        "pb-0ec16280999c5c75e",
        "AWS-DefaultRaspbianPatchBaseline",
        OperatingSystem.RASPBIAN,
        "Default Patch Baseline for Raspbian Provided by AWS.",
        _rule(None, PRIORITY=_PRIORITIES),
    ),
    _baseline(
        "pb-0cbb3a633de00f07c",
        "AWS-RedHatDefaultPatchBaseline",
        OperatingSystem.REDHAT_ENTERPRISE_LINUX,
        "Default Patch Baseline for Redhat Enterprise Linux Provided by AWS.",
        _SEVERE_SECURITY,
        _BUGFIX,
    ),
    _baseline(
        "pb-03ec98bc512aa3ac0",
        "AWS-RockyLinuxDefaultPatchBaseline",
        OperatingSystem.ROCKY_LINUX,
        "Default Patch Baseline for Rocky Linux Provided by AWS.",
        _SEVERE_SECURITY,
        _BUGFIX,
    ),
    _baseline(
        "pb-07d8884178197b66b",
        "AWS-SuseDefaultPatchBaseline",
        OperatingSystem.SUSE,
        "Default Patch Baseline for Suse Provided by AWS.",
        _SEVERE_SECURITY,
    ),
    _baseline(
        "pb-0c7e89f711c3095f4",
        "AWS-UbuntuDefaultPatchBaseline",
        OperatingSystem.UBUNTU,
        "Default Patch Baseline for Ubuntu Provided by AWS.",
        _rule(7, PRIORITY=_PRIORITIES),
    ),
    _baseline(
        "pb-09ca3fb51f0412ec3",
        "AWS-DefaultPatchBaseline",
        OperatingSystem.WINDOWS,
        "Default Patch Baseline Provided by AWS.",
        _rule(7, CLASSIFICATION=_WINDOWS_CLASSES, MSRC_SEVERITY=_WINDOWS_SEVERITIES),
    ),
    _baseline(
        "pb-0d1f6a3c52b98e740",
        "AWS-WindowsPredefinedPatchBaseline-OS",
        OperatingSystem.WINDOWS,
        "Patch Baseline for the Windows operating system Provided by AWS.",
        _rule(7, CLASSIFICATION=_WINDOWS_CLASSES, MSRC_SEVERITY=_WINDOWS_SEVERITIES),
    ),
    _baseline(
        "pb-04e7b92d80c3f516a",
        "AWS-WindowsPredefinedPatchBaseline-OS-Applications",
        OperatingSystem.WINDOWS,
        "Patch Baseline for the Windows operating system and Microsoft applications Provided by AWS.",
        _rule(7, PATCH_SET=("OS",), CLASSIFICATION=_WINDOWS_CLASSES, MSRC_SEVERITY=_WINDOWS_SEVERITIES),
        _rule(7, PATCH_SET=("APPLICATION",), PRODUCT_FAMILY=(ANY,), PRODUCT=(ANY,)),
    ),
)

# The two others for Windows stand after the default one, so the first of each system is its default.
_DEFAULTS: Final[dict[OperatingSystem, Baseline]] = {
    baseline.operating_system: baseline for baseline in reversed(PREDEFINED)
}


def default_for(operating_system: OperatingSystem) -> Baseline:
    """Return the baseline that is the default until another is registered as such."""
    return _DEFAULTS[operating_system]


def arn(baseline_id: str, region: str) -> str:
    """Return the form in which the API gives the id of a predefined baseline."""
    return f"arn:aws:ssm:{region}:{OWNER_ACCOUNT}:patchbaseline/{baseline_id}"
