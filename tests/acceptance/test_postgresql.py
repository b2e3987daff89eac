"""The same on PostgreSQL, with two servers on one database: either answers, and a window opens once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.databases import empty_url
from tests.fakes.machine import INSTALLED, SECURITY, Machine
from tests.fakes.server import Plane, ServerProcess, all_pages, register, running_agent, until

GROUP = "Web Server"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers on one database, and a node whose agent speaks to the first."""

    first: Plane
    second: Plane
    node_id: str


@pytest.fixture(scope="module")
def pair(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Start both at once, so that they meet over the tables too."""
    folder = tmp_path_factory.mktemp("pair")
    with ExitStack() as stack:
        url = stack.enter_context(empty_url("postgresql", folder))
        servers = [ServerProcess(folder / name, "--database-url", url) for name in ("a", "b")]
        for server in servers:
            stack.push(server)
        with ThreadPoolExecutor() as threads:
            list(threads.map(ServerProcess.start, servers))
        first, second = (Plane(server, folder) for server in servers)
        activation = second.activation(Tags=[{"Key": "Patch Group", "Value": GROUP}])
        node_id = register(first, activation, machine.home / "agent", machine.environ)
        stack.enter_context(running_agent(first, machine.home / "agent", machine.environ))
        yield Pair(first, second, node_id)
    for server in servers:
        assert "Traceback" not in server.log.read_text()


def scan(client: Any, node_id: str) -> str:
    """Scan the node to the end, and return the id of the command."""
    id = client.send_command(
        DocumentName="AWS-RunPatchBaseline", InstanceIds=[node_id], Parameters={"Operation": ["Scan"]}
    )["Command"]["CommandId"]
    client.get_waiter("command_executed").wait(
        CommandId=id, InstanceId=node_id, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100}
    )
    return str(id)


def test_what_one_server_was_told_the_other_one_knows(pair: Pair) -> None:
    id = pair.first.client.create_patch_baseline(Name="shared", OperatingSystem="DEBIAN")["BaselineId"]
    assert pair.second.client.get_patch_baseline(BaselineId=id)["Name"] == "shared"
    # A key that one server's database was given signs for both.
    assert pair.second.connect(pair.first.key).describe_activations()["ActivationList"]
    page = pair.first.client.describe_patch_baselines(MaxResults=1)
    rest = pair.second.client.describe_patch_baselines(MaxResults=1, NextToken=page["NextToken"])
    assert rest["BaselineIdentities"] != page["BaselineIdentities"]


def test_a_scan_that_is_sent_through_either_server_runs_on_the_node(pair: Pair) -> None:
    for plane in (pair.first, pair.second):
        command_id = scan(plane.client, pair.node_id)
        titles = {
            patch["Title"]: patch["State"]
            for patch in all_pages(plane.client, "describe_instance_patches", "Patches", InstanceId=pair.node_id)
        }
        assert {title for title, state in titles.items() if state == "Missing"} == SECURITY.keys()
        assert titles.keys() == INSTALLED | SECURITY.keys()
        (resource,) = plane.client.list_resource_compliance_summaries()["ResourceComplianceSummaryItems"]
        assert (resource["Status"], resource["ExecutionSummary"]["ExecutionId"]) == ("NON_COMPLIANT", command_id)


def test_a_window_opens_once_however_many_servers_watch_it(pair: Pair, tmp_path: Path) -> None:
    client = pair.first.client
    opens_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    counted = tmp_path / "counted"
    windows = []
    for number in range(5):
        window_id = client.create_maintenance_window(
            Name=f"once-{number}",
            Schedule=f"at({opens_at:%Y-%m-%dT%H:%M:%S})",
            Duration=1,
            Cutoff=0,
            AllowUnassociatedTargets=True,
        )["WindowId"]
        client.register_task_with_maintenance_window(
            WindowId=window_id,
            TaskType="RUN_COMMAND",
            TaskArn="AWS-RunShellScript",
            Targets=[{"Key": "InstanceIds", "Values": [pair.node_id]}],
            MaxConcurrency="1",
            MaxErrors="0",
            TaskInvocationParameters={"RunCommand": {"Parameters": {"commands": [f"echo {number} >> {counted}"]}}},
        )
        windows.append(window_id)

    def ended(window_id: str) -> Any:
        found = pair.second.client.describe_maintenance_window_executions(WindowId=window_id)["WindowExecutions"]
        return found if found and all("EndTime" in one for one in found) else None

    for window_id in windows:
        (execution,) = until(partial(ended, window_id), "the end of an execution")
        assert execution["Status"] == "SUCCESS"
        assert timedelta(0) <= execution["StartTime"] - opens_at <= timedelta(seconds=1)
    assert sorted(counted.read_text().split()) == ["0", "1", "2", "3", "4"]


@pytest.mark.slow
def test_the_other_server_goes_on_when_one_is_killed(pair: Pair) -> None:
    pair.second.server.kill()
    scan(pair.first.client, pair.node_id)
    pair.second.server.start()
    assert pair.second.client.describe_instance_patch_states(InstanceIds=[pair.node_id])["InstancePatchStates"]


def test_either_server_explains_a_patch_and_counts_its_nodes(pair: Pair) -> None:
    scan(pair.first.client, pair.node_id)
    for plane in (pair.first, pair.second):
        own = plane.connect(plane.key, service="patchwindow")
        answer = own.explain_patch(InstanceId=pair.node_id, Patch="toy-kernel")
        assert [one["State"] for one in answer["Patches"]] == ["Missing", "InstalledOther"]
        missing = [{"Key": "State", "Values": ["Missing"]}]
        patches = all_pages(own, "list_patches", "Patches", Filters=missing)
        assert {patch["Title"]: patch["StateCounts"] for patch in patches} == {
            title: {"Missing": 1} for title in SECURITY
        }
        assert own.list_patches(Filters=[{"Key": "KnownExploited", "Values": ["true"]}])["Patches"] == []
        assert len(own.list_patches(Filters=[{"Key": "MaxAgeDays", "Values": ["1"]}], MaxResults=3)["Patches"]) == 3
        (instance,) = own.list_patch_instances(Title=patches[0]["Title"])["Instances"]
        assert instance == {"InstanceId": pair.node_id, "State": "Missing"}
        assert own.get_node_compliance(InstanceId=pair.node_id)["State"] == "Missing"
