"""What is particular to PostgreSQL: connections, and its form of upsert."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as insert  # noqa: PLC0414  (the dialect's part of our own interface)

from patchwindow.domain.errors import Invalid
from patchwindow.store.connections import Connections

READERS: Final = 8
WRITERS: Final = 4
_ENGINE_WRITERS: Final = 1
IS_SHARED: Final = True
# By code point, as the other database sorts: so lists have one order everywhere, which no library update changes.
TYPES: Final = {"BYTES": "BYTEA", "TEXT": 'TEXT COLLATE "C"', "CLUSTERED": ""}
_MIGRATION_LOCK: Final = 0x70617463  # any constant that all replicas share


def connections(url: sa.URL) -> tuple[Connections, Connections]:
    """Return the connections of readers and of writers.

    Raises:
        Invalid: the driver is not installed.
    """
    try:
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    except ModuleNotFoundError:
        raise Invalid(f"database URL {url} needs psycopg; install patchwindow[postgres]") from None
    # Readers look more than once and must see one state. Writers lock what they decide about, and then must see the
    # newest of it.
    snapshots = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Connections(snapshots, READERS), Connections(engine, WRITERS + _ENGINE_WRITERS)


def lock_migrations(connection: sa.Connection) -> None:
    """Let one process migrate at a time, until the transaction ends."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
