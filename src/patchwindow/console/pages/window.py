"""One window: when it opens and for whom, what it runs, what came of it, and what is likely wrong with its schedule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from patchwindow.console.pages.tonight import Night, night_of
from patchwindow.console.pages.windows import said
from patchwindow.console.view import Cell, Shown, Table, View
from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.freeze import TAG, names
from patchwindow.domain.lint import LintCode, lint

_COMING_SHOWN: Final = 8
_PAST_SHOWN: Final = 10
_AHEAD: Final = timedelta(days=366)
_TICK: Final = timedelta(seconds=1)
_OPTIONAL: Final = ("Description", "StartDate", "EndDate", "ScheduleOffset")
# The tag of what a plan file made (docs/plans.md).
_PLAN_TAG: Final = "patchwindow:plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetShown:
    """A registered target, and how many nodes it selects now."""

    target_id: str
    name: str
    owner: str
    asks: Sequence[str]
    node_count: int
    problem: str
    """Why nobody can say; empty where one can."""
    has_task: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskShown:
    """A registered task: what it runs, on what, and how much at once."""

    task_id: str
    name: str
    kind: str
    document: str
    does: Sequence[str]
    """Of a patch operation, what it does and whether it reboots."""
    priority: int
    concurrency: str
    errors: str
    runs_on_at_cutoff: bool
    runs_on: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something that is likely wrong with the window."""

    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPage:
    """The window."""

    window: Mapping[str, Any]
    window_id: str
    words: str
    zone: str
    plan: str
    """The plan file that made it; empty where none did."""
    calendars: Sequence[str]
    warnings: Sequence[Warned]
    coming: Sequence[Night]
    past: Sequence[Night]
    targets: Sequence[TargetShown]
    tasks: Sequence[TaskShown]

    @property
    def running(self) -> Night | None:
        """The opening that is under way, if one is."""
        return next((one for one in self.past if one.runs), None)


def show(view: View) -> Shown:
    """Return the page of a window."""
    window_id = view.path["window_id"]
    window = view.ask("GetMaintenanceWindow", WindowId=window_id)
    found = view.ask("ListTagsForResource", ResourceType="MaintenanceWindow", ResourceId=window_id)["TagList"]
    tags = {tag["Key"]: tag["Value"] for tag in found}
    targets, tasks = _targets_and_tasks(view, window_id)
    coming, past = _coming(view, window_id), _past(view, window_id)
    page = WindowPage(
        window={**dict.fromkeys(_OPTIONAL), **window},
        window_id=window_id,
        words=said(window["Schedule"], window.get("ScheduleOffset") or 0),
        zone=window.get("ScheduleTimezone") or "UTC",
        plan=tags.get(_PLAN_TAG, ""),
        calendars=names(tags.get(TAG, "")),
        warnings=[*schedule_warnings(view, window), *_idle(window, targets, tasks)],
        coming=coming,
        past=past,
        targets=targets,
        tasks=tasks,
    )
    return Shown(
        title=window["Name"],
        template="window.html",
        page=page,
        command=(
            f"patchwindow windows show {window_id}",
            f"patchwindow windows executions {window_id}",
            f"patchwindow forecast --window {window_id}",
        ),
        table=Table(_COLUMNS, [_cells(one) for one in (*reversed(past), *coming)]),
    )


_COLUMNS: Final = (
    "OpensTime", "CutoffTime", "EndsTime", "Status", "StatusDetails", "TargetCount", "CompletedCount", "ErrorCount",
    "WindowExecutionId",
)  # fmt: skip


def _cells(one: Night) -> Sequence[Cell]:
    return [
        one.opens_at, one.cutoff_at, one.ends_at, one.status, one.details, one.target_count, one.done_count,
        one.error_count, one.execution_id,
    ]  # fmt: skip


def _coming(view: View, window_id: str) -> list[Night]:
    span = {"After": view.now + _TICK, "Before": view.now + _AHEAD}
    found = view.ask("ListOpenings", WindowId=window_id, **span, MaxResults=_COMING_SHOWN)
    return [night_of(one, view.now) for one in found["Openings"]]


def _past(view: View, window_id: str) -> list[Night]:
    """Return the openings that were, the last first: as many as are shown, of the last year."""
    ran = view.ask("DescribeMaintenanceWindowExecutions", WindowId=window_id, MaxResults=_PAST_SHOWN)
    if not ran["WindowExecutions"]:
        return []
    # One is recorded under the instant at which it was to open, which its start follows.
    since = min(one["StartTime"] for one in ran["WindowExecutions"]) - timedelta(days=1)
    span = {"After": max(since, view.now - _AHEAD + timedelta(days=1)), "Before": view.now + _TICK}
    found = view.each("ListOpenings", "Openings", WindowId=window_id, **span, MaxResults=500)
    opened = [night_of(one, view.now) for one in found if one.get("WindowExecutionId")]
    return opened[: -_PAST_SHOWN - 1 : -1]


def _targets_and_tasks(view: View, window_id: str) -> tuple[list[TargetShown], list[TaskShown]]:
    tasks = list(view.each("DescribeMaintenanceWindowTasks", "Tasks", WindowId=window_id))
    targets = list(view.each("DescribeMaintenanceWindowTargets", "Targets", WindowId=window_id))
    used = {value for task in tasks for target in task.get("Targets", ()) for value in target["Values"]}
    by_id = {one["WindowTargetId"]: one.get("Name") or one["WindowTargetId"] for one in targets}
    return [_target(view, one, used) for one in targets], [
        _task(view, one, by_id) for one in sorted(tasks, key=lambda task: task["Priority"])
    ]


def _target(view: View, target: Mapping[str, Any], used: set[str]) -> TargetShown:
    count, problem = 0, ""
    try:
        count = view.ask("PreviewTargets", Targets=target["Targets"])["InstanceCount"]
    except (Invalid, NotFound) as refused:
        problem = str(refused)
    return TargetShown(
        target_id=target["WindowTargetId"],
        name=target.get("Name") or "",
        owner=target.get("OwnerInformation") or "",
        asks=[f"{one['Key'].removeprefix('tag:')}: {', '.join(one['Values'])}" for one in target["Targets"]],
        node_count=count,
        problem=problem,
        has_task=target["WindowTargetId"] in used,
    )


def _task(view: View, task: Mapping[str, Any], targets: Mapping[str, str]) -> TaskShown:
    whole = view.ask("GetMaintenanceWindowTask", WindowId=task["WindowId"], WindowTaskId=task["WindowTaskId"])
    run = (whole.get("TaskInvocationParameters") or {}).get("RunCommand") or {}
    given = run.get("Parameters") or {}
    return TaskShown(
        task_id=task["WindowTaskId"],
        name=task.get("Name") or "",
        kind=task["Type"],
        document=task["TaskArn"],
        does=[", ".join(given[name]) for name in ("Operation", "RebootOption") if given.get(name)],
        priority=task["Priority"],
        concurrency=task.get("MaxConcurrency") or "",
        errors=task.get("MaxErrors") or "",
        runs_on_at_cutoff=(task.get("CutoffBehavior") or "CONTINUE_TASK") == "CONTINUE_TASK",
        runs_on=[targets.get(value, value) for one in task.get("Targets", ()) for value in one["Values"]],
    )


def schedule_warnings(view: View, window: Mapping[str, Any]) -> list[Warned]:
    """Return what is likely wrong with the schedule of a window, in words."""
    try:
        found = lint(
            window["Schedule"],
            window["Duration"],
            window.get("ScheduleTimezone"),
            now=view.now,
            cutoff_hours=window["Cutoff"],
            schedule_offset=window.get("ScheduleOffset"),
            start_date=window.get("StartDate"),
            end_date=window.get("EndDate"),
        )
    except Invalid as problem:
        return [Warned(sentence=str(problem), remedy="give it a schedule that can be read")]
    return [
        Warned(sentence=sentence or remedy, remedy=remedy if sentence else "")
        for sentence, _, remedy in (
            one.sentence.rpartition("; ")
            for one in found
            # When Microsoft's patches come out does not matter to who has no Windows.
            if one.code is not LintCode.BEFORE_SECOND_TUESDAY or _has_windows_nodes(view)
        )
    ]


def _has_windows_nodes(view: View) -> bool:
    filters = [{"Key": "OperatingSystem", "Values": ["WINDOWS"]}]
    return bool(view.ask("GetFleetCompliance", Filters=filters, MaxResults=1)["Nodes"])


def _idle(window: Mapping[str, Any], targets: Sequence[TargetShown], tasks: Sequence[TaskShown]) -> list[Warned]:
    """Return why nothing, or not all, will happen when the window opens."""
    found: list[Warned] = []
    if not window["Enabled"]:
        found.append(
            Warned(sentence="It is disabled, so it does not open", remedy="enable it when it is to open again")
        )
    if not targets and all(not task.runs_on for task in tasks):
        found.append(Warned(sentence="It has no targets, so it opens for no node", remedy="register a target"))
    if not tasks:
        found.append(Warned(sentence="It has no tasks, so nothing happens when it opens", remedy="register a task"))
    found += [
        Warned(sentence=f"No task runs on its target {one.name or one.target_id}", remedy="name it in a task")
        for one in targets
        if tasks and not one.has_task
    ]
    return found + [
        Warned(sentence=f"Its target {one.name or one.target_id} selects no node", remedy="look at the nodes' tags")
        for one in targets
        if not one.node_count and not one.problem
    ]
