"""What every repository is built from."""

import functools
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from patchwindow.protocol.records import from_ms, to_ms

Insert = Callable[[sa.Table], Any]


class Rows:
    """One noun's rows, inside one transaction that the caller owns."""

    def __init__(self, connection: sa.Connection, insert: Insert) -> None:
        self._connection = connection
        self._insert = insert

    def _upsert(self, table: sa.Table, **values: object) -> None:
        self._connection.execute(_upsert(self._insert, table), values)

    def _insert_if_new(self, table: sa.Table, **values: object) -> bool:
        """Insert a row, and return whether there was none with its keys."""
        return self._connection.execute(_insert_if_new(self._insert, table), values).rowcount == 1

    def _insert_new(self, table: sa.Table, rows: Iterable[Mapping[str, object]]) -> None:
        """Insert those *rows* of whose keys there is none."""
        if many := list(rows):
            self._connection.execute(_insert_if_new(self._insert, table), many)

    def _upsert_all(self, table: sa.Table, rows: Iterable[Mapping[str, object]]) -> None:
        if many := list(rows):
            self._connection.execute(_upsert(self._insert, table), many)


@functools.cache
def _upsert(insert: Insert, table: sa.Table) -> Any:
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    rest = {column.name: statement.excluded[column.name] for column in table.c if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)


@functools.cache
def _insert_if_new(insert: Insert, table: sa.Table) -> Any:
    # Otherwise SQLAlchemy asks for the count after an UPDATE or DELETE alone.
    return insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def ms(instant: datetime | None) -> int | None:
    """Return *instant* as the store keeps it."""
    return None if instant is None else to_ms(instant)


def instant(milliseconds: int | None) -> datetime | None:
    """Return the instant that the store keeps as *milliseconds*."""
    return None if milliseconds is None else from_ms(milliseconds)


def like_prefix(column: "sa.Column[str]", prefix: str) -> sa.ColumnElement[bool]:
    """Return the condition that *column* starts with *prefix*, letter case included, on both databases."""
    return sa.func.substr(column, 1, len(prefix), type_=column.type) == prefix
