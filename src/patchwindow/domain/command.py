"""A command over all its nodes: its states, its standing drawn from its invocations, its counts, its expiry.

Source: Run Command, "Understanding command statuses" and "Understanding command timeouts".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from patchwindow.domain import invocation
from patchwindow.domain.invocation import State
from patchwindow.domain.state_machine import follow, terminal


class Status(StrEnum):
    """Where a command stands: the API's CommandStatus."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    CANCELLING = "Cancelling"
    SUCCESS = "Success"
    CANCELLED = "Cancelled"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"


class Details(StrEnum):
    """The finer word that goes with a status: the API's StatusDetails of a command."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    DELAYED = "Delayed"
    CANCELLING = "Cancelling"
    SUCCESS = "Success"
    NO_INSTANCES_IN_TAG = "NoInstancesInTag"
    FAILED = "Failed"
    INCOMPLETE = "Incomplete"
    ACCESS_DENIED = "AccessDenied"
    DELIVERY_TIMED_OUT = "DeliveryTimedOut"
    EXECUTION_TIMED_OUT = "ExecutionTimedOut"
    CANCELLED = "Cancelled"


class Event(StrEnum):
    """What can happen to a command."""

    RECEIVED = "receipt by a node"
    CANCEL_REQUESTED = "a cancel request"
    SUCCEEDED = "success"
    FAILED = "failure"
    TIMED_OUT = "timeout"
    CANCELLED = "cancellation"


_OUTCOMES: Final[dict[Event, Status]] = {
    Event.SUCCEEDED: Status.SUCCESS,
    Event.FAILED: Status.FAILED,
    Event.TIMED_OUT: Status.TIMED_OUT,
    # Nobody cancelled the command, but somebody each of its invocations.
    Event.CANCELLED: Status.CANCELLED,
    Event.CANCEL_REQUESTED: Status.CANCELLING,
}

TRANSITIONS: Final[dict[Status, dict[Event, Status]]] = {
    # Between two looks all nodes may have received and finished.
    Status.PENDING: {Event.RECEIVED: Status.IN_PROGRESS, **_OUTCOMES},
    Status.IN_PROGRESS: _OUTCOMES,
    Status.CANCELLING: {Event.CANCELLED: Status.CANCELLED},
    Status.SUCCESS: {},
    Status.CANCELLED: {},
    Status.FAILED: {},
    Status.TIMED_OUT: {},
}

TERMINAL: Final = terminal(TRANSITIONS)

# Each status but the first is entered by one event only.
EVENT_INTO: Final[dict[Status, Event]] = {
    after: event for moves in TRANSITIONS.values() for event, after in moves.items()
}


def advance(status: Status, event: Event) -> Status:
    """Return the status that follows *status* when *event* happens.

    Raises:
        IllegalTransition: the table has no such move.
    """
    return follow(TRANSITIONS, status, event)


@dataclass(frozen=True, slots=True)
class Standing:
    """A command's status together with its details."""

    status: Status
    details: Details


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a command tells of its invocations."""

    target_count: int
    completed_count: int
    error_count: int
    delivery_timed_out_count: int


# How many of a command's invocations are in each state; a state that does not occur may be left out.
Tally = Mapping[State, int]


def counts(tally: Tally) -> Counts:
    """Return the API's four counts.

    "Total timeouts don't count against the parent command's max-errors limit": a delivery timeout has its own count.
    """
    return Counts(
        target_count=tally_of(tally),
        completed_count=tally_of(tally, invocation.TERMINAL),
        error_count=tally_of(tally, invocation.ERRORS),
        delivery_timed_out_count=tally_of(tally, {State.DELIVERY_TIMED_OUT}),
    )


def tally_of(tally: Tally, states: set[State] | frozenset[State] | None = None) -> int:
    """Return how many invocations are in one of *states*, or in any."""
    return sum(count for state, count in tally.items() if states is None or state in states)


def aggregate(tally: Tally, *, errors_tolerated: int, is_cancelled: bool) -> Standing:
    """Return where a command stands whose invocations stand as *tally* says.

    The rules are tried in the order of the documentation.  Where it contradicts itself ("max-errors or more" against
    "when the error number N + 1 arrives"), *errors_tolerated* errors are still tolerated.
    """
    if tally_of(tally) > tally_of(tally, invocation.TERMINAL):
        return _open(tally, is_cancelled=is_cancelled)
    return _concluded(tally, errors_tolerated=errors_tolerated, is_cancelled=is_cancelled)


def _open(tally: Tally, *, is_cancelled: bool) -> Standing:
    if is_cancelled:
        return Standing(Status.CANCELLING, Details.CANCELLING)
    if tally_of(tally) > tally_of(tally, invocation.NOT_RECEIVED):
        return Standing(Status.IN_PROGRESS, Details.IN_PROGRESS)
    if tally.get(State.DELAYED, 0):
        return Standing(Status.PENDING, Details.DELAYED)
    return Standing(Status.PENDING, Details.PENDING)


def _concluded(tally: Tally, *, errors_tolerated: int, is_cancelled: bool) -> Standing:
    total = tally_of(tally)
    present = {state for state, count in tally.items() if count}
    if is_cancelled or present == {State.CANCELLED}:
        return Standing(Status.CANCELLED, Details.CANCELLED)
    if not total:
        return Standing(Status.SUCCESS, Details.NO_INSTANCES_IN_TAG)
    if present == {State.ACCESS_DENIED}:
        return Standing(Status.FAILED, Details.ACCESS_DENIED)
    if present <= invocation.REFUSED:
        return Standing(Status.FAILED, Details.FAILED)
    if tally_of(tally, invocation.ERRORS) > errors_tolerated:
        if State.FAILED in present:
            return Standing(Status.FAILED, Details.FAILED)
        return Standing(Status.TIMED_OUT, Details.EXECUTION_TIMED_OUT)
    if present <= {State.SUCCESS} | invocation.REFUSED:
        return Standing(Status.SUCCESS, Details.SUCCESS)
    if present <= {State.DELIVERY_TIMED_OUT} | invocation.REFUSED:
        return Standing(Status.TIMED_OUT, Details.DELIVERY_TIMED_OUT)
    if present & ({State.DELIVERY_TIMED_OUT} | invocation.REFUSED):
        return Standing(Status.FAILED, Details.INCOMPLETE)
    return Standing(Status.SUCCESS, Details.SUCCESS)


STEP_TIMEOUT_S: Final = 3600
_STEP_TIMEOUTS_S: Final = range(5, 172_800 + 1)
_REFERENCE: Final = re.compile(r"\{\{\s*([A-Za-z0-9]+)\s*\}\}")


def expires_after(
    document: Mapping[str, Any],
    parameters: Mapping[str, Sequence[str]],
    *,
    requested_at: datetime,
    timeout_seconds: int,
) -> datetime:
    """Return the instant at which a command of *document* ends, whatever its nodes are doing.

    That is the request plus the delivery timeout plus the timeouts of all steps, also of those for other platforms.
    Source: ``Command.ExpiresAfter``, "calculated based on the total timeout for the overall command".
    """
    total_s = timeout_seconds + sum(
        _step_timeout_s(written, document, parameters) for written in _written_timeouts(document)
    )
    return requested_at + timedelta(seconds=total_s)


def _written_timeouts(document: Mapping[str, Any]) -> Iterator[object]:
    """Yield `timeoutSeconds` of each step as the document has it; steps are laid out otherwise in schema 1.2."""
    for step in document.get("mainSteps", ()):
        yield (step.get("inputs") or {}).get("timeoutSeconds")
    for plugin in document.get("runtimeConfig", {}).values():
        properties = plugin.get("properties") or {}
        for step in properties if isinstance(properties, list) else [properties]:
            yield step.get("timeoutSeconds")


def _step_timeout_s(written: object, document: Mapping[str, Any], parameters: Mapping[str, Sequence[str]]) -> int:
    """Return the seconds a step may take: as the agent does, 3600 where the text is no number from 5 to 172800."""
    if isinstance(written, str) and (reference := _REFERENCE.fullmatch(written.strip())):
        name = reference[1]
        default = document.get("parameters", {}).get(name, {}).get("default")
        written = parameters[name][0] if parameters.get(name) else default
    try:
        seconds = int(str(written))
    except ValueError:
        return STEP_TIMEOUT_S
    return seconds if seconds in _STEP_TIMEOUTS_S else STEP_TIMEOUT_S
