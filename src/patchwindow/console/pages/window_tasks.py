"""Registering, changing and deregistering tasks of a window: what they do, on which nodes, how many at once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from patchwindow.console import edits
from patchwindow.console.effects import PATCH_DOCUMENTS, next_open
from patchwindow.console.pages.window_form import read, running_until
from patchwindow.console.pages.window_targets import Reached, reached
from patchwindow.console.task_fields import CHOSEN, COMMAND, by_field, kept, read_members
from patchwindow.console.view import Act, Again, Done, Shown, View
from patchwindow.console.window_words import told_task
from patchwindow.domain.limit import Concurrency, ErrorLimit

_NEW: Final[Mapping[str, Any]] = {
    "TaskArn": "AWS-RunPatchBaseline",
    "TaskType": COMMAND,
    "MaxConcurrency": "10%",
    "MaxErrors": "5%",
    "Priority": 1,
    "CutoffBehavior": "CANCEL_TASK",
    "Targets": [],
    # What installs and reboots nothing, until somebody says otherwise.
    "TaskInvocationParameters": {"RunCommand": {"Parameters": {"Operation": ["Scan"], "RebootOption": ["NoReboot"]}}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What saving it would mean."""

    changes: Sequence[edits.Change]
    does: Sequence[str]
    """In sentences."""
    reboots: bool
    reached: Reached
    concurrency: int
    """On so many nodes at once."""
    errors: int
    """After more than so many errors nothing further starts."""
    first_at: datetime | None
    zone: str
    running_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """The form."""

    window: Mapping[str, Any]
    task_id: str
    """Empty where one is registered."""
    task: Mapping[str, Any]
    run: Mapping[str, Any]
    """Its members for Run Command."""
    parameters: Mapping[str, Any]
    others: str
    """Those of them that have no field of their own, as JSON."""
    chosen: Sequence[str]
    """The targets that it runs on, by id."""
    node_ids: Sequence[str]
    targets: Sequence[tuple[str, str]]
    documents: Sequence[str]
    is_command: bool
    plan: edits.Plan | None
    steps: edits.Steps[Weighed]
    doing: str
    """`deregister` where that is to be confirmed."""
    back: str


def show_new(view: View) -> Shown:
    """Return the form for a further task."""
    edits.need_operator(view)
    names = _targets(view)
    # A window with one target leaves nothing to choose.
    only = [{"Key": "WindowTargetIds", "Values": list(names)}] if len(names) == 1 else []
    return _shown(view, {**_NEW, "Targets": only}, edits.begin({}), "")


def register(act: Act) -> Done | Again:
    """Register a task."""
    view, window, members = act.view, read(act.view), read_members(act, _NEW)
    made: list[str] = []

    def do() -> Done:
        if not made:
            ids = {"WindowId": window["WindowId"], "TaskType": COMMAND}
            made.append(view.ask("RegisterTaskWithMaintenanceWindow", **ids, **members)["WindowTaskId"])
        return Done(url=_back(view), said="The task is registered")

    def weigh() -> Weighed:
        do()
        return _weigh(view, window, {}, members)

    outcome = edits.carry_out(act, {}, weigh=weigh, do=do, explain=lambda problem: by_field(problem, act))
    return outcome if isinstance(outcome, Done) else lambda view: _shown(view, _NEW, outcome, "")


def show_edit(view: View) -> Shown:
    """Return the form with a task in it."""
    edits.need_operator(view)
    task = _task(view)
    return _shown(view, task, edits.begin(told_task(task, _targets(view))), "")


def update(act: Act) -> Done | Again:
    """Change a task, or deregister it."""
    view, window, task = act.view, read(act.view), _task(act.view)
    ids = {"WindowId": window["WindowId"], "WindowTaskId": task["WindowTaskId"]}
    is_to_go = act.first("Do") == "deregister"
    members = {} if is_to_go else {**kept(task), **read_members(act, task)}

    def do() -> Done:
        if is_to_go:
            view.ask("DeregisterTaskFromMaintenanceWindow", **ids)
            return Done(url=_back(view), said="The task is deregistered")
        view.ask("UpdateMaintenanceWindowTask", **ids, Replace=True, **members)
        return Done(url=_back(view), said="The task is saved")

    def weigh() -> Weighed:
        return _weigh(view, window, task, members)

    told = told_task(task, _targets(view))
    outcome = edits.carry_out(act, told, weigh=weigh, do=do, explain=lambda problem: by_field(problem, act))
    if isinstance(outcome, Done):
        return outcome
    return lambda view: _shown(view, task, outcome, "deregister" if is_to_go else "")


def does(task: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Return what a task does in sentences, and whether it may reboot nodes."""
    document = task.get("TaskArn", "").rpartition("/")[2]
    if document not in PATCH_DOCUMENTS:
        return [f"It runs {document}."], False
    given = task.get("TaskInvocationParameters", {}).get("RunCommand", {}).get("Parameters", {})
    if [one.lower() for one in given.get("Operation", ())] != ["install"]:
        return ["It scans: nothing is installed and nothing reboots."], False
    if given.get("RebootOption") == ["NoReboot"]:
        return ["It installs what is approved. It reboots nothing: what needs a reboot stays pending."], False
    return ["It installs what is approved, and reboots a node where a patch needs that."], True


def _weigh(view: View, window: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]) -> Weighed:
    names = _targets(view)
    sentences, reboots = does(now or before)
    nodes = reached(view, _asks(view, before), _asks(view, now))
    return Weighed(
        changes=edits.compare(told_task(before, names) if before else {}, told_task({**before, **now}, names)),
        does=sentences,
        reboots=reboots,
        reached=nodes,
        concurrency=Concurrency.parse(now["MaxConcurrency"]).of(nodes.count) if "MaxConcurrency" in now else 0,
        errors=ErrorLimit.parse(now["MaxErrors"]).of(nodes.count) if "MaxErrors" in now else 0,
        first_at=next_open(view, window["WindowId"]),
        zone=window.get("ScheduleTimezone") or "UTC",
        running_until=running_until(view, window["WindowId"]),
    )


def _asks(view: View, task: Mapping[str, Any]) -> list[Any]:
    """Return the targets that a task runs on, as they were registered."""
    window_id = view.path["window_id"]
    registered = view.each("DescribeMaintenanceWindowTargets", "Targets", WindowId=window_id)
    by_id = {one["WindowTargetId"]: one["Targets"] for one in registered}
    found: list[Any] = []
    for target in task.get("Targets", ()):
        if target["Key"] == "WindowTargetIds":
            found += [by_id[id] for id in target["Values"] if id in by_id]
        else:
            found.append([target])
    return found


def _targets(view: View) -> dict[str, str]:
    """Return the names of the targets of the window, by id."""
    found = view.each("DescribeMaintenanceWindowTargets", "Targets", WindowId=view.path["window_id"])
    return {one["WindowTargetId"]: one.get("Name") or one["WindowTargetId"] for one in found}


def _task(view: View) -> dict[str, Any]:
    ids = {"WindowId": view.path["window_id"], "WindowTaskId": view.path["task_id"]}
    return view.ask("GetMaintenanceWindowTask", **ids)


def _back(view: View) -> str:
    return f"/console/windows/{view.path['window_id']}"


def _shown(view: View, task: Mapping[str, Any], steps: edits.Steps[Weighed], doing: str) -> Shown:
    window = read(view)
    run = (task.get("TaskInvocationParameters") or {}).get("RunCommand") or {}
    others = {name: value for name, value in (run.get("Parameters") or {}).items() if name not in CHOSEN}
    found = view.each("ListDocuments", "DocumentIdentifiers", Filters=[{"Key": "DocumentType", "Values": ["Command"]}])
    page = TaskPage(
        window=window,
        task_id=task.get("WindowTaskId", ""),
        task=task,
        run=run,
        parameters=run.get("Parameters") or {},
        others=json.dumps(others, ensure_ascii=False) if others else "",
        chosen=[id for one in task["Targets"] if one["Key"] == "WindowTargetIds" for id in one["Values"]],
        node_ids=[id for one in task["Targets"] if one["Key"] == "InstanceIds" for id in one["Values"]],
        targets=list(_targets(view).items()),
        documents=sorted(one["Name"] for one in found),
        is_command=task["TaskType"] == COMMAND,
        plan=edits.plan_of(view, "MaintenanceWindow", window["WindowId"]),
        steps=steps,
        doing=doing,
        back=_back(view),
    )
    title = f"Task {task.get('Name') or task['TaskArn']}" if page.task_id else "New task"
    return Shown(title=f"{title} of {window['Name']}", template="task_form.html", page=page)
