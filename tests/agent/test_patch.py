"""The patch operation from the order to the verdict, against a server that keeps the report."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.agent.fake_server import FakeServer
from tests.rig.toy_apt import build_repository, make_root

from patchwindow_agent import operation_text, patch
from patchwindow_agent.errors import AgentError, Refused, Unusable

ORDER = {
    "schema": 1,
    "operation": "Scan",
    "rebootOption": "RebootIfNeeded",
    "commandId": "c-1",
    "nodeId": "mi-0123456789abcdef0",
}
VERDICT = {
    "nodeId": "mi-0123456789abcdef0",
    "status": "NON_COMPLIANT",
    "baselineId": "pb-0123456789abcdef0",
    "baselineName": "Careful",
    "patchGroup": "Web Server",
    "counts": {"Installed": 10, "InstalledOther": 300, "Missing": 2},
    "missing": [
        {
            "title": "openssl.amd64:3.0.16-1~deb12u1",
            "classification": "Security",
            "severity": "optional",
            "source": "Debian-Security bookworm-security",
        }
    ],
}
REPORT: dict[str, Any] = {"facts": {"reboot": {"reasons": []}}, "lists": {"problem": None, "asOf": 1_795_390_000}}


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt and dpkg")
def test_a_scan_is_reported_and_its_verdict_told(server: FakeServer, tmp_path: Path) -> None:
    root = make_root(build_repository(tmp_path / "repository"), tmp_path / "root")
    server.documents = {"/patch/x/order": (200, ORDER), "/patch/x/report": (200, VERDICT)}
    told = patch.run(f"{server.url}/patch/x", environ={**root.environ, "XDG_STATE_HOME": str(tmp_path / "state")})
    assert told.exit_code == 0
    assert told.text.splitlines()[:2] == [
        "NON_COMPLIANT: mi-0123456789abcdef0",
        "baseline: Careful (pb-0123456789abcdef0), patch group Web Server",
    ]
    assert [told["phase"] for told in server.progress] == ["Refreshing"], "what is refused is not said again at once"
    (report,) = server.reports
    assert set(report) == {
        "schema",
        "operation",
        "startedAt",
        "endedAt",
        "bootId",
        "lists",
        "facts",
        "installedAt",
        "pendingReboot",
    }
    assert report["startedAt"] < report["endedAt"]
    assert report["lists"]["refreshed"] is True
    assert report["facts"]["manager"] == "apt"
    assert len(report["installedAt"]) == len(report["facts"]["packages"])


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt and dpkg")
@pytest.mark.parametrize("option", ["RebootIfNeeded", "NoReboot"])
def test_an_installation_is_done_rebooted_after_if_it_may_be_reported_and_told(
    server: FakeServer, tmp_path: Path, option: str
) -> None:
    root = make_root(build_repository(tmp_path / "repository"), tmp_path / "root")
    title, version = "toy-base.all:1.0+deb99u1", "1.0+deb99u1"
    wanted = {"title": title, "name": "toy-base", "arch": "all", "version": version}
    server.documents = {
        "/x/order": (200, {**ORDER, "operation": "Install", "rebootOption": option}),
        "/x/plan": (200, {"schema": 1, "wanted": [wanted], "blocked": [], "failed": {}}),
        "/x/progress": (200, {}),
        "/x/report": (200, VERDICT),
    }
    environ = {**root.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    told = patch.run(f"{server.url}/x", environ=environ, boot_id=lambda: "boot-1")
    assert told.text.splitlines()[:2] == ["installed: 1", f"  {title}"]
    reboots = option == "RebootIfNeeded"
    if reboots:
        assert told.exit_code == 194
        assert len(server.reports) == 1, "there was a plan and no report before the reboot"
        told = patch.run(f"{server.url}/x", environ=environ, boot_id=lambda: "boot-2")
    assert told.exit_code == 0
    asked, report = server.reports
    assert set(asked) == {"schema", "facts"}
    versions = {package["name"]: package["version"] for package in report["facts"]["packages"]}
    assert versions["toy-base"] == version
    assert (report["bootId"], report["pendingReboot"]) == (("boot-2", []) if reboots else ("boot-1", [title]))
    phases = list(dict.fromkeys(one["phase"] for one in server.progress))
    assert (phases[:3], phases[-1]) == (["Repairing", "Refreshing", "Scanning"], "Verifying")
    assert ("Rebooting" in phases) == reboots


@pytest.mark.parametrize(
    ("documents", "kind", "message"),
    [
        ({}, Refused, r"refused the order: the URL is not valid \(HTTP 403\)"),
        (
            {"/x/order": (200, {**ORDER, "operation": "Remove"})},
            Unusable,
            "the order is to Remove; .* Scan and Install",
        ),
        ({"/x/order": (200, {**ORDER, "schema": 2})}, Unusable, "has schema 2; this patch operation reads schema 1"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_told(
    server: FakeServer, documents: dict[str, Any], kind: type[AgentError], message: str
) -> None:
    server.documents = documents
    with pytest.raises(kind, match=message):
        patch.run(f"{server.url}/x", environ={})
    assert not server.reports


def test_a_verdict_names_what_is_missing_and_its_source() -> None:
    assert operation_text.verdict_text(VERDICT, REPORT).splitlines() == [
        "NON_COMPLIANT: mi-0123456789abcdef0",
        "baseline: Careful (pb-0123456789abcdef0), patch group Web Server",
        "patches: 10 Installed, 300 InstalledOther, 2 Missing",
        "missing (the first 1):",
        "  openssl.amd64:3.0.16-1~deb12u1  Security  optional  from Debian-Security bookworm-security",
    ]


def test_a_verdict_says_how_old_unrefreshed_lists_are_and_why_a_reboot_is_due() -> None:
    report = {
        "facts": {"reboot": {"reasons": ["Packages ask for a reboot: dbus"]}},
        "lists": {"problem": "no rights", "asOf": 1_795_390_000},
    }
    verdict = {**VERDICT, "status": "COMPLIANT", "missing": [], "patchGroup": None}
    assert operation_text.verdict_text(verdict, report).splitlines()[1:] == [
        "baseline: Careful (pb-0123456789abcdef0)",
        "patches: 10 Installed, 300 InstalledOther, 2 Missing",
        "reboot: Packages ask for a reboot: dbus",
        "package lists: as of 2026-11-22 23:26 UTC, not refreshed: no rights",
    ]
