"""One node's part of a command: its states, what may happen in each, and what the API calls them.

The states are the API's StatusDetails; `STATUS_OF` gives the coarser Status.  Everything that moves an invocation is
in `TRANSITIONS`.
Source: Run Command, "Understanding command statuses", table for plugins and invocations.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from patchwindow.domain.state_machine import follow, terminal


class Status(StrEnum):
    """The API's CommandInvocationStatus."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    DELAYED = "Delayed"
    SUCCESS = "Success"
    CANCELLED = "Cancelled"
    TIMED_OUT = "TimedOut"
    FAILED = "Failed"
    CANCELLING = "Cancelling"


class State(StrEnum):
    """Where an invocation stands: the API's StatusDetails."""

    PENDING = "Pending"
    DELAYED = "Delayed"
    IN_PROGRESS = "InProgress"
    CANCELLING = "Cancelling"
    SUCCESS = "Success"
    FAILED = "Failed"
    EXECUTION_TIMED_OUT = "ExecutionTimedOut"
    DELIVERY_TIMED_OUT = "DeliveryTimedOut"
    CANCELLED = "Cancelled"
    TERMINATED = "Terminated"
    UNDELIVERABLE = "Undeliverable"
    INVALID_PLATFORM = "InvalidPlatform"
    ACCESS_DENIED = "AccessDenied"


class Event(StrEnum):
    """What can happen to an invocation."""

    ACKNOWLEDGED = "acknowledgement"
    DELAYED = "delay"
    SUCCEEDED = "success"
    FAILED = "failure"
    TIMED_OUT = "execution timeout"
    EXPIRED = "expiry"
    CANCEL_SENT = "cancel message"
    CANCELLED = "cancellation"
    TERMINATED = "termination"
    UNREACHABLE = "failed delivery"
    PLATFORM_REFUSED = "refusal of the platform"
    ACCESS_REFUSED = "refusal of access"


# A reply may come before the acknowledgement, or without one: agents send both at the same time.
_REPORTS: Final[dict[Event, State]] = {
    Event.SUCCEEDED: State.SUCCESS,
    Event.FAILED: State.FAILED,
    Event.TIMED_OUT: State.EXECUTION_TIMED_OUT,
    Event.CANCELLED: State.CANCELLED,
}

_BEFORE_RECEIPT: Final[dict[Event, State]] = {
    **_REPORTS,
    Event.ACKNOWLEDGED: State.IN_PROGRESS,
    Event.EXPIRED: State.DELIVERY_TIMED_OUT,
    Event.CANCEL_SENT: State.CANCELLING,
    Event.UNREACHABLE: State.UNDELIVERABLE,
    Event.PLATFORM_REFUSED: State.INVALID_PLATFORM,
    Event.ACCESS_REFUSED: State.ACCESS_DENIED,
}

TRANSITIONS: Final[dict[State, dict[Event, State]]] = {
    State.PENDING: {
        **_BEFORE_RECEIPT,
        Event.DELAYED: State.DELAYED,
        # Only what was never sent is terminated, and that is always still pending.
        Event.TERMINATED: State.TERMINATED,
    },
    State.DELAYED: _BEFORE_RECEIPT,
    State.IN_PROGRESS: {
        **_REPORTS,
        # The total timeout passed without a word from the node; whether the step timed out only the node can know.
        Event.EXPIRED: State.DELIVERY_TIMED_OUT,
        Event.CANCEL_SENT: State.CANCELLING,
    },
    # The node may finish before it hears of the cancellation; what it did is then a fact, and wins over the wish.
    State.CANCELLING: _REPORTS,
    State.SUCCESS: {},
    State.FAILED: {},
    State.EXECUTION_TIMED_OUT: {},
    State.DELIVERY_TIMED_OUT: {},
    State.CANCELLED: {},
    State.TERMINATED: {},
    State.UNDELIVERABLE: {},
    State.INVALID_PLATFORM: {},
    State.ACCESS_DENIED: {},
}

TERMINAL: Final = terminal(TRANSITIONS)

# Sent, and nothing shows yet that the node has it.
NOT_RECEIVED: Final = frozenset({State.PENDING, State.DELAYED})

# What ends by itself, at an instant of its own, before the whole command expires.
TIMED: Final = NOT_RECEIVED | {State.CANCELLING}

# "There is no guarantee that the command will be terminated": a node that knows nothing of the command, or has
# finished it, answers a cancellation with silence.
CANCEL_WAIT: Final = timedelta(seconds=300)

# What counts against MaxErrors.
ERRORS: Final = frozenset({State.FAILED, State.EXECUTION_TIMED_OUT})

# The node never had a chance to run the command; this is no error of the command.
REFUSED: Final = frozenset({State.UNDELIVERABLE, State.INVALID_PLATFORM, State.ACCESS_DENIED})

STATUS_OF: Final[dict[State, Status]] = {
    State.PENDING: Status.PENDING,
    State.DELAYED: Status.DELAYED,
    State.IN_PROGRESS: Status.IN_PROGRESS,
    State.CANCELLING: Status.CANCELLING,
    State.SUCCESS: Status.SUCCESS,
    State.FAILED: Status.FAILED,
    State.EXECUTION_TIMED_OUT: Status.TIMED_OUT,
    State.DELIVERY_TIMED_OUT: Status.TIMED_OUT,
    State.CANCELLED: Status.CANCELLED,
    State.TERMINATED: Status.CANCELLED,
    State.UNDELIVERABLE: Status.FAILED,
    State.INVALID_PLATFORM: Status.FAILED,
    State.ACCESS_DENIED: Status.FAILED,
}


def advance(state: State, event: Event) -> State:
    """Return the state that follows *state* when *event* happens.

    Raises:
        IllegalTransition: the table has no such move.
    """
    return follow(TRANSITIONS, state, event)


def not_taken(node_id: str, *, since: datetime, until: datetime) -> str:
    """Return what is told of a node that was sent a command and never took it: it was off, or cut off."""
    return f"node {node_id} did not take the command between {_shown(since)} and {_shown(until)}"


def _shown(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
