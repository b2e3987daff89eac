"""A database and its transactions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import sqlalchemy as sa

from patchwindow.domain.errors import Invalid
from patchwindow.store import migrate, postgres, sqlite, together
from patchwindow.store.dialect import Dialect
from patchwindow.store.work import Work

T = TypeVar("T")

_DIALECTS: Final[Mapping[str, Dialect]] = {"sqlite": sqlite, "postgresql": postgres}
_FORMS: Final = "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE"


class Database:
    """Where everything is kept. Thread-safe; each transaction holds one connection."""

    def __init__(self, url: str | Path) -> None:
        """Take *url*: `sqlite:///PATH`, `postgresql://…`, or the path of an SQLite file, whatever characters it has.

        Nothing is connected, made or migrated yet.

        Raises:
            Invalid: *url* has another form, or its driver is not installed.
        """
        self._url, self._dialect = _read(url)
        self._readers, self._writers = self._dialect.connections(self._url)
        self.is_shared = self._dialect.IS_SHARED
        """Whether other servers may work on the same database."""
        self.writers = self._dialect.WRITERS
        """How many transactions can write at once."""
        self.together_max = 1 if self.is_shared else together.MOST
        """How many jobs are worth giving to `write_together` at once."""
        self._ring: Callable[[str], None] = lambda _: None

    def migrate(self) -> None:
        """Bring the tables to this version's form.

        Raises:
            Conflict: the database was written by a newer version; nothing is changed.
            Invalid: there is no database at the URL, it may not be used, or it is another program's.
        """
        try:
            with self._writers.transaction() as connection:
                migrate.migrate(connection, self._dialect)
        except sa.exc.DBAPIError as problem:
            reason = str(problem.orig).strip()
            raise Invalid(
                f"database {self._url} cannot be made ready: {reason}; "
                "check the URL, the rights, and that the database is patchwindow's own"
            ) from problem

    def on_wake(self, ring: Callable[[str], None]) -> None:
        """Let *ring* be called, after each commit, with the names that the transaction wants woken."""
        self._ring = ring

    @contextmanager
    def read(self) -> Iterator[Work]:
        """Open a transaction that only reads, and sees one state however often it looks."""
        with self._readers.transaction() as connection:
            yield Work(connection, self._dialect.insert)

    @contextmanager
    def write(self) -> Iterator[Work]:
        """Open a transaction; it is committed at the end, or rolled back when an exception leaves it."""
        with self._writers.transaction() as connection:
            work = Work(connection, self._dialect.insert)
            yield work
        for name in work.woken:
            self._ring(name)

    def write_together(self, jobs: Sequence[Callable[[Work], T]]) -> list[T | Exception]:
        """Carry out *jobs*, each all or nothing; return what each returns, or the exception that it raised.

        Where this server has the database for itself they share one transaction, because a commit that a power cut
        cannot undo costs more than most jobs do. What keeps the transaction from being committed is the result of all.
        """
        if self.is_shared or len(jobs) < 2:
            return [self._write_alone(job) for job in jobs]
        try:
            try:
                outcomes, woken = self._share(jobs, apart=False)
            except together.Mixed:
                # The transaction is rolled back; each job is done again, as if for the first time.
                outcomes, woken = self._share(jobs, apart=True)
        except Exception as problem:  # noqa: BLE001  (whatever it is, it is the answer to each)
            return [problem for _ in jobs]
        for name in woken:
            self._ring(name)
        return outcomes

    def _share(
        self, jobs: Sequence[Callable[[Work], T]], *, apart: bool
    ) -> tuple[list[T | Exception], dict[str, None]]:
        """Let *jobs* be carried out in one transaction; return their outcomes, and whom they want woken."""
        woken: dict[str, None] = {}
        with self._writers.transaction() as connection:
            work = Work(connection, self._dialect.insert)
            carry_out = together.carry_out_apart if apart else together.carry_out
            outcomes = carry_out(connection, (partial(_do, job, work, woken) for job in jobs))
        return outcomes, woken

    def _write_alone(self, job: Callable[[Work], T]) -> T | Exception:
        try:
            with self.write() as work:
                return job(work)
        except Exception as problem:  # noqa: BLE001  (whatever it is, it is the answer)
            return problem

    def close(self) -> None:
        """Give up all connections."""
        self._writers.close()
        self._readers.close()


def _do(job: Callable[[Work], T], work: Work, woken: dict[str, None]) -> T:
    """Return what *job* returns; note in *woken* whom it wants woken, unless it raises."""
    work.forget_woken()
    outcome = job(work)
    woken.update(dict.fromkeys(work.woken))
    return outcome


def _read(url: str | Path) -> tuple[sa.URL, Dialect]:
    if isinstance(url, Path):
        return sa.URL.create("sqlite", database=str(url)), sqlite
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise Invalid(f"database URL {url!r} cannot be read; write {_FORMS}") from None
    dialect = _DIALECTS.get(parsed.get_backend_name())
    if dialect is None:
        raise Invalid(f"database URL {parsed} is of another kind; write {_FORMS}")
    return parsed, dialect
