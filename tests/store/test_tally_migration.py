"""What an older database has of commands is carried over into the tally, stages and deadlines."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import sqlalchemy as sa
from tests.store.samples import NOW, command, later

from patchwindow.protocol.records import dumps, to_ms
from patchwindow.store import migrate
from patchwindow.store.database import Database
from patchwindow.store.tally import Place, Stage, place_of

EXPIRES_AT: Final = later(60)
# Node, state, sent, taken, cancelled and ended in minutes; then the stage and the deadline that it has afterwards.
PARTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "mi-1": ("Pending", None, None, None, None, Stage.UNSENT, None),
    "mi-2": ("Pending", 1, None, None, None, Stage.AWAITED, EXPIRES_AT),
    "mi-3": ("InProgress", 1, 2, None, None, Stage.SENT, None),
    "mi-4": ("Cancelling", 1, 2, 3, None, Stage.SENT, later(8)),
    "mi-5": ("Success", 1, 2, None, 4, Stage.ENDED, None),
    "mi-6": ("Cancelled", None, None, None, 4, Stage.ENDED, None),
}


def milliseconds(minutes: float | None) -> int | None:
    return None if minutes is None else to_ms(later(minutes))


@pytest.fixture
def older(fresh_url: str) -> Iterator[Database]:
    """A database of the first release, with a command that is under way."""
    database = Database(fresh_url)
    with database._writers.transaction() as connection:
        first, *_ = migrate._scripts()
        for statement in migrate._statements(first, database._dialect.TYPES):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        connection.exec_driver_sql("INSERT INTO schema_version VALUES (1)")
        fill(connection)
    yield database
    database.close()


def fill(connection: sa.Connection) -> None:
    kept = command(expires_after=EXPIRES_AT, cancel_requested=False)
    connection.execute(
        sa.text(
            "INSERT INTO command VALUES (:id, 'd', :now, :expires, 50, 5, 0, 'InProgress', 'InProgress', 6, 2, 0, 0, "
            ":now, :body)"
        ),
        {"id": kept.command_id, "now": to_ms(NOW), "expires": to_ms(EXPIRES_AT), "body": dumps(kept)},
    )
    for ordinal, (node, (details, *minutes, _, _)) in enumerate(PARTS.items()):
        sent, taken, cancelled, ended = map(milliseconds, minutes)
        connection.execute(
            sa.text(
                "INSERT INTO invocation VALUES (:id, :node, :ordinal, '', :details, :sent, :taken, :cancelled, :ended, "
                "'')"
            ),
            {
                "id": kept.command_id,
                "node": node,
                "ordinal": ordinal,
                "details": details,
                "sent": sent,
                "taken": taken,
                "cancelled": cancelled,
                "ended": ended,
            },
        )


def test_what_was_under_way_goes_on_where_it_stood(older: Database) -> None:
    older.migrate()
    with older.read() as work:
        parts = work.invocations.of_command("c-1")
        assert [one.instance_id for one in parts] == list(PARTS)
        for one in parts:
            details, *_, stage, due_at = PARTS[one.instance_id]
            assert place_of(one) == Place(stage, details)
            assert one.due_at == due_at
        assert work.invocations.tally("c-1") == Counter(map(place_of, parts))
        assert work.invocations.unsent("c-1", 9) == ["mi-1"]
        assert list(work.messages.outstanding("mi-3", NOW)) == ["c-1"]
