"""The tables of what steps wrote, beside those of `tables.py` and in their form."""

from typing import Final

import sqlalchemy as sa

from patchwindow.store.columns import blob, number, table, text

output_stream: Final = table(
    "output_stream",
    text("command_id", key=True),
    text("node_id", key=True),
    text("step_name", key=True),
    text("stream", key=True),
    number("length"),
    number("is_cut"),
    number("is_ended"),
    number("changed_at_ms"),
    sa.Index("output_stream_by_time", "changed_at_ms"),
)

# Each piece packed by zlib; `begins_at` is where it begins in the stream, in bytes.
output_piece: Final = table(
    "output_piece",
    text("command_id", key=True),
    text("node_id", key=True),
    text("step_name", key=True),
    text("stream", key=True),
    number("begins_at", key=True),
    number("length"),
    blob("content"),
)

output_delivery: Final = table(
    "output_delivery",
    text("command_id", key=True),
    text("node_id", key=True),
    text("step_name", key=True),
    text("stream", key=True),
    text("bucket"),
    text("object_key"),
    number("ended_at_ms"),
    # None: it is done, and `url` says where it is, or it was given up.
    number("due_at_ms", null=True),
    text("url"),
    text("lease"),
    number("failures"),
    text("reason"),
    sa.Index("output_delivery_by_due", "due_at_ms"),
)
