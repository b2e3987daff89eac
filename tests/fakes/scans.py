"""Scans of Debian nodes: what they find, and their way into an installation."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.fakes.site import Installation

from patchwindow.operations import reports
from patchwindow.operations.report_reading import read

Package = Mapping[str, Any]

MAIN: Final = 0
SECURITY: Final = 1
_ORIGINS: Final = tuple(
    {
        "origin": "Debian",
        "label": label,
        "suite": "oldstable",
        "codename": codename,
        "component": "main",
        "site": "mirror.example.net",
    }
    for label, codename in (("Debian", "bookworm"), ("Debian-Security", "bookworm-security"))
)


def package(name: str, version: str = "1", *, origin: int = MAIN, priority: str = "optional") -> Package:
    """Return an installed package that *origin* offers."""
    return {
        "name": name,
        "arch": "amd64",
        "version": version,
        "section": "utils",
        "priority": priority,
        "origins": [origin],
    }


def update(name: str, candidate: str = "2", *, origin: int = SECURITY, priority: str = "optional") -> Package:
    """Return a newer version that *origin* offers."""
    return {
        "name": name,
        "arch": "amd64",
        "installed": "1",
        "candidate": candidate,
        "section": "utils",
        "priority": priority,
        "size": 1000,
        "origins": [origin],
        "security": origin == SECURITY,
        "held": False,
    }


def facts_of(packages: Sequence[Package], updates: Sequence[Package] = (), *, name: str = "Debian GNU/Linux") -> Any:
    """Return the facts of a node."""
    return {
        "schema": 1,
        "manager": "apt",
        "os": {"id": "debian", "name": name, "versionId": "12", "codename": "bookworm", "arch": "amd64"},
        "origins": list(_ORIGINS),
        "packages": list(packages),
        "updates": list(updates),
        "held": [],
        "reboot": {"required": False, "reasons": []},
    }


def report_of(here: Installation, facts: Any, **more: Any) -> dict[str, Any]:
    """Return the report of a scan that ends now."""
    return report_at(here.clock.now().timestamp(), facts, **more)


def report_at(ended_s: float, facts: Any, **more: Any) -> dict[str, Any]:
    """Return the report of a scan that ends at that time, in seconds since 1970."""
    return {
        "schema": 1,
        "operation": "Scan",
        "startedAt": ended_s - 1.75,
        "endedAt": ended_s,
        "bootId": "boot",
        "lists": {"refreshed": True, "asOf": ended_s, "problem": None},
        "facts": facts,
        "installedAt": [0] * len(facts["packages"]),
        **more,
    }


def send(here: Installation, node: str, **parameters: str) -> str:
    """Send the patch document to a node, and return the id of the command."""
    given = {name: [value] for name, value in {"Operation": "Scan", **parameters}.items()}
    answer = here.perform("SendCommand", DocumentName="AWS-RunPatchBaseline", InstanceIds=[node], Parameters=given)
    command_id: str = answer["Command"]["CommandId"]
    return command_id


def scan(here: Installation, node: str, facts: Any, **report: Any) -> dict[str, Any]:
    """Let a node be scanned, and return the verdict."""
    command_id = send(here, node)
    with here.call("report") as call:
        return reports.receive(call, command_id, node, read(report_of(here, facts, **report)))
