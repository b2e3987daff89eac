"""What every repository is built from."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.protocol.records import from_ms, to_ms
from patchwindow.store.prepared import Execute, Given, Prepared, Statement, prepared

Insert = Callable[[sa.Table], Any]
_NOTHING: Final[Given] = {}
# Otherwise SQLAlchemy asks for the count after an UPDATE or DELETE alone.
_COUNTED: Final = {"preserve_rowcount": True}


class Rows:
    """One noun's rows, inside one transaction that the caller owns.

    Its methods run a prepared statement, or one that was made for this call, and give each value by name.
    """

    def __init__(self, connection: sa.Connection, insert: Insert, execute: Execute | None) -> None:
        self._connection = connection
        self._insert = insert
        self._execute = execute

    @property
    def _is_alone(self) -> bool:
        """Whether nobody else can write in the meantime: with a database in this process a writer has it for himself."""
        return self._execute is not None

    def _rows(self, statement: Prepared | Statement, given: Given = _NOTHING) -> Sequence[Any]:
        """Return what *statement* selects; each row has its columns as attributes."""
        if isinstance(statement, Prepared):
            if self._execute is not None:
                return statement.rows(self._connection, self._execute, given)
            statement = statement.statement
        return self._connection.execute(statement, given).all()

    def _row(self, statement: Prepared, given: Given) -> Any:
        """Return the one row, looked up by a key, or None."""
        found = self._rows(statement, given)
        assert len(found) < 2, "a key has one row"
        return found[0] if found else None

    def _scalars(self, statement: Prepared | Statement, given: Given = _NOTHING) -> list[Any]:
        """Return the first column of every row."""
        return [row[0] for row in self._rows(statement, given)]

    def _scalar(self, statement: Prepared, given: Given = _NOTHING) -> Any:
        """Return the first column of the first row, or None."""
        found = self._rows(statement, given)
        return found[0][0] if found else None

    def _change(self, statement: Prepared | Statement, given: Given) -> int:
        """Insert, update or delete, and return how many rows that changed."""
        if isinstance(statement, Prepared):
            if self._execute is not None:
                return statement.change(self._connection, self._execute, given)
            statement = statement.statement
        return self._connection.execute(statement, given, execution_options=_COUNTED).rowcount

    def _upsert(self, table: sa.Table, **values: object) -> None:
        self._change(_upsert(self._insert, table), values)

    def _insert_if_new(self, table: sa.Table, **values: object) -> bool:
        """Insert a row, and return whether there was none with its keys."""
        return self._change(_insert_if_new(self._insert, table), values) == 1

    def _insert_new(self, table: sa.Table, rows: Iterable[Mapping[str, object]]) -> None:
        """Insert those *rows* of whose keys there is none."""
        self._change_all(_insert_if_new(self._insert, table), rows)

    def _upsert_all(self, table: sa.Table, rows: Iterable[Mapping[str, object]]) -> None:
        self._change_all(_upsert(self._insert, table), rows)

    def _change_all(self, statement: Prepared, given: Iterable[Given]) -> int:
        """Run *statement* once for each of the values *given*, and return how many rows that changed."""
        many = list(given)
        if not many:
            return 0
        if self._execute is not None:
            return statement.change_all(self._connection, many)
        # Which the drivers of other databases do together.
        return self._connection.execute(statement.statement, many, execution_options=_COUNTED).rowcount


@functools.cache
def _upsert(insert: Insert, table: sa.Table) -> Prepared:
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    rest = {column.name: statement.excluded[column.name] for column in table.c if column.name not in keys}
    return prepared(statement.on_conflict_do_update(index_elements=keys, set_=rest))


@functools.cache
def _insert_if_new(insert: Insert, table: sa.Table) -> Prepared:
    return prepared(insert(table).on_conflict_do_nothing())


def ms(instant: datetime | None) -> int | None:
    """Return *instant* as the store keeps it."""
    return None if instant is None else to_ms(instant)


def instant(milliseconds: int | None) -> datetime | None:
    """Return the instant that the store keeps as *milliseconds*."""
    return None if milliseconds is None else from_ms(milliseconds)


def sooner(column: "sa.Column[int]", at_ms: sa.BindParameter[int]) -> sa.ColumnElement[int]:
    """Return the earlier of both instants; *at_ms* where the column has none.

    Whoever wakes somebody must not keep him asleep: his clock may be ahead, or have been until it was set back.
    """
    return sa.case((column <= at_ms, column), else_=at_ms)


def like_prefix(column: "sa.Column[str]", prefix: str) -> sa.ColumnElement[bool]:
    """Return the condition that *column* starts with *prefix*, letter case included, on both databases."""
    return sa.func.substr(column, 1, len(prefix), type_=column.type) == prefix
