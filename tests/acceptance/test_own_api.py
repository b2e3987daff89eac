"""The server's own operations, after a real scan of a toy apt root: with boto3, the AWS CLI and our command line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.commandline import Shell, environment, write_credentials
from tests.fakes.machine import INSTALLED, SECURITY, Machine
from tests.fakes.server import MODELS, Plane, all_pages, register, running_agent, until

from patchwindow.store.settings import Role

GROUP: Final = "Database Server"
WINDOW: Final[dict[str, Any]] = {
    "Name": "third-thursday",
    "Schedule": "cron(0 23 ? * THU#3 *)",
    "Duration": 6,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
}


@dataclass(frozen=True, slots=True)
class Scanned:
    """A node that was scanned, and clients of both services."""

    ssm: Any
    own: Any
    id: str

    def explained(self, patch: str) -> dict[str, Any]:
        """Return the answer of ExplainPatch."""
        answer: dict[str, Any] = self.own.explain_patch(InstanceId=self.id, Patch=patch)
        return answer


@pytest.fixture(scope="module")
def node(plane: Plane, machine: Machine) -> Iterator[Scanned]:
    """A node whose agent has scanned it, in the group of a baseline for security updates and a window."""
    ssm = plane.client
    rules = {
        "PatchRules": [
            {
                "PatchFilterGroup": {"PatchFilters": [{"Key": "SECTION", "Values": ["misc"]}]},
                "ComplianceLevel": "HIGH",
            }
        ]
    }
    baseline = ssm.create_patch_baseline(
        Name="security", OperatingSystem="DEBIAN", ApprovalRules=rules, RejectedPatches=["toy-held"]
    )["BaselineId"]
    ssm.register_patch_baseline_for_patch_group(BaselineId=baseline, PatchGroup=GROUP)
    window = ssm.create_maintenance_window(**WINDOW)["WindowId"]
    targets = [{"Key": "tag:Patch Group", "Values": [GROUP]}]
    target = ssm.register_target_with_maintenance_window(WindowId=window, ResourceType="INSTANCE", Targets=targets)
    ssm.register_task_with_maintenance_window(
        WindowId=window,
        Targets=[{"Key": "WindowTargetIds", "Values": [target["WindowTargetId"]]}],
        TaskArn="AWS-RunPatchBaseline",
        TaskType="RUN_COMMAND",
        MaxConcurrency="1",
        MaxErrors="1",
        TaskInvocationParameters={"RunCommand": {"Parameters": {"Operation": ["Install"]}}},
    )
    activation = plane.activation(Tags=[{"Key": "Patch Group", "Value": GROUP}])
    state = machine.home / "agent"
    node_id = register(plane, activation, state, machine.environ)
    with running_agent(plane, state, machine.environ):
        command = ssm.send_command(
            DocumentName="AWS-RunPatchBaseline", InstanceIds=[node_id], Parameters={"Operation": ["Scan"]}
        )["Command"]["CommandId"]
        ssm.get_waiter("command_executed").wait(
            CommandId=command, InstanceId=node_id, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100}
        )
        yield Scanned(ssm, plane.connect(plane.key, service="patchwindow"), node_id)


def test_a_missing_patch_is_explained_to_boto3(node: Scanned) -> None:
    answer = node.explained("toy-base")
    assert [(one["Title"], one["State"]) for one in answer["Patches"]] == [
        ("toy-base.all:1.0+deb99u1", "Missing"),
        ("toy-base.all:1.0", "InstalledOther"),
    ]
    decision = answer["Patches"][0]["Decision"]
    assert (decision["Status"], decision["RuleNumber"], decision["ComplianceLevel"]) == ("APPROVED", 1, "HIGH")
    assert {one["Key"]: one["Value"] for one in decision["Compared"]} == {"SECTION": "misc", "SECURITY": "true"}
    assert answer["Patches"][0]["Source"] == "Debian-Security toy-security"
    assert (answer["Baseline"]["Name"], answer["Baseline"]["Reason"]) == ("security", "PATCH_GROUP")
    opens_at = answer["Patches"][0]["NextInstall"]["OpensAt"]
    assert opens_at > datetime.now(UTC)
    assert (opens_at.isoweekday(), opens_at.hour, (opens_at.day - 1) // 7) == (4, 23, 2)


def test_every_patch_is_explained_as_systems_manager_shows_it(node: Scanned) -> None:
    shown = {
        patch["Title"]: patch["State"]
        for patch in all_pages(node.ssm, "describe_instance_patches", "Patches", InstanceId=node.id)
    }
    assert shown.keys() > INSTALLED
    for title, state in shown.items():
        (one,) = node.explained(title)["Patches"]
        assert (one["Title"], one["State"]) == (title, state)


@pytest.mark.parametrize(
    ("patch", "status", "nearest"),
    [
        ("toy-kernel.all:6.1.2", "NOT_MATCHED", ["SECTION"]),
        ("toy-epoch.all:1:0.9", "NOT_MATCHED", ["SECURITY"]),
        ("toy-held.all:1.1", "EXPLICIT_REJECTED", ["REJECTED_PATCHES"]),
    ],
)
def test_what_is_not_approved_is_told_with_what_would_have_to_differ(
    node: Scanned, patch: str, status: str, nearest: list[str]
) -> None:
    (one,) = node.explained(patch)["Patches"]
    assert (one["State"], one["Decision"]["Status"]) == ("NotApproved", status)
    assert [each["Key"] for each in one["Decision"]["NearestMiss"]] == nearest
    assert "NextInstall" not in one


def test_an_unknown_patch_is_a_typed_refusal_with_what_is_near(node: Scanned) -> None:
    with pytest.raises(node.own.exceptions.DoesNotExistException, match="near it in name: toy-kernel"):
        node.explained("toy-kernal")
    with pytest.raises(node.own.exceptions.InvalidInstanceId):
        node.own.explain_patch(InstanceId="mi-00000000000000000", Patch="toy-base")


def test_a_changed_baseline_changes_the_explanation_without_a_scan(node: Scanned) -> None:
    before = node.explained("toy-grows.all:1.1")
    baseline_id, version = before["Baseline"]["BaselineId"], before["Baseline"]["Version"]
    everything = {
        "ApprovedPatches": ["toy-grows"],
        "ApprovedPatchesEnableNonSecurity": True,
        "ApprovedPatchesComplianceLevel": "LOW",
    }
    node.ssm.update_patch_baseline(BaselineId=baseline_id, **everything)

    def changed() -> dict[str, Any] | None:
        answer = node.explained("toy-grows.all:1.1")
        return answer if answer["Baseline"]["Version"] > version else None

    after = until(changed, "the evaluation by the changed baseline")
    (one,) = after["Patches"]
    assert (one["State"], one["Decision"]["Status"]) == ("Missing", "EXPLICIT_APPROVED")
    assert one["Decision"]["ApprovedEntries"] == ["toy-grows"]
    assert after["Evaluation"]["FactsAt"] == before["Evaluation"]["FactsAt"]
    assert after["Evaluation"]["EvaluatedAt"] > before["Evaluation"]["EvaluatedAt"]


def test_the_patches_of_the_fleet_come_by_the_sdks_paginator(node: Scanned) -> None:
    sizes = {"PaginationConfig": {"PageSize": 5}}
    patches = all_pages(node.own, "list_patches", "Patches", **sizes)
    titles = [patch["Title"] for patch in patches]
    assert titles == sorted(titles)
    assert set(titles) >= INSTALLED | SECURITY.keys()
    security = [{"Key": "Classification", "Values": ["Security"]}]
    assert {patch["Title"] for patch in all_pages(node.own, "list_patches", "Patches", Filters=security)} == (
        SECURITY.keys()
    )
    assert all_pages(node.own, "list_patch_instances", "Instances", Title="toy-base.all:1.0") == [
        {"InstanceId": node.id, "State": "InstalledOther"}
    ]


def test_a_patch_is_found_by_a_cve_that_only_a_feed_knows(node: Scanned, plane: Plane) -> None:
    fix = {"OperatingSystem": "DEBIAN", "Name": "toy-base", "Version": "1.0+deb99u1", "Extent": "SINCE"}
    node.own.import_advisories(
        Source="toy tracker",
        Advisories=[{"Id": "DSA-9999", "Issued": "2026-03-01", "CVEIds": ["CVE-2026-1001"], "Fixes": [fix]}],
        Cves=[{"CVEId": "CVE-2026-1001", "IsKnownExploited": True, "DueOn": "2026-03-22"}],
    )
    (one,) = node.explained("CVE-2026-1001")["Patches"]
    assert (one["Title"], one["State"], one["DueOn"]) == ("toy-base.all:1.0+deb99u1", "Missing", "2026-03-22")
    exploited = [{"Key": "KnownExploited", "Values": ["true"]}]
    assert [patch["Title"] for patch in all_pages(node.own, "list_patches", "Patches", Filters=exploited)] == [
        "toy-base.all:1.0+deb99u1"
    ]
    shown = plane.shell().patchwindow("patches", "list", "--known-exploited").out.splitlines()
    assert [line.split()[-1] for line in shown] == ["PATCH", "toy-base.all:1.0+deb99u1"]


def test_the_fleet_the_node_and_its_history_agree(node: Scanned) -> None:
    fleet = node.own.get_fleet_compliance(GroupBy=["PatchGroup"])
    assert fleet["Counts"]["Missing"] == fleet["Counts"]["Total"] == 1
    assert fleet["Groups"][0]["PatchGroup"] == GROUP
    one = node.own.get_node_compliance(InstanceId=node.id)
    assert (one["State"], one["Status"]) == ("Missing", "NON_COMPLIANT")
    (scan,) = node.own.get_compliance_history(InstanceId=node.id)["Scans"]
    assert scan["Time"] == one["FactsTime"]


def test_the_aws_cli_asks_once_the_model_is_added(node: Scanned, plane: Plane, tmp_path: Path) -> None:
    model = Path(str(MODELS)) / "patchwindow" / "2026-11-01" / "service-2.json"
    credentials = write_credentials(tmp_path / "credentials", plane.key.access_key_id, plane.key.secret_access_key)
    where = {"AWS_ENDPOINT_URL": plane.url, "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    shell = Shell(environment(tmp_path, where))
    shell.aws("add-model", "--service-name", "patchwindow", "--service-model", f"file://{model}", service="configure")
    answer = shell.aws("explain-patch", "--instance-id", node.id, "--patch", "toy-base", service="patchwindow")
    assert answer["Patches"][0]["Title"] == "toy-base.all:1.0+deb99u1"
    refused = shell.aws_refuses("explain-patch", "--instance-id", node.id, "--patch", "nothing", service="patchwindow")
    assert "(DoesNotExistException)" in refused


def test_a_viewer_may_ask(node: Scanned, plane: Plane) -> None:
    viewer = plane.connect(plane.server.key(Role.VIEWER), service="patchwindow")
    assert viewer.explain_patch(InstanceId=node.id, Patch="toy-base")["MatchCount"] == 2
    assert viewer.list_patches(MaxResults=1)["Patches"]


def test_our_command_line_says_it_in_a_few_lines(node: Scanned, plane: Plane) -> None:
    shell = plane.shell()
    said = shell.patchwindow("explain", node.id, "toy-kernel").out.splitlines()
    assert said[:3] == [
        f"toy-kernel.all:6.1.2 is offered to {node.id}, and its baseline does not approve it",
        "  rule 1 misses it: SECTION is kernel, not misc",
        "  it would be approved if its SECTION were misc, not kernel",
    ]
    assert len(said) < 12
    told = json.loads(shell.patchwindow("explain", node.id, "toy-kernel", "--json").out)
    assert told["Patches"][0]["Decision"]["NearestMiss"] == [{"Key": "SECTION", "Value": "kernel", "Wanted": ["misc"]}]
