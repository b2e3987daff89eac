"""Notes every change in the database itself, so that none escapes that comes and goes within one step."""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import default_for
from patchwindow.protocol.records import from_ms
from patchwindow.store.baselines import OWNER_AWS
from patchwindow.store.columns import metadata
from patchwindow.store.database import Database


class Kind(StrEnum):
    """What has changed."""

    WINDOW = "window"
    NODE = "node"
    TAG = "tag"
    GROUP = "group"
    EXECUTION = "execution"
    TASK = "task"
    TARGET = "target"
    COMMAND = "command"
    INVOCATION = "invocation"
    DISPATCH = "dispatch"
    CANCEL = "cancel"
    COUNTS = "counts"
    TOUCHED = "touched"
    ASSOCIATION = "association"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: *id* of what, *part_of* what (a node's id for invocations), what it was (None: new) and became."""

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
        "json_array(NEW.command_id, NEW.target_ordinal, NEW.status_details)",
    ),
    ("command", Kind.COMMAND, "command_id", "document_name", "status", "NEW.body"),
    (
        "invocation",
        Kind.INVOCATION,
        "command_id",
        "node_id",
        "details",
        "json_array(NEW.ended_at_ms, NEW.acknowledged_at_ms)",
    ),
    ("maintenance_window", Kind.WINDOW, "window_id", "window_id", "body", "''"),
    ("node", Kind.NODE, "node_id", "node_id", "node_id", "''"),
    ("resource_group", Kind.GROUP, "name", "name", "body", "''"),
    ("tag", Kind.TAG, "resource_id", "key", "value", "NEW.resource_type"),
    ("association", Kind.ASSOCIATION, "association_id", "association_id", "body", "''"),
    (
        "association_run",
        Kind.RUN,
        "execution_id",
        "association_id",
        "status",
        "json_array(NEW.scheduled_at_ms, NEW.command_id, NEW.is_whole, NEW.details)",
    ),
)
_NOTE: Final = "INSERT INTO witness (kind, id, part_of, was, became, body) VALUES"
_TRIGGERS: Final = """
CREATE TRIGGER {table}_new AFTER INSERT ON {table} BEGIN
  {note} ('{kind}', NEW.{id}, NEW.{part_of}, NULL, NEW.{status}, {body});
END;
CREATE TRIGGER {table}_changed AFTER UPDATE ON {table} WHEN OLD.{status} <> NEW.{status} BEGIN
  {note} ('{kind}', NEW.{id}, NEW.{part_of}, OLD.{status}, NEW.{status}, {body});
END;
"""
# The history of openings and commands stays, so that only these can go.
_GONE: Final = """
CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN
  {note} ('{kind}', OLD.{id}, OLD.{part_of}, OLD.{status}, '', {body});
END;
"""
_CANCELS: Final = """
CREATE TRIGGER {table}_cancel AFTER UPDATE ON {table} WHEN OLD.is_cancel_requested < NEW.is_cancel_requested BEGIN
  {note} ('cancel', NEW.{id}, '', '', '', '');
END;
"""
_COMMANDS: Final = """
CREATE TRIGGER command_counts AFTER UPDATE ON command WHEN OLD.completed_count <> NEW.completed_count
OR OLD.error_count <> NEW.error_count OR OLD.delivery_timed_out_count <> NEW.delivery_timed_out_count
OR OLD.target_count <> NEW.target_count BEGIN
  {note} ('counts', NEW.command_id, '', '', '', json_array(NEW.target_count, NEW.completed_count, NEW.error_count,
    NEW.delivery_timed_out_count));
END;
CREATE TRIGGER invocation_sent AFTER UPDATE ON invocation
WHEN OLD.dispatched_at_ms IS NULL AND NEW.dispatched_at_ms IS NOT NULL BEGIN
  {note} ('dispatch', NEW.command_id, NEW.node_id, '', NEW.details, '');
END;
CREATE TRIGGER invocation_touched AFTER UPDATE ON invocation WHEN OLD.ended_at_ms IS NOT NULL AND (
  OLD.details <> NEW.details OR NEW.ended_at_ms IS NOT OLD.ended_at_ms
  OR NEW.dispatched_at_ms IS NOT OLD.dispatched_at_ms OR NEW.cancelled_at_ms IS NOT OLD.cancelled_at_ms) BEGIN
  {note} ('touched', NEW.command_id, NEW.node_id, OLD.details, NEW.details, '');
END;
"""
_NEW: Final = "SELECT number, kind, id, part_of, was, became, body FROM witness WHERE number > ? ORDER BY number"
_DUE_COLUMNS: Final = ("next_opening_at_ms", "wake_at_ms")
_WAKES: Final = " UNION ALL ".join(
    f"SELECT min({name}) AS at_ms FROM {table.name}"  # noqa: S608  (names of our own tables)
    for table in metadata.sorted_tables
    for name in _DUE_COLUMNS
    if name in table.c
)
_COHORTS_DUE: Final = " UNION ALL SELECT min(due_at_ms) AS at_ms FROM cohort"


def lay_tables(path: Path) -> None:
    """Make a database at *path* with all tables, and with the notes."""
    database = Database(f"sqlite:///{path}")
    database.migrate()
    predefined = default_for(OperatingSystem.DEBIAN)
    with database.write() as work:
        work.baselines.put(predefined, owner=OWNER_AWS)
        work.baselines.set_default(predefined.operating_system, predefined.baseline_id)
    database.close()
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE witness (number INTEGER PRIMARY KEY, kind TEXT, id TEXT, part_of TEXT, was TEXT, became TEXT, "
        "body TEXT)"
    )
    for table, kind, id, part_of, status, body in _WATCHED:
        names = {"table": table, "kind": kind, "id": id, "part_of": part_of, "status": status, "note": _NOTE}
        connection.executescript(_TRIGGERS.format(body=body, **names))
        if kind in (Kind.WINDOW, Kind.NODE, Kind.TAG, Kind.GROUP, Kind.ASSOCIATION):
            connection.executescript(_GONE.format(body=body.replace("NEW", "OLD"), **names))
    for table, _, id, *_ in (_WATCHED[0], _WATCHED[3]):
        connection.executescript(_CANCELS.format(table=table, id=id, note=_NOTE))
    connection.executescript(_COMMANDS.format(note=_NOTE))
    # One file that can be copied.
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()


class Witness:
    """Reads one copy of the template, past the store."""

    def __init__(self, template: Path, path: Path) -> None:
        shutil.copyfile(template, path)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._last = 0

    def new(self) -> Iterator[Change]:
        """Yield what has changed since the last time, in order."""
        for number, kind, *rest in self._connection.execute(_NEW, (self._last,)).fetchall():
            self._last = number
            yield Change(Kind(kind), *rest)

    def due_at(self) -> datetime | None:
        """Return the first instant at which an engine would find something to do."""
        (at_ms,) = self._connection.execute(f"SELECT min(at_ms) FROM ({_WAKES}{_COHORTS_DUE})").fetchone()  # noqa: S608  (see above)
        return None if at_ms is None else from_ms(at_ms)

    def call_due_at(self) -> datetime | None:
        """Return the first instant at which a caller of webhooks would find something to do."""
        (at_ms,) = self._connection.execute("SELECT min(due_at_ms) FROM webhook_call").fetchone()
        return None if at_ms is None else from_ms(at_ms)

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Return all that *query* finds."""
        return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Stop reading."""
        self._connection.close()
