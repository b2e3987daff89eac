"""Carrying out what was decided about a command: one step is one transaction. No rule is in here.

A step costs what it changes, and not what the command has nodes: it reads counts, which the store keeps.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from patchwindow.domain import command, invocation
from patchwindow.domain.run import Command, Invocation
from patchwindow.engine.decide_command import ACKNOWLEDGEMENT_WAIT, CommandSnapshot, decide
from patchwindow.engine.effects import Dispatch, EndSent, EndUnsent, Restate, SendCancel, StopAwaiting, WakeAt
from patchwindow.operations.sending import cancel_sent, dispatch, end_overdue
from patchwindow.ports import ENGINE, Ids
from patchwindow.store.tally import Stage
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
    snapshot = _snapshot(work, value, now)
    ended = Counter(snapshot.ended)
    wake_at: datetime | None = None
    for effect in decide(snapshot, now):
        match effect:
            case Dispatch(count):
                dispatch(work, value, work.invocations.unsent(command_id, count), now)
            case StopAwaiting(sent_until):
                work.invocations.stop_awaiting(command_id, details=invocation.NOT_RECEIVED, sent_until=sent_until)
            case SendCancel():
                cancel_sent(work, ids, value, _untold(work, command_id), now)
            case EndSent():
                ending = _ending(work, command_id, effect)
                end_overdue(work, ending, effect.after, now)
                ended[effect.after] += len(ending)
            case EndUnsent(state):
                ended[state] += work.invocations.end_unsent(
                    command_id, details=invocation.State.PENDING, to=state, now=now
                )
            case Restate(status, details):
                value = dataclasses.replace(value, status=status, status_details=details)
            case WakeAt(instant):
                wake_at = instant
    value = _counted(value, ended)
    if value != before or wake_at is None:
        work.commands.put(value, wake_at=wake_at)
    else:
        work.commands.sleep(command_id, until=wake_at)
    if execution_id is not None and command.Status(value.status) in command.TERMINAL:
        work.executions.wake(execution_id, now)
        work.wake(ENGINE)


def _snapshot(work: Work, value: Command, now: datetime) -> CommandSnapshot:
    tally = work.invocations.tally(value.command_id)
    outlook = work.invocations.outlook(value.command_id, now, awaited_until=now - ACKNOWLEDGEMENT_WAIT)
    at_stage: dict[Stage, Counter[invocation.State]] = {stage: Counter() for stage in Stage}
    for (stage, details), count in tally.items():
        at_stage[stage][invocation.State(details)] += count
    return CommandSnapshot(
        standing=command.Standing(command.Status(value.status), command.Details(value.status_details)),
        cancel_requested=value.cancel_requested,
        delivery_timeout=timedelta(seconds=value.timeout_seconds),
        expires_at=value.expires_after,
        cutoff_at=value.cutoff_at,
        frozen_at=value.frozen_at,
        concurrency=value.concurrency,
        errors_tolerated=value.errors_tolerated,
        ended=at_stage[Stage.ENDED],
        in_flight=at_stage[Stage.AWAITED] + at_stage[Stage.SENT],
        unsent_count=at_stage[Stage.UNSENT].total(),
        overdue={
            invocation.State(details): count
            for details, count in work.invocations.due_count(value.command_id, now).items()
        },
        next_due_at=outlook.next_due_at,
        awaited_count=at_stage[Stage.AWAITED].total(),
        silent_count=outlook.silent_count,
        awaited_since=outlook.awaited_since,
    )


def _untold(work: Work, command_id: str) -> list[Invocation]:
    return [one for one in work.invocations.in_flight(command_id) if one.details != invocation.State.CANCELLING]


def _ending(work: Work, command_id: str, effect: EndSent) -> list[Invocation]:
    if effect.due_by is None:
        found = work.invocations.in_flight(command_id)
    else:
        found = work.invocations.due(command_id, effect.due_by)
    return [one for one in found if one.details == effect.before]


def _counted(value: Command, ended: Mapping[invocation.State, int]) -> Command:
    open_count = value.target_count - sum(ended.values())
    counts = command.counts({**ended, invocation.State.PENDING: open_count})
    return dataclasses.replace(
        value,
        target_count=counts.target_count,
        completed_count=counts.completed_count,
        error_count=counts.error_count,
        delivery_timed_out_count=counts.delivery_timed_out_count,
    )
