"""Carrying out what was decided about a window execution: one step is one transaction. No rule is in here."""

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from patchwindow.domain import task_execution, task_invocation, window_execution
from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.limit import Concurrency, ErrorLimit
from patchwindow.domain.run import TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.webhook import WebhookCall
from patchwindow.domain.window import CutoffBehavior, TaskType, WindowTask
from patchwindow.engine.decide_window import ExecutionSnapshot, Outcome, TaskInvocationSnapshot, TaskSnapshot, decide
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
from patchwindow.engine.outcomes import of_call, of_command
from patchwindow.engine.start_call import start_call
from patchwindow.engine.start_command import start_command
from patchwindow.operations.sending import request_cancel
from patchwindow.ports import Ids
from patchwindow.store.work import Work

# A command keeps the limits of its task over its own nodes; of window targets each waits for the former to succeed.
_ONE_AT_A_TIME: Final = (Concurrency(1, is_percent=False), ErrorLimit(0, is_percent=False))
# A task without targets is one invocation, and has no limits.
_UNLIMITED: Final = ("100%", "0")


def step_execution(work: Work, ids: Ids, execution_id: str, now: datetime) -> None:
    """Bring the window execution as far as it can go at *now*, and say when to look at it again."""
    execution = work.executions.lock(execution_id)
    if execution is None:
        return
    tasks = {task.task_execution_id: task for task in work.executions.tasks(execution_id)}
    invocations = {id: work.executions.invocations(id) for id in tasks}
    calls = {call.invocation_id: call for call in work.webhook_calls.of_execution(execution_id)}
    by_id = {one.invocation_id: one for each in invocations.values() for one in each}
    wake_at: datetime | None = None
    for effect in decide(_snapshot(work, execution, tasks.values(), invocations, calls), now):
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
                # It may have failed to start, or its command selects no node: decide again at once.
                wake_at = now
            case CancelCommand(invocation_id, command_id):
                _cancel(work, command_id, now)
                _put(work, by_id, invocation_id, status=task_invocation.State.CANCELLING)
            case EndInvocation(invocation_id, state, details):
                _put(work, by_id, invocation_id, status=state, status_details=details, end_time=now)
                if invocation_id in calls:
                    work.webhook_calls.forget(invocation_id)
            case WakeAt(instant):
                wake_at = wake_at or instant
    work.executions.put(execution, wake_at=None if execution.end_time else wake_at)


def _snapshot(
    work: Work,
    execution: WindowExecution,
    tasks: Iterable[TaskExecution],
    invocations: Mapping[str, list[TaskInvocation]],
    calls: Mapping[str, WebhookCall],
) -> ExecutionSnapshot:
    return ExecutionSnapshot(
        state=window_execution.State(execution.status),
        cancel_requested=execution.cancel_requested,
        opens_at=execution.opens_at,
        cutoff_at=execution.cutoff_at,
        tasks=tuple(_snapshot_of_task(work, task, invocations[task.task_execution_id], calls) for task in tasks),
    )


def _snapshot_of_task(
    work: Work, task: TaskExecution, invocations: Iterable[TaskInvocation], calls: Mapping[str, WebhookCall]
) -> TaskSnapshot:
    concurrency, errors = _limits(task.task)
    return TaskSnapshot(
        id=task.task_execution_id,
        priority=task.task.priority,
        cutoff_behavior=task.task.cutoff_behavior or CutoffBehavior.CONTINUE_TASK,
        state=task_execution.State(task.status),
        concurrency=concurrency,
        errors=errors,
        invocations=tuple(
            TaskInvocationSnapshot(
                id=one.invocation_id,
                state=task_invocation.State(one.status),
                target=one.target_ordinal,
                details=one.status_details,
                command_id=one.command_id,
                outcome=_outcome(work, one, calls),
            )
            for one in invocations
        ),
    )


def _limits(task: WindowTask) -> tuple[Concurrency, ErrorLimit]:
    if task.task_type is TaskType.RUN_COMMAND:
        return _ONE_AT_A_TIME
    concurrency, errors = _UNLIMITED
    return Concurrency.parse(task.max_concurrency or concurrency), ErrorLimit.parse(task.max_errors or errors)


def _outcome(work: Work, one: TaskInvocation, calls: Mapping[str, WebhookCall]) -> Outcome | None:
    if one.command_id is None:
        return of_call(calls.get(one.invocation_id))
    outcome = of_command(work.commands.get(one.command_id))
    if outcome is None or one.end_time is not None:
        return outcome
    # Only now: it is told once, when the command has ended.
    return of_command(work.commands.get(one.command_id), work.executions.missed(one.command_id))


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
    return after
