"""`patchwindow windows`: when patching may happen, and what happened."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.options import client_command, json_option, limit_option
from patchwindow.client import SsmClient, call, pages

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


def targets(chosen: list[Mapping[str, Any]]) -> str:
    """Return which nodes a list of targets chooses, as one line."""
    return "; ".join(f"{one['Key']}={','.join(one.get('Values', []))}" for one in chosen)


def _windows(client: SsmClient, *, enabled: bool) -> Iterator[Mapping[str, Any]]:
    filters = [{"Key": "Enabled", "Values": ["true"]}] if enabled else []
    return iter(pages(client, "DescribeMaintenanceWindows", "WindowIdentities", Filters=filters))


def _openings(client: SsmClient, window: str) -> Iterator[Mapping[str, Any]]:
    return iter(pages(client, "DescribeMaintenanceWindowSchedule", "ScheduledWindowExecutions", WindowId=window))
