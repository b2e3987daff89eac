"""Maintenance windows that open while a test waits, on a node whose agent runs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.machine import SECURITY, Machine
from tests.fakes.server import Plane, all_pages, register, running_agent, until

ROLE = [{"Key": "tag:Role", "Values": ["web"]}]
LATE_MAX = timedelta(seconds=1)


@pytest.fixture(scope="module")
def node_id(plane: Plane, machine: Machine) -> Iterator[str]:
    """A node with the tag Role=web, whose agent runs."""
    state = machine.home / "agent"
    node_id = register(plane, plane.activation(Tags=[{"Key": "Role", "Value": "web"}]), state, machine.environ)
    with running_agent(plane, state, machine.environ):
        yield node_id


def cron(opens_at: datetime) -> str:
    """Return a schedule that opens every day at this time, to the second."""
    return f"cron({opens_at:%S %M %H} ? * * *)"


def at(opens_at: datetime) -> str:
    """Return a schedule that opens once."""
    return f"at({opens_at:%Y-%m-%dT%H:%M:%S})"


def window(client: Any, name: str, schedule: str, *targets: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """Create a window with *targets*, and return the ids of both."""
    id = client.create_maintenance_window(
        Name=name, Schedule=schedule, Duration=1, Cutoff=0, AllowUnassociatedTargets=False
    )["WindowId"]
    targets_of_it = [
        client.register_target_with_maintenance_window(
            WindowId=id, ResourceType="INSTANCE", Targets=target, OwnerInformation="web team"
        )["WindowTargetId"]
        for target in targets
    ]
    return id, targets_of_it


def task(client: Any, window_id: str, target_ids: list[str], document: str, parameters: Any, **more: Any) -> str:
    """Register a task of this document with the targets."""
    members: dict[str, Any] = {
        "Targets": [{"Key": "WindowTargetIds", "Values": target_ids}],
        "TaskInvocationParameters": {"RunCommand": {"Parameters": parameters}},
        "MaxConcurrency": "1",
        "MaxErrors": "0",
        **more,
    }
    return str(
        client.register_task_with_maintenance_window(
            WindowId=window_id, TaskType="RUN_COMMAND", TaskArn=document, **members
        )["WindowTaskId"]
    )


def ended_execution(client: Any, window_id: str) -> dict[str, Any]:
    """Return the one execution of the window, once it has ended."""

    def look() -> dict[str, Any] | None:
        executions = client.describe_maintenance_window_executions(WindowId=window_id)["WindowExecutions"]
        return next((one for one in executions if "EndTime" in one), None)

    return until(look, f"the end of an execution of {window_id}")


@pytest.mark.parametrize("schedule", [cron, at])
def test_a_window_opens_on_time_and_runs_its_task_to_success(plane: Plane, node_id: str, schedule: Any) -> None:
    client = plane.client
    opens_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    window_id, target_ids = window(client, f"soon-{schedule.__name__}", schedule(opens_at), ROLE)
    task_id = task(client, window_id, target_ids, "AWS-RunPatchBaseline", {"Operation": ["Scan"]})

    execution = ended_execution(client, window_id)
    assert execution["Status"] == "SUCCESS"
    assert timedelta(0) <= execution["StartTime"] - opens_at <= LATE_MAX
    id = execution["WindowExecutionId"]
    (task_execution,) = all_pages(
        client,
        "describe_maintenance_window_execution_tasks",
        "WindowExecutionTaskIdentities",
        WindowExecutionId=id,
        Filters=[{"Key": "STATUS", "Values": ["SUCCESS"]}],
    )
    got = client.get_maintenance_window_execution(WindowExecutionId=id)
    assert got["TaskIds"] == [task_execution["TaskExecutionId"]]
    assert (task_execution["TaskArn"], task_execution["TaskType"]) == ("AWS-RunPatchBaseline", "RUN_COMMAND")

    where = {"WindowExecutionId": id, "TaskId": task_execution["TaskExecutionId"]}
    (invocation,) = all_pages(
        client,
        "describe_maintenance_window_execution_task_invocations",
        "WindowExecutionTaskInvocationIdentities",
        **where,
    )
    assert (invocation["Status"], invocation["WindowTargetId"]) == ("SUCCESS", target_ids[0])
    assert invocation["OwnerInformation"] == "web team"
    told = json.loads(invocation["Parameters"])
    assert (told["documentName"], told["parameters"]) == ("AWS-RunPatchBaseline", {"Operation": ["Scan"]})
    one = client.get_maintenance_window_execution_task_invocation(**where, InvocationId=invocation["InvocationId"])
    assert one["ExecutionId"] == invocation["ExecutionId"]
    assert client.get_maintenance_window_execution_task(**where)["MaxConcurrency"] == "1"

    command = client.get_command_invocation(CommandId=invocation["ExecutionId"], InstanceId=node_id)
    assert command["Status"] == "Success"
    (state,) = client.describe_instance_patch_states(InstanceIds=[node_id])["InstancePatchStates"]
    assert (state["MissingCount"], state["OwnerInformation"]) == (len(SECURITY), "web team")
    assert task_id in {
        each["WindowTaskId"] for each in client.describe_maintenance_window_tasks(WindowId=window_id)["Tasks"]
    }


def test_tasks_run_by_priority_and_a_failed_one_fails_the_window(plane: Plane, node_id: str) -> None:
    client = plane.client
    opens_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    nobody = [{"Key": "tag:Role", "Values": ["nobody"]}]
    window_id, (of_web, of_nobody) = window(client, "by-priority", at(opens_at), ROLE, nobody)
    say = {"commands": ["echo {{WINDOW_ID}} {{WINDOW_TARGET_ID}}"]}
    task(client, window_id, [of_web], "AWS-RunShellScript", say, Priority=5)
    task(client, window_id, [of_web], "AWS-RunShellScript", {"commands": ["exit 3"]}, Priority=1)
    task(client, window_id, [of_nobody], "AWS-RunShellScript", say, Priority=9)

    execution = ended_execution(client, window_id)
    assert execution["Status"] == "FAILED"
    tasks = all_pages(
        client,
        "describe_maintenance_window_execution_tasks",
        "WindowExecutionTaskIdentities",
        WindowExecutionId=execution["WindowExecutionId"],
    )
    assert [each["Status"] for each in tasks] == ["FAILED", "SUCCESS", "SUCCESS"]
    assert tasks[0]["EndTime"] <= tasks[1]["StartTime"]
    assert tasks[1]["EndTime"] <= tasks[2]["StartTime"]

    where = {"WindowExecutionId": execution["WindowExecutionId"], "TaskId": tasks[1]["TaskExecutionId"]}
    (invocation,) = client.describe_maintenance_window_execution_task_invocations(**where)[
        "WindowExecutionTaskInvocationIdentities"
    ]
    said = client.get_command_invocation(CommandId=invocation["ExecutionId"], InstanceId=node_id)
    assert said["StandardOutputContent"] == f"{window_id} {of_web}\n"


def test_a_cancelled_execution_starts_no_further_task(plane: Plane, node_id: str) -> None:
    client = plane.client
    opens_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    window_id, target_ids = window(client, "cancelled", at(opens_at), ROLE)
    task(client, window_id, target_ids, "AWS-RunShellScript", {"commands": ["sleep 2; echo slept"]}, Priority=1)
    task(client, window_id, target_ids, "AWS-RunShellScript", {"commands": ["true"]}, Priority=2)

    def began() -> Any:
        commands = client.list_command_invocations(
            InstanceId=node_id, Filters=[{"key": "Status", "value": "InProgress"}]
        )
        executions = client.describe_maintenance_window_executions(WindowId=window_id)["WindowExecutions"]
        return commands["CommandInvocations"] and executions

    (execution,) = until(began, "the first task")
    client.cancel_maintenance_window_execution(WindowExecutionId=execution["WindowExecutionId"])
    assert ended_execution(client, window_id)["Status"] == "CANCELLED"
    tasks = client.describe_maintenance_window_execution_tasks(WindowExecutionId=execution["WindowExecutionId"])
    assert [each["Status"] for each in tasks["WindowExecutionTaskIdentities"]] == ["SUCCESS", "CANCELLED"]
