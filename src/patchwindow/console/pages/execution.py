"""One opening of a window, live while it runs and its record afterwards: tasks in order, nodes as cells, the rate control."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from patchwindow.console.charts import Part, stack
from patchwindow.console.pages.tonight import Night, night_of
from patchwindow.console.site_types import LivePart
from patchwindow.console.states import look_of
from patchwindow.console.view import Act, Done, Shown, Table, View
from patchwindow.domain.errors import NotFound

CELLS_MAX: Final = 1000
"""Nodes that are shown one by one; of more, those that did well are counted alone."""
_COLUMNS_MAX: Final = 50
_CELL: Final = 18
_TICK: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """A node of a command, as a square."""

    x: int
    y: int
    node_id: str
    name: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of a task: what it is for, how far it is, what it may do at once."""

    command_id: str
    status: str
    counts: Mapping[str, int]
    parts: Sequence[Part]
    concurrency: int
    errors_tolerated: int
    cells: Sequence[Cell]
    height: int
    is_abridged: bool

    @property
    def total(self) -> int:
        """How many nodes it is for."""
        return sum(self.counts.values())

    @property
    def in_flight(self) -> int:
        """How many nodes are at work."""
        return sum(count for state, count in self.counts.items() if state in ("InProgress", "Delayed", "Cancelling"))

    @property
    def failed(self) -> int:
        """How many nodes failed, as MaxErrors counts."""
        return sum(count for state, count in self.counts.items() if state in _FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun:
    """One task of the opening."""

    task_id: str
    document: str
    kind: str
    status: str
    details: str
    started_at: datetime | None
    ended_at: datetime | None
    commands: Sequence[Command]
    others: Sequence[Mapping[str, Any]]
    """Parts of a task that is no command: calls of webhooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionPage:
    """The opening."""

    execution_id: str
    night: Night
    tasks: Sequence[TaskRun]
    live: bool


_UNDER_WAY: Final = ("Pending", "InProgress")
_FAILED: Final = ("Failed", "TimedOut", "DeliveryTimedOut", "ExecutionTimedOut", "Undeliverable", "Terminated")


def show(view: View) -> Shown:
    """Return the page of an opening."""
    page = _page(view)
    rows = [
        (page.night.name, command.command_id, cell.node_id, cell.name, cell.state)
        for task in page.tasks
        for command in task.commands
        for cell in command.cells
    ]
    return Shown(
        title=page.night.name,
        template="execution.html",
        page=page,
        command=[
            f"patchwindow windows executions {page.night.window_id}",
            *(f"patchwindow commands show {one.command_id}" for task in page.tasks for one in task.commands),
        ],
        table=Table(("Window", "CommandId", "InstanceId", "Name", "StatusDetails"), rows),
    )


def look(view: View) -> LivePart:
    """Return the part of the page that changes."""
    page = _page(view)
    return LivePart(template="_execution_live.html", page=page, is_over=not page.night.runs)


def cancel(act: Act) -> Done:
    """Cancel the opening: no further task begins; a command under way goes on to further nodes unless it is cancelled, too."""
    execution_id = act.view.path["execution_id"]
    act.view.ask("CancelMaintenanceWindowExecution", WindowExecutionId=execution_id)
    if act.first("Commands"):
        for task in _page(act.view).tasks:
            for command in task.commands:
                if command.status in _UNDER_WAY:
                    act.view.ask("CancelCommand", CommandId=command.command_id)
        return Done(url=f"/console/executions/{execution_id}", said="The opening and its commands are being cancelled")
    said = "No further task begins in this opening; its commands under way go on"
    return Done(url=f"/console/executions/{execution_id}", said=said)


def _page(view: View) -> ExecutionPage:
    execution_id = view.path["execution_id"]
    execution = view.ask("GetMaintenanceWindowExecution", WindowExecutionId=execution_id)
    night = _night(view, execution_id, execution["StartTime"])
    tasks = view.each(
        "DescribeMaintenanceWindowExecutionTasks", "WindowExecutionTaskIdentities", WindowExecutionId=execution_id
    )
    return ExecutionPage(
        execution_id=execution_id, night=night, tasks=[_task(view, task) for task in tasks], live=night.runs
    )


def _night(view: View, execution_id: str, started_at: datetime) -> Night:
    # It is recorded under the instant at which it was to open, which its start follows.
    span = {"After": started_at - timedelta(days=1), "Before": started_at + _TICK}
    for opening in view.each("ListOpenings", "Openings", **span, MaxResults=500):
        if opening.get("WindowExecutionId") == execution_id:
            return night_of(opening, view.now)
    raise NotFound(f"maintenance window execution {execution_id} is not in the list of openings; reload the page")


def _task(view: View, task: Mapping[str, Any]) -> TaskRun:
    where = {"WindowExecutionId": task["WindowExecutionId"], "TaskId": task["TaskExecutionId"]}
    parts = list(
        view.each(
            "DescribeMaintenanceWindowExecutionTaskInvocations", "WindowExecutionTaskInvocationIdentities", **where
        )
    )
    is_command = task["TaskType"] == "RUN_COMMAND"
    commands = [command_of(view, part["ExecutionId"]) for part in parts if is_command and part.get("ExecutionId")]
    return TaskRun(
        task_id=task["TaskExecutionId"],
        document=task["TaskArn"],
        kind=task["TaskType"],
        status=task["Status"],
        details=task.get("StatusDetails") or "",
        started_at=task.get("StartTime"),
        ended_at=task.get("EndTime"),
        commands=commands,
        others=[] if is_command else parts,
    )


def command_of(view: View, command_id: str) -> Command:
    """Return a command with its nodes as cells."""
    counted = view.ask("GetCommandStates", CommandId=command_id, MaxResults=CELLS_MAX)
    counts = Counter({one["StatusDetails"]: one["InstanceCount"] for one in counted["Counts"]})
    shown, is_abridged = counted["Instances"], counts.total() > CELLS_MAX
    if is_abridged:
        shown = view.ask(
            "GetCommandStates", CommandId=command_id, MaxResults=CELLS_MAX, Without=["Success", "Pending"]
        )["Instances"]
    ordered = dict(sorted(counts.items(), key=lambda pair: (look_of(pair[0]).tone, pair[0])))
    return Command(
        command_id=command_id,
        status=counted["StatusDetails"],
        counts=ordered,
        parts=stack(ordered),
        concurrency=counted["Concurrency"],
        errors_tolerated=counted["ErrorsTolerated"],
        cells=[
            Cell(
                at % _COLUMNS_MAX * _CELL,
                at // _COLUMNS_MAX * _CELL,
                one["InstanceId"],
                one["InstanceName"],
                one["StatusDetails"],
            )
            for at, one in enumerate(shown)
        ],
        height=-(-len(shown) // _COLUMNS_MAX) * _CELL,
        is_abridged=is_abridged,
    )
