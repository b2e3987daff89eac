"""Which filters a baseline may have, by operating system, and their values.

Also the answer of DescribePatchProperties, so the order here is the order shown.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from patchwindow.domain.operating_system import OperatingSystem


class FilterKey(StrEnum):
    """The API's PatchFilterKey; baselines take few of them, DescribeAvailablePatches the others."""

    ARCH = "ARCH"
    ADVISORY_ID = "ADVISORY_ID"
    BUGZILLA_ID = "BUGZILLA_ID"
    PATCH_SET = "PATCH_SET"
    PRODUCT = "PRODUCT"
    PRODUCT_FAMILY = "PRODUCT_FAMILY"
    CLASSIFICATION = "CLASSIFICATION"
    CVE_ID = "CVE_ID"
    EPOCH = "EPOCH"
    MSRC_SEVERITY = "MSRC_SEVERITY"
    NAME = "NAME"
    PATCH_ID = "PATCH_ID"
    SECTION = "SECTION"
    PRIORITY = "PRIORITY"
    REPOSITORY = "REPOSITORY"
    RELEASE = "RELEASE"
    SEVERITY = "SEVERITY"
    SECURITY = "SECURITY"
    VERSION = "VERSION"


ANY: Final = "*"

# `None` is free text.
Values = tuple[str, ...] | None

_PACKAGE_CLASSES: Final = ("Security", "Bugfix", "Enhancement", "Recommended", "Newpackage")
_AMAZON_SEVERITIES: Final = ("Critical", "Important", "Medium", "Low")
# The documentation of these says Moderate in one place and Medium in another; both are taken and mean the same.
_REDHAT_SEVERITIES: Final = ("Critical", "Important", "Moderate", "Medium", "Low")
_VENDOR_SEVERITIES: Final = ("Critical", "Important", "Moderate", "Low")


def _rpm(classes: tuple[str, ...], severities: tuple[str, ...]) -> Mapping[FilterKey, Values]:
    return {FilterKey.PRODUCT: None, FilterKey.CLASSIFICATION: classes, FilterKey.SEVERITY: severities}


_WINDOWS: Final[Mapping[FilterKey, Values]] = {
    FilterKey.PATCH_SET: ("OS", "APPLICATION"),
    FilterKey.PRODUCT: None,
    FilterKey.PRODUCT_FAMILY: None,
    FilterKey.CLASSIFICATION: (
        "CriticalUpdates",
        "DefinitionUpdates",
        "Drivers",
        "FeaturePacks",
        "SecurityUpdates",
        "ServicePacks",
        "Tools",
        "UpdateRollups",
        "Updates",
        "Upgrades",
    ),
    FilterKey.MSRC_SEVERITY: ("Critical", "Important", "Moderate", "Low", "Unspecified"),
}
_APT: Final[Mapping[FilterKey, Values]] = {
    FilterKey.PRODUCT: None,
    FilterKey.PRIORITY: ("Required", "Important", "Standard", "Optional", "Extra"),
    FilterKey.SECTION: None,
}
_REDHAT: Final = _rpm(_PACKAGE_CLASSES, _REDHAT_SEVERITIES)
_AMAZON: Final = _rpm(_PACKAGE_CLASSES, _AMAZON_SEVERITIES)
_AMAZON_DNF: Final = _rpm(_PACKAGE_CLASSES, (*_AMAZON_SEVERITIES, "None"))

FILTERS: Final[Mapping[OperatingSystem, Mapping[FilterKey, Values]]] = {
    OperatingSystem.WINDOWS: _WINDOWS,
    OperatingSystem.AMAZON_LINUX: _AMAZON,
    OperatingSystem.AMAZON_LINUX_2: _AMAZON,
    OperatingSystem.AMAZON_LINUX_2022: _AMAZON_DNF,
    OperatingSystem.AMAZON_LINUX_2023: _AMAZON_DNF,
    OperatingSystem.UBUNTU: _APT,
    OperatingSystem.REDHAT_ENTERPRISE_LINUX: _REDHAT,
    OperatingSystem.SUSE: _rpm(
        ("Security", "Recommended", "Optional", "Feature", "Document", "Yast"), _VENDOR_SEVERITIES
    ),
    OperatingSystem.CENTOS: _REDHAT,
    OperatingSystem.ORACLE_LINUX: _rpm(("Security", "Bugfix", "Enhancement"), _VENDOR_SEVERITIES),
    OperatingSystem.DEBIAN: _APT,
    OperatingSystem.MACOS: {FilterKey.PRODUCT: None, FilterKey.CLASSIFICATION: _PACKAGE_CLASSES},
    OperatingSystem.RASPBIAN: _APT,
    OperatingSystem.ROCKY_LINUX: _REDHAT,
    OperatingSystem.ALMA_LINUX: _REDHAT,
}
