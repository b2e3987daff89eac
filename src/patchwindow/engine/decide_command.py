"""What happens next to a command: a pure function of how it stands and of the time.

The snapshot is cut so that one decision costs what is in flight, not what the command has targets: ended
invocations come as counts, and of those not sent only the first few are named.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from patchwindow.domain import command, invocation
from patchwindow.domain.invocation import Event, State
from patchwindow.engine.effects import CommandEffect, Dispatch, EndSent, EndUnsent, Restate, SendCancel, WakeAt

# "There is no guarantee that the command will be terminated": a node that knows nothing of the command, or has
# finished it, answers a cancellation with silence.
CANCEL_WAIT: Final = timedelta(seconds=300)

# Sending ramps up by what nodes acknowledge.  Without a bound, one node that is switched off would hold up all others.
ACKNOWLEDGEMENT_WAIT: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """An invocation that was sent and has not ended."""

    node_id: str
    state: State
    dispatched_at: datetime
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSnapshot:
    """All that a decision about a command rests on.

    `concurrency` and `errors_tolerated` are MaxConcurrency and MaxErrors, resolved against the number of targets.
    `ended` counts the invocations in each terminal state.  `in_flight` and `unsent` are in the order of sending;
    `unsent` may hold only the first `concurrency` of the `unsent_count` node ids.
    """

    standing: command.Standing
    cancel_requested: bool
    delivery_timeout: timedelta
    expires_at: datetime
    concurrency: int
    errors_tolerated: int
    ended: Mapping[State, int]
    in_flight: tuple[InFlight, ...]
    unsent: tuple[str, ...]
    unsent_count: int


def decide(command_now: CommandSnapshot, now: datetime) -> list[CommandEffect]:
    """Return the effects that bring *command_now* as far as it can go at *now*, in the order of performing."""
    if command_now.standing.status in command.TERMINAL:
        return []
    tally = Counter(command_now.ended)
    effects: list[CommandEffect] = []

    in_flight = _end_overdue(command_now, now, tally, effects)
    unsent_count = _end_unsent(command_now, now, tally, effects)
    if command_now.cancel_requested:
        in_flight = _cancel(in_flight, now, effects)
    sent = _next_to_send(command_now, in_flight, ended_count=tally.total(), now=now) if unsent_count else ()
    if sent:
        effects.append(Dispatch(sent))
        in_flight += [InFlight(node_id=node_id, state=State.PENDING, dispatched_at=now) for node_id in sent]
        unsent_count -= len(sent)

    tally.update(each.state for each in in_flight)
    tally[State.PENDING] += unsent_count
    standing = command.aggregate(
        tally, errors_tolerated=command_now.errors_tolerated, is_cancelled=command_now.cancel_requested
    )
    if standing != command_now.standing:
        effects.append(_restate(command_now.standing, standing))
    if in_flight or unsent_count:
        effects.append(WakeAt(_next_deadline(command_now, in_flight, has_unsent=unsent_count > 0, now=now)))
    return effects


def _restate(before: command.Standing, after: command.Standing) -> Restate:
    if after.status is before.status:
        return Restate(after.status, after.details)
    return Restate(command.advance(before.status, command.EVENT_INTO[after.status]), after.details)


def _end_overdue(
    command_now: CommandSnapshot, now: datetime, tally: Counter[State], effects: list[CommandEffect]
) -> list[InFlight]:
    """End the invocations in flight whose time is up; return the others."""
    going: list[InFlight] = []
    overdue: dict[State, list[str]] = {}
    for each in command_now.in_flight:
        if now < _deadline(each, command_now):
            going.append(each)
        else:
            event = Event.CANCELLED if each.state is State.CANCELLING else Event.EXPIRED
            overdue.setdefault(invocation.advance(each.state, event), []).append(each.node_id)
    for state, node_ids in overdue.items():
        tally[state] += len(node_ids)
        effects.append(EndSent(tuple(node_ids), state))
    return going


def _deadline(each: InFlight, command_now: CommandSnapshot) -> datetime:
    """Return when an invocation ends by itself.

    The delivery timeout of a node runs from when the command was sent to it: a node that waited for its turn under
    MaxConcurrency is not late.  The total timeout runs from the request.
    """
    if each.cancelled_at is not None:
        return min(each.cancelled_at + CANCEL_WAIT, command_now.expires_at)
    if each.state in invocation.NOT_RECEIVED:
        return min(each.dispatched_at + command_now.delivery_timeout, command_now.expires_at)
    return command_now.expires_at


def _end_unsent(
    command_now: CommandSnapshot, now: datetime, tally: Counter[State], effects: list[CommandEffect]
) -> int:
    """End what was not sent, if it never will be; return how many may still be sent."""
    if not command_now.unsent_count:
        return 0
    if command_now.cancel_requested:
        event = Event.CANCELLED
    elif command.tally_of(command_now.ended, invocation.ERRORS) > command_now.errors_tolerated:
        event = Event.TERMINATED
    elif now >= command_now.expires_at:
        event = Event.EXPIRED
    else:
        return command_now.unsent_count
    state = invocation.advance(State.PENDING, event)
    tally[state] += command_now.unsent_count
    effects.append(EndUnsent(state))
    return 0


def _cancel(in_flight: list[InFlight], now: datetime, effects: list[CommandEffect]) -> list[InFlight]:
    """Tell the nodes that were not told yet; return what is in flight then."""
    told = tuple(each.node_id for each in in_flight if each.state is not State.CANCELLING)
    if told:
        effects.append(SendCancel(told))
    return [
        each
        if each.state is State.CANCELLING
        else replace(each, state=invocation.advance(each.state, Event.CANCEL_SENT), cancelled_at=now)
        for each in in_flight
    ]


def _next_to_send(
    command_now: CommandSnapshot, in_flight: list[InFlight], *, ended_count: int, now: datetime
) -> tuple[str, ...]:
    """Return the nodes whose turn it is: one, then two, four, …, as the former answer, up to the limit.

    With at most one more unanswered than answered, each full round of answers doubles the next round.
    """
    unanswered_count = sum(_is_unanswered(each, now) for each in in_flight)
    answered_count = ended_count + len(in_flight) - unanswered_count
    slot_count = min(command_now.concurrency - len(in_flight), answered_count + 1 - unanswered_count)
    return command_now.unsent[: max(0, slot_count)]


def _is_unanswered(each: InFlight, now: datetime) -> bool:
    return each.state in invocation.NOT_RECEIVED and now < each.dispatched_at + ACKNOWLEDGEMENT_WAIT


def _next_deadline(
    command_now: CommandSnapshot, in_flight: list[InFlight], *, has_unsent: bool, now: datetime
) -> datetime:
    """Return the next instant at which a decision could differ though nothing has happened."""
    instants = [command_now.expires_at, *(_deadline(each, command_now) for each in in_flight)]
    if has_unsent and len(in_flight) < command_now.concurrency:
        instants += [each.dispatched_at + ACKNOWLEDGEMENT_WAIT for each in in_flight if _is_unanswered(each, now)]
    return min(instants)
