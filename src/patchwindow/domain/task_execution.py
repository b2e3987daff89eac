"""One task within one opening of a window: its states, what may happen in each, and what its invocations make of it.

Source: maintenance windows, MaintenanceWindowExecutionStatus of a task.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from patchwindow.domain import task_invocation
from patchwindow.domain.state_machine import follow, terminal


class State(StrEnum):
    """Where a task stands."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    CANCELLING = "CANCELLING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"


class Event(StrEnum):
    """What can happen to a task."""

    STARTED = "start"
    CUT_OFF = "cutoff"
    SUCCEEDED = "success"
    FAILED = "failure"
    TIMED_OUT = "timeout"
    CANCELLED = "cancellation"


TRANSITIONS: Final[dict[State, dict[Event, State]]] = {
    State.PENDING: {
        Event.STARTED: State.IN_PROGRESS,
        # The cutoff, or the cancellation of the execution, came before its turn.
        Event.TIMED_OUT: State.TIMED_OUT,
        Event.CANCELLED: State.CANCELLED,
    },
    State.IN_PROGRESS: {
        Event.SUCCEEDED: State.SUCCESS,
        Event.FAILED: State.FAILED,
        Event.TIMED_OUT: State.TIMED_OUT,
        Event.CANCELLED: State.CANCELLED,
        Event.CUT_OFF: State.CANCELLING,
    },
    # A task that was not complete at its cutoff has timed out, however its last command ends.
    State.CANCELLING: {Event.TIMED_OUT: State.TIMED_OUT},
    State.SUCCESS: {},
    State.FAILED: {},
    State.TIMED_OUT: {},
    State.CANCELLED: {},
}

TERMINAL: Final = terminal(TRANSITIONS)


def advance(state: State, event: Event) -> State:
    """Return the state that follows *state* when *event* happens.

    Raises:
        IllegalTransition: the table has no such move.
    """
    return follow(TRANSITIONS, state, event)


NO_TARGETS: Final = "The task has no targets to run on."
NOT_STARTED_BY_CUTOFF: Final = "The task did not start before the cutoff of the maintenance window."
CUT_OFF: Final = "The task was not complete at the cutoff of the maintenance window."
FROZEN: Final = "The task was not complete when a freeze that the maintenance window heeds began."
CANCELLED_BEFORE_START: Final = "The maintenance window execution was cancelled before the task started."
STOPPED_BY_ERRORS: Final = "An earlier target of the task did not succeed."


def tolerated(error_count: int, count: int) -> str:
    """Return the details of a task of which some invocations failed, and no more than MaxErrors allows."""
    return f"{error_count} of {count} invocations did not succeed, which MaxErrors allows."


# The worst comes first: it decides.
_WORST_FIRST: Final = (
    (task_invocation.State.FAILED, Event.FAILED),
    (task_invocation.State.TIMED_OUT, Event.TIMED_OUT),
    (task_invocation.State.CANCELLED, Event.CANCELLED),
    (task_invocation.State.SUCCESS, Event.SUCCEEDED),
)


def roll_up(invocations: Sequence[tuple[task_invocation.State, str]]) -> tuple[Event, str]:
    """Return how a task ends whose *invocations* (state and details) all have ended, and the details that say why.

    The first invocation in the worst state speaks for the task.  A task without targets succeeds: it did all there was.
    """
    for worst, event in _WORST_FIRST:
        for state, details in invocations:
            if state is worst:
                return event, details
    assert not invocations, "every invocation has ended"
    return Event.SUCCEEDED, NO_TARGETS
