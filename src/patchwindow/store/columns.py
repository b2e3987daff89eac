"""What tables are made of."""

import re
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

metadata = sa.MetaData()
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def _storable(value: str | None) -> str | None:
    # What can be printed holds neither, which is found out much sooner.
    return value if value is None or value.isprintable() else _UNSTORABLE.sub("\ufffd", value)


class Text(sa.TypeDecorator[str]):
    """Text, but for what one of the databases cannot hold: NUL and lone surrogates become U+FFFD.

    JSON can spell both, so a client can send them wherever the model has no pattern. (A `body` escapes and keeps them.)
    """

    impl = sa.Text
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[str | None], str | None]:  # noqa: ARG002  (given)
        """Return what makes of a value one that can be stored, or looked for."""
        # Not by `process_bind_param`, which SQLAlchemy calls through another function: there are many texts.
        return _storable


def table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    """Return the table *name*, which a migration makes."""
    return sa.Table(name, metadata, *columns)


def text(name: str, *more: sa.schema.SchemaItem, key: bool = False, null: bool = False) -> "sa.Column[str]":
    """Return a column of text; it is never null unless it says so."""
    return sa.Column(name, Text, *more, primary_key=key, nullable=null)


def number(name: str, *, key: bool = False, null: bool = False) -> "sa.Column[int]":
    """Return a column of whole numbers."""
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=null, autoincrement=False)


def blob(name: str, *, null: bool = False) -> "sa.Column[bytes]":
    """Return a column of bytes."""
    return sa.Column(name, sa.LargeBinary, nullable=null)


def owned_by(column: str) -> sa.ForeignKey:
    """Return the rule that a row goes with the one that it names in *column*."""
    return sa.ForeignKey(column, ondelete="CASCADE")
