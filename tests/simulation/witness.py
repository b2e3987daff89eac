"""Notes every change of a status in the database itself, so that none escapes that comes and goes within one step."""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from patchwindow.store.database import Database


class Kind(StrEnum):
    """What has changed."""

    EXECUTION = "execution"
    TASK = "task"
    TARGET = "target"
    COMMAND = "command"
    INVOCATION = "invocation"
    DISPATCH = "dispatch"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: *id* of what, *part_of* what (a node's id for invocations), the status before (None: new), after."""

    kind: Kind
    id: str
    part_of: str
    before: str | None
    after: str
    body: str


# Table, kind, columns for id, part_of, status and body.
_WATCHED: Final = (
    (
        "window_execution",
        Kind.EXECUTION,
        "window_execution_id",
        "window_id",
        "status",
        "json_array(NEW.opens_at_ms, NEW.cutoff_at_ms)",
    ),
    ("task_execution", Kind.TASK, "task_execution_id", "window_execution_id", "status", "NEW.body"),
    (
        "task_invocation",
        Kind.TARGET,
        "invocation_id",
        "task_execution_id",
        "status",
        "json_array(NEW.command_id, NEW.targets)",
    ),
    ("command", Kind.COMMAND, "command_id", "document_name", "status", "NEW.body"),
    ("invocation", Kind.INVOCATION, "command_id", "node_id", "details", "json_array(NEW.ended_at_ms)"),
)
_TRIGGERS: Final = """
CREATE TRIGGER {table}_new AFTER INSERT ON {table} BEGIN
  INSERT INTO witness (kind, id, part_of, was, became, body)
  VALUES ('{kind}', NEW.{id}, NEW.{part_of}, NULL, NEW.{status}, {body});
END;
CREATE TRIGGER {table}_changed AFTER UPDATE ON {table} WHEN OLD.{status} <> NEW.{status} BEGIN
  INSERT INTO witness (kind, id, part_of, was, became, body)
  VALUES ('{kind}', NEW.{id}, NEW.{part_of}, OLD.{status}, NEW.{status}, {body});
END;
"""
_CANCELS: Final = """
CREATE TRIGGER {table}_cancel AFTER UPDATE ON {table} WHEN OLD.is_cancel_requested < NEW.is_cancel_requested BEGIN
  INSERT INTO witness (kind, id, part_of, was, became, body) VALUES ('cancel', NEW.{id}, '', '', '', '');
END;
"""
_DISPATCH: Final = """
CREATE TRIGGER invocation_sent AFTER UPDATE ON invocation
WHEN OLD.dispatched_at_ms IS NULL AND NEW.dispatched_at_ms IS NOT NULL BEGIN
  INSERT INTO witness (kind, id, part_of, was, became, body)
  VALUES ('dispatch', NEW.command_id, NEW.node_id, '', NEW.details, '');
END;
"""
_NEW: Final = "SELECT number, kind, id, part_of, was, became, body FROM witness WHERE number > ? ORDER BY number"


def lay_tables(path: Path) -> None:
    """Make a database at *path* with all tables, and with the notes."""
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE witness (number INTEGER PRIMARY KEY, kind TEXT, id TEXT, part_of TEXT, was TEXT, became TEXT, "
        "body TEXT)"
    )
    for table, kind, id, part_of, status, body in _WATCHED:
        connection.executescript(
            _TRIGGERS.format(table=table, kind=kind, id=id, part_of=part_of, status=status, body=body)
        )
    for table, _, id, *_ in (_WATCHED[0], _WATCHED[3]):
        connection.executescript(_CANCELS.format(table=table, id=id))
    connection.executescript(_DISPATCH)
    # One file that can be copied.
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()


class Witness:
    """Reads the notes of one copy of the template, past the store."""

    def __init__(self, template: Path, path: Path) -> None:
        shutil.copyfile(template, path)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._last = 0

    def new(self) -> Iterator[Change]:
        """Yield what has changed since the last time, in order."""
        for number, kind, *rest in self._connection.execute(_NEW, (self._last,)).fetchall():
            self._last = number
            yield Change(Kind(kind), *rest)

    def scalars(self, query: str) -> list[str | int | None]:
        """Return the first column of all that *query* finds."""
        return [row[0] for row in self._connection.execute(query)]

    def close(self) -> None:
        """Stop reading."""
        self._connection.close()
