"""Carrying out what was decided about a command: one step is one transaction. No rule is in here."""

import dataclasses
from datetime import datetime, timedelta

from patchwindow.domain import command, invocation
from patchwindow.domain.run import Command
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
    value = work.commands.lock(command_id)
    if value is None:
        return
    wake_at: datetime | None = None
    for effect in decide(_snapshot(work, value), now):
        match effect:
            case Dispatch(node_ids):
                dispatch(work, value, node_ids, now)
            case SendCancel(node_ids):
                cancel_sent(work, ids, value, node_ids, now)
            case EndSent(node_ids, state):
                _end(work, value, node_ids, state, now)
            case EndUnsent(state):
                work.invocations.end_unsent(command_id, details=state, now=now)
            case Restate(status, details):
                value = dataclasses.replace(value, status=status, status_details=details)
            case WakeAt(instant):
                wake_at = instant
    work.commands.put(_counted(work, value), wake_at=wake_at)
    if execution_id is not None and command.Status(value.status) in command.TERMINAL:
        work.executions.wake(execution_id, now)
        work.wake(ENGINE)


def _snapshot(work: Work, value: Command) -> CommandSnapshot:
    tally = {invocation.State(name): count for name, count in work.invocations.count(value.command_id).items()}
    in_flight = work.invocations.in_flight(value.command_id)
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


def _end(work: Work, value: Command, node_ids: tuple[str, ...], state: invocation.State, now: datetime) -> None:
    for node_id in node_ids:
        before = work.invocations.get(value.command_id, node_id)
        assert before is not None, "only a command's own invocations end"
        end_invocation(work, before, state, now)


def _counted(work: Work, value: Command) -> Command:
    tally = {invocation.State(name): count for name, count in work.invocations.count(value.command_id).items()}
    return dataclasses.replace(value, **dataclasses.asdict(command.counts(tally)))
