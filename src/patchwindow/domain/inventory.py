"""Inventory types: what of a node can be asked for, under which names, and whether it is a number.

Source: run-command reference, §10. A type is either reported (PutInventory keeps what a node or a program says) or drawn
(each answer is made from what the server knows of the node, and nothing is kept).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Entry = Mapping[str, str]
"""One entry of a type: its attributes by name, all of them text."""

CUSTOM: Final = "Custom:"
COMPLIANCE_ITEM: Final = "AWS:ComplianceItem"
COMPLIANCE_SUMMARY: Final = "AWS:ComplianceSummary"
PATCH_COMPLIANCE: Final = "AWS:PatchCompliance"
PATCH_SUMMARY: Final = "AWS:PatchSummary"
INSTANCE_INFORMATION: Final = "AWS:InstanceInformation"
APPLICATION: Final = "AWS:Application"
TAG: Final = "AWS:Tag"

ATTRIBUTES_MAX: Final = 50
"""How many attributes a type can have."""

_CUSTOM_NAME: Final = re.compile(r"Custom:[A-Za-z0-9_\-][A-Za-z0-9_\-.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryType:
    """A type of inventory: its version, and its attributes in the order in which they are listed."""

    name: str
    version: str
    attributes: tuple[str, ...]
    numbers: frozenset[str] = frozenset()
    context: tuple[str, ...] = ()
    """Attributes that are the same for all entries, and are said once beside them."""
    is_drawn: bool = False

    @property
    def is_custom(self) -> bool:
        """Whether it is a type of the user's own."""
        return is_custom(self.name)


def is_custom(name: str) -> bool:
    """Return whether *name* is that of a type of the user's own."""
    return name.startswith(CUSTOM)


def is_custom_name(name: str) -> bool:
    """Return whether a type of the user's own may be called *name*."""
    return _CUSTOM_NAME.fullmatch(name) is not None


def version_key(version: str) -> tuple[int, ...]:
    """Return what orders versions such as `1.10`."""
    return tuple(map(int, version.split(".")))


_SEVERITIES: Final = ("Critical", "High", "Medium", "Low", "Informational", "Unspecified")
_SUMMARY_COUNTS: Final = tuple(f"{kind}{level}Count" for kind in ("Compliant", "NonCompliant") for level in _SEVERITIES)
_PATCH_COUNTS: Final = (
    "InstalledCount",
    "InstalledPendingRebootCount",
    "InstalledOtherCount",
    "InstalledRejectedCount",
    "NotApplicableCount",
    "UnreportedNotApplicableCount",
    "MissingCount",
    "FailedCount",
    "SecurityNonCompliantCount",
    "CriticalNonCompliantCount",
    "OtherNonCompliantCount",
)
_EXECUTION: Final = ("ExecutionId", "ExecutionType", "ExecutionTime")


def _reported(name: str, *attributes: str, version: str = "1.0", numbers: Sequence[str] = ()) -> InventoryType:
    return InventoryType(name=name, version=version, attributes=attributes, numbers=frozenset(numbers))


def _drawn(name: str, *attributes: str, numbers: Sequence[str] = (), context: Sequence[str] = ()) -> InventoryType:
    return InventoryType(
        name=name,
        version="1.0",
        attributes=attributes,
        numbers=frozenset(numbers),
        context=tuple(context),
        is_drawn=True,
    )


_ALL: Final = (
    _drawn(
        INSTANCE_INFORMATION,
        "AgentType",
        "AgentVersion",
        "ComputerName",
        "InstanceId",
        "IpAddress",
        "PlatformName",
        "PlatformType",
        "PlatformVersion",
        "ResourceType",
        "AgentStatus",
        "InstanceStatus",
    ),
    _reported(
        APPLICATION,
        "Name",
        "ApplicationType",
        "Publisher",
        "Version",
        "Release",
        "Epoch",
        "InstalledTime",
        "Architecture",
        "URL",
        "Summary",
        "PackageId",
        version="1.1",
    ),
    _drawn(
        PATCH_SUMMARY,
        "PatchGroup",
        "BaselineId",
        "SnapshotId",
        "OwnerInformation",
        *_PATCH_COUNTS,
        "OperationType",
        "OperationStartTime",
        "OperationEndTime",
        "InstallOverrideList",
        "RebootOption",
        "LastNoRebootInstallOperationTime",
        "ExecutionId",
        "NonCompliantSeverity",
        numbers=_PATCH_COUNTS,
    ),
    _drawn(PATCH_COMPLIANCE, "Title", "KBId", "Classification", "Severity", "State", "InstalledTime"),
    _drawn(
        COMPLIANCE_ITEM,
        "ComplianceType",
        *_EXECUTION,
        "Id",
        "Title",
        "Status",
        "Severity",
        "DocumentName",
        "DocumentVersion",
        "Classification",
        "PatchBaselineId",
        "PatchSeverity",
        "PatchState",
        "PatchGroup",
        "InstalledTime",
        "InstallOverrideList",
        "DetailedText",
        "DetailedLink",
        "CVEIds",
        context=("ComplianceType", *_EXECUTION),
    ),
    _drawn(
        COMPLIANCE_SUMMARY,
        "ComplianceType",
        "PatchGroup",
        "PatchBaselineId",
        "Status",
        "OverallSeverity",
        *_EXECUTION,
        *_SUMMARY_COUNTS,
        numbers=_SUMMARY_COUNTS,
    ),
    _drawn(TAG, "Key", "Value"),
    _reported(
        "AWS:AWSComponent", "Name", "ApplicationType", "Publisher", "Version", "InstalledTime", "Architecture", "URL"
    ),
    _reported("AWS:BillingInfo", "BillingProductId"),
    _reported(
        "AWS:File",
        "Name",
        "Size",
        "Description",
        "FileVersion",
        "InstalledDate",
        "ModificationTime",
        "LastAccessTime",
        "ProductName",
        "InstalledDir",
        "ProductLanguage",
        "CompanyName",
        "ProductVersion",
    ),
    _reported(
        "AWS:InstanceDetailedInformation",
        "CPUModel",
        "CPUCores",
        "CPUs",
        "CPUSpeedMHz",
        "CPUSockets",
        "CPUHyperThreadEnabled",
        "OSServicePack",
        numbers=("CPUCores", "CPUs", "CPUSpeedMHz", "CPUSockets"),
    ),
    _reported("AWS:Network", "Name", "SubnetMask", "Gateway", "DHCPServer", "DNSServer", "MacAddress", "IPV4", "IPV6"),
    _reported(
        "AWS:Process",
        "StartTime",
        "CommandLine",
        "User",
        "FileName",
        "FileVersion",
        "FileDescription",
        "FileSize",
        "CompanyName",
        "ProductName",
        "ProductVersion",
        "InstalledDate",
        "InstalledDir",
        "UsageId",
    ),
    _reported("AWS:ResourceGroup", "Name", "Arn"),
    _reported(
        "AWS:Service",
        "Name",
        "DisplayName",
        "ServiceType",
        "Status",
        "DependentServices",
        "ServicesDependedOn",
        "StartType",
    ),
    _reported("AWS:WindowsRegistry", "KeyPath", "ValueName", "ValueType", "Value"),
    _reported(
        "AWS:WindowsRole",
        "Name",
        "DisplayName",
        "Path",
        "FeatureType",
        "DependsOn",
        "Description",
        "Installed",
        "InstalledState",
        "SubFeatures",
        "ServerComponentDescriptor",
        "Parent",
    ),
    _reported("AWS:WindowsUpdate", "HotFixId", "Description", "InstalledTime", "InstalledBy"),
)

TYPES: Final[Mapping[str, InventoryType]] = {one.name: one for one in sorted(_ALL, key=lambda one: one.name)}
"""Every type that is not of the user's own, by name and in its order."""
