"""Nodes whose reports fill the catalogue of patches, and what is imported into it."""

from typing import Any, Final

from tests.fakes.scans import SECURITY, facts_of, package, scan, update
from tests.fakes.site import VIEWER, Installation

OPENSSL_FACTS: Final = facts_of(
    [package("openssl"), package("bash", "5")], [update("openssl", "3", origin=SECURITY, priority="important")]
)
ROCKY: Final = {"PlatformType": "Linux", "PlatformName": "Rocky Linux", "PlatformVersion": "9.5"}
WINDOWS: Final = {
    "PlatformType": "Windows",
    "PlatformName": "Microsoft Windows Server 2022 Datacenter",
    "PlatformVersion": "10.0.20348",
}
ROCKY_FACTS: Final[dict[str, Any]] = {
    "schema": 2,
    "manager": "dnf",
    "os": {"id": "rocky", "name": "Rocky Linux", "versionId": "9.5", "arch": "x86_64"},
    "origins": [{"id": "baseos"}],
    "advisories": [
        {
            "id": "RLSA-2026:0101",
            "kind": "security",
            "severity": "Important",
            "issued": "2026-01-05",
            "cves": ["CVE-2026-0001"],
        }
    ],
    "packages": [
        {"name": "openssl", "arch": "x86_64", "version": "1:3.0.7-18.el9", "origins": []},
        {"name": "curl", "arch": "x86_64", "version": "7.76.1-31.el9", "origins": [0]},
    ],
    "updates": [
        {
            "name": "openssl",
            "arch": "x86_64",
            "installed": "1:3.0.7-18.el9",
            "candidate": "1:3.0.7-27.el9",
            "origins": [0],
            "advisories": [0],
        },
        {
            "name": "curl",
            "arch": "x86_64",
            "installed": "7.76.1-31.el9",
            "candidate": "7.76.1-32.el9",
            "origins": [0],
        },
    ],
    "reboot": {"required": False},
}
WINDOWS_FACTS: Final[dict[str, Any]] = {
    "schema": 2,
    "manager": "windows",
    "os": {"id": "windows", "name": WINDOWS["PlatformName"], "versionId": "10.0.20348", "arch": "AMD64"},
    "packages": [],
    "windowsUpdates": [
        {
            "title": "2026-03 Cumulative Update (KB5034123)",
            "kb": "KB5034123",
            "id": "6f1d1a7e-0000-4000-8000-000000000001",
            "state": "missing",
            "classification": "SecurityUpdates",
            "severity": "Critical",
            "product": "WindowsServer2022",
            "productFamily": "Windows",
            "released": "2026-03-10",
        }
    ],
    "reboot": {"required": False},
}
CURL: Final[dict[str, Any]] = {
    "Id": "RLSA-2026:0102",
    "Kind": "security",
    "Severity": "Moderate",
    "Issued": "2026-02-01",
    "Title": "curl security update",
    "CVEIds": ["CVE-2026-0002"],
    "Fixes": [
        {
            "OperatingSystem": "ROCKY_LINUX",
            "Product": "RockyLinux9",
            "Name": name,
            "Arch": "x86_64",
            "Version": "7.76.1-32.el9",
        }
        for name in ("curl", "libcurl")
    ],
}


def rocky(here: Installation) -> str:
    node = here.node(ping=ROCKY)
    scan(here, node, ROCKY_FACTS)
    return node


def titles(here: Installation, **filters: str) -> list[str]:
    wanted = [{"Key": key, "Values": [value]} for key, value in filters.items()]
    answer = here.perform("DescribeAvailablePatches", VIEWER, Filters=wanted)
    return [patch["Title"] for patch in answer["Patches"]]


def available(here: Installation, title: str) -> dict[str, Any]:
    answer = here.perform("DescribeAvailablePatches", VIEWER)
    (found,) = [patch for patch in answer["Patches"] if patch["Title"] == title]
    return dict(found)


def imported(here: Installation, *advisories: dict[str, Any], source: str = "updateinfo", **more: Any) -> Any:
    return here.perform("ImportAdvisories", Source=source, Advisories=list(advisories), **more)
