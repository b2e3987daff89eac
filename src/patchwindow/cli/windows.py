"""`patchwindow windows`: when patching may happen, and what happened."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.options import client_command, json_option, limit_option
from patchwindow.client import SsmClient, call, pages
from patchwindow.client.not_taken import NOT_TAKEN

COLUMNS: show.Columns = {
    "WINDOW": "WindowId",
    "ON": "Enabled",
    "NEXT OPENING": lambda window: show.instant(window.get("NextExecutionTime")),
    "HOURS": "Duration",
    "SCHEDULE": "Schedule",
    "NAME": "Name",
}
TARGETS: show.Columns = {
    "TARGET": "WindowTargetId",
    "NODES": lambda target: targets(target.get("Targets", [])),
    "NAME": "Name",
}
TASKS: show.Columns = {
    "TASK": "WindowTaskId",
    "PRIORITY": "Priority",
    "DOCUMENT": "TaskArn",
    "AT ONCE": "MaxConcurrency",
    "ERRORS": "MaxErrors",
    "NAME": "Name",
}
OPENINGS: show.Columns = {
    "OPENS": lambda opening: show.instant(opening.get("ExecutionTime")),
    "WINDOW": "WindowId",
    "NAME": "Name",
}
EXECUTIONS: show.Columns = {
    "EXECUTION": "WindowExecutionId",
    "STATUS": "Status",
    "STARTED": "StartTime",
    "ENDED": "EndTime",
    "DETAILS": "StatusDetails",
}
MISSED: show.Columns = {
    "NODE": "InstanceId",
    "NODE NAME": "InstanceName",
    "STATUS": "StatusDetails",
    "COMMAND": "CommandId",
    "WHY": lambda one: one.get("TraceOutput") or NOT_TAKEN[_details(one)],
}


@click.group()
def windows() -> None:
    """Show maintenance windows and what they did."""


@windows.command("list")
@click.option("--enabled", is_flag=True, help="Only windows that are enabled")
@json_option
@client_command
def list_(client: SsmClient, *, enabled: bool, as_json: bool) -> None:
    """List the maintenance windows."""
    show.table(_windows(client, enabled=enabled), COLUMNS, as_json=as_json)


@windows.command("show")
@click.argument("window")
@json_option
@client_command
def show_(client: SsmClient, *, window: str, as_json: bool) -> None:
    """Show a window: its schedule, its targets, its tasks."""
    found = show.members(call(client, "GetMaintenanceWindow", WindowId=window))
    registered = list(pages(client, "DescribeMaintenanceWindowTargets", "Targets", WindowId=window))
    tasks = list(pages(client, "DescribeMaintenanceWindowTasks", "Tasks", WindowId=window))
    if as_json:
        show.document({"Window": found, "Targets": registered, "Tasks": tasks})
        return
    show.details({**found, "NextExecutionTime": show.instant(found.get("NextExecutionTime"))})
    show.section("Targets", registered, TARGETS)
    show.section("Tasks", tasks, TASKS)


@windows.command("next")
@limit_option(20)
@json_option
@client_command
def next_(client: SsmClient, *, limit: int, as_json: bool) -> None:
    """List the coming openings of all windows."""
    # Each window is asked alone: the API gives the openings of several windows only by their targets.
    openings = [
        opening
        for window in _windows(client, enabled=True)
        for opening in islice(_openings(client, window["WindowId"]), limit)
    ]
    openings.sort(key=lambda opening: (show.instant(opening["ExecutionTime"]), opening["WindowId"]))
    show.table(openings[:limit], OPENINGS, as_json=as_json)


@windows.command()
@click.argument("window")
@client_command
def enable(client: SsmClient, *, window: str) -> None:
    """Let a window open at its scheduled times."""
    call(client, "UpdateMaintenanceWindow", WindowId=window, Enabled=True)
    show.note(f"{window}: enabled")


@windows.command()
@click.argument("window")
@client_command
def disable(client: SsmClient, *, window: str) -> None:
    """Keep a window from opening.

    What runs in it goes on.
    """
    call(client, "UpdateMaintenanceWindow", WindowId=window, Enabled=False)
    show.note(f"{window}: disabled")


@windows.command()
@click.argument("window")
@client_command
def delete(client: SsmClient, *, window: str) -> None:
    """Delete a window with its targets and tasks."""
    call(client, "DeleteMaintenanceWindow", WindowId=window)
    show.note(f"{window}: deleted")


@windows.command()
@click.argument("window")
@limit_option(20)
@json_option
@client_command
def executions(client: SsmClient, *, window: str, limit: int, as_json: bool) -> None:
    """List what a window did, the latest first."""
    found = pages(client, "DescribeMaintenanceWindowExecutions", "WindowExecutions", WindowId=window)
    show.table(islice(found, limit), EXECUTIONS, as_json=as_json)


@windows.command()
@click.argument("window")
@click.option("--execution", metavar="ID", help="Which execution of the window; otherwise its latest")
@json_option
@client_command
def missed(client: SsmClient, *, window: str, execution: str | None, as_json: bool) -> None:
    """List the nodes that missed a window, and why."""
    chosen = execution or _latest(client, window)
    found = _missed(client, chosen) if chosen else []
    show.table(found, MISSED, as_json=as_json)


def targets(chosen: list[Mapping[str, Any]]) -> str:
    """Return which nodes a list of targets chooses, as one line."""
    return "; ".join(f"{one['Key']}={','.join(one.get('Values', []))}" for one in chosen)


def _windows(client: SsmClient, *, enabled: bool) -> Iterator[Mapping[str, Any]]:
    filters = [{"Key": "Enabled", "Values": ["true"]}] if enabled else []
    return iter(pages(client, "DescribeMaintenanceWindows", "WindowIdentities", Filters=filters))


def _openings(client: SsmClient, window: str) -> Iterator[Mapping[str, Any]]:
    return iter(pages(client, "DescribeMaintenanceWindowSchedule", "ScheduledWindowExecutions", WindowId=window))


def _latest(client: SsmClient, window: str) -> str | None:
    found = pages(client, "DescribeMaintenanceWindowExecutions", "WindowExecutions", WindowId=window)
    latest = max(islice(found, 50), key=lambda one: one["StartTime"], default=None)
    if latest is None:
        return None
    status, details = latest.get("Status"), latest.get("StatusDetails")
    show.note(f"{latest['WindowExecutionId']}: {status}{f', {details}' if details else ''}")
    return str(latest["WindowExecutionId"])


def _missed(client: SsmClient, execution: str) -> list[Mapping[str, Any]]:
    """Return the invocations of an execution's commands that never ran to their end, in the order of the tasks."""
    within: dict[str, Any] = {"WindowExecutionId": execution}
    tasks = pages(client, "DescribeMaintenanceWindowExecutionTasks", "WindowExecutionTaskIdentities", **within)
    parts = [
        part
        for task in tasks
        for part in pages(
            client,
            "DescribeMaintenanceWindowExecutionTaskInvocations",
            "WindowExecutionTaskInvocationIdentities",
            **within,
            TaskId=task["TaskExecutionId"],
        )
    ]
    commands = [part["ExecutionId"] for part in parts if part["TaskType"] == "RUN_COMMAND" and part.get("ExecutionId")]
    return [
        one
        for command in commands
        for one in pages(client, "ListCommandInvocations", "CommandInvocations", CommandId=command)
        if _details(one) in NOT_TAKEN
    ]


def _details(invocation: Mapping[str, Any]) -> str:
    # AWS has written some of these words apart.
    return str(invocation.get("StatusDetails", "")).replace(" ", "")
