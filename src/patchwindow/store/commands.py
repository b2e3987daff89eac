"""Commands; their invocations on nodes are in `invocations.py`."""

import dataclasses
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.run import Command, Invocation
from patchwindow.protocol.records import dumps, loads
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms, sooner
from patchwindow.store.tables import command, command_tally, invocation
from patchwindow.store.tally import Stage, Tally

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
# Whoever wakes somebody must not keep him asleep: his clock may be ahead. Of many who wake, the first alone writes.
_WOULD_SLEEP: Final = sa.or_(command.c.wake_at_ms.is_(None), command.c.wake_at_ms > sa.bindparam("wake_ms"))
_WAKE: Final = prepared(
    sa.update(command)
    .where(command.c.command_id == sa.bindparam("id"), _IS_EXECUTING, _WOULD_SLEEP)
    .values(wake_at_ms=sa.bindparam("wake_ms"))
)
_SLEEP: Final = prepared(
    sa.update(command).where(command.c.command_id == sa.bindparam("id")).values(wake_at_ms=sa.bindparam("wake_ms"))
)
_HAS_UNSENT: Final = sa.exists().where(
    command_tally.c.command_id == sa.bindparam("id"),
    command_tally.c.stage == Stage.UNSENT,
    command_tally.c.invocation_count > 0,
)
_WAKE_RAMPING_UP: Final = prepared(
    sa.update(command)
    .where(
        command.c.command_id == sa.bindparam("id"),
        sa.or_(
            command.c.status == "Pending",
            sa.and_(_IS_EXECUTING, command.c.completed_count < command.c.concurrency, _HAS_UNSENT),
        ),
    )
    .values(wake_at_ms=sooner(command.c.wake_at_ms, sa.bindparam("wake_ms")))
)
_OPEN_ON_NODE: Final = prepared(
    sa.select(invocation.c.command_id)
    .join(command, command.c.command_id == invocation.c.command_id)
    .where(
        invocation.c.node_id == sa.bindparam("node_id"),
        # What has ended on the node is its whole history.
        invocation.c.stage < Stage.ENDED,
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
        Tally(self._connection, self._insert, self._execute).add(invocations)

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
        if not self._is_alone:
            self._row(_HOLD, {"id": command_id})

    def wake(self, command_id: str, at: datetime) -> None:
        """Let the engine look at the command at *at*, if not before, unless it has ended."""
        self._change(_WAKE, {"id": command_id, "wake_ms": ms(at)})

    def sleep(self, command_id: str, until: datetime) -> None:
        """Let the engine, which has just looked at the command, look at it again at *until*."""
        self._change(_SLEEP, {"id": command_id, "wake_ms": ms(until)})

    def wake_ramping_up(self, command_id: str, at: datetime) -> bool:
        """Let the engine look at the command at *at* while it may wait for nodes to answer; return whether it may.

        Sending ramps up by what nodes answer. Once as many have ended as may run at once, that is the only limit; and
        once all is sent, there is none. The first answer sets the command in progress.
        """
        return self._change(_WAKE_RAMPING_UP, {"id": command_id, "wake_ms": ms(at)}) == 1

    def due(self, now: datetime, limit: int) -> list[str]:
        """Return the ids of up to *limit* commands that the engine has to look at, the earliest first."""
        return self._scalars(_DUE, {"now_ms": ms(now), "limit": limit})

    def next_wake_at(self) -> datetime | None:
        """Return the earliest instant at which the engine has to look at any command."""
        return instant(self._scalar(_NEXT))

    def open_on(self, node_id: str) -> list[str]:
        """Return the ids of the commands that have not ended, and whose part on the node has not ended."""
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
