"""The check vectors of patch management as a client reads them; `test_check_vectors.py` of the domain lists all."""

import dataclasses
import json
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fakes.api import MODELS, Api
from tests.fakes.scans import report_of, scan, send
from tests.fakes.site import Installation
from tests.unit.domain.node_samples import node_data, notice, package, update

from patchwindow.operations import reports
from patchwindow.operations.report_reading import read

SNAPSHOT: Final = "6f1d1a7e-0000-4000-8000-000000000001"
AMAZON: Final = {"PlatformType": "Linux", "PlatformName": "Amazon Linux", "PlatformVersion": "2023"}


def rule(level: str, severity: str) -> dict[str, Any]:
    filters = [{"Key": "CLASSIFICATION", "Values": ["*"]}, {"Key": "SEVERITY", "Values": [severity]}]
    return {"PatchFilterGroup": {"PatchFilters": filters}, "ComplianceLevel": level, "ApproveAfterDays": 0}


# Rule A has the level CRITICAL and approves what is Critical, rule B HIGH and what is Important.
RULES: Final = {"PatchRules": [rule("CRITICAL", "Critical"), rule("HIGH", "Important")]}
NOTICES: Final = [
    notice("ALAS2023-2025-001", "security", "Critical", issued="2025-01-05"),
    notice("ALAS2023-2025-002", "bugfix", "Critical", issued="2025-01-05"),
    notice("ALAS2023-2025-003", "security", "Important", issued="2025-01-05"),
    notice("ALAS2023-2025-004", "bugfix", "Important", issued="2025-01-05"),
    notice("ALAS2023-2025-005", "security", "Important", issued="2025-01-05"),
]
FACTS: Final = node_data(
    "amazon2023",
    advisories=NOTICES,
    packages=[package("p3", "1-2", 2), package("p5", "1-2", 4), package("p6", "1-1")],
    updates=[update("p1", "1-1", "1-2", 0), update("p2", "1-1", "1-2", 1), update("p4", "1-1", "1-2", 3)],
)


@pytest.fixture
def node(here: Installation, api: Api) -> str:
    """A node whose group has the two rules."""
    baseline = api("CreatePatchBaseline", Name="own", OperatingSystem="AMAZON_LINUX_2023", ApprovalRules=RULES)
    api("RegisterPatchBaselineForPatchGroup", BaselineId=baseline["BaselineId"], PatchGroup="web")
    return here.node(ping=AMAZON, tags={"Patch Group": "web"})


def wire(here: Installation, operation: str, member: str, **members: Any) -> list[dict[str, Any]]:
    """Return what the answer has on the wire, where AWS's own answers leave the model: states, empty owners."""
    answer: dict[str, Any] = json.loads(MODELS[operation].serialize(here.perform(operation, **members)))
    found: list[dict[str, Any]] = answer[member]
    return found


def patches(here: Installation, node: str) -> list[dict[str, Any]]:
    return wire(here, "DescribeInstancePatches", "Patches", InstanceId=node)


def install(here: Installation, node: str, facts: Any, **report: Any) -> None:
    """Let a node report what an installation without a reboot left."""
    id = send(here, node, SnapshotId=SNAPSHOT, RebootOption="NoReboot")
    with here.database.write() as work:
        command = work.commands.get(id)
        assert command is not None
        parameters = {**command.parameters, "Operation": ["Install"]}
        work.commands.put(dataclasses.replace(command, parameters=parameters), wake_at=None)
    with here.call("report") as call:
        reports.receive(call, id, node, read(report_of(here, facts, operation="Install", **report)))


def test_the_state_of_the_node_with_six_patches_is_as_documented(here: Installation, api: Api, node: str) -> None:
    failed = {"p2.x86_64:0:1-2": "scriptlet failed"}
    install(here, node, FACTS, failed=failed, pendingReboot=["p3.x86_64:0:1-2"])
    baseline = api("GetPatchBaselineForPatchGroup", PatchGroup="web", OperatingSystem="AMAZON_LINUX_2023")
    (state,) = wire(here, "DescribeInstancePatchStates", "InstancePatchStates", InstanceIds=[node])
    ended_at = here.clock.now().timestamp()
    assert state == {
        "InstanceId": node,
        "PatchGroup": "web",
        "BaselineId": baseline["BaselineId"],
        "SnapshotId": SNAPSHOT,
        "OwnerInformation": "",
        "InstalledCount": 1,
        "InstalledOtherCount": 1,
        "InstalledPendingRebootCount": 1,
        "InstalledRejectedCount": 0,
        "MissingCount": 2,
        "FailedCount": 1,
        "UnreportedNotApplicableCount": 0,
        "NotApplicableCount": 0,
        "AvailableSecurityUpdateCount": 0,
        "OperationStartTime": pytest.approx(ended_at - 1.75),
        "OperationEndTime": pytest.approx(ended_at),
        "Operation": "Install",
        "RebootOption": "NoReboot",
        "LastNoRebootInstallOperationTime": pytest.approx(ended_at),
        "CriticalNonCompliantCount": 2,
        "SecurityNonCompliantCount": 2,
        "OtherNonCompliantCount": 1,
    }
    (summary,) = api("ListResourceComplianceSummaries")["ResourceComplianceSummaryItems"]
    assert (summary["Status"], summary["OverallSeverity"]) == ("NON_COMPLIANT", "CRITICAL")
    group = api("DescribePatchGroupState", PatchGroup="web")
    ones = {name for name, count in group.items() if count == 1}
    assert {
        f"InstancesWith{name}Patches" for name in ("Installed", "Missing", "Failed", "SecurityNonCompliant")
    } <= ones
    assert group["InstancesWithInstalledRejectedPatches"] == 0
    assert {one["KBId"].removesuffix(".x86_64"): one["State"] for one in patches(here, node)} == {
        "p1": "Missing",
        "p2": "Failed",
        "p3": "InstalledPendingReboot",
        "p4": "Missing",
        "p5": "Installed",
        "p6": "InstalledOther",
    }


def test_a_missing_patch_is_written_as_documented(here: Installation, node: str) -> None:
    cves = ["CVE-2026-0001", "CVE-2026-0002"]
    facts = node_data(
        "amazon2023",
        advisories=[notice("ALAS2023-2025-123", severity="Important", issued="2025-01-05", cves=cves)],
        updates=[update("openssl", "1:3.0.7-1.amzn2023", "1:3.0.8-1.amzn2023", 0)],
    )
    scan(here, node, facts)
    assert patches(here, node) == [
        {
            "Title": "openssl.x86_64:1:3.0.8-1.amzn2023",
            "KBId": "openssl.x86_64",
            "Classification": "Security",
            "Severity": "Important",
            "State": "Missing",
            "InstalledTime": 0.0,
            "CVEIds": "CVE-2026-0001,CVE-2026-0002",
        }
    ]


def test_what_is_not_yet_approved_is_not_reported_as_missing(here: Installation, api: Api, node: str) -> None:
    own = {**rule("CRITICAL", "Critical"), "ApproveAfterDays": 7}
    baseline = api("GetPatchBaselineForPatchGroup", PatchGroup="web", OperatingSystem="AMAZON_LINUX_2023")["BaselineId"]
    api("UpdatePatchBaseline", BaselineId=baseline, ApprovalRules={"PatchRules": [own]})

    def missing(days: int) -> list[str]:
        issued = str((here.clock.now() - timedelta(days=days)).date())
        facts = node_data(
            "amazon2023",
            advisories=[notice("ALAS2023-2025-123", issued=issued)],
            updates=[update("openssl", "3-1", "3-2", 0)],
        )
        scan(here, node, facts)
        return [one["State"] for one in patches(here, node)]

    assert (missing(7), missing(6)) == (["Missing"], [])
