"""Connections that stay open, each lent to one transaction at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.errors import MovedMeanwhile
from patchwindow.store.prepared import DIRECT
from patchwindow.store.turnstile import Turnstile

WAIT_S: Final = 60.0
"""How long a transaction waits for a connection; transactions are short, so this is a hang and no queue."""


class Connections:
    """Up to *limit* connections of one engine; who finds all of them lent waits for his turn.

    Only the connection is kept, not checked out anew: that costs more than a look-up by key. The engine must not
    keep a pool of its own.
    """

    def __init__(self, engine: sa.Engine, limit: int, *, wait_s: float = WAIT_S) -> None:
        self._engine = engine
        self._limit = limit
        self._wait_s = wait_s
        self._turnstile = Turnstile(limit)
        # The last given back is lent first; a list's `append` and `pop` need no lock.
        self._idle: list[sa.Connection] = []

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Lend a connection for one transaction: committed at the end, rolled back when an exception leaves it.

        Raises:
            MovedMeanwhile: no connection became free.
        """
        if not self._turnstile.enter(self._wait_s):
            message = f"all {self._limit} connections of a database were busy for {self._wait_s:g} s; try again later"
            raise MovedMeanwhile(message)
        try:
            connection = self._take()
            try:
                with _direct(connection) if DIRECT in connection.get_execution_options() else _plain(connection):
                    yield connection
            finally:
                self._give_back(connection)
        finally:
            self._turnstile.leave()

    def close(self) -> None:
        """Close the connections that are not lent."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> sa.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._engine.connect()

    def _give_back(self, connection: sa.Connection) -> None:
        if connection.invalidated:
            # The server went away, and with it what the others are connected to; or a commit failed, which is as rare.
            connection.close()
            self.close()
        else:
            self._idle.append(connection)


@contextmanager
def _plain(connection: sa.Connection) -> Iterator[None]:
    """Be in a transaction of SQLAlchemy's."""
    with connection.begin() as transaction:
        yield
        try:
            transaction.commit()
        except sa.exc.DBAPIError:
            _give_up(connection)
            raise


@contextmanager
def _direct(connection: sa.Connection) -> Iterator[None]:
    """Be in a transaction of the driver's: SQLAlchemy's own costs more than the statements of most.

    A statement that goes through SQLAlchemy after all takes itself to be in one of its own, which ends with this.
    """
    driver: Any = connection.connection.dbapi_connection
    errors: type[Exception] = connection.dialect.loaded_dbapi.Error
    begin: str = connection.get_execution_options()[DIRECT]
    try:
        driver.execute(begin)
    except errors as problem:
        raise sa.exc.DBAPIError.instance(begin, None, problem, errors, dialect=connection.dialect) from problem
    try:
        yield
    except BaseException:
        (connection.get_transaction() or driver).rollback()
        raise
    try:
        (connection.get_transaction() or driver).commit()
    except sa.exc.DBAPIError:
        _give_up(connection)
        raise
    except errors as problem:
        _give_up(connection)
        raise sa.exc.DBAPIError.instance("COMMIT", None, problem, errors, dialect=connection.dialect) from problem


def _give_up(connection: sa.Connection) -> None:
    # After a commit that failed the transaction may still be open, as SQLite leaves it, while SQLAlchemy takes it for
    # ended: the next one could not begin. Without its connection it is rolled back.
    connection.invalidate()
