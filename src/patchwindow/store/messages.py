"""What waits for nodes: messages that were sent and are not settled."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.run import Message
from patchwindow.protocol.messages import SEND_COMMAND_TOPIC
from patchwindow.protocol.records import from_ms
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms
from patchwindow.store.tables import command, invocation, message
from patchwindow.store.tally import Stage

_WAITING: Final = prepared(
    sa.select(message)
    .where(message.c.node_id == sa.bindparam("node_id"), message.c.visible_at_ms <= sa.bindparam("now_ms"))
    .order_by(message.c.created_at_ms, message.c.message_id)
    .limit(sa.bindparam("limit"))
)
_VISIBLE: Final = prepared(
    sa.select(sa.func.min(message.c.visible_at_ms)).where(message.c.node_id == sa.bindparam("node_id"))
)
_HIDE: Final = prepared(
    sa.update(message).where(message.c.message_id == sa.bindparam("id")).values(visible_at_ms=sa.bindparam("until_ms"))
)
_NEXT_VISIBLE: Final = prepared(
    sa.select(sa.func.min(message.c.visible_at_ms)).where(
        message.c.node_id == sa.bindparam("node_id"), message.c.visible_at_ms > sa.bindparam("now_ms")
    )
)
# One that is being cancelled may have been taken, too: its message is taken back whether or not it arrived.
_TAKEN: Final = sa.select(invocation.c.command_id).where(
    invocation.c.node_id == sa.bindparam("node_id"),
    invocation.c.stage.between(Stage.AWAITED, Stage.SENT),
    invocation.c.acknowledged_at_ms.is_not(None) | invocation.c.cancelled_at_ms.is_not(None),
)
_GIVEN: Final = sa.select(message.c.command_id).where(
    message.c.node_id == sa.bindparam("node_id"),
    message.c.visible_at_ms > sa.bindparam("now_ms"),
    message.c.topic == SEND_COMMAND_TOPIC,
)
# One that was taken may still be hidden, until it is settled: each is named once.
_OUTSTANDING: Final = prepared(
    sa.select(command.c.command_id, command.c.document_name).where(
        command.c.command_id.in_(sa.union(_TAKEN, _GIVEN).scalar_subquery())
    )
)
_MESSAGE: Final = prepared(sa.select(message).where(message.c.message_id == sa.bindparam("id")))
_SETTLE: Final = prepared(sa.delete(message).where(message.c.message_id == sa.bindparam("id")))
_SETTLE_COMMAND: Final = prepared(
    sa.delete(message).where(
        message.c.node_id == sa.bindparam("node_id"), message.c.command_id == sa.bindparam("command_id")
    )
)
_SETTLE_NODE: Final = prepared(sa.delete(message).where(message.c.node_id == sa.bindparam("node_id")))


class Messages(Rows):
    """What waits for nodes. A message that was handed out is invisible for a while, then waits again until settled."""

    def add(self, values: Iterable[Message]) -> None:
        """Keep new messages, visible at once; one that is there already stays as it is."""
        self._insert_new(message, map(_message_row, values))

    def waiting(self, node_id: str, now: datetime, limit: int) -> list[Message]:
        """Return up to *limit* messages that the node may be given now, the oldest first."""
        rows = self._rows(_WAITING, {"node_id": node_id, "now_ms": ms(now), "limit": limit})
        return [_message(row) for row in rows]

    def visible_at(self, node_id: str) -> datetime | None:
        """Return the earliest instant at which a message for the node may be given."""
        return instant(self._scalar(_VISIBLE, {"node_id": node_id}))

    def visible_after(self, node_id: str, now: datetime) -> datetime | None:
        """Return the earliest instant after *now* at which a message that is hidden by then may be given again."""
        return instant(self._scalar(_NEXT_VISIBLE, {"node_id": node_id, "now_ms": ms(now)}))

    def hide(self, message_id: str, until: datetime) -> None:
        """Make a message invisible until *until*."""
        self._change(_HIDE, {"id": message_id, "until_ms": ms(until)})

    def outstanding(self, node_id: str, now: datetime) -> dict[str, str]:
        """Return the commands that the node has not finished, as ids with the names of their documents.

        Those that it has taken, or may have taken before they were cancelled, and those that it was given and may not be
        given again yet.
        """
        found = self._rows(_OUTSTANDING, {"node_id": node_id, "now_ms": ms(now)})
        return {row.command_id: row.document_name for row in found}

    def get(self, message_id: str) -> Message | None:
        """Return the message, if it is not settled."""
        row = self._row(_MESSAGE, {"id": message_id})
        return None if row is None else _message(row)

    def settle(self, message_id: str) -> None:
        """Forget a message that was accepted or has become pointless."""
        self._change(_SETTLE, {"id": message_id})

    def settle_command(self, command_id: str, node_id: str) -> None:
        """Forget everything about the command that waits for the node."""
        self._change(_SETTLE_COMMAND, {"command_id": command_id, "node_id": node_id})

    def settle_all(self, node_id: str) -> None:
        """Forget everything that waits for the node."""
        self._change(_SETTLE_NODE, {"node_id": node_id})


def _message_row(value: Message) -> dict[str, Any]:
    return {
        "message_id": value.message_id,
        "node_id": value.node_id,
        "command_id": value.command_id,
        "topic": value.topic,
        "created_at_ms": ms(value.created_at),
        "visible_at_ms": ms(value.created_at),
    }


def _message(row: Any) -> Message:
    return Message(
        message_id=row.message_id,
        node_id=row.node_id,
        command_id=row.command_id,
        topic=row.topic,
        created_at=from_ms(row.created_at_ms),
    )
