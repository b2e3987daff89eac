"""Statements that never change: compiled once, then handed to the driver as text.

What SQLAlchemy does for each execution (cache keys, contexts, events, descriptions of results) costs several times what
a database in the same process takes to find a row by its key. With a database beyond a socket that does not count, so
only engines that ask for it are served like this; the others execute the same statement as ever.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

DIRECT: Final = "patchwindow_direct"
"""The execution option of engines whose driver's connections have `execute`, and take question marks and a list.

Its value is the statement with which a transaction begins there.
"""

Statement = sa.Select[Any] | sa.Insert | sa.Update | sa.Delete
Given = Mapping[str, object]
Execute = Callable[[str, Sequence[object]], Any]
"""How a driver executes text with arguments; it returns a cursor."""


class Prepared:
    """A constant statement: all that differs between its executions are named parameters, each of them one value.

    What it selects comes as the driver has it, since no column here has a type that would convert it.
    """

    __slots__ = ("_compiled", "statement")

    def __init__(self, statement: Statement) -> None:
        self.statement: Final = statement
        self._compiled: _Compiled | None = None

    def rows(self, connection: sa.Connection, execute: Execute, given: Given) -> list[Any]:
        """Let *execute*, the driver of *connection*, run it; return what it selects, as tuples with names.

        Raises:
            sqlalchemy.exc.DBAPIError: the driver's error, as SQLAlchemy itself would raise it.
        """
        return self._for(connection).rows(execute, given)

    def change(self, connection: sa.Connection, execute: Execute, given: Given) -> int:
        """Let *execute*, the driver of *connection*, run it; return how many rows it changed.

        Raises:
            sqlalchemy.exc.DBAPIError: the driver's error, as SQLAlchemy itself would raise it.
        """
        return self._for(connection).change(execute, given)

    def change_all(self, connection: sa.Connection, given: Sequence[Given]) -> int:
        """Let the driver of *connection* run it once for each of the values *given*; return how many rows that changed.

        Raises:
            sqlalchemy.exc.DBAPIError: the driver's error, as SQLAlchemy itself would raise it.
        """
        driver: Any = connection.connection.dbapi_connection
        return self._for(connection).change_all(driver.executemany, given)

    def _for(self, connection: sa.Connection) -> "_Compiled":
        # Only one dialect asks for this. Two threads may both be the first: what they make is the same.
        if self._compiled is None:
            self._compiled = _Compiled(self.statement, connection.dialect)
        return self._compiled


def prepared(statement: Statement) -> Prepared:
    """Return *statement* as one that is compiled once."""
    return Prepared(statement)


def direct(connection: sa.Connection) -> Execute | None:
    """Return how the driver of *connection* executes text; None where statements go through SQLAlchemy."""
    if not connection.get_execution_options().get(DIRECT):
        return None
    driver: Any = connection.connection.dbapi_connection
    execute: Execute = driver.execute
    return execute


class _Compiled:
    """The text of a statement, and how its arguments are made from named values."""

    __slots__ = ("_constants", "_dialect", "_errors", "_processes", "_row", "_text", "names")

    def __init__(self, statement: Statement, dialect: sa.Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        binds = [compiled.binds[name] for name in compiled.positiontup]
        assert not any(bind.expanding for bind in binds), "a list has no constant text"
        self._text: Final = str(compiled)
        self.names: Final = tuple(bind.key for bind in binds)
        self._constants: Final = {bind.key: bind.value for bind in binds if not bind.required}
        self._processes: Final = _processes(binds, dialect)
        self._dialect: Final = dialect
        self._errors: Final[type[Exception]] = dialect.loaded_dbapi.Error
        names = statement.selected_columns.keys() if isinstance(statement, sa.Select) else ()
        kind: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024  (the names are data)
        self._row: Final[Callable[[Sequence[object]], Any]] = kind._make

    def rows(self, execute: Execute, given: Given) -> list[Any]:
        """Let *execute* run the statement, and return what it selects."""
        arguments = self._arguments(given)
        try:
            # Some errors, as of a disk, come only with the row that they are about.
            return list(map(self._row, execute(self._text, arguments).fetchall()))
        except self._errors as problem:
            raise self._told(problem, arguments) from problem

    def change(self, execute: Execute, given: Given) -> int:
        """Let *execute* run the statement, and return how many rows that changed."""
        arguments = self._arguments(given)
        try:
            count: int = execute(self._text, arguments).rowcount
        except self._errors as problem:
            raise self._told(problem, arguments) from problem
        return count

    def change_all(self, execute: Execute, given: Sequence[Given]) -> int:
        """Let *execute* run the statement once for each of the values *given*; return how many rows that changed."""
        arguments = [self._arguments(one) for one in given]
        try:
            count: int = execute(self._text, arguments).rowcount
        except self._errors as problem:
            raise self._told(problem, arguments) from problem
        return count

    def _arguments(self, given: Given) -> list[Any]:
        if self._constants:
            given = {**self._constants, **given}
        arguments = [given[name] for name in self.names]
        for place, process in self._processes:
            arguments[place] = process(arguments[place])
        return arguments

    def _told(self, problem: Exception, arguments: list[Any]) -> BaseException:
        """Return the driver's error as SQLAlchemy would raise it."""
        return sa.exc.DBAPIError.instance(self._text, arguments, problem, self._errors, dialect=self._dialect)


def _processes(binds: Sequence[Any], dialect: sa.Dialect) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """Return what prepares values for the driver, each with the place of its value; most values need nothing."""
    found = (bind.type.dialect_impl(dialect).bind_processor(dialect) for bind in binds)
    return tuple((place, process) for place, process in enumerate(found) if process is not None)
