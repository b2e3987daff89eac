"""Carrying out what was decided about a window execution: one step is one transaction. No rule is in here."""

import dataclasses
from datetime import datetime
from typing import Any

from patchwindow.domain import task_execution, task_invocation, window_execution
from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.run import TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.window import TaskType
from patchwindow.engine.decide_window import decide
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
from patchwindow.engine.start_call import start_call
from patchwindow.engine.start_command import start_command
from patchwindow.engine.window_snapshot import snapshot_of
from patchwindow.operations.freezes import with_freeze
from patchwindow.operations.sending import request_cancel
from patchwindow.ports import Ids
from patchwindow.store.work import Work


def step_execution(work: Work, ids: Ids, execution_id: str, now: datetime) -> None:
    """Bring the window execution as far as it can go at *now*, and say when to look at it again."""
    execution = work.executions.lock(execution_id)
    if execution is None:
        return
    tasks = {task.task_execution_id: task for task in work.executions.tasks(execution_id)}
    calls = {call.invocation_id: call for call in work.webhook_calls.ended(execution_id)}
    wake_at: datetime | None = None
    for effect in decide(snapshot_of(work, execution, tasks.values(), calls), now):
        match effect:
            case BeginExecution():
                execution = dataclasses.replace(execution, status=window_execution.State.IN_PROGRESS)
            case CancelExecution():
                execution = dataclasses.replace(execution, status=window_execution.State.CANCELLING)
            case EndExecution(state, details):
                told = with_freeze(details, execution, now)
                execution = dataclasses.replace(execution, status=state, status_details=told, end_time=now)
            case StartTask(task_id):
                _put_task(work, tasks, task_id, status=task_execution.State.IN_PROGRESS, start_time=now)
            case CutOffTask(task_id):
                _put_task(work, tasks, task_id, status=task_execution.State.CANCELLING)
            case EndTask(task_id, state, details):
                _put_task(work, tasks, task_id, status=state, status_details=details, end_time=now)
            case StartInvocation(invocation_id):
                one = _existing(work, invocation_id)
                _start(work, ids, execution, tasks[one.task_execution_id], one, now=now)
                # It may have failed to start, or its command selects no node: decide again at once.
                wake_at = now
            case CancelCommand(invocation_id, command_id):
                _cancel(work, command_id, now)
                _put(work, invocation_id, status=task_invocation.State.CANCELLING)
            case EndInvocation(invocation_id, state, details):
                _put(work, invocation_id, status=state, status_details=details, end_time=now)
                if invocation_id in calls:
                    work.webhook_calls.forget(invocation_id)
            case WakeAt(instant):
                wake_at = wake_at or instant
    work.executions.put(execution, wake_at=None if execution.end_time else wake_at)


def _put_task(work: Work, tasks: dict[str, TaskExecution], task_id: str, **changes: Any) -> None:
    tasks[task_id] = dataclasses.replace(tasks[task_id], **changes)
    work.executions.put_task(tasks[task_id])


def _existing(work: Work, invocation_id: str) -> TaskInvocation:
    value = work.executions.invocation(invocation_id)
    assert value is not None, "only an execution's own invocations are decided about"
    return value


def _put(work: Work, invocation_id: str, **changes: Any) -> None:
    work.executions.put_invocation(dataclasses.replace(_existing(work, invocation_id), **changes))


def _cancel(work: Work, command_id: str, now: datetime) -> None:
    value = work.commands.lock(command_id)
    assert value is not None, "an invocation in progress has a command"
    request_cancel(work, value, now)


def _start(
    work: Work, ids: Ids, execution: WindowExecution, task: TaskExecution, one: TaskInvocation, *, now: datetime
) -> None:
    """Start a task invocation; where it cannot be started it fails and says why."""
    try:
        if task.task.task_type is TaskType.RUN_COMMAND:
            started = start_command(work, ids, execution, task, one, now=now)
        else:
            started = start_call(work, execution, task, one, now=now)
    except (Invalid, NotFound) as problem:
        after = dataclasses.replace(
            one,
            status=task_invocation.advance(task_invocation.State(one.status), task_invocation.Event.FAILED),
            status_details=str(problem)[: task_invocation.DETAILS_MAX],
            start_time=now,
            end_time=now,
        )
    else:
        status = task_invocation.advance(task_invocation.State(one.status), task_invocation.Event.STARTED)
        after = dataclasses.replace(started, status=status, start_time=now)
    work.executions.put_invocation(after)
