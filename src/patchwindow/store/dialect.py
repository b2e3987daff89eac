"""What differs between the databases. Each has a module of its own that has all of this."""

from collections.abc import Mapping
from typing import Any, Protocol

import sqlalchemy as sa

from patchwindow.store.connections import Connections


class Dialect(Protocol):
    """One kind of database."""

    @property
    def IS_SHARED(self) -> bool:  # noqa: N802  (constants of a module)
        """Whether several servers may work on one database."""
        ...

    @property
    def WRITERS(self) -> int:  # noqa: N802  (constants of a module)
        """How many transactions of one server are to write at once."""
        ...

    @property
    def TYPES(self) -> Mapping[str, str]:  # noqa: N802  (constants of a module)
        """How the types in migrations are spelled, where they are spelled otherwise."""
        ...

    def insert(self, table: sa.Table, /) -> Any:
        """Return an INSERT that knows `on_conflict_do_update` and `on_conflict_do_nothing`."""
        ...

    def connections(self, url: sa.URL, /) -> tuple[Connections, Connections]:
        """Return the connections of transactions that only read, which see one snapshot, and of those that write."""
        ...

    def lock_migrations(self, connection: sa.Connection, /) -> None:
        """Let one process migrate at a time, until the transaction ends."""
        ...
