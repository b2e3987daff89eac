"""One part of one task within one opening of a window: its states and what may happen in each.

For a task of type RUN_COMMAND this is one window target and one command; for the others one node, or the whole task
where it has no targets, and a call of a webhook.
Source: maintenance windows, MaintenanceWindowExecutionStatus of a task invocation.
"""

from enum import StrEnum
from typing import Final

from patchwindow.domain.state_machine import follow, terminal


class State(StrEnum):
    """Where a task invocation stands."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    CANCELLING = "CANCELLING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"


class Event(StrEnum):
    """What can happen to a task invocation."""

    STARTED = "start"
    CUT_OFF = "cutoff"
    SUCCEEDED = "success"
    FAILED = "failure"
    TIMED_OUT = "timeout"
    CANCELLED = "cancellation"


TRANSITIONS: Final[dict[State, dict[Event, State]]] = {
    State.PENDING: {
        Event.STARTED: State.IN_PROGRESS,
        # Its parameters were refused, or there is no webhook, so that nothing was sent.
        Event.FAILED: State.FAILED,
        # Its turn never came.
        Event.TIMED_OUT: State.TIMED_OUT,
        Event.CANCELLED: State.CANCELLED,
    },
    State.IN_PROGRESS: {
        Event.SUCCEEDED: State.SUCCESS,
        Event.FAILED: State.FAILED,
        Event.TIMED_OUT: State.TIMED_OUT,
        # Somebody cancelled the command itself.
        Event.CANCELLED: State.CANCELLED,
        Event.CUT_OFF: State.CANCELLING,
    },
    State.CANCELLING: {
        # The command may have ended before the cancellation reached it.
        Event.SUCCEEDED: State.SUCCESS,
        Event.FAILED: State.FAILED,
        Event.TIMED_OUT: State.TIMED_OUT,
        # It was cancelled because the time was up.
        Event.CANCELLED: State.TIMED_OUT,
    },
    State.SUCCESS: {},
    State.FAILED: {},
    State.TIMED_OUT: {},
    State.CANCELLED: {},
}

TERMINAL: Final = terminal(TRANSITIONS)

DETAILS_MAX: Final = 250
"""So many characters StatusDetails can have."""


def advance(state: State, event: Event) -> State:
    """Return the state that follows *state* when *event* happens.

    Raises:
        IllegalTransition: the table has no such move.
    """
    return follow(TRANSITIONS, state, event)
