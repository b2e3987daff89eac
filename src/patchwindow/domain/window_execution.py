"""One opening of a window: its states, what may happen in each, and what its tasks make of it.

Source: maintenance windows, MaintenanceWindowExecutionStatus of a window execution.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from patchwindow.domain import task_execution
from patchwindow.domain.state_machine import follow, terminal


class State(StrEnum):
    """Where a window execution stands."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    CANCELLING = "CANCELLING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"
    SKIPPED_OVERLAPPING = "SKIPPED_OVERLAPPING"


class Event(StrEnum):
    """What can happen to a window execution."""

    BEGUN = "opening"
    OVERLAPPED = "overlap"
    MISSED = "a missed opening"
    FROZEN = "a freeze"
    UNREADABLE = "a freeze that cannot be told"
    CANCEL_REQUESTED = "a cancel request"
    SUCCEEDED = "success"
    FAILED = "failure"
    TIMED_OUT = "timeout"
    CANCELLED = "cancellation"


TRANSITIONS: Final[dict[State, dict[Event, State]]] = {
    State.PENDING: {
        Event.BEGUN: State.IN_PROGRESS,
        # The one before is still running; this one is not made up for.
        Event.OVERLAPPED: State.SKIPPED_OVERLAPPING,
        # No server ran from the opening to the cutoff.
        Event.MISSED: State.TIMED_OUT,
        # A calendar that the window heeds is closed at the opening.
        Event.FROZEN: State.CANCELLED,
        # A calendar that the window heeds is not there: whether it may open is not known, so it must not.
        Event.UNREADABLE: State.FAILED,
        Event.CANCEL_REQUESTED: State.CANCELLING,
    },
    State.IN_PROGRESS: {
        Event.SUCCEEDED: State.SUCCESS,
        Event.FAILED: State.FAILED,
        Event.TIMED_OUT: State.TIMED_OUT,
        # Somebody cancelled the command of a task, and nothing worse happened.
        Event.CANCELLED: State.CANCELLED,
        Event.CANCEL_REQUESTED: State.CANCELLING,
    },
    # Running tasks run to their end; how they end does not matter to an execution that was cancelled.
    State.CANCELLING: {Event.CANCELLED: State.CANCELLED},
    State.SUCCESS: {},
    State.FAILED: {},
    State.TIMED_OUT: {},
    State.CANCELLED: {},
    State.SKIPPED_OVERLAPPING: {},
}

TERMINAL: Final = terminal(TRANSITIONS)


def advance(state: State, event: Event) -> State:
    """Return the state that follows *state* when *event* happens.

    Raises:
        IllegalTransition: the table has no such move.
    """
    return follow(TRANSITIONS, state, event)


NO_TASKS: Final = "No tasks to execute."
CANCELLED: Final = "The execution was cancelled."

# The worst comes first: it decides.
_WORST_FIRST: Final = (
    (task_execution.State.FAILED, Event.FAILED, "One or more tasks in the orchestration failed."),
    (task_execution.State.TIMED_OUT, Event.TIMED_OUT, "One or more tasks in the orchestration timed out."),
    (task_execution.State.CANCELLED, Event.CANCELLED, "One or more tasks in the orchestration were cancelled."),
)


def roll_up(tasks: Collection[task_execution.State]) -> tuple[Event, str]:
    """Return how an execution ends whose *tasks* all have ended without its being cancelled, and the details."""
    for worst, event, details in _WORST_FIRST:
        if worst in tasks:
            return event, details
    return Event.SUCCEEDED, "" if tasks else NO_TASKS
