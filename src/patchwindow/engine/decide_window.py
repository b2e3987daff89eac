"""What happens next to a window execution: a pure function of how it stands and of the time.

Tasks run by priority: all of one priority side by side, the next when all of the former have ended, however they
ended.  A task works through its window targets one after another, each with a command of its own.

Every command enforces MaxErrors over the nodes of its own window target, where a percentage is one of these nodes.
A command that ends by its errors also ends its task: "the maximum number of errors allowed before this task stops
being scheduled".  Nodes that could not be reached are no errors, and the next window target gets its turn.

The end of a window does not occur here: at its cutoff every task has either begun or ended, and what has begun goes
on beyond the end.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Final

from patchwindow.domain import command, task_execution, task_invocation, window_execution
from patchwindow.domain.window import CutoffBehavior
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
    WindowEffect,
)

_EVENT_OF: Final[dict[command.Status, task_invocation.Event]] = {
    command.Status.SUCCESS: task_invocation.Event.SUCCEEDED,
    command.Status.FAILED: task_invocation.Event.FAILED,
    command.Status.TIMED_OUT: task_invocation.Event.TIMED_OUT,
    command.Status.CANCELLED: task_invocation.Event.CANCELLED,
}

# How a command ends that did not succeed, though no node that it reached is to blame.
_NOT_REACHED: Final = frozenset(
    {command.Details.INCOMPLETE, command.Details.ACCESS_DENIED, command.Details.DELIVERY_TIMED_OUT}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInvocationSnapshot:
    """One window target of a task; the command's status and details are there once the command is."""

    id: str
    state: task_invocation.State
    details: str = ""
    command_id: str | None = None
    command_status: command.Status | None = None
    command_details: command.Details | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSnapshot:
    """One task with all its window targets, those not begun included, in their order."""

    id: str
    priority: int
    cutoff_behavior: CutoffBehavior
    state: task_execution.State
    invocations: tuple[TaskInvocationSnapshot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSnapshot:
    """All that a decision about a window execution rests on; tasks in the order of their registration."""

    state: window_execution.State
    cancel_requested: bool
    opens_at: datetime
    cutoff_at: datetime
    tasks: tuple[TaskSnapshot, ...]


def decide(execution: ExecutionSnapshot, now: datetime) -> list[WindowEffect]:
    """Return the effects that bring *execution* as far as it can go at *now*, in the order of performing."""
    if execution.state in window_execution.TERMINAL:
        return []
    if now < execution.opens_at and not execution.cancel_requested:
        return [WakeAt(execution.opens_at)]

    state, effects = _enter(execution)
    states: dict[str, task_execution.State] = {}
    for _, group in groupby(sorted(execution.tasks, key=lambda task: task.priority), key=lambda task: task.priority):
        may_start = _all_terminal(states)
        for task in group:
            task_effects, states[task.id] = _work_on(task, execution, now, may_start=may_start)
            effects += task_effects

    if _all_terminal(states):
        if state is window_execution.State.CANCELLING:
            event, details = window_execution.Event.CANCELLED, window_execution.CANCELLED
        else:
            event, details = window_execution.roll_up(states.values())
        effects.append(EndExecution(window_execution.advance(state, event), details))
    elif now < execution.cutoff_at and any(_heeds_cutoff(task, states[task.id]) for task in execution.tasks):
        effects.append(WakeAt(execution.cutoff_at))
    return effects


def _all_terminal(states: dict[str, task_execution.State]) -> bool:
    return all(each in task_execution.TERMINAL for each in states.values())


def _enter(execution: ExecutionSnapshot) -> tuple[window_execution.State, list[WindowEffect]]:
    """Begin or cancel the execution, if that has not been done; return its state then."""
    if execution.cancel_requested:
        if execution.state is window_execution.State.CANCELLING:
            return execution.state, []
        event = window_execution.Event.CANCEL_REQUESTED
        return window_execution.advance(execution.state, event), [CancelExecution()]
    if execution.state is window_execution.State.PENDING:
        return window_execution.advance(execution.state, window_execution.Event.BEGUN), [BeginExecution()]
    return execution.state, []


def _heeds_cutoff(task: TaskSnapshot, state: task_execution.State) -> bool:
    """Return whether the cutoff will do something to *task* in *state*."""
    if state is task_execution.State.IN_PROGRESS:
        return task.cutoff_behavior is CutoffBehavior.CANCEL_TASK
    return state is task_execution.State.PENDING


def _work_on(
    task: TaskSnapshot, execution: ExecutionSnapshot, now: datetime, *, may_start: bool
) -> tuple[list[WindowEffect], task_execution.State]:
    """Return what is to be done about one task, and its state when that is done."""
    is_after_cutoff = now >= execution.cutoff_at
    if task.state in task_execution.TERMINAL:
        return [], task.state
    if task.state is not task_execution.State.PENDING:
        cuts_off = is_after_cutoff and task.cutoff_behavior is CutoffBehavior.CANCEL_TASK
        return _carry_on(task, task.state, is_cut_off=cuts_off)
    if execution.cancel_requested:
        return _drop(task, *_CANCELLED_EARLY)
    if is_after_cutoff:
        return _drop(task, *_NEVER_STARTED)
    if not may_start:
        return [], task.state
    started = task_execution.advance(task.state, task_execution.Event.STARTED)
    effects, state = _carry_on(task, started, is_cut_off=False)
    return [StartTask(task.id), *effects], state


_CANCELLED_EARLY: Final = (
    task_execution.Event.CANCELLED,
    task_invocation.Event.CANCELLED,
    task_execution.CANCELLED_BEFORE_START,
)
_NEVER_STARTED: Final = (
    task_execution.Event.TIMED_OUT,
    task_invocation.Event.TIMED_OUT,
    task_execution.NOT_STARTED_BY_CUTOFF,
)


def _drop(
    task: TaskSnapshot, event: task_execution.Event, each_event: task_invocation.Event, details: str
) -> tuple[list[WindowEffect], task_execution.State]:
    """End a task that has not begun, with all its targets."""
    dropped = [_ended(each, each_event, details) for each in task.invocations]
    state = task_execution.advance(task.state, event)
    return [*_changes(task, dropped), EndTask(task.id, state, details)], state


def _carry_on(
    task: TaskSnapshot, state: task_execution.State, *, is_cut_off: bool
) -> tuple[list[WindowEffect], task_execution.State]:
    """Take over what commands came to; then start the next target, or cut the task off, or end it."""
    settled = [_settled(each) for each in task.invocations]
    effects: list[WindowEffect] = []
    if is_cut_off and not _all_ended(settled) and state is task_execution.State.IN_PROGRESS:
        effects.append(CutOffTask(task.id))
        state = task_execution.advance(state, task_execution.Event.CUT_OFF)

    after: list[TaskInvocationSnapshot] = []
    for each in settled:
        after.append(_cut_off(each) if is_cut_off else _next(each, earlier=after))
    effects += _changes(task, after)
    if not _all_ended(after):
        return effects, state

    if state is task_execution.State.CANCELLING:
        event, details = task_execution.Event.TIMED_OUT, task_execution.CUT_OFF
    else:
        event, details = task_execution.roll_up([(each.state, each.details) for each in after])
    state = task_execution.advance(state, event)
    return [*effects, EndTask(task.id, state, details)], state


def _settled(each: TaskInvocationSnapshot) -> TaskInvocationSnapshot:
    """Return *each* ended as its command has ended, or as it is."""
    if each.state in task_invocation.TERMINAL or each.command_status not in _EVENT_OF:
        return each
    return _ended(each, _EVENT_OF[each.command_status], each.command_details or "")


def _cut_off(each: TaskInvocationSnapshot) -> TaskInvocationSnapshot:
    if each.state is task_invocation.State.PENDING:
        return _ended(each, task_invocation.Event.TIMED_OUT, task_execution.CUT_OFF)
    if each.state is task_invocation.State.IN_PROGRESS:
        return replace(each, state=task_invocation.advance(each.state, task_invocation.Event.CUT_OFF))
    return each


def _next(each: TaskInvocationSnapshot, *, earlier: list[TaskInvocationSnapshot]) -> TaskInvocationSnapshot:
    """Return *each* started if its turn has come, cancelled if it never will, or as it is."""
    if each.state is not task_invocation.State.PENDING:
        return each
    if any(map(_stops_task, earlier)):
        return _ended(each, task_invocation.Event.CANCELLED, task_execution.STOPPED_BY_ERRORS)
    if _all_ended(earlier):
        return replace(each, state=task_invocation.advance(each.state, task_invocation.Event.STARTED))
    return each


def _stops_task(each: TaskInvocationSnapshot) -> bool:
    """Return whether no further target may begin after *each*: it did not succeed, and not for want of a node."""
    has_ended = each.state in task_invocation.TERMINAL
    return has_ended and each.state is not task_invocation.State.SUCCESS and each.details not in _NOT_REACHED


def _ended(each: TaskInvocationSnapshot, event: task_invocation.Event, details: str) -> TaskInvocationSnapshot:
    return replace(each, state=task_invocation.advance(each.state, event), details=details)


def _all_ended(invocations: list[TaskInvocationSnapshot]) -> bool:
    return all(each.state in task_invocation.TERMINAL for each in invocations)


def _changes(task: TaskSnapshot, after: list[TaskInvocationSnapshot]) -> list[WindowEffect]:
    """Return the effects that bring the invocations of *task* into the states of *after*."""
    effects: list[WindowEffect] = []
    for before, each in zip(task.invocations, after, strict=True):
        if before.state is each.state:
            continue
        if each.state is task_invocation.State.IN_PROGRESS:
            effects.append(StartInvocation(each.id))
        elif each.state is task_invocation.State.CANCELLING:
            assert each.command_id is not None, "an invocation in progress has a command"
            effects.append(CancelCommand(each.id, each.command_id))
        else:
            effects.append(EndInvocation(each.id, each.state, each.details))
    return effects
