"""What waits for nodes: messages that were sent and are not settled."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.run import Message
from patchwindow.protocol.records import from_ms
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms
from patchwindow.store.tables import message

_WAITING: Final = prepared(
    sa.select(message)
    .where(message.c.node_id == sa.bindparam("node_id"), message.c.visible_at_ms <= sa.bindparam("now_ms"))
    .order_by(message.c.created_at_ms, message.c.message_id)
    .limit(sa.bindparam("limit"))
)
_VISIBLE: Final = prepared(
    sa.select(sa.func.min(message.c.visible_at_ms)).where(message.c.node_id == sa.bindparam("node_id"))
)
_HIDE: Final = (
    sa.update(message)
    .where(message.c.message_id.in_(sa.bindparam("ids", expanding=True)))
    .values(visible_at_ms=sa.bindparam("until_ms"))
)
_HIDDEN: Final = prepared(
    sa.select(sa.func.count())
    .select_from(message)
    .where(
        message.c.node_id == sa.bindparam("node_id"),
        message.c.visible_at_ms > sa.bindparam("now_ms"),
        message.c.topic == sa.bindparam("topic"),
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

    def hide(self, message_ids: Sequence[str], until: datetime) -> None:
        """Make messages invisible until *until*."""
        self._change(_HIDE, {"ids": list(message_ids), "until_ms": ms(until)})

    def hidden_count(self, node_id: str, topic: str, now: datetime) -> int:
        """Return how many messages of the *topic* were given to the node and may not be given again yet."""
        row = {"node_id": node_id, "topic": topic, "now_ms": ms(now)}
        return self._scalar(_HIDDEN, row) or 0

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
