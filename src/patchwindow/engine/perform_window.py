"""Carrying out what was decided about a window execution: one step is one transaction. No rule is in here."""

import dataclasses
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from patchwindow.documents import library
from patchwindow.domain import command, task_execution, task_invocation, window_execution
from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.run import Command, TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.window import CutoffBehavior, TaskType
from patchwindow.engine.decide_window import ExecutionSnapshot, TaskInvocationSnapshot, TaskSnapshot, decide
from patchwindow.engine.effects import (
    BeginExecution,
    CancelCommand,
    CancelExecution,
    CutOffTask,
    EndExecution,
    EndInvocation,
    EndTask,
    StartInvocation,
    StartTask,
    WakeAt,
)
from patchwindow.engine.pseudo_parameters import replaced
from patchwindow.operations.call import bare_id
from patchwindow.operations.sending import Order, create_command, request_cancel
from patchwindow.operations.targeting import IDS, select
from patchwindow.ports import Ids
from patchwindow.protocol.records import to_members
from patchwindow.store.work import Work

_DETAILS_MAX: Final = 250


def step_execution(work: Work, ids: Ids, execution_id: str, now: datetime) -> None:
    """Bring the window execution as far as it can go at *now*, and say when to look at it again."""
    execution = work.executions.lock(execution_id)
    if execution is None:
        return
    tasks = {task.task_execution_id: task for task in work.executions.tasks(execution_id)}
    invocations = {id: work.executions.invocations(id) for id in tasks}
    by_id = {one.invocation_id: one for each in invocations.values() for one in each}
    wake_at: datetime | None = None
    for effect in decide(_snapshot(work, execution, tasks.values(), invocations), now):
        match effect:
            case BeginExecution():
                execution = dataclasses.replace(execution, status=window_execution.State.IN_PROGRESS)
            case CancelExecution():
                execution = dataclasses.replace(execution, status=window_execution.State.CANCELLING)
            case EndExecution(state, details):
                execution = dataclasses.replace(execution, status=state, status_details=details, end_time=now)
            case StartTask(task_id):
                _put_task(work, tasks, task_id, status=task_execution.State.IN_PROGRESS, start_time=now)
            case CutOffTask(task_id):
                _put_task(work, tasks, task_id, status=task_execution.State.CANCELLING)
            case EndTask(task_id, state, details):
                _put_task(work, tasks, task_id, status=state, status_details=details, end_time=now)
            case StartInvocation(invocation_id):
                one = by_id[invocation_id]
                by_id[invocation_id] = _start(work, ids, execution, tasks[one.task_execution_id], one, now=now)
                # The command may have failed to start, or select no node: decide again at once.
                wake_at = now
            case CancelCommand(invocation_id, command_id):
                _cancel(work, command_id, now)
                _put(work, by_id, invocation_id, status=task_invocation.State.CANCELLING)
            case EndInvocation(invocation_id, state, details):
                _put(work, by_id, invocation_id, status=state, status_details=details, end_time=now)
            case WakeAt(instant):
                wake_at = wake_at or instant
    work.executions.put(execution, wake_at=None if execution.end_time else wake_at)


def _snapshot(
    work: Work,
    execution: WindowExecution,
    tasks: Iterable[TaskExecution],
    invocations: dict[str, list[TaskInvocation]],
) -> ExecutionSnapshot:
    return ExecutionSnapshot(
        state=window_execution.State(execution.status),
        cancel_requested=execution.cancel_requested,
        opens_at=execution.opens_at,
        cutoff_at=execution.cutoff_at,
        tasks=tuple(
            TaskSnapshot(
                id=task.task_execution_id,
                priority=task.task.priority,
                cutoff_behavior=task.task.cutoff_behavior or CutoffBehavior.CONTINUE_TASK,
                state=task_execution.State(task.status),
                invocations=tuple(_snapshot_of(work, one) for one in invocations[task.task_execution_id]),
            )
            for task in tasks
        ),
    )


def _snapshot_of(work: Work, one: TaskInvocation) -> TaskInvocationSnapshot:
    sent: Command | None = None if one.command_id is None else work.commands.get(one.command_id)
    return TaskInvocationSnapshot(
        id=one.invocation_id,
        state=task_invocation.State(one.status),
        details=one.status_details,
        command_id=one.command_id,
        command_status=None if sent is None else command.Status(sent.status),
        command_details=None if sent is None else command.Details(sent.status_details),
    )


def _put_task(work: Work, tasks: dict[str, TaskExecution], task_id: str, **changes: Any) -> None:
    tasks[task_id] = dataclasses.replace(tasks[task_id], **changes)
    work.executions.put_task(tasks[task_id])


def _put(work: Work, invocations: dict[str, TaskInvocation], id: str, **changes: Any) -> None:
    invocations[id] = dataclasses.replace(invocations[id], **changes)
    work.executions.put_invocation(invocations[id])


def _cancel(work: Work, command_id: str, now: datetime) -> None:
    value = work.commands.lock(command_id)
    assert value is not None, "an invocation in progress has a command"
    request_cancel(work, value, now)


def _start(
    work: Work, ids: Ids, execution: WindowExecution, task: TaskExecution, one: TaskInvocation, *, now: datetime
) -> TaskInvocation:
    """Send the command of a task invocation; where it cannot be sent, the invocation fails and says why."""
    try:
        order = _order(execution, task, one)
        sent = create_command(work, ids, now, order, select(work, one.targets))
    except (Invalid, NotFound) as problem:
        after = dataclasses.replace(
            one,
            status=task_invocation.advance(task_invocation.State(one.status), task_invocation.Event.FAILED),
            status_details=str(problem)[:_DETAILS_MAX],
            start_time=now,
            end_time=now,
        )
    else:
        after = dataclasses.replace(
            one,
            status=task_invocation.advance(task_invocation.State(one.status), task_invocation.Event.STARTED),
            command_id=sent.command_id,
            parameters=_told(sent),
            start_time=now,
        )
    work.executions.put_invocation(after)
    return after


def _order(execution: WindowExecution, task: TaskExecution, one: TaskInvocation) -> Order:
    """Return what a task is to send to one of its targets.

    Raises:
        Invalid: the task is of a type that sends no command.
        NotFound: there is no such document.
    """
    if task.task.task_type is not TaskType.RUN_COMMAND:
        raise Invalid(f"tasks of type {task.task.task_type} are not run by this server yet; use RUN_COMMAND")
    request = _request(execution, task, one)
    document = library.get(bare_id(task.task.task_arn), request.get("DocumentVersion", library.DEFAULT_VERSION))
    named = tuple(id for target in one.targets if target.key == IDS for id in target.values)
    return Order(document=document, request=request, instance_ids=named, targets=() if named else one.targets)


def _request(execution: WindowExecution, task: TaskExecution, one: TaskInvocation) -> dict[str, Any]:
    """Return the members of SendCommand for one window target, pseudo parameters replaced."""
    given = dict((task.task.task_invocation_parameters or {}).get("RunCommand") or {})
    if not given and task.task.task_parameters:
        # Deprecated, and used only where TaskInvocationParameters is absent.
        given["Parameters"] = {name: value.get("Values") or [] for name, value in task.task.task_parameters.items()}
    values = {
        "WINDOW_ID": execution.window_id,
        "WINDOW_TASK_ID": task.task.window_task_id,
        "WINDOW_TARGET_ID": one.window_target_id or "",
        "WINDOW_EXECUTION_ID": execution.window_execution_id,
        "TASK_EXECUTION_ID": task.task_execution_id,
        "INVOCATION_ID": one.invocation_id,
        "TARGET_TYPE": "INSTANCE",
    }
    limits = {"MaxConcurrency": task.task.max_concurrency, "MaxErrors": task.task.max_errors}
    return {**replaced(given, values), **{name: value for name, value in limits.items() if value is not None}}


def _told(sent: Command) -> str:
    """Return what the API shows as the parameters of a task invocation: the command as it was sent."""
    members = to_members(sent)
    names = ("DocumentName", "InstanceIds", "Targets", "MaxConcurrency", "MaxErrors", "Parameters", "Comment")
    return json.dumps({name[0].lower() + name[1:]: members[name] for name in names if members[name]})
