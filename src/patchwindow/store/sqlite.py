"""What is particular to SQLite: connections, and its form of upsert."""

import sqlite3
from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as insert  # noqa: PLC0414  (the dialect's part of our own interface)

from patchwindow.domain.errors import Invalid
from patchwindow.store.connections import Connections
from patchwindow.store.prepared import DIRECT

_PRAGMAS: Final = (
    # First: two processes may open the file at once, and only one can change its journal mode.
    "PRAGMA busy_timeout=30000",
    "PRAGMA journal_mode=WAL",
    # Full, not normal: what a reply confirmed must survive a power cut too.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-65536",
    # Four times the usual: a page that changes again and again, as those of a running command do, is copied into the
    # file once for all of its changes between two checkpoints; the journal then comes to 16 MiB.
    "PRAGMA wal_autocheckpoint=4000",
)
# The driver keeps that many statements parsed; there are more constant ones than the 128 that it keeps by itself.
_CONNECT_ARGS: Final = {"check_same_thread": False, "cached_statements": 512}
READERS: Final = 4
WRITERS: Final = 1
IS_SHARED: Final = False
# A clustered table is the index of its key: a row of few columns is then found in one search.
TYPES: Final = {"BYTES": "BLOB", "CLUSTERED": "WITHOUT ROWID"}


def connections(url: sa.URL) -> tuple[Connections, Connections]:
    """Return the connections of readers, and the one writer: waiting for it is the queue of writers.

    Raises:
        Invalid: *url* names no file; a database in memory would be another one for each connection.
    """
    if url.database in (None, "", ":memory:"):
        raise Invalid(f"database URL {url} names no file; write sqlite:///PATH")
    readers = _engine(url, "BEGIN", ("PRAGMA query_only=ON",))
    writer = _engine(url, "BEGIN IMMEDIATE", ())
    return Connections(readers, READERS), Connections(writer, WRITERS)


def _engine(url: sa.URL, begin: str, pragmas: tuple[str, ...]) -> sa.Engine:
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=_CONNECT_ARGS, execution_options={DIRECT: begin})
    sa.event.listen(engine, "connect", _preparer((*_PRAGMAS, *pragmas)))
    return engine


def _preparer(pragmas: tuple[str, ...]) -> Callable[[sqlite3.Connection, object], None]:
    def prepare(driver: sqlite3.Connection, _: object) -> None:
        # No implicit BEGIN by the driver: ours says what kind it is.
        driver.isolation_level = None
        for pragma in pragmas:
            _execute(driver, pragma)

    return prepare


def _execute(driver: sqlite3.Connection, statement: str) -> None:
    # Past SQLAlchemy's cursors, but with its errors.
    try:
        driver.execute(statement)
    except sqlite3.Error as problem:
        raise sa.exc.OperationalError(statement, None, problem) from problem


def lock_migrations(connection: sa.Connection) -> None:
    """Do nothing: an immediate transaction is alone already."""
    driver: Any = connection.connection.dbapi_connection
    assert driver.in_transaction
