"""Commands on single nodes, and what the steps of their documents did there."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from patchwindow.domain.run import Command, Invocation, Step
from patchwindow.protocol.records import dumps, loads
from patchwindow.store.commands import CommandQuery
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms
from patchwindow.store.tables import command, invocation, invocation_step
from patchwindow.store.tally import Place, Stage, Tally, change_of, changing, invocation_of, place_of

# Names apart from those of columns, which an UPDATE takes for its own.
_OF_COMMAND: Final = invocation.c.command_id == sa.bindparam("id")
_ON_NODE: Final = invocation.c.node_id == sa.bindparam("b_node_id")
_IS_IN_FLIGHT: Final = invocation.c.stage.between(Stage.AWAITED, Stage.SENT)
_IS_DUE: Final = invocation.c.due_at_ms <= sa.bindparam("now_ms")
_IS_AWAITED: Final = invocation.c.stage == Stage.AWAITED
_IN_ORDER: Final = (invocation.c.dispatched_at_ms, invocation.c.ordinal)

_ONE: Final = prepared(sa.select(invocation).where(_OF_COMMAND, _ON_NODE))
_ALL: Final = prepared(sa.select(invocation).where(_OF_COMMAND).order_by(invocation.c.ordinal))
_IN_FLIGHT: Final = prepared(sa.select(invocation).where(_OF_COMMAND, _IS_IN_FLIGHT).order_by(*_IN_ORDER))
_DUE: Final = prepared(sa.select(invocation).where(_OF_COMMAND, _IS_DUE).order_by(*_IN_ORDER))
_DUE_COUNT: Final = prepared(
    sa.select(invocation.c.details, sa.func.count().label("count_"))
    .where(_OF_COMMAND, _IS_DUE)
    .group_by(invocation.c.details)
)
_UNSENT: Final = prepared(
    sa.select(invocation.c.node_id)
    .where(_OF_COMMAND, invocation.c.stage == Stage.UNSENT)
    # The instant is none; it is named because the index is in this order.
    .order_by(*_IN_ORDER)
    .limit(sa.bindparam("limit"))
)
_SENT_AT: Final = invocation.c.dispatched_at_ms
_OUTLOOK: Final = prepared(
    sa.select(
        sa.select(sa.func.count())
        .select_from(invocation)
        .where(_OF_COMMAND, _IS_AWAITED, sa.bindparam("awaited_ms") >= _SENT_AT)
        .scalar_subquery()
        .label("silent_count"),
        sa.select(sa.func.min(_SENT_AT))
        .where(_OF_COMMAND, _IS_AWAITED, sa.bindparam("awaited_ms") < _SENT_AT)
        .scalar_subquery()
        .label("awaited_since_ms"),
        sa.select(sa.func.min(invocation.c.due_at_ms))
        .where(_OF_COMMAND, invocation.c.due_at_ms > sa.bindparam("now_ms"))
        .scalar_subquery()
        .label("next_due_at_ms"),
    )
)
_DISPATCH: Final = change_of(_ON_NODE, dispatched_at_ms=sa.bindparam("now_ms"), due_at_ms=sa.bindparam("due_ms"))
_STOP_AWAITING: Final = change_of(sa.bindparam("until_ms") >= _SENT_AT)
_END_UNSENT: Final = change_of(ended_at_ms=sa.bindparam("now_ms"))
_MOVE: Final = change_of(
    _ON_NODE,
    dispatched_at_ms=sa.bindparam("dispatched_at_ms"),
    acknowledged_at_ms=sa.bindparam("acknowledged_at_ms"),
    cancelled_at_ms=sa.bindparam("cancelled_at_ms"),
    ended_at_ms=sa.bindparam("ended_at_ms"),
    trace_output=sa.bindparam("trace_output"),
    due_at_ms=sa.bindparam("due_at_ms"),
)
_STEPS: Final = (
    sa.select(invocation_step.c.node_id, invocation_step.c.body)
    .where(
        invocation_step.c.command_id == sa.bindparam("id"),
        invocation_step.c.node_id.in_(sa.bindparam("node_ids", expanding=True)),
    )
    .order_by(invocation_step.c.node_id, invocation_step.c.ordinal)
)

_STEPS_ON: Final = prepared(
    sa.select(invocation_step.c.body)
    .where(invocation_step.c.command_id == sa.bindparam("id"), invocation_step.c.node_id == sa.bindparam("node_id"))
    .order_by(invocation_step.c.ordinal)
)


class Outlook(NamedTuple):
    """What time alone will do to the invocations of a command that are in flight."""

    silent_count: int
    """How many still are awaited though they were sent too long ago."""
    awaited_since: datetime | None
    """When the first of the others that are awaited was sent."""
    next_due_at: datetime | None
    """When the next is due."""


class Standing(NamedTuple):
    """One node of a command, in few words."""

    ordinal: int
    node_id: str
    node_name: str
    details: str


class Invocations(Rows):
    """Commands on single nodes, with what their steps did.

    Whoever changes an invocation holds its command (`Commands.hold`).
    """

    def get(self, command_id: str, node_id: str) -> Invocation | None:
        """Return the invocation."""
        row = self._row(_ONE, {"id": command_id, "b_node_id": node_id})
        return None if row is None else invocation_of(row)

    def of_command(self, command_id: str) -> list[Invocation]:
        """Return all invocations of a command, in the order in which they are handed out."""
        return [invocation_of(row) for row in self._rows(_ALL, {"id": command_id})]

    def standings(self, command_id: str, *, beyond: int, limit: int, without: Collection[str]) -> list[Standing]:
        """Return up to *limit* nodes of a command in their order, beyond one, but for those in the states *without*."""
        columns = (invocation.c.ordinal, invocation.c.node_id, invocation.c.node_name, invocation.c.details)
        statement = sa.select(*columns).where(invocation.c.command_id == command_id, invocation.c.ordinal > beyond)
        if without:
            statement = statement.where(invocation.c.details.not_in(without))
        return [Standing(*row) for row in self._rows(statement.order_by(invocation.c.ordinal).limit(limit))]

    def tally(self, command_id: str) -> dict[Place, int]:
        """Return how many invocations of a command are in each place; places where there is none are left out."""
        return self._tally.of(command_id)

    def in_flight(self, command_id: str) -> list[Invocation]:
        """Return the invocations that were sent and have not ended, in the order of sending."""
        return [invocation_of(row) for row in self._rows(_IN_FLIGHT, {"id": command_id})]

    def due(self, command_id: str, now: datetime) -> list[Invocation]:
        """Return the invocations whose own time is up, in the order of sending."""
        return [invocation_of(row) for row in self._rows(_DUE, {"id": command_id, "now_ms": ms(now)})]

    def due_count(self, command_id: str, now: datetime) -> dict[str, int]:
        """Return how many invocations `due` would return in each state."""
        rows = self._rows(_DUE_COUNT, {"id": command_id, "now_ms": ms(now)})
        return {row.details: row.count_ for row in rows}

    def outlook(self, command_id: str, now: datetime, *, awaited_until: datetime) -> Outlook:
        """Return what time alone will do; what was sent by *awaited_until* need not be awaited any more."""
        row = self._row(_OUTLOOK, {"id": command_id, "now_ms": ms(now), "awaited_ms": ms(awaited_until)})
        return Outlook(row.silent_count, instant(row.awaited_since_ms), instant(row.next_due_at_ms))

    def unsent(self, command_id: str, limit: int) -> list[str]:
        """Return the ids of up to *limit* nodes whose invocations were not sent and have not ended, in order."""
        return self._scalars(_UNSENT, {"id": command_id, "limit": limit})

    def dispatch(
        self, command_id: str, node_ids: Iterable[str], *, details: str, now: datetime, due_at: datetime
    ) -> None:
        """Note that these invocations, which stand in *details*, are sent now and awaited; thousands may be at once."""
        times = {"now_ms": ms(now), "due_ms": ms(due_at)}
        given = [{"b_node_id": node_id, **times} for node_id in node_ids]
        before, after = Place(Stage.UNSENT, details), Place(Stage.AWAITED, details)
        self._tally.move_all(_DISPATCH, command_id, before, after, given)

    def stop_awaiting(self, command_id: str, *, details: Iterable[str], sent_until: datetime) -> None:
        """Await no more what was sent by *sent_until* and stands in one of *details*."""
        for one in details:
            before, after = Place(Stage.AWAITED, one), Place(Stage.SENT, one)
            self._tally.move(_STOP_AWAITING, command_id, before, after, {"until_ms": ms(sent_until)})

    def end_unsent(self, command_id: str, *, details: str, to: str, now: datetime) -> int:
        """Let all invocations end as *to* that were not sent and stand in *details*; return how many."""
        before, after = Place(Stage.UNSENT, details), Place(Stage.ENDED, to)
        return self._tally.move(_END_UNSENT, command_id, before, after, {"now_ms": ms(now)})

    def move(self, before: Invocation, after: Invocation) -> bool:
        """Change *before* into *after*; return False, and change nothing, where it stands elsewhere by now."""
        places = place_of(before), place_of(after)
        return self._tally.move(_MOVE, before.command_id, *places, _moved(after)) == 1

    def move_all(self, moves: Iterable[tuple[Invocation, Invocation]]) -> None:
        """Change many invocations, each given as it is and as it shall be."""
        alike: dict[tuple[str, Place, Place], list[dict[str, Any]]] = defaultdict(list)
        for before, after in moves:
            alike[before.command_id, place_of(before), place_of(after)].append(_moved(after))
        for (command_id, place, to), given in alike.items():
            self._tally.move_all(_MOVE, command_id, place, to, given)

    def page(
        self, query: CommandQuery, *, before: tuple[int, str, int] | None, limit: int
    ) -> list[tuple[Command, Invocation]]:
        """Return up to *limit* invocations with their commands, the newest command first, in order within it.

        *before* is the key of the last one seen: requested at, command id, ordinal.
        """
        joined = sa.join(invocation, command, invocation.c.command_id == command.c.command_id)
        statement = sa.select(invocation, command.c.body).select_from(joined).where(*query.conditions())
        if before is not None:
            at, id, ordinal = before
            older = sa.tuple_(command.c.requested_at_ms, command.c.command_id) < sa.tuple_(
                sa.literal(at), sa.literal(id)
            )
            statement = statement.where(sa.or_(older, (command.c.command_id == id) & (invocation.c.ordinal > ordinal)))
        if query.node_id is not None:
            statement = statement.where(invocation.c.node_id == query.node_id)
        if query.details:
            statement = statement.where(invocation.c.details.in_(query.details))
        ordered = statement.order_by(
            command.c.requested_at_ms.desc(), command.c.command_id.desc(), invocation.c.ordinal
        ).limit(limit)
        rows = self._rows(ordered)
        commands = {row.command_id: loads(Command, row.body) for row in rows}
        return [(commands[row.command_id], invocation_of(row)) for row in rows]

    def steps(self, command_id: str, node_ids: Collection[str]) -> dict[str, list[Step]]:
        """Return what the steps did, in order, by node."""
        found: dict[str, list[Step]] = {node_id: [] for node_id in node_ids}
        for row in self._rows(_STEPS, {"id": command_id, "node_ids": list(node_ids)}):
            found[row.node_id].append(loads(Step, row.body))
        return found

    def steps_on(self, command_id: str, node_id: str) -> list[Step]:
        """Return what the steps did on one node, in order."""
        return [loads(Step, body) for body in self._scalars(_STEPS_ON, {"id": command_id, "node_id": node_id})]

    def put_steps(self, command_id: str, node_id: str, steps: Iterable[Step]) -> None:
        """Keep what steps did; a later word on the same step takes the place of the former."""
        place = {"command_id": command_id, "node_id": node_id}
        self._upsert_all(
            invocation_step,
            ({**place, "name": step.name, "ordinal": step.ordinal, "body": dumps(step)} for step in steps),
        )

    @property
    def _tally(self) -> Tally:
        return Tally(self._connection, self._insert, self._execute)


def _moved(after: Invocation) -> dict[str, Any]:
    """Return what a move may change, and of which node."""
    return {"b_node_id": after.instance_id, **changing(after)}
