"""The workflow from a baseline to compliance with the ordinary AWS CLI, which knows nothing but an endpoint and a key."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.fakes.commandline import Shell
from tests.fakes.machine import INSTALLED, SECURITY, Machine
from tests.fakes.server import Plane, register, running_agent

GROUP = "Web Server"
RULES = {
    "PatchRules": [
        {
            "PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]},
            "ComplianceLevel": "HIGH",
        }
    ]
}
TASK = {"RunCommand": {"Parameters": {"Operation": ["Scan"]}, "TimeoutSeconds": 600}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What the walk made, by the ids it was given."""

    shell: Shell
    baseline_id: str
    window_id: str
    target_id: str
    task_id: str
    node_id: str
    command_id: str


def plan(shell: Shell) -> dict[str, str]:
    """Make baseline, group, window, target and task."""
    baseline_id = shell.aws(
        *("create-patch-baseline", "--name", "debian-security", "--operating-system", "DEBIAN"),
        *("--description", "Security updates of Debian", "--approval-rules", json.dumps(RULES)),
    )["BaselineId"]
    shell.aws("register-default-patch-baseline", "--baseline-id", baseline_id)
    shell.aws("register-patch-baseline-for-patch-group", "--baseline-id", baseline_id, "--patch-group", GROUP)
    window_id = shell.aws(
        *("create-maintenance-window", "--name", "web-servers", "--schedule", "cron(0 23 ? * THU#1 *)"),
        *("--duration", "6", "--cutoff", "1", "--no-allow-unassociated-targets"),
    )["WindowId"]
    target_id = shell.aws(
        *("register-target-with-maintenance-window", "--window-id", window_id, "--resource-type", "INSTANCE"),
        *("--targets", f"Key=tag:Patch Group,Values={GROUP}", "--owner-information", "web team"),
    )["WindowTargetId"]
    task_id = shell.aws(
        *("register-task-with-maintenance-window", "--window-id", window_id, "--task-type", "RUN_COMMAND"),
        *("--task-arn", "AWS-RunPatchBaseline", "--targets", f"Key=WindowTargetIds,Values={target_id}"),
        *("--max-concurrency", "10%", "--max-errors", "5%", "--priority", "1", "--cutoff-behavior", "CANCEL_TASK"),
        *("--service-role-arn", "arn:aws:iam::123456789012:role/MaintenanceWindow"),
        *("--task-invocation-parameters", json.dumps(TASK)),
    )["WindowTaskId"]
    return {"baseline_id": baseline_id, "window_id": window_id, "target_id": target_id, "task_id": task_id}


@pytest.fixture(scope="module")
def walk(plane: Plane, machine: Machine) -> Iterator[Walk]:
    """Walk from the baseline to a scan that has ended."""
    shell = plane.shell()
    made = plan(shell)
    activation = shell.aws(
        *("create-activation", "--iam-role", "node", "--registration-limit", "1"),
        *("--default-instance-name", "web-1", "--tags", f"Key=Patch Group,Value={GROUP}"),
    )
    state = machine.home / "agent"
    node_id = register(plane, (activation["ActivationId"], activation["ActivationCode"]), state, machine.environ)
    with running_agent(plane, state, machine.environ):
        command_id = shell.aws(
            *("send-command", "--document-name", "AWS-RunPatchBaseline", "--parameters", "Operation=Scan"),
            *("--targets", f"Key=tag:Patch Group,Values={GROUP}", "--max-concurrency", "50%", "--max-errors", "1"),
        )["Command"]["CommandId"]
        shell.aws("wait", "command-executed", "--command-id", command_id, "--instance-id", node_id)
        yield Walk(shell=shell, node_id=node_id, command_id=command_id, **made)


def test_the_baseline_is_the_default_and_the_group_has_it(walk: Walk) -> None:
    default = walk.shell.aws("get-default-patch-baseline", "--operating-system", "DEBIAN")
    assert default == {"BaselineId": walk.baseline_id, "OperatingSystem": "DEBIAN"}
    baseline = walk.shell.aws("get-patch-baseline", "--baseline-id", walk.baseline_id)
    assert baseline["PatchGroups"] == [GROUP]
    assert baseline["ApprovalRules"]["PatchRules"][0]["ComplianceLevel"] == "HIGH"


def test_the_window_reads_back_with_its_next_opening(walk: Walk) -> None:
    window = walk.shell.aws("get-maintenance-window", "--window-id", walk.window_id)
    assert window["Enabled"] is True
    assert (window["Schedule"], window["Duration"], window["Cutoff"]) == ("cron(0 23 ? * THU#1 *)", 6, 1)
    assert window["NextExecutionTime"].endswith("T23:00Z")


def test_the_node_is_online_under_the_name_of_its_activation(walk: Walk) -> None:
    (node,) = walk.shell.aws("describe-instance-information")["InstanceInformationList"]
    assert (node["InstanceId"], node["Name"], node["PingStatus"]) == (walk.node_id, "web-1", "Online")
    assert node["PlatformType"] == "Linux"


def test_the_command_succeeded_and_tells_what_it_found(walk: Walk) -> None:
    (told,) = walk.shell.aws("list-command-invocations", "--command-id", walk.command_id, "--details")[
        "CommandInvocations"
    ]
    assert (told["InstanceId"], told["Status"], told["StatusDetails"]) == (walk.node_id, "Success", "Success")
    steps = {step["Name"]: step for step in told["CommandPlugins"]}
    assert steps["PatchLinux"]["ResponseCode"] == 0
    assert steps["PatchLinux"]["Output"].startswith(f"NON_COMPLIANT: {walk.node_id}\n")
    assert "skipped" in steps["PatchWindows"]["Output"]

    got = walk.shell.aws(
        *("get-command-invocation", "--command-id", walk.command_id, "--instance-id", walk.node_id),
        *("--plugin-name", "PatchLinux"),
    )
    assert (got["Status"], got["ResponseCode"], got["StandardErrorContent"]) == ("Success", 0, "")
    said = got["StandardOutputContent"].splitlines()
    assert said[1] == f"baseline: debian-security ({walk.baseline_id}), patch group {GROUP}"
    assert [line.split()[0] for line in said[said.index("missing:") + 1 :]] == sorted(SECURITY)
    assert all(line.endswith("from Debian-Security toy-security") for line in said[said.index("missing:") + 1 :])


def test_the_patch_state_counts_what_the_repository_holds(walk: Walk) -> None:
    (state,) = walk.shell.aws("describe-instance-patch-states", "--instance-ids", walk.node_id)["InstancePatchStates"]
    counts = {name: value for name, value in state.items() if name.endswith("Count") and value}
    assert counts == {
        "InstalledOtherCount": len(INSTALLED),
        "MissingCount": len(SECURITY),
        # None of them is of the level CRITICAL, and each is a security update.
        "SecurityNonCompliantCount": len(SECURITY),
    }
    assert (state["PatchGroup"], state["BaselineId"], state["Operation"]) == (GROUP, walk.baseline_id, "Scan")


def test_the_patches_are_those_of_the_repository(walk: Walk) -> None:
    patches = walk.shell.aws("describe-instance-patches", "--instance-id", walk.node_id)["Patches"]
    assert {patch["Title"] for patch in patches if patch["State"] == "InstalledOther"} == INSTALLED
    missing = walk.shell.aws(
        "describe-instance-patches", "--instance-id", walk.node_id, "--filters", "Key=State,Values=Missing"
    )["Patches"]
    assert {patch["Title"]: patch["Classification"] for patch in missing} == SECURITY
    assert {patch["Severity"] for patch in missing} == {"optional"}


def test_the_summaries_of_compliance_count_the_node_and_its_patches(walk: Walk) -> None:
    (summary,) = walk.shell.aws("list-compliance-summaries")["ComplianceSummaryItems"]
    assert summary["ComplianceType"] == "Patch"
    assert summary["CompliantSummary"]["CompliantCount"] == 0
    assert summary["NonCompliantSummary"]["NonCompliantCount"] == 1
    assert summary["NonCompliantSummary"]["SeveritySummary"]["HighCount"] == 1

    (resource,) = walk.shell.aws("list-resource-compliance-summaries")["ResourceComplianceSummaryItems"]
    assert (resource["ResourceId"], resource["Status"]) == (walk.node_id, "NON_COMPLIANT")
    assert resource["OverallSeverity"] == "HIGH"
    assert resource["NonCompliantSummary"]["NonCompliantCount"] == len(SECURITY)
    assert resource["ExecutionSummary"]["ExecutionId"] == walk.command_id


def test_an_error_reaches_the_user_of_the_aws_cli_with_its_code_and_reason(walk: Walk) -> None:
    refused = walk.shell.aws_refuses("delete-patch-baseline", "--baseline-id", walk.baseline_id)
    assert "(ResourceInUseException)" in refused
    assert GROUP in refused
