"""What steps wrote, in pieces, and which streams are to be delivered where."""

import dataclasses
import zlib
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.step_output import Delivery, Stream, StreamKey, StreamName
from patchwindow.protocol.records import from_ms
from patchwindow.store.output_tables import output_delivery, output_piece, output_stream
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms

_NAMES: Final = ("command_id", "node_id", "step_name", "stream")


def _is_of(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == sa.bindparam(name) for name in _NAMES))


_STREAM: Final = sa.select(output_stream).where(_is_of(output_stream))
_GET: Final = prepared(_STREAM)
_LOCK: Final = prepared(_STREAM.with_for_update())
_PIECES: Final = prepared(
    sa.select(output_piece.c.begins_at, output_piece.c.content)
    .where(
        _is_of(output_piece),
        output_piece.c.begins_at + output_piece.c.length > sa.bindparam("offset"),
    )
    .order_by(output_piece.c.begins_at)
    .limit(sa.bindparam("limit"))
)
_OLD: Final = prepared(
    sa.select(output_stream)
    .where(output_stream.c.changed_at_ms < sa.bindparam("before_ms"))
    .order_by(output_stream.c.changed_at_ms)
    .limit(sa.bindparam("limit"))
)
_FORGET: Final = tuple(
    prepared(sa.delete(table).where(_is_of(table))) for table in (output_piece, output_delivery, output_stream)
)
_DUE: Final = prepared(
    sa.select(output_delivery)
    .where(output_delivery.c.due_at_ms <= sa.bindparam("now_ms"))
    .order_by(output_delivery.c.due_at_ms)
    .limit(sa.bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_NEXT: Final = prepared(sa.select(sa.func.min(output_delivery.c.due_at_ms)))
_DELIVERY: Final = prepared(sa.select(output_delivery).where(_is_of(output_delivery)))
_STEP_NAMES: Final = prepared(
    sa.select(output_stream.c.step_name)
    .where(output_stream.c.command_id == sa.bindparam("command_id"), output_stream.c.node_id == sa.bindparam("node_id"))
    .distinct()
    .order_by(output_stream.c.step_name)
)


class Output(Rows):
    """Streams by command, node, step and name."""

    def stream(self, key: StreamKey) -> Stream | None:
        """Return how much of a stream there is, None where nothing came of it."""
        row = self._row(_GET, dataclasses.asdict(key))
        return None if row is None else _stream(row)

    def lock(self, key: StreamKey) -> Stream:
        """Return how much of a stream there is, and keep other writers from it until the transaction ends."""
        row = self._row(_LOCK, dataclasses.asdict(key))
        return Stream() if row is None else _stream(row)

    def append(self, key: StreamKey, before: Stream, after: Stream, content: bytes, now: datetime) -> None:
        """Keep a piece of a stream, which was *before* and with it is *after*."""
        names = dataclasses.asdict(key)
        if content:
            packed = zlib.compress(content)
            self._insert_if_new(output_piece, **names, begins_at=before.length, length=len(content), content=packed)
        self._upsert(
            output_stream,
            **names,
            length=after.length,
            is_cut=int(after.is_cut),
            is_ended=int(after.is_ended),
            changed_at_ms=ms(now),
        )

    def read(self, key: StreamKey, offset: int, bytes_max: int) -> bytes:
        """Return up to *bytes_max* bytes of a stream from *offset* on."""
        found = bytearray()
        while len(found) < bytes_max:
            given = {**dataclasses.asdict(key), "offset": offset + len(found), "limit": 1}
            row = self._row(_PIECES, given)
            if row is None:
                break
            piece = zlib.decompress(row.content)
            found += piece[offset + len(found) - row.begins_at :]
        return bytes(found[:bytes_max])

    def prune(self, before: datetime, limit: int) -> int:
        """Forget up to *limit* streams to which nothing was added since, and return how many that were."""
        rows = self._rows(_OLD, {"before_ms": ms(before), "limit": limit})
        for row in rows:
            for statement in _FORGET:
                self._change(statement, {name: getattr(row, name) for name in _NAMES})
        return len(rows)

    def put_delivery(self, value: Delivery) -> None:
        """Keep a new or changed delivery."""
        self._upsert(
            output_delivery,
            **dataclasses.asdict(value.stream_key),
            bucket=value.bucket,
            object_key=value.object_key,
            ended_at_ms=ms(value.ended_at),
            due_at_ms=ms(value.due_at),
            url=value.url,
            lease=value.lease,
            failures=value.failures,
            reason=value.reason,
        )

    def due(self, now: datetime, limit: int) -> list[Delivery]:
        """Return up to *limit* deliveries whose instant has come, and keep other writers from them."""
        return [_delivery(row) for row in self._rows(_DUE, {"now_ms": ms(now), "limit": limit})]

    def next_due_at(self) -> datetime | None:
        """Return the earliest instant at which a delivery is due."""
        return instant(self._scalar(_NEXT))

    def delivery(self, key: StreamKey) -> Delivery | None:
        """Return the delivery of a stream, None where it has none."""
        row = self._row(_DELIVERY, dataclasses.asdict(key))
        return None if row is None else _delivery(row)

    def held(self, key: StreamKey, lease: str) -> Delivery | None:
        """Return the delivery of a stream, if it is still held under this lease."""
        found = self.delivery(key)
        return found if found is not None and found.lease == lease else None

    def step_names(self, command_id: str, node_id: str) -> list[str]:
        """Return the steps of which anything came, by name."""
        return self._scalars(_STEP_NAMES, {"command_id": command_id, "node_id": node_id})


def _stream(row: Any) -> Stream:
    return Stream(length=row.length, is_cut=bool(row.is_cut), is_ended=bool(row.is_ended))


def _delivery(row: Any) -> Delivery:
    return Delivery(
        stream_key=StreamKey(
            command_id=row.command_id,
            node_id=row.node_id,
            step_name=row.step_name,
            stream=StreamName(row.stream),
        ),
        bucket=row.bucket,
        object_key=row.object_key,
        ended_at=from_ms(row.ended_at_ms),
        due_at=instant(row.due_at_ms),
        url=row.url,
        lease=row.lease,
        failures=row.failures,
        reason=row.reason,
    )
