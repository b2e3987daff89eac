"""What happens next to a command: a pure function of how it stands and of the time.

The snapshot is counts, so that one decision costs the same however many nodes the command has: replies come one by
one, and each may be followed by a decision.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from patchwindow.domain import command, invocation
from patchwindow.domain.invocation import CANCEL_WAIT, Event, State
from patchwindow.engine.effects import (
    CommandEffect,
    Dispatch,
    EndSent,
    EndUnsent,
    Restate,
    SendCancel,
    StopAwaiting,
    WakeAt,
)

# Sending ramps up by what nodes acknowledge.  Without a bound, one node that is switched off would hold up all others.
ACKNOWLEDGEMENT_WAIT: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSnapshot:
    """All that a decision about a command rests on.

    `concurrency` and `errors_tolerated` are MaxConcurrency and MaxErrors, resolved against the number of targets.
    `ended`, `in_flight` (sent and not ended) and `unsent_count` are all invocations of the command.
    """

    standing: command.Standing
    cancel_requested: bool
    delivery_timeout: timedelta
    expires_at: datetime
    cutoff_at: datetime | None = None
    """From when on no further node is sent the command; what sent it cancels it then."""
    frozen_at: datetime | None = None
    """When a freeze begins: what no node has taken by then ends, and what nodes are doing runs to its end."""
    concurrency: int
    errors_tolerated: int
    ended: Mapping[State, int]
    in_flight: Mapping[State, int]
    unsent_count: int
    overdue: Mapping[State, int]
    """Those in flight whose own time is up, which it is after a delivery timeout or a cancellation without answer."""
    next_due_at: datetime | None
    """When the time of the next in flight is up."""
    awaited_count: int
    """Those in flight for whose answer sending to others waits."""
    silent_count: int
    """Those of the awaited that were sent `ACKNOWLEDGEMENT_WAIT` ago or earlier."""
    awaited_since: datetime | None
    """When the first of the others that are awaited was sent."""


def decide(command_now: CommandSnapshot, now: datetime) -> list[CommandEffect]:
    """Return the effects that bring *command_now* as far as it can go at *now*, in the order of performing."""
    if command_now.standing.status in command.TERMINAL:
        return []
    ended, in_flight = Counter(command_now.ended), Counter(command_now.in_flight)
    effects: list[CommandEffect] = []
    deadlines = [command_now.expires_at]

    _end_overdue(command_now, now, ended, in_flight, effects)
    unsent_count = _end_unsent(command_now, now, ended, effects)
    if command_now.silent_count and in_flight:
        effects.append(StopAwaiting(now - ACKNOWLEDGEMENT_WAIT))
    if command_now.next_due_at is not None:
        deadlines.append(command_now.next_due_at)
    if command_now.cancel_requested and _cancel(in_flight, effects):
        deadlines.append(now + CANCEL_WAIT)
    if command_now.frozen_at is not None and now < command_now.frozen_at:
        deadlines.append(command_now.frozen_at)
    may_send = command_now.cutoff_at is None or now < command_now.cutoff_at
    sent_count = _count_to_send(command_now, in_flight.total(), ended.total(), unsent_count) if may_send else 0
    if sent_count:
        effects.append(Dispatch(sent_count))
        in_flight[State.PENDING] += sent_count
        unsent_count -= sent_count
        deadlines.append(now + command_now.delivery_timeout)
    if may_send and unsent_count and in_flight.total() < command_now.concurrency:
        deadlines += _ends_of_waiting(command_now, sent_count, now)

    tally = ended + in_flight
    tally[State.PENDING] += unsent_count
    standing = command.aggregate(
        tally, errors_tolerated=command_now.errors_tolerated, is_cancelled=command_now.cancel_requested
    )
    if standing != command_now.standing:
        effects.append(_restate(command_now.standing, standing))
    if in_flight.total() + unsent_count:
        effects.append(WakeAt(min(deadlines)))
    return effects


def _restate(before: command.Standing, after: command.Standing) -> Restate:
    if after.status is before.status:
        return Restate(after.status, after.details)
    return Restate(command.advance(before.status, command.EVENT_INTO[after.status]), after.details)


def _end_overdue(
    command_now: CommandSnapshot,
    now: datetime,
    ended: Counter[State],
    in_flight: Counter[State],
    effects: list[CommandEffect],
) -> None:
    """End the invocations in flight whose time is up.

    The delivery timeout of a node runs from when the command was sent to it: a node that waited for its turn under
    MaxConcurrency is not late.  The total timeout runs from the request, and is that of all.  A freeze ends the time of
    those that show no sign of having the command.
    """
    has_expired = now >= command_now.expires_at
    overdue = command_now.in_flight if has_expired else command_now.overdue
    if not has_expired and _is_frozen(command_now, now):
        for before in sorted(invocation.NOT_RECEIVED):
            if count := in_flight.pop(before, 0):
                after = invocation.advance(before, Event.EXPIRED)
                ended[after] += count
                effects.append(EndSent(before, after, due_by=None))
        overdue = {before: count for before, count in overdue.items() if before not in invocation.NOT_RECEIVED}
    for before, count in overdue.items():
        event = Event.CANCELLED if before is State.CANCELLING else Event.EXPIRED
        after = invocation.advance(before, event)
        ended[after] += count
        in_flight -= Counter({before: count})
        effects.append(EndSent(before, after, due_by=None if has_expired else now))


def _end_unsent(
    command_now: CommandSnapshot, now: datetime, ended: Counter[State], effects: list[CommandEffect]
) -> int:
    """End what was not sent, if it never will be; return how many may still be sent."""
    if not command_now.unsent_count:
        return 0
    if command_now.cancel_requested:
        event = Event.CANCELLED
    elif command.tally_of(command_now.ended, invocation.ERRORS) > command_now.errors_tolerated:
        event = Event.TERMINATED
    elif now >= command_now.expires_at or _is_frozen(command_now, now):
        event = Event.EXPIRED
    else:
        return command_now.unsent_count
    state = invocation.advance(State.PENDING, event)
    ended[state] += command_now.unsent_count
    effects.append(EndUnsent(state))
    return 0


def _is_frozen(command_now: CommandSnapshot, now: datetime) -> bool:
    return command_now.frozen_at is not None and now >= command_now.frozen_at


def _cancel(in_flight: Counter[State], effects: list[CommandEffect]) -> bool:
    """Tell the nodes that were not told yet; return whether there were any."""
    untold = [state for state in in_flight if state is not State.CANCELLING]
    for state in untold:
        in_flight[invocation.advance(state, Event.CANCEL_SENT)] += in_flight.pop(state)
    if untold:
        effects.append(SendCancel())
    return bool(untold)


def _count_to_send(command_now: CommandSnapshot, in_flight_count: int, ended_count: int, unsent_count: int) -> int:
    """Return how many nodes' turn it is: one, then two, four, …, as the former answer, up to the limit.

    With at most one more unanswered than answered, each full round of answers doubles the next round.
    """
    # No delivery timeout is as short as the wait for an acknowledgement: who is overdue is silent as well.
    unanswered_count = command_now.awaited_count - command_now.silent_count
    answered_count = ended_count + in_flight_count - unanswered_count
    slot_count = min(command_now.concurrency - in_flight_count, answered_count + 1 - unanswered_count)
    return max(0, min(slot_count, unsent_count))


def _ends_of_waiting(command_now: CommandSnapshot, sent_count: int, now: datetime) -> list[datetime]:
    """Return when more can be sent though no node has answered."""
    since = [command_now.awaited_since] if command_now.awaited_since is not None else []
    return [sent_at + ACKNOWLEDGEMENT_WAIT for sent_at in (*since, *([now] if sent_count else []))]
