"""Ways to make a rule wrong: each makes the wrong function from the right one."""

import dataclasses
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.mutation import Function, Mutate

from patchwindow.domain import invocation, task_invocation, window_execution
from patchwindow.domain.freeze import Heeded
from patchwindow.domain.invocation import Event, State
from patchwindow.domain.run import Invocation, WindowExecution
from patchwindow.domain.webhook import Ended, Verdict
from patchwindow.domain.window import Window
from patchwindow.engine.decide_association import Plan, StartRun
from patchwindow.operations.call import Call
from patchwindow.operations.sending import move_invocation
from patchwindow.ports import Ids
from patchwindow.protocol.messages import Reply, ReplyStatus
from patchwindow.store.executions import Executions
from patchwindow.store.work import Work


def never(_: Function) -> Function:
    """Do nothing."""
    return lambda *_, **__: None


def answer(change: Callable[[Any], Any]) -> Mutate:
    """Answer otherwise than is right."""
    return lambda right: lambda *args, **named: change(right(*args, **named))


def hand_on(**changes: Callable[[Any], Any]) -> Mutate:
    """Take some of what is given by name for something else."""

    def mutate(right: Function) -> Function:
        return lambda *args, **named: right(
            *args, **{**named, **{k: change(named[k]) for k, change in changes.items()}}
        )

    return mutate


def see(**changes: Callable[[Any], Any]) -> Mutate:
    """Decide as if some fields of the snapshot were otherwise."""

    def mutate(decide: Function) -> Function:
        return lambda snapshot, now: decide(_changed(snapshot, changes), now)

    return mutate


def see_tasks(**changes: Callable[[Any], Any]) -> Mutate:
    """Decide as if some fields of every task were otherwise."""
    return see(tasks=lambda tasks: tuple(_changed(task, changes) for task in tasks))


def _changed(value: Any, changes: dict[str, Callable[[Any], Any]]) -> Any:
    return dataclasses.replace(value, **{name: change(getattr(value, name)) for name, change in changes.items()})


def later(**by: float) -> Callable[[datetime | None], datetime | None]:
    """Return what moves an instant by so much."""
    return lambda at: None if at is None else at + timedelta(**by)


def of_one_target(invocations: Any) -> Any:
    """Return the invocations of a task as if they were of one target."""
    return tuple(dataclasses.replace(each, target=0) for each in invocations)


def as_enabled(right: Function) -> Function:
    """Take every window for one that is enabled."""
    return lambda call, window: right(call, dataclasses.replace(window, enabled=True))


def heed_nothing(_: Function) -> Function:
    """Take every opening for one that no freeze touches."""
    return lambda _, window, opens_at: Heeded(opens=True, cutoff_at=window.cutoff_at(opens_at))


def open_twice(right: Function) -> Function:
    """Record each opening again, as one a millisecond later."""

    def open(executions: Executions, value: WindowExecution, **named: Any) -> Any:
        id, at = f"{value.window_execution_id[:-1]}x", value.opens_at + timedelta(milliseconds=1)
        right(executions, value, **named)
        return right(executions, dataclasses.replace(value, window_execution_id=id, opens_at=at), **named)

    return open


def record_no(state: window_execution.State) -> Mutate:
    """Record no opening that ends as *state* at once."""

    def mutate(right: Function) -> Function:
        return lambda executions, value, **named: value.status == state or right(executions, value, **named)

    return mutate


def let_replies_move(states: Collection[State]) -> Mutate:
    """Take a reply about what is in one of *states* as if it were in progress."""

    def mutate(right: Function) -> Function:
        def advance(call: Call, before: Invocation, event: Event, **named: Any) -> None:
            moves = {**invocation.TRANSITIONS[State.IN_PROGRESS], Event.ACKNOWLEDGED: State.IN_PROGRESS}
            if State(before.details) not in states or event not in moves:
                right(call, before, event, **named)
                return
            has_ended = moves[event] in invocation.TERMINAL
            after = dataclasses.replace(before, details=moves[event], ended_at=call.now if has_ended else None)
            move_invocation(call.work, before, after)

        return advance

    return mutate


def as_success(told: Reply) -> Reply:
    """Return a reply of a node that has cancelled as if it had succeeded."""
    is_cancelled = told.document_status is ReplyStatus.CANCELLED
    return dataclasses.replace(told, document_status=ReplyStatus.SUCCESS) if is_cancelled else told


def as_succeeded(verdict: Verdict) -> Verdict:
    """Return the verdict on a webhook, if it is the last, as if it had succeeded."""
    return (
        dataclasses.replace(verdict, event=task_invocation.Event.SUCCEEDED) if isinstance(verdict, Ended) else verdict
    )


def refuse_nobody(right: Function) -> Function:
    """Fail where a command is for no node."""

    def invocations(command_id: str, nodes: Collection[Any]) -> Any:
        if not nodes:
            raise ZeroDivisionError(f"{command_id} has no targets")
        return right(command_id, nodes)

    return invocations


def miss_the_late(right: Function) -> Function:
    """Take an opening for missed that is more than five minutes late."""

    def execution(work: Work, ids: Ids, window: Window, opens_at: datetime, now: datetime, *, is_open: bool) -> Any:
        taken_for = max(now, window.cutoff_at(opens_at)) if now - opens_at > timedelta(minutes=5) else now
        return right(work, ids, window, opens_at, taken_for, is_open=is_open)

    return execution


def plan_later(effects: list[StartRun | Plan]) -> list[StartRun | Plan]:
    """Return what is to be done about an association, with its next run planned a second late."""
    return [
        dataclasses.replace(each, next_run_at=later(seconds=1)(each.next_run_at)) if isinstance(each, Plan) else each
        for each in effects
    ]


def run_without_instant(effects: list[StartRun | Plan]) -> list[StartRun | Plan]:
    """Return what is to be done about an association, with runs that are for no instant."""
    return [dataclasses.replace(each, scheduled_at=None) if isinstance(each, StartRun) else each for each in effects]


def lack_everybody(_: Function) -> Function:
    """Take every node for one that the association is for and has not run for."""
    return lambda work, association: tuple(
        one.instance_id
        for one in work.nodes.page(after="", limit=1000, columns={})
        if one.instance_id not in work.association_runs.nodes_of(association.association_id)
    )
