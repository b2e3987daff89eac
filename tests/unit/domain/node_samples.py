"""Facts of schema 2 as nodes of each system send them, small and made up."""

from typing import Any

from patchwindow.domain.facts import Facts
from patchwindow.domain.facts_reading import parse

Member = dict[str, Any]

SYSTEMS: dict[str, Member] = {
    "amazon2023": {"id": "amzn", "name": "Amazon Linux", "versionId": "2023", "arch": "x86_64"},
    "amazon2022": {"id": "amzn", "name": "Amazon Linux", "versionId": "2022", "arch": "x86_64"},
    "amazon1": {"id": "amzn", "name": "Amazon Linux AMI", "versionId": "2018.03", "arch": "x86_64"},
    "amazon2": {"id": "amzn", "name": "Amazon Linux", "versionId": "2", "arch": "x86_64"},
    "redhat": {"id": "rhel", "name": "Red Hat Enterprise Linux", "versionId": "9.5", "arch": "x86_64"},
    "rocky": {"id": "rocky", "name": "Rocky Linux", "versionId": "9.5", "arch": "x86_64"},
    "alma": {"id": "almalinux", "name": "AlmaLinux", "versionId": "9.5", "arch": "x86_64"},
    "oracle": {"id": "ol", "name": "Oracle Linux Server", "versionId": "9.5", "arch": "x86_64"},
    "centos": {"id": "centos", "name": "CentOS Stream", "versionId": "9", "arch": "x86_64"},
    "suse": {"id": "sles", "name": "SLES", "versionId": "15.6", "arch": "x86_64"},
    "debian": {"id": "debian", "name": "Debian GNU/Linux", "versionId": "12", "codename": "bookworm", "arch": "amd64"},
    "ubuntu": {"id": "ubuntu", "name": "Ubuntu", "versionId": "22.04", "codename": "jammy", "arch": "amd64"},
    "raspbian": {
        "id": "raspbian",
        "name": "Raspbian GNU/Linux",
        "versionId": "12",
        "codename": "bookworm",
        "arch": "armhf",
    },
    "macos": {"id": "macos", "name": "macOS", "versionId": "14.4", "arch": "arm64"},
    "windows": {
        "id": "windows",
        "name": "Microsoft Windows Server 2022 Datacenter",
        "versionId": "10.0.20348",
        "arch": "x86_64",
    },
}
MANAGERS = {
    "amazon1": "yum",
    "amazon2": "yum",
    "suse": "zypper",
    "debian": "apt",
    "ubuntu": "apt",
    "raspbian": "apt",
    "macos": "macos",
    "windows": "windows",
}


def notice(id: str, kind: str = "security", severity: str = "Critical", **more: Any) -> Member:
    """Return an advisory that was issued long ago, unless *more* says otherwise."""
    return {"id": id, "kind": kind, "severity": severity, "issued": "2026-01-05", **more}


def package(name: str, version: str, *advisories: int, arch: str = "x86_64", **more: Any) -> Member:
    return {"name": name, "arch": arch, "version": version, "advisories": list(advisories), **more}


def update(name: str, installed: str, candidate: str, *advisories: int, arch: str = "x86_64", **more: Any) -> Member:
    item = {"name": name, "arch": arch, "installed": installed, "candidate": candidate}
    return {**item, "advisories": list(advisories), **more}


def kb(
    number: int, state: str, classification: str = "SecurityUpdates", severity: str = "Critical", **more: Any
) -> Member:
    """Return a Windows update that was released long ago, unless *more* says otherwise."""
    return {
        "kb": f"KB{number}",
        "title": f"2026-01 Cumulative Update (KB{number})",
        "state": state,
        "classification": classification,
        "severity": severity,
        "product": "WindowsServer2022",
        "productFamily": "Windows",
        "released": "2026-01-13",
        **more,
    }


def node_data(system: str, **members: Any) -> Member:
    """Return the facts of a node as JSON has them."""
    return {
        "schema": 2,
        "manager": MANAGERS.get(system, "dnf"),
        "os": SYSTEMS[system],
        "packages": [],
        "updates": [],
        "reboot": {"required": False},
        **members,
    }


def node(system: str, **members: Any) -> Facts:
    """Return the facts of a node."""
    return parse(node_data(system, **members))
