"""Commands, their invocations on nodes, and the steps of those."""

import dataclasses
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.run import Command, Invocation, Step
from patchwindow.protocol.records import dumps, loads
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms
from patchwindow.store.tables import command, invocation, invocation_step

EXECUTING: Final = ("Pending", "InProgress", "Cancelling")
"""The statuses of commands that have not ended."""

# No list: the text of a prepared statement is the same whatever values it is given.
_IS_EXECUTING: Final = sa.or_(*(command.c.status == status for status in EXECUTING))
_ONE: Final = sa.select(command.c.body).where(command.c.command_id == sa.bindparam("id"))
_GET: Final = prepared(_ONE)
_LOCK: Final = prepared(_ONE.with_for_update())
_HOLD: Final = prepared(
    sa.select(command.c.command_id).where(command.c.command_id == sa.bindparam("id")).with_for_update()
)
_DUE: Final = prepared(
    sa.select(command.c.command_id)
    .where(command.c.wake_at_ms <= sa.bindparam("now_ms"))
    .order_by(command.c.wake_at_ms, command.c.command_id)
    .limit(sa.bindparam("limit"))
)
_NEXT: Final = prepared(sa.select(sa.func.min(command.c.wake_at_ms)))
_WAKE: Final = prepared(
    sa.update(command)
    .where(command.c.command_id == sa.bindparam("id"), _IS_EXECUTING)
    .values(wake_at_ms=sa.bindparam("wake_ms"))
)
_INVOCATION: Final = prepared(
    sa.select(invocation).where(
        invocation.c.command_id == sa.bindparam("id"), invocation.c.node_id == sa.bindparam("node_id")
    )
)
_INVOCATIONS: Final = prepared(
    sa.select(invocation).where(invocation.c.command_id == sa.bindparam("id")).order_by(invocation.c.ordinal)
)
_ADD_INVOCATION: Final = prepared(sa.insert(invocation))
_HAS_ENDED: Final = invocation.c.ended_at_ms.is_not(None)
_COUNT: Final = prepared(
    sa.select(invocation.c.details, sa.func.count().label("count_"))
    .where(invocation.c.command_id == sa.bindparam("id"))
    .group_by(invocation.c.details)
)
_IN_FLIGHT: Final = prepared(
    sa.select(invocation)
    .where(invocation.c.command_id == sa.bindparam("id"), invocation.c.dispatched_at_ms.is_not(None), ~_HAS_ENDED)
    .order_by(invocation.c.dispatched_at_ms, invocation.c.ordinal)
)
_UNSENT: Final = prepared(
    sa.select(invocation.c.node_id)
    .where(invocation.c.command_id == sa.bindparam("id"), invocation.c.dispatched_at_ms.is_(None), ~_HAS_ENDED)
    .order_by(invocation.c.ordinal)
    .limit(sa.bindparam("limit"))
)
_BUSY: Final = prepared(
    sa.select(sa.func.count())
    .select_from(invocation)
    .where(invocation.c.node_id == sa.bindparam("node_id"), invocation.c.acknowledged_at_ms.is_not(None), ~_HAS_ENDED)
)
_DISPATCH: Final = prepared(
    sa.update(invocation)
    .where(invocation.c.command_id == sa.bindparam("id"), invocation.c.node_id == sa.bindparam("b_node_id"))
    .values(dispatched_at_ms=sa.bindparam("now_ms"))
)
_END_UNSENT: Final = prepared(
    sa.update(invocation)
    .where(invocation.c.command_id == sa.bindparam("id"), invocation.c.dispatched_at_ms.is_(None), ~_HAS_ENDED)
    .values(details=sa.bindparam("to"), ended_at_ms=sa.bindparam("now_ms"))
)
_MOVE: Final = prepared(
    sa.update(invocation)
    .where(
        invocation.c.command_id == sa.bindparam("id"),
        invocation.c.node_id == sa.bindparam("b_node_id"),
        invocation.c.details == sa.bindparam("before"),
    )
    .values(
        details=sa.bindparam("details"),
        dispatched_at_ms=sa.bindparam("dispatched_at_ms"),
        acknowledged_at_ms=sa.bindparam("acknowledged_at_ms"),
        cancelled_at_ms=sa.bindparam("cancelled_at_ms"),
        ended_at_ms=sa.bindparam("ended_at_ms"),
        trace_output=sa.bindparam("trace_output"),
    )
)
_STEPS: Final = (
    sa.select(invocation_step.c.node_id, invocation_step.c.body)
    .where(
        invocation_step.c.command_id == sa.bindparam("id"),
        invocation_step.c.node_id.in_(sa.bindparam("node_ids", expanding=True)),
    )
    .order_by(invocation_step.c.node_id, invocation_step.c.ordinal)
)
_OPEN_ON_NODE: Final = prepared(
    sa.select(invocation.c.command_id)
    .join(command, command.c.command_id == invocation.c.command_id)
    .where(
        invocation.c.node_id == sa.bindparam("node_id"),
        _IS_EXECUTING,
    )
    # In one order, as every holder of several commands takes them.
    .order_by(invocation.c.command_id)
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CommandQuery:
    """Which commands, or invocations of commands, a list is to hold; all conditions are ANDed, None and () are none."""

    command_id: str | None = None
    node_id: str | None = None
    invoked_after: datetime | None = None
    invoked_before: datetime | None = None
    document_names: Collection[str] = ()
    statuses: Collection[str] = ()
    """Values of Status or StatusDetails of commands."""
    is_executing: bool | None = None
    details: Collection[str] = ()
    """Values of StatusDetails of invocations."""

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions on commands."""
        if self.command_id is not None:
            yield command.c.command_id == self.command_id
        if self.invoked_after is not None:
            yield command.c.requested_at_ms > ms(self.invoked_after)
        if self.invoked_before is not None:
            yield command.c.requested_at_ms < ms(self.invoked_before)
        if self.document_names:
            yield command.c.document_name.in_(self.document_names)
        if self.statuses:
            yield sa.or_(command.c.status.in_(self.statuses), command.c.status_details.in_(self.statuses))
        if self.is_executing is not None:
            yield _IS_EXECUTING if self.is_executing else ~_IS_EXECUTING


class Commands(Rows):
    """Commands, by id."""

    def add(self, value: Command, invocations: Iterable[Invocation], *, wake_at: datetime) -> None:
        """Keep a new command with its invocations."""
        self.put(value, wake_at=wake_at)
        self._change_all(_ADD_INVOCATION, map(_invocation_row, invocations))

    def put(self, value: Command, *, wake_at: datetime | None) -> None:
        """Keep a changed command, and when the engine looks at it next."""
        self._upsert(command, **_command_row(value), wake_at_ms=ms(wake_at))

    def get(self, command_id: str) -> Command | None:
        """Return the command."""
        body = self._scalar(_GET, {"id": command_id})
        return None if body is None else loads(Command, body)

    def lock(self, command_id: str) -> Command | None:
        """Return the command, and keep other writers from it until the transaction ends."""
        body = self._scalar(_LOCK, {"id": command_id})
        return None if body is None else loads(Command, body)

    def hold(self, command_id: str) -> None:
        """Keep other writers from the command until the transaction ends.

        Whoever changes an invocation holds its command first, so that nobody waits for somebody who waits for him.
        """
        self._row(_HOLD, {"id": command_id})

    def wake(self, command_id: str, at: datetime) -> None:
        """Let the engine look at the command at *at*, unless it has ended."""
        self._change(_WAKE, {"id": command_id, "wake_ms": ms(at)})

    def due(self, now: datetime, limit: int) -> list[str]:
        """Return the ids of up to *limit* commands that the engine has to look at, the earliest first."""
        return self._scalars(_DUE, {"now_ms": ms(now), "limit": limit})

    def next_wake_at(self) -> datetime | None:
        """Return the earliest instant at which the engine has to look at any command."""
        return instant(self._scalar(_NEXT))

    def open_on(self, node_id: str) -> list[str]:
        """Return the ids of the commands that have not ended and that the node takes part in."""
        return self._scalars(_OPEN_ON_NODE, {"node_id": node_id})

    def page(self, query: CommandQuery, *, before: tuple[int, str] | None, limit: int) -> list[Command]:
        """Return up to *limit* commands, the newest first, beyond the key *before* (requested at, id)."""
        statement = sa.select(command.c.body).where(*query.conditions())
        if before is not None:
            key = sa.tuple_(command.c.requested_at_ms, command.c.command_id)
            statement = statement.where(key < sa.tuple_(*map(sa.literal, before)))
        if query.node_id is not None:
            on_node = sa.select(invocation.c.command_id).where(invocation.c.node_id == query.node_id)
            statement = statement.where(command.c.command_id.in_(on_node))
        ordered = statement.order_by(command.c.requested_at_ms.desc(), command.c.command_id.desc()).limit(limit)
        return [loads(Command, body) for body in self._scalars(ordered)]


class Invocations(Rows):
    """Commands on single nodes, with what their steps did."""

    def get(self, command_id: str, node_id: str) -> Invocation | None:
        """Return the invocation."""
        row = self._row(_INVOCATION, {"id": command_id, "node_id": node_id})
        return None if row is None else _invocation(row)

    def of_command(self, command_id: str) -> list[Invocation]:
        """Return all invocations of a command, in the order in which they are handed out."""
        return [_invocation(row) for row in self._rows(_INVOCATIONS, {"id": command_id})]

    def count(self, command_id: str) -> dict[str, int]:
        """Return how many invocations of a command are in each state; states that do not occur are left out."""
        return {row.details: row.count_ for row in self._rows(_COUNT, {"id": command_id})}

    def in_flight(self, command_id: str) -> list[Invocation]:
        """Return the invocations that were sent and have not ended, in the order of sending."""
        return [_invocation(row) for row in self._rows(_IN_FLIGHT, {"id": command_id})]

    def unsent(self, command_id: str, limit: int) -> list[str]:
        """Return the ids of up to *limit* nodes whose invocations were not sent and have not ended, in order."""
        return self._scalars(_UNSENT, {"id": command_id, "limit": limit})

    def busy_count(self, node_id: str) -> int:
        """Return how many commands the node has taken and not finished."""
        return self._scalar(_BUSY, {"node_id": node_id}) or 0

    def dispatch(self, command_id: str, node_ids: Iterable[str], now: datetime) -> None:
        """Note when invocations were sent; thousands may be sent at once."""
        rows = ({"id": command_id, "b_node_id": node_id, "now_ms": ms(now)} for node_id in node_ids)
        self._change_all(_DISPATCH, rows)

    def end_unsent(self, command_id: str, *, details: str, now: datetime) -> None:
        """Let all invocations end that were not sent."""
        self._change(_END_UNSENT, {"id": command_id, "to": details, "now_ms": ms(now)})

    def move(self, before: Invocation, after: Invocation) -> bool:
        """Change *before* into *after*; return False, and change nothing, where its state is another by now."""
        row = {
            **_invocation_row(after),
            "b_node_id": after.instance_id,
            "id": after.command_id,
            "before": before.details,
        }
        for name in ("command_id", "node_id", "ordinal", "node_name"):
            del row[name]
        return self._change(_MOVE, row) == 1

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
        return [(commands[row.command_id], _invocation(row)) for row in rows]

    def steps(self, command_id: str, node_ids: Collection[str]) -> dict[str, list[Step]]:
        """Return what the steps did, in order, by node."""
        found: dict[str, list[Step]] = {node_id: [] for node_id in node_ids}
        for row in self._rows(_STEPS, {"id": command_id, "node_ids": list(node_ids)}):
            found[row.node_id].append(loads(Step, row.body))
        return found

    def put_step(self, command_id: str, node_id: str, step: Step) -> None:
        """Keep what a step did; a later word on the same step takes the place of the former."""
        self._upsert(
            invocation_step,
            command_id=command_id,
            node_id=node_id,
            name=step.name,
            ordinal=step.ordinal,
            body=dumps(step),
        )


def _command_row(value: Command) -> dict[str, Any]:
    return {
        "command_id": value.command_id,
        "document_name": value.document_name,
        "requested_at_ms": ms(value.requested_date_time),
        "expires_at_ms": ms(value.expires_after),
        "concurrency": value.concurrency,
        "errors_tolerated": value.errors_tolerated,
        "is_cancel_requested": int(value.cancel_requested),
        "status": value.status,
        "status_details": value.status_details,
        "target_count": value.target_count,
        "completed_count": value.completed_count,
        "error_count": value.error_count,
        "delivery_timed_out_count": value.delivery_timed_out_count,
        "body": dumps(value),
    }


def _invocation_row(value: Invocation) -> dict[str, Any]:
    row = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    row["node_id"], row["node_name"] = row.pop("instance_id"), row.pop("instance_name")
    for name in ("dispatched_at", "acknowledged_at", "cancelled_at", "ended_at"):
        row[f"{name}_ms"] = ms(row.pop(name))
    return row


def _invocation(row: Any) -> Invocation:
    return Invocation(
        command_id=row.command_id,
        instance_id=row.node_id,
        ordinal=row.ordinal,
        instance_name=row.node_name,
        details=row.details,
        dispatched_at=instant(row.dispatched_at_ms),
        acknowledged_at=instant(row.acknowledged_at_ms),
        cancelled_at=instant(row.cancelled_at_ms),
        ended_at=instant(row.ended_at_ms),
        trace_output=row.trace_output,
    )
