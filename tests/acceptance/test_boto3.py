"""The workflow from a baseline to compliance with boto3: its waiter, its paginators, its typed errors."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import WaiterError
from tests.fakes.machine import INSTALLED, SECURITY, Machine
from tests.fakes.server import Plane, all_pages, register, running_agent, until
from tests.rig.toy_apt import PENDING

GROUP = "Database Server"


@dataclass(frozen=True, slots=True)
class Node:
    """A node with a running agent, and the client that asks about it."""

    client: Any
    id: str


@pytest.fixture(scope="module")
def node(plane: Plane, machine: Machine) -> Iterator[Node]:
    """A node in the patch group, whose agent runs."""
    activation = plane.activation(Tags=[{"Key": "Patch Group", "Value": GROUP}])
    state = machine.home / "agent"
    node_id = register(plane, activation, state, machine.environ)
    with running_agent(plane, state, machine.environ):
        yield Node(plane.client, node_id)


def scan(node: Node) -> str:
    """Scan the node to the end, and return the id of the command."""
    command = node.client.send_command(
        DocumentName="AWS-RunPatchBaseline", InstanceIds=[node.id], Parameters={"Operation": ["Scan"]}
    )["Command"]
    wait(node, command["CommandId"])
    return str(command["CommandId"])


def run(node: Node, *lines: str) -> str:
    """Send a shell script, and return the id of the command."""
    return str(
        node.client.send_command(
            DocumentName="AWS-RunShellScript", InstanceIds=[node.id], Parameters={"commands": lines}
        )["Command"]["CommandId"]
    )


def wait(node: Node, command_id: str) -> None:
    """Wait as boto3's users do, only more often."""
    node.client.get_waiter("command_executed").wait(
        CommandId=command_id, InstanceId=node.id, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100}
    )


def missing(node: Node) -> set[str]:
    """Return the titles of the patches that the node misses."""
    only = [{"Key": "State", "Values": ["Missing"]}]
    found = all_pages(node.client, "describe_instance_patches", "Patches", InstanceId=node.id, Filters=only)
    return {patch["Title"] for patch in found}


def test_a_scan_finds_what_the_predefined_baseline_wants(node: Node) -> None:
    scan(node)
    found = all_pages(
        node.client, "describe_instance_patches", "Patches", InstanceId=node.id, PaginationConfig={"PageSize": 10}
    )
    assert [patch["Title"] for patch in found] == sorted(INSTALLED | SECURITY.keys())
    assert missing(node) == SECURITY.keys()


def test_another_baseline_for_the_group_makes_other_patches_missing(node: Node) -> None:
    every_update = {
        "PatchRules": [
            {
                "PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]},
                "ComplianceLevel": "MEDIUM",
                "EnableNonSecurity": True,
            }
        ]
    }
    baseline_id = node.client.create_patch_baseline(
        Name="every-update", OperatingSystem="DEBIAN", ApprovalRules=every_update, RejectedPatches=["toy-vendor"]
    )["BaselineId"]
    node.client.register_patch_baseline_for_patch_group(BaselineId=baseline_id, PatchGroup=GROUP)
    command_id = scan(node)

    assert {title.partition(".all:")[0] for title in missing(node)} == PENDING - {"toy-vendor"}
    items = all_pages(node.client, "list_compliance_items", "ComplianceItems", ResourceIds=[node.id])
    unfit = {item["Title"]: item for item in items if item["Status"] == "NON_COMPLIANT"}
    assert missing(node) <= unfit.keys()
    assert {unfit[title]["Severity"] for title in missing(node)} == {"MEDIUM"}
    assert {item["ExecutionSummary"]["ExecutionId"] for item in unfit.values()} == {command_id}
    (state,) = node.client.describe_instance_patch_states_for_patch_group(PatchGroup=GROUP)["InstancePatchStates"]
    assert (state["InstanceId"], state["MissingCount"]) == (node.id, len(PENDING) - 1)


def test_what_a_script_writes_comes_back_with_its_exit_code(node: Node) -> None:
    command_id = run(node, "echo one", "echo two >&2", "exit 7")
    with pytest.raises(WaiterError, match="Failed"):
        wait(node, command_id)
    told = node.client.get_command_invocation(CommandId=command_id, InstanceId=node.id)
    assert (told["Status"], told["ResponseCode"], told["StandardOutputContent"]) == ("Failed", 7, "one\n")
    assert told["StandardErrorContent"].startswith("two\n")


def test_a_running_command_is_cancelled(node: Node) -> None:
    command_id = run(node, "echo begun", "sleep 60", "echo never")

    def is_now(status: str) -> bool:
        invocation = node.client.get_command_invocation(CommandId=command_id, InstanceId=node.id)
        return bool(invocation["Status"] == status)

    until(lambda: is_now("InProgress"), "the beginning of the script")
    node.client.cancel_command(CommandId=command_id)
    until(lambda: is_now("Cancelled"), "the end of the script")
    told = node.client.get_command_invocation(CommandId=command_id, InstanceId=node.id)
    assert "never" not in told["StandardOutputContent"]
