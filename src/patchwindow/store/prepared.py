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

        def fetch(text: str, arguments: Sequence[object]) -> Any:
            # Some errors, as of a disk, come only with the row that they are about.
            return execute(text, arguments).fetchall()

        compiled = self._for(connection)
        return list(map(compiled.row, compiled.run(fetch, given)))

    def change(self, connection: sa.Connection, execute: Execute, given: Given) -> int:
        """Let *execute*, the driver of *connection*, run it; return how many rows it changed.

        Raises:
            sqlalchemy.exc.DBAPIError: the driver's error, as SQLAlchemy itself would raise it.
        """
        count: int = self._for(connection).run(execute, given).rowcount
        return count

    def change_all(self, connection: sa.Connection, given: Sequence[Given]) -> int:
        """Let the driver of *connection* run it once for each of the values *given*; return how many rows that changed.

        Raises:
            sqlalchemy.exc.DBAPIError: the driver's error, as SQLAlchemy itself would raise it.
        """
        driver: Any = connection.connection.dbapi_connection
        count: int = self._for(connection).run_all(driver.executemany, given).rowcount
        return count

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

    __slots__ = ("_arguments", "_dialect", "_errors", "_text", "row")

    def __init__(self, statement: Statement, dialect: sa.Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        binds = [compiled.binds[name] for name in compiled.positiontup]
        assert not any(bind.expanding for bind in binds), "a list has no constant text"
        self._text: Final = str(compiled)
        self._arguments: Final = tuple(_argument(bind, dialect) for bind in binds)
        self._dialect: Final = dialect
        self._errors: Final[type[Exception]] = dialect.loaded_dbapi.Error
        names = statement.selected_columns.keys() if isinstance(statement, sa.Select) else ()
        kind: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024  (the names are data)
        self.row: Final[Callable[[Sequence[object]], Any]] = kind._make

    def run(self, execute: Execute, given: Given) -> Any:
        """Let *execute* run the statement, and return what it returns."""
        return self._run(execute, self._values(given))

    def run_all(self, execute: Execute, given: Sequence[Given]) -> Any:
        """Execute the statement once for each of the values *given*, and return the driver's cursor."""
        return self._run(execute, [self._values(one) for one in given])

    def _values(self, given: Given) -> list[object]:
        return [
            constant if name is None else given[name] if process is None else process(given[name])
            for name, process, constant in self._arguments
        ]

    def _run(self, execute: Execute, arguments: list[Any]) -> Any:
        try:
            return execute(self._text, arguments)
        except self._errors as problem:
            raise sa.exc.DBAPIError.instance(
                self._text, arguments, problem, self._errors, dialect=self._dialect
            ) from problem


def _argument(bind: Any, dialect: sa.Dialect) -> tuple[str | None, Callable[[Any], Any] | None, Any]:
    """Return the name under which a value is given and what prepares it for the driver, or the constant that it is."""
    process = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if bind.required:
        return bind.key, process, None
    return None, None, bind.value if process is None else process(bind.value)
