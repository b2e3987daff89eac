"""One run of an association: its states, what may happen in each, and what its nodes make of it.

A run is a command; a node's part in it is that command's invocation.
Source: State Manager, statuses of association executions and of their targets.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from patchwindow.domain import command, invocation
from patchwindow.domain.state_machine import follow, terminal


class State(StrEnum):
    """Where a run stands."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCESS = "Success"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"


class Event(StrEnum):
    """What can happen to a run."""

    BEGUN = "sending"
    SUCCEEDED = "success"
    FAILED = "failure"
    TIMED_OUT = "timeout"
    CANCELLED = "cancellation"
    SUPERSEDED = "a newer run"


TRANSITIONS: Final[dict[State, dict[Event, State]]] = {
    # What cannot be sent, as a parameter does not fit or a resource group is gone, fails without a command.
    State.PENDING: {Event.BEGUN: State.IN_PROGRESS, Event.FAILED: State.FAILED},
    State.IN_PROGRESS: {
        Event.SUCCEEDED: State.SUCCESS,
        Event.FAILED: State.FAILED,
        Event.TIMED_OUT: State.TIMED_OUT,
        # Somebody cancelled the command: what was to be done was not.
        Event.CANCELLED: State.FAILED,
        # "A new run times out a still unfinished older one."
        Event.SUPERSEDED: State.TIMED_OUT,
    },
    State.SUCCESS: {},
    State.FAILED: {},
    State.TIMED_OUT: {},
}

TERMINAL: Final = terminal(TRANSITIONS)

SUPERSEDED: Final = "Superseded"
"""The details of a run that a newer one ended."""

EVENT_OF: Final[Mapping[command.Status, Event]] = {
    command.Status.SUCCESS: Event.SUCCEEDED,
    command.Status.FAILED: Event.FAILED,
    command.Status.TIMED_OUT: Event.TIMED_OUT,
    command.Status.CANCELLED: Event.CANCELLED,
}
"""What the end of its command is to a run."""


def advance(state: State, event: Event) -> State:
    """Return the state that follows *state* when *event* happens.

    Raises:
        IllegalTransition: the table has no such move.
    """
    return follow(TRANSITIONS, state, event)


class NodeStatus(StrEnum):
    """Where a run stands on one node."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCESS = "Success"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    SKIPPED = "Skipped"


NODE_STATUS_OF: Final[Mapping[invocation.State, NodeStatus]] = {
    invocation.State.PENDING: NodeStatus.PENDING,
    invocation.State.DELAYED: NodeStatus.PENDING,
    invocation.State.IN_PROGRESS: NodeStatus.IN_PROGRESS,
    invocation.State.CANCELLING: NodeStatus.IN_PROGRESS,
    invocation.State.SUCCESS: NodeStatus.SUCCESS,
    invocation.State.FAILED: NodeStatus.FAILED,
    invocation.State.EXECUTION_TIMED_OUT: NodeStatus.TIMED_OUT,
    invocation.State.DELIVERY_TIMED_OUT: NodeStatus.TIMED_OUT,
    invocation.State.CANCELLED: NodeStatus.FAILED,
    # Others failed more often than MaxErrors allows, so this node was never asked.
    invocation.State.TERMINATED: NodeStatus.SKIPPED,
    invocation.State.UNDELIVERABLE: NodeStatus.FAILED,
    invocation.State.INVALID_PLATFORM: NodeStatus.FAILED,
    invocation.State.ACCESS_DENIED: NodeStatus.FAILED,
}

OPEN: Final = frozenset({NodeStatus.PENDING, NodeStatus.IN_PROGRESS})
"""What a node's part in a run still leaves."""

NEVER_REACHED: Final = frozenset({invocation.State.DELIVERY_TIMED_OUT, invocation.State.UNDELIVERABLE})
"""The node was not there: it has missed the run, and gets one of its own once it is back."""


class Overview(StrEnum):
    """The API's Overview.Status of an association, and AssociationStatus of a node with all of its associations."""

    PENDING = "Pending"
    SUCCESS = "Success"
    FAILED = "Failed"


def overview(nodes: Mapping[NodeStatus, int], latest: State | None) -> Overview:
    """Return how an association stands, of whose *nodes* so many have each status, and whose *latest* run so.

    One node that failed decides; then one that is not ready yet.  Without nodes the run itself counts, for it may have
    failed before it came to any; without a run nothing has happened yet.
    """
    found = together(nodes)
    if found is Overview.FAILED or (found is None and latest in (State.FAILED, State.TIMED_OUT)):
        return Overview.FAILED
    if found is Overview.PENDING or latest in (None, State.PENDING, State.IN_PROGRESS):
        return Overview.PENDING
    return Overview.SUCCESS


def together(counts: Mapping[NodeStatus, int]) -> Overview | None:
    """Return what statuses of which there are so many come to; None where there are none."""
    present = {status for status, count in counts.items() if count}
    if not present:
        return None
    if present - OPEN - {NodeStatus.SUCCESS}:
        return Overview.FAILED
    return Overview.PENDING if present & OPEN else Overview.SUCCESS
