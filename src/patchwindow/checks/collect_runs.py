"""What the last executions of a window did on each node, and how long that took."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from patchwindow.checks.asking import Asking
from patchwindow.checks.snapshot import Ran, Run, Topic
from patchwindow.client.not_taken import NOT_TAKEN

RUNS_READ: Final = 3
"""So many of the last executions of a window are read; each costs calls by its tasks and nodes."""

# So that a window of each quarter has two.
_LOOKED_BACK: Final = timedelta(days=200)
_OVER: Final = frozenset({"SUCCESS", "FAILED", "TIMED_OUT", "CANCELLED", "SKIPPED_OVERLAPPING"})
# A run in one of these without tasks, or a task without an invocation, has not begun.
_NOT_BEGUN: Final = frozenset({"TIMED_OUT", "FAILED", "CANCELLED", "SKIPPED_OVERLAPPING"})
_ENDED: Final = frozenset({"Success", "Failed"})


def read_runs(ask: Asking, window_id: str, now: datetime) -> tuple[Run, ...]:
    """Return the last runs of a window that have ended, the latest first."""
    since = f"{(now - _LOOKED_BACK).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    listed = ask.pages(
        Topic.RUNS,
        "DescribeMaintenanceWindowExecutions",
        "WindowExecutions",
        WindowId=window_id,
        Filters=[{"Key": "ExecutedAfter", "Values": [since]}],
        MaxResults=100,
    )
    ended = sorted(
        (each for each in listed if each.get("Status") in _OVER and "StartTime" in each),
        key=lambda each: each["StartTime"],
        reverse=True,
    )
    return tuple(_run(ask, each) for each in islice(ended, RUNS_READ))


def _run(ask: Asking, execution: Mapping[str, Any]) -> Run:
    id = str(execution["WindowExecutionId"])
    took_part: set[str] = set()
    missed: set[str] = set()
    ran: list[Ran] = []
    tasks = ask.pages(
        Topic.RUNS,
        "DescribeMaintenanceWindowExecutionTasks",
        "WindowExecutionTaskIdentities",
        WindowExecutionId=id,
    )
    # What a person or a freeze has cancelled was not to reach anyone.
    is_wanted = execution["Status"] != "CANCELLED"
    is_idle = is_wanted and not tasks and execution["Status"] in _NOT_BEGUN
    for task in tasks:
        invocations = ask.pages(
            Topic.RUNS,
            "DescribeMaintenanceWindowExecutionTaskInvocations",
            "WindowExecutionTaskInvocationIdentities",
            WindowExecutionId=id,
            TaskId=str(task["TaskExecutionId"]),
        )
        is_idle = is_idle or (is_wanted and task.get("Status") in _NOT_BEGUN and not invocations)
        for invocation in invocations:
            if task.get("TaskType") == "RUN_COMMAND" and invocation.get("ExecutionId"):
                _note(ask, invocation, took_part, missed, ran)
    return Run(
        started_at=execution["StartTime"],
        took_part=frozenset(took_part - missed),
        missed=frozenset(missed),
        has_idle_tasks=is_idle,
        ran=tuple(ran),
    )


def _note(ask: Asking, invocation: Mapping[str, Any], took_part: set[str], missed: set[str], ran: list[Ran]) -> None:
    """Note of each node of a command whether it took part, and how long that took."""
    operation = _operation(str(invocation.get("Parameters") or ""))
    told = ask.pages(
        Topic.RUNS,
        "ListCommandInvocations",
        "CommandInvocations",
        CommandId=str(invocation["ExecutionId"]),
        Details=True,
        MaxResults=50,
    )
    for each in told:
        node, details = str(each["InstanceId"]), str(each.get("StatusDetails", each["Status"]))
        (missed if details in NOT_TAKEN else took_part).add(node)
        duration = _span(each.get("CommandPlugins", ()))
        if each["Status"] in _ENDED and duration is not None:
            document = str(each.get("DocumentName", "")).rpartition("/")[2]
            ran.append(Ran(document=document, operation=operation, duration=duration[1] - duration[0]))


def _span(steps: list[Mapping[str, Any]]) -> tuple[datetime, datetime] | None:
    """Return when the first of *steps* began and the last one ended; those that did not run have no times."""
    begun = [step["ResponseStartDateTime"] for step in steps if step.get("ResponseStartDateTime")]
    ended = [step["ResponseFinishDateTime"] for step in steps if step.get("ResponseFinishDateTime")]
    return (min(begun), max(ended)) if begun and ended else None


def _operation(parameters: str) -> str | None:
    """Return the Operation that a command was given, as the record of its task invocation has it."""
    try:
        read = json.loads(parameters)
    except ValueError:
        return None
    given = read.get("parameters") if isinstance(read, dict) else None
    values = given.get("Operation") if isinstance(given, dict) else None
    return str(values[0]) if isinstance(values, list) and values else None
