"""What happens next to a window execution: a pure function of how it stands and of the time.

Tasks run by priority: all of one priority side by side, the next when all of the former have ended, however they
ended.  A task works through its targets one after another.  Within a target its invocations run side by side, as
many as MaxConcurrency allows; where more end by an error than MaxErrors allows, the task stops: "the maximum number
of errors allowed before this task stops being scheduled".  What is running then runs to its end.

For RUN_COMMAND a window target is one invocation, a command, which enforces both limits over its own nodes; it is an
error if it ends by its errors, or by hand.  For the other types a node is an invocation, a call of a webhook.  Nodes
that could not be reached are no errors, and the next target gets its turn.

Where a freeze begins, whatever has not started ends, in tasks that go on beyond the cutoff as well; what runs goes on.

The end of a window does not occur here: at its cutoff every task has either begun or ended, and what has begun goes
on beyond the end.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Final

from patchwindow.domain import task_execution, task_invocation, window_execution
from patchwindow.domain.limit import Concurrency, ErrorLimit
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

_STARTED_TOGETHER_MAX: Final = 500
"""So many invocations of a task at most start by one decision, so that none takes long; the next comes at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command or a call has ended; `is_error` says whether that counts against MaxErrors."""

    event: task_invocation.Event
    details: str
    is_error: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInvocationSnapshot:
    """One part of a task, of the target with the number `target`; the outcome is there once it has one.

    The command is there where one was sent: what is no command cannot be taken back.
    """

    id: str
    state: task_invocation.State
    target: int
    details: str = ""
    command_id: str | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSnapshot:
    """One task with all its invocations, those not begun included, in their order, target by target."""

    id: str
    priority: int
    cutoff_behavior: CutoffBehavior
    state: task_execution.State
    concurrency: Concurrency
    errors: ErrorLimit
    invocations: tuple[TaskInvocationSnapshot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSnapshot:
    """All that a decision about a window execution rests on; tasks in the order of their registration."""

    state: window_execution.State
    cancel_requested: bool
    opens_at: datetime
    cutoff_at: datetime
    frozen_at: datetime | None = None
    """When a freeze begins, after which nothing starts; the cutoff is never later, and may be earlier."""
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
    elif execution.frozen_at is not None and now < execution.frozen_at:
        effects.append(WakeAt(execution.frozen_at))
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
        return _carry_on(task, task.state, is_cut_off=cuts_off, is_frozen=_is_frozen(execution, now))
    if execution.cancel_requested:
        return _drop(task, *_CANCELLED_EARLY)
    if is_after_cutoff:
        return _drop(task, *_NEVER_STARTED)
    if not may_start:
        return [], task.state
    started = task_execution.advance(task.state, task_execution.Event.STARTED)
    effects, state = _carry_on(task, started, is_cut_off=False, is_frozen=False)
    return [StartTask(task.id), *effects], state


def _is_frozen(execution: ExecutionSnapshot, now: datetime) -> bool:
    return execution.frozen_at is not None and now >= execution.frozen_at


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
    """End a task that has not begun, with all its targets; one may have failed already, that could not be looked up."""
    dropped = [
        each if each.state in task_invocation.TERMINAL else _ended(each, each_event, details)
        for each in task.invocations
    ]
    state = task_execution.advance(task.state, event)
    return [*_changes(task, dropped), EndTask(task.id, state, details)], state


def _carry_on(
    task: TaskSnapshot, state: task_execution.State, *, is_cut_off: bool, is_frozen: bool
) -> tuple[list[WindowEffect], task_execution.State]:
    """Take over how invocations ended; then start those whose turn it is, or cut the task off, or end it.

    A freeze alone lets what runs go on, and ends what has not started.
    """
    settled = [_settled(each) for each in task.invocations]
    effects: list[WindowEffect] = []
    if is_cut_off and not _all_ended(settled) and state is task_execution.State.IN_PROGRESS:
        effects.append(CutOffTask(task.id))
        state = task_execution.advance(state, task_execution.Event.CUT_OFF)

    if is_cut_off:
        after = [_cut_off(each) for each in settled]
    else:
        after = [_frozen(each) for each in settled] if is_frozen else _advanced(task, settled)
    effects += _changes(task, after)
    if not _all_ended(after):
        return effects, state

    if state is task_execution.State.CANCELLING:
        event, details = task_execution.Event.TIMED_OUT, task_execution.CUT_OFF
    else:
        event, details = task_execution.roll_up(list(_weighed(task, after)))
    state = task_execution.advance(state, event)
    return [*effects, EndTask(task.id, state, details)], state


def _settled(each: TaskInvocationSnapshot) -> TaskInvocationSnapshot:
    """Return *each* ended as its command or call has ended, or as it is."""
    if each.state in task_invocation.TERMINAL or each.outcome is None:
        return each
    return _ended(each, each.outcome.event, each.outcome.details)


def _cut_off(each: TaskInvocationSnapshot) -> TaskInvocationSnapshot:
    """Return *each* as the cutoff leaves it: commands are cancelled, calls that were made run to their end."""
    if each.state is task_invocation.State.PENDING:
        return _ended(each, task_invocation.Event.TIMED_OUT, task_execution.CUT_OFF)
    if each.state is task_invocation.State.IN_PROGRESS and each.command_id is not None:
        return replace(each, state=task_invocation.advance(each.state, task_invocation.Event.CUT_OFF))
    return each


def _frozen(each: TaskInvocationSnapshot) -> TaskInvocationSnapshot:
    if each.state is not task_invocation.State.PENDING:
        return each
    return _ended(each, task_invocation.Event.TIMED_OUT, task_execution.FROZEN)


def _advanced(task: TaskSnapshot, settled: list[TaskInvocationSnapshot]) -> list[TaskInvocationSnapshot]:
    """Return the invocations with those started whose turn has come, and those cancelled whose turn never will."""
    after: list[TaskInvocationSnapshot] = []
    for target in _by_target(settled):
        may_start = _all_ended(after)
        if _is_stopped(task, after) or _is_stopped(task, target):
            after += [_never_started(each) for each in target]
        elif may_start:
            after += _started(target, limit=task.concurrency.of(len(target)))
        else:
            after += target
    return after


def _by_target(invocations: Iterable[TaskInvocationSnapshot]) -> Iterator[list[TaskInvocationSnapshot]]:
    for _, target in groupby(invocations, key=lambda each: each.target):
        yield list(target)


def _is_stopped(task: TaskSnapshot, invocations: Sequence[TaskInvocationSnapshot]) -> bool:
    """Return whether the errors of one of the targets that *invocations* are of stop the task."""
    return any(_error_count(target) > task.errors.of(len(target)) for target in _by_target(invocations))


def _error_count(target: Sequence[TaskInvocationSnapshot]) -> int:
    return sum(map(_is_error, target))


def _is_error(each: TaskInvocationSnapshot) -> bool:
    """Return whether *each* counts against MaxErrors: it did not succeed, and not for want of a node."""
    has_ended = each.state in task_invocation.TERMINAL and each.state is not task_invocation.State.SUCCESS
    return has_ended and (each.outcome is None or each.outcome.is_error)


def _never_started(each: TaskInvocationSnapshot) -> TaskInvocationSnapshot:
    if each.state is not task_invocation.State.PENDING:
        return each
    return _ended(each, task_invocation.Event.CANCELLED, task_execution.STOPPED_BY_ERRORS)


def _started(target: Sequence[TaskInvocationSnapshot], *, limit: int) -> Iterator[TaskInvocationSnapshot]:
    """Yield the invocations of *target*, of which so many may run that *limit* do."""
    running_count = sum(each.state is task_invocation.State.IN_PROGRESS for each in target)
    free = min(limit - running_count, _STARTED_TOGETHER_MAX)
    for each in target:
        if each.state is task_invocation.State.PENDING and free > 0:
            free -= 1
            yield replace(each, state=task_invocation.advance(each.state, task_invocation.Event.STARTED))
        else:
            yield each


def _weighed(
    task: TaskSnapshot, ended: Sequence[TaskInvocationSnapshot]
) -> Iterator[tuple[task_invocation.State, str]]:
    """Yield how each invocation counts for the end of the task: errors that MaxErrors allows are none."""
    for target in _by_target(ended):
        error_count = _error_count(target)
        if is_tolerated := 0 < error_count <= task.errors.of(len(target)):
            yield task_invocation.State.SUCCESS, task_execution.tolerated(error_count, len(target))
        for each in target:
            if not (is_tolerated and _is_error(each)):
                yield each.state, each.details


def _ended(each: TaskInvocationSnapshot, event: task_invocation.Event, details: str) -> TaskInvocationSnapshot:
    return replace(each, state=task_invocation.advance(each.state, event), details=details)


def _all_ended(invocations: Sequence[TaskInvocationSnapshot]) -> bool:
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
