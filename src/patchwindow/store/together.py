"""Several jobs in one transaction, each of them all or nothing."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import sqlalchemy as sa

T = TypeVar("T")

MOST: Final = 64
"""How many jobs share a transaction; other writers wait until all of them are done."""


class Mixed(Exception):
    """A job failed after it had written, so that the transaction holds a part of it and must not be committed."""


def carry_out(connection: sa.Connection, jobs: Iterable[Callable[[], T]]) -> list[T | Exception]:
    """Carry out *jobs* in the transaction of *connection*; return what each returns, or the exception that it raised.

    Who refuses a job nearly always does so before anything is written, and savepoints cost as much as several
    statements: so there are none here.  An exception that SQLite ends the whole transaction with goes on.

    Raises:
        Mixed: a job failed after it had written; `carry_out_apart`, in another transaction, keeps the others.
    """
    driver: Any = connection.connection.dbapi_connection
    outcomes: list[T | Exception] = []
    for job in jobs:
        written = driver.total_changes
        try:
            outcomes.append(job())
        except Exception as problem:
            if not driver.in_transaction:
                raise
            if driver.total_changes != written:
                raise Mixed from problem
            outcomes.append(problem)
    return outcomes


def carry_out_apart(connection: sa.Connection, jobs: Iterable[Callable[[], T]]) -> list[T | Exception]:
    """Carry out *jobs* as `carry_out` does, each in a savepoint.

    An exception takes back what its job wrote, and nothing else. One that SQLite ends the whole transaction with, as
    it may where the disk is full, goes on.
    """
    # Past SQLAlchemy's nested transactions, which cost more than most jobs.
    driver: Any = connection.connection.dbapi_connection
    outcomes: list[T | Exception] = []
    for job in jobs:
        driver.execute("SAVEPOINT job")
        try:
            outcomes.append(job())
        except Exception as problem:
            if not driver.in_transaction:
                # Another savepoint would begin a transaction of its own, and commit it.
                raise
            driver.execute("ROLLBACK TO job")
            outcomes.append(problem)
        driver.execute("RELEASE job")
    return outcomes
