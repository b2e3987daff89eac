"""The table of changes, beside those of `tables.py` and in its form."""

from typing import Final

import sqlalchemy as sa

from patchwindow.store.columns import number, table, text

change: Final = table(
    "change",
    text("change_id", key=True),
    number("at_ms"),
    number("number"),
    text("caller"),
    text("comment"),
    text("address"),
    text("operation"),
    text("resource"),
    text("before"),
    text("after"),
    sa.Index("change_by_time", "at_ms", "number", "change_id"),
    sa.Index("change_by_resource", "resource", "at_ms"),
)
