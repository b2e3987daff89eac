"""Carrying out what was decided about a command: one step is one transaction. No rule is in here.

A step costs what is in flight: replies come one by one, and each may be followed by a step.
"""

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from patchwindow.domain import command, invocation
from patchwindow.domain.run import Command, Invocation
from patchwindow.engine.decide_command import CommandSnapshot, InFlight, decide
from patchwindow.engine.effects import Dispatch, EndSent, EndUnsent, Restate, SendCancel, WakeAt
from patchwindow.operations.sending import cancel_sent, dispatch, end_invocation
from patchwindow.ports import ENGINE, Ids
from patchwindow.store.work import Work


def step_command(work: Work, ids: Ids, command_id: str, now: datetime) -> None:
    """Bring the command as far as it can go at *now*, and say when to look at it again."""
    execution_id = work.executions.of_command(command_id)
    if execution_id is not None:
        work.executions.hold(execution_id)
    before = work.commands.lock(command_id)
    if before is None:
        return
    value = before
    in_flight = {one.instance_id: one for one in work.invocations.in_flight(command_id)}
    snapshot = _snapshot(work, value, in_flight.values())
    ended, unsent_count = Counter(snapshot.ended), snapshot.unsent_count
    wake_at: datetime | None = None
    for effect in decide(snapshot, now):
        match effect:
            case Dispatch(node_ids):
                dispatch(work, value, node_ids, now)
            case SendCancel(node_ids):
                cancel_sent(work, ids, value, node_ids, now)
            case EndSent(node_ids, state):
                for node_id in node_ids:
                    end_invocation(work, in_flight[node_id], state, now)
                ended[state] += len(node_ids)
            case EndUnsent(state):
                work.invocations.end_unsent(command_id, details=state, now=now)
                ended[state] += unsent_count
            case Restate(status, details):
                value = dataclasses.replace(value, status=status, status_details=details)
            case WakeAt(instant):
                wake_at = instant
    value = _counted(value, ended)
    if value != before or wake_at is None:
        work.commands.put(value, wake_at=wake_at)
    else:
        work.commands.wake(command_id, wake_at)
    if execution_id is not None and command.Status(value.status) in command.TERMINAL:
        work.executions.wake(execution_id, now)
        work.wake(ENGINE)


def _snapshot(work: Work, value: Command, in_flight: Collection[Invocation]) -> CommandSnapshot:
    tally = {invocation.State(name): count for name, count in work.invocations.count(value.command_id).items()}
    ended = {state: count for state, count in tally.items() if state in invocation.TERMINAL}
    return CommandSnapshot(
        standing=command.Standing(command.Status(value.status), command.Details(value.status_details)),
        cancel_requested=value.cancel_requested,
        delivery_timeout=timedelta(seconds=value.timeout_seconds),
        expires_at=value.expires_after,
        concurrency=value.concurrency,
        errors_tolerated=value.errors_tolerated,
        ended=ended,
        in_flight=tuple(
            InFlight(
                node_id=one.instance_id,
                state=invocation.State(one.details),
                dispatched_at=one.dispatched_at or value.requested_date_time,
                cancelled_at=one.cancelled_at,
            )
            for one in in_flight
        ),
        unsent=tuple(work.invocations.unsent(value.command_id, limit=max(1, value.concurrency))),
        unsent_count=sum(tally.values()) - sum(ended.values()) - len(in_flight),
    )


def _counted(value: Command, ended: Mapping[invocation.State, int]) -> Command:
    open_count = value.target_count - sum(ended.values())
    counts = command.counts({**ended, invocation.State.PENDING: open_count})
    return dataclasses.replace(value, **dataclasses.asdict(counts))
