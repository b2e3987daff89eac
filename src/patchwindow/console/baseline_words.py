"""Patch baselines in words."""

from collections.abc import Mapping
from typing import Any, Final

from patchwindow.console.edits import words
from patchwindow.domain.approval_date import DATELESS
from patchwindow.domain.filter_values import ANY
from patchwindow.domain.operating_system import FAMILIES, OperatingSystem

SYSTEM_NAMES: Final[Mapping[str, str]] = {
    "WINDOWS": "Windows",
    "AMAZON_LINUX": "Amazon Linux",
    "AMAZON_LINUX_2": "Amazon Linux 2",
    "AMAZON_LINUX_2022": "Amazon Linux 2022",
    "AMAZON_LINUX_2023": "Amazon Linux 2023",
    "UBUNTU": "Ubuntu",
    "REDHAT_ENTERPRISE_LINUX": "Red Hat Enterprise Linux",
    "SUSE": "SUSE Linux Enterprise",
    "CENTOS": "CentOS",
    "ORACLE_LINUX": "Oracle Linux",
    "DEBIAN": "Debian",
    "MACOS": "macOS",
    "RASPBIAN": "Raspberry Pi OS",
    "ROCKY_LINUX": "Rocky Linux",
    "ALMA_LINUX": "AlmaLinux",
}


def told(baseline: Mapping[str, Any]) -> dict[str, str]:
    """Return what GetPatchBaseline answers in words by label: all that UpdatePatchBaseline could change."""
    system = baseline["OperatingSystem"]
    rules = baseline.get("ApprovalRules", {}).get("PatchRules", ())
    return {
        "Name": words(baseline["Name"]),
        "Description": words(baseline.get("Description")),
        "Looks only at": filters_in_words(baseline.get("GlobalFilters", {})),
        **{f"Rule {number}": rule_in_words(rule, system) for number, rule in enumerate(rules, 1)},
        "Approved by name": words(list(baseline.get("ApprovedPatches", ()))),
        "Level of these": words(baseline.get("ApprovedPatchesComplianceLevel")),
        "Also what is not security": words(baseline.get("ApprovedPatchesEnableNonSecurity", False)),
        "Rejected by name": words(list(baseline.get("RejectedPatches", ()))),
        "Rejected as a dependency": words(baseline.get("RejectedPatchesAction")),
        "Sources": words(baseline.get("Sources")),
        "Available security updates": words(baseline.get("AvailableSecurityUpdatesComplianceStatus")),
    }


def rule_in_words(rule: Mapping[str, Any], system: str) -> str:
    """Return one approval rule as a sentence."""
    parts = [f"approves {filters_in_words(rule['PatchFilterGroup'])}", _when(rule, system)]
    if rule.get("EnableNonSecurity"):
        parts.append("also where it is no security update")
    level = rule.get("ComplianceLevel", "UNSPECIFIED")
    if level != "UNSPECIFIED":
        parts.append(f"missing counts as {level}")
    return ", ".join(filter(None, parts))


def filters_in_words(group: Mapping[str, Any]) -> str:
    """Return conditions that must all hold, in words."""
    asked = [
        f"{one['Key']} {' or '.join(one['Values'])}"
        for one in group.get("PatchFilters", ())
        if ANY not in one["Values"]
    ]
    return " and ".join(asked) or "every patch"


def _when(rule: Mapping[str, Any], system: str) -> str:
    until, days = rule.get("ApproveUntilDate"), rule.get("ApproveAfterDays")
    if until:
        return f"released until {until}"
    if days is None:
        return ""
    ignored = " (packages of apt have no date: it counts only with approval by first sight)"
    note = ignored if days and FAMILIES[OperatingSystem(system)] in DATELESS else ""
    return f"{days} {'day' if days == 1 else 'days'} after its release{note}" if days else "at once"
