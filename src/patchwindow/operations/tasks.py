"""Tasks registered with maintenance windows."""

import base64
import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.limit import Concurrency, ErrorLimit
from patchwindow.domain.window import TaskType, Window, WindowTask
from patchwindow.operations.alarms import check_alarm
from patchwindow.operations.call import Answer, Call, Request, after_text, filter_values
from patchwindow.operations.targeting import IDS, check_keys, targets_of
from patchwindow.operations.targets import TARGET_IDS
from patchwindow.operations.windows import existing, locked
from patchwindow.protocol.records import attributes, from_members, to_members

_PAGE: Final = 100
_PLACEHOLDER: Final = "1"
"""What AWS reads back as MaxConcurrency and MaxErrors of a task without targets."""
_REPLACE_NEEDS: Final = ("TaskArn",)
_REPLACE_NEEDS_OF_COMMANDS: Final = ("Targets", "MaxConcurrency", "MaxErrors")
_PARAMETERS_OF: Final[Mapping[TaskType, str]] = {
    TaskType.RUN_COMMAND: "RunCommand",
    TaskType.AUTOMATION: "Automation",
    TaskType.LAMBDA: "Lambda",
    TaskType.STEP_FUNCTIONS: "StepFunctions",
}


def register(call: Call, request: Request) -> Answer:
    """RegisterTaskWithMaintenanceWindow."""
    window = locked(call, request["WindowId"])
    task = from_members(WindowTask, _given(request), window_task_id=call.ids.uuid())
    _check(task)
    _check_targets(call, window, task)
    call.site.quotas.check("tasks-per-window", len(call.work.window_tasks.of_window(window.window_id)) + 1)
    call.work.window_tasks.put(task.window_task_id, task)
    return {"WindowTaskId": task.window_task_id}


def get(call: Call, request: Request) -> Answer:
    """GetMaintenanceWindowTask."""
    return _shown(_existing(call, existing(call, request["WindowId"]), request["WindowTaskId"]))


def update(call: Call, request: Request) -> Answer:
    """UpdateMaintenanceWindowTask: merges, TaskInvocationParameters as a whole; with Replace clears what is not given."""
    window = locked(call, request["WindowId"])
    before = _existing(call, window, request["WindowTaskId"])
    if request.get("Replace"):
        is_command = before.task_type is TaskType.RUN_COMMAND
        needs = _REPLACE_NEEDS + (_REPLACE_NEEDS_OF_COMMANDS if is_command else ())
        missing = [name for name in needs if name not in request]
        if missing:
            raise Invalid(f"{', '.join(missing)} must be given with Replace")
        after = from_members(WindowTask, _given(request), task_type=before.task_type)
    else:
        after = dataclasses.replace(before, **attributes(WindowTask, _given(request)))
    _check(after)
    if "Targets" in request:
        # Otherwise they stay, also where a target was deregistered or the window changed meanwhile.
        _check_targets(call, window, after)
    call.work.window_tasks.put(after.window_task_id, after)
    members = _shown(after)
    del members["TaskType"]
    return members


def deregister(call: Call, request: Request) -> Answer:
    """DeregisterTaskFromMaintenanceWindow: a running execution goes on with the task as it was."""
    task = _existing(call, locked(call, request["WindowId"]), request["WindowTaskId"])
    call.work.window_tasks.delete(task.window_task_id)
    return {"WindowId": task.window_id, "WindowTaskId": task.window_task_id}


def describe(call: Call, request: Request) -> Answer:
    """DescribeMaintenanceWindowTasks."""
    existing(call, request["WindowId"])
    keys = ("WindowTaskId", "TaskArn", "Priority", "TaskType")
    filters = filter_values(request.get("Filters"), keys, refuse=Invalid)
    tasks = [
        task
        for task in call.work.window_tasks.of_window(request["WindowId"])
        if task.window_task_id in filters.get("WindowTaskId", (task.window_task_id,))
        and task.task_arn in filters.get("TaskArn", (task.task_arn,))
        and str(task.priority) in filters.get("Priority", (str(task.priority),))
        and task.task_type in filters.get("TaskType", (task.task_type,))
    ]
    return call.pages(
        request,
        "Tasks",
        default=_PAGE,
        fetch=lambda after, limit: [one for one in tasks if one.window_task_id > after_text(after)][:limit],
        key=lambda task: (task.window_task_id,),
        shape=_identity,
    )


def _existing(call: Call, window: Window, task_id: str) -> WindowTask:
    task = call.work.window_tasks.get(window.window_id, task_id)
    if task is None:
        raise NotFound(f"Window task {task_id} does not exist in maintenance window {window.window_id}")
    return task


def _given(request: Request) -> Request:
    """Return *request* in the form that is stored: no targets without a key, and no bytes."""
    check_keys(request.get("Targets", ()))
    return _with_payload(request, lambda payload: base64.b64encode(payload).decode())


def _with_payload(members: Mapping[str, Any], convert: Callable[[Any], Any]) -> dict[str, Any]:
    """Return *members* with the payload for a function, the one blob in them, converted."""
    given = members.get("TaskInvocationParameters", {})
    payload = given.get("Lambda", {}).get("Payload")
    if payload is None:
        return dict(members)
    return {
        **members,
        "TaskInvocationParameters": {**given, "Lambda": {**given["Lambda"], "Payload": convert(payload)}},
    }


def _shown(task: WindowTask) -> dict[str, Any]:
    members = _with_payload(to_members(task), base64.b64decode)
    if not task.targets:
        members |= {"MaxConcurrency": _PLACEHOLDER, "MaxErrors": _PLACEHOLDER}
    members.setdefault("TaskParameters", {})
    return members


def _identity(task: WindowTask) -> dict[str, Any]:
    members = _shown(task)
    members["Type"] = members.pop("TaskType")
    members.pop("TaskInvocationParameters", None)
    return members


def _check(task: WindowTask) -> None:
    """Refuse what the model's constraints cannot say (maintenance windows reference, §5)."""
    _check_parameters(task)
    check_alarm(task.alarm_configuration)
    if not task.targets:
        _check_without_targets(task)
        return
    for name, limit, read in (
        ("MaxConcurrency", task.max_concurrency, Concurrency.parse),
        ("MaxErrors", task.max_errors, ErrorLimit.parse),
    ):
        if limit is None:
            raise Invalid(f"{name} must be given for a task with targets; a number or a percentage such as 10%")
        read(limit)


def _check_targets(call: Call, window: Window, task: WindowTask) -> None:
    named = tuple(id for target in task.targets if target.key == TARGET_IDS for id in target.values)
    call.site.quotas.check("targets-per-task", len(named), refuse=Invalid)
    for target_id, count in Counter(named).items():
        if count > 1:
            raise Invalid(
                f"window target {target_id} is named {count} times; name it once, as its nodes are to run once"
            )
    for target in task.targets:
        if target.key == IDS:
            if not window.allow_unassociated_targets:
                raise Invalid(
                    f"maintenance window {window.window_id} has AllowUnassociatedTargets false; "
                    f"register a target with it and name that under {TARGET_IDS}"
                )
            targets_of([to_members(target)])
        elif target.key == TARGET_IDS:
            _check_window_targets(call, window, target.values)
        else:
            raise Invalid(f"target key {target.key!r} of a task is not known; use {TARGET_IDS} or {IDS}")


def _check_parameters(task: WindowTask) -> None:
    served = _PARAMETERS_OF[task.task_type]
    if others := set(task.task_invocation_parameters or ()) - {served}:
        raise Invalid(
            f"TaskInvocationParameters has {', '.join(sorted(others))}, but the task is of type {task.task_type}; "
            f"use {served}"
        )
    for name, value in (task.task_parameters or {}).items():
        if "Values" not in value:
            raise Invalid(f"TaskParameters has no Values for {name!r}; give them as a list")


def _check_without_targets(task: WindowTask) -> None:
    if task.task_type is TaskType.RUN_COMMAND:
        raise Invalid(f"a task of type RUN_COMMAND needs Targets; name registered targets under {TARGET_IDS}")
    refused = [
        f"Maintenance window tasks without targets do not support {name} values."
        for name, value in (("MaxErrors", task.max_errors), ("MaxConcurrency", task.max_concurrency))
        if value is not None
    ]
    if refused:
        raise Invalid(" ".join(refused))


def _check_window_targets(call: Call, window: Window, target_ids: tuple[str, ...]) -> None:
    if not target_ids:
        raise Invalid(f"Please specify at least one target. Values of {TARGET_IDS} can't be empty")
    for target_id in target_ids:
        if call.work.window_targets.get(window.window_id, target_id) is None:
            raise NotFound(f"Window target {target_id} does not exist in maintenance window {window.window_id}")
