"""Reading what a decision about a window execution rests on.

A task of calls has an invocation for each of its nodes, and a step may follow each answer: of an invocation only the few
columns are read that a decision looks at, and of a task that has ended none.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from patchwindow.domain import task_execution, task_invocation, window_execution
from patchwindow.domain.limit import Concurrency, ErrorLimit
from patchwindow.domain.run import TaskExecution, WindowExecution
from patchwindow.domain.webhook import WebhookCall
from patchwindow.domain.window import CutoffBehavior, TaskType, WindowTask
from patchwindow.engine.decide_window import ExecutionSnapshot, Outcome, TaskInvocationSnapshot, TaskSnapshot
from patchwindow.engine.outcomes import of_call, of_command
from patchwindow.store.executions import Part
from patchwindow.store.work import Work

# A command keeps the limits of its task over its own nodes; of window targets each waits for the former to succeed.
_ONE_AT_A_TIME: Final = (Concurrency(1, is_percent=False), ErrorLimit(0, is_percent=False))
# A task without targets is one invocation, and has no limits.
_UNLIMITED: Final = ("100%", "0")


def snapshot_of(
    work: Work, execution: WindowExecution, tasks: Iterable[TaskExecution], calls: Mapping[str, WebhookCall]
) -> ExecutionSnapshot:
    """Return how *execution* stands; *calls* are those that have ended, by the id of their task invocation."""
    return ExecutionSnapshot(
        state=window_execution.State(execution.status),
        cancel_requested=execution.cancel_requested,
        opens_at=execution.opens_at,
        cutoff_at=execution.cutoff_at,
        frozen_at=execution.frozen_at,
        tasks=tuple(_task(work, task, calls) for task in tasks),
    )


def _task(work: Work, task: TaskExecution, calls: Mapping[str, WebhookCall]) -> TaskSnapshot:
    concurrency, errors = _limits(task.task)
    state = task_execution.State(task.status)
    parts = () if state in task_execution.TERMINAL else work.executions.parts(task.task_execution_id)
    return TaskSnapshot(
        id=task.task_execution_id,
        priority=task.task.priority,
        cutoff_behavior=task.task.cutoff_behavior or CutoffBehavior.CONTINUE_TASK,
        state=state,
        concurrency=concurrency,
        errors=errors,
        invocations=tuple(
            TaskInvocationSnapshot(
                id=part.invocation_id,
                state=task_invocation.State(part.status),
                target=part.target_ordinal,
                details=part.status_details,
                command_id=part.command_id,
                outcome=_outcome(work, part, calls),
            )
            for part in parts
        ),
    )


def _limits(task: WindowTask) -> tuple[Concurrency, ErrorLimit]:
    if task.task_type is TaskType.RUN_COMMAND:
        return _ONE_AT_A_TIME
    concurrency, errors = _UNLIMITED
    return Concurrency.parse(task.max_concurrency or concurrency), ErrorLimit.parse(task.max_errors or errors)


def _outcome(work: Work, part: Part, calls: Mapping[str, WebhookCall]) -> Outcome | None:
    if part.command_id is None:
        return of_call(calls.get(part.invocation_id))
    sent = work.commands.get(part.command_id)
    outcome = of_command(sent)
    if outcome is None or part.status in task_invocation.TERMINAL:
        return outcome
    # Only now: it is told once, when the command has ended.
    return of_command(sent, work.executions.missed(part.command_id))
