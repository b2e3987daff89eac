"""Connections that stay open."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.fakes.databases import disconnect_all, migrated_url

from patchwindow.domain.errors import Invalid, MovedMeanwhile
from patchwindow.store.connections import Connections
from patchwindow.store.database import Database


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """An engine that counts how often it connects."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}", poolclass=sa.NullPool)
    yield engine
    engine.dispose()


def test_a_connection_is_opened_once_and_lent_again(engine: sa.Engine) -> None:
    connections = Connections(engine, 2)
    lent = []
    for _ in range(3):
        with connections.transaction() as connection:
            lent.append(connection)
    assert lent == [lent[0]] * 3
    connections.close()
    assert lent[0].closed


def test_a_connection_is_lent_again_after_an_exception_and_in_no_transaction(engine: sa.Engine) -> None:
    connections = Connections(engine, 1)
    for _ in range(2):
        with pytest.raises(sa.exc.OperationalError), connections.transaction() as connection:
            connection.exec_driver_sql("SELECT * FROM nothing")
        assert not connection.in_transaction()
    connections.close()


def test_after_a_commit_that_fails_nothing_is_left_and_the_next_transaction_begins_anew(engine: sa.Engine) -> None:
    connections = Connections(engine, 1)
    with connections.transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE a (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("CREATE TABLE b (id INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED)")
        # Outside of transactions only; the driver begins one at the first statement that changes rows.
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
    with pytest.raises(sa.exc.IntegrityError, match="FOREIGN KEY"), connections.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO b VALUES (1)")
    assert connection.closed
    with connections.transaction() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM b")) == 0
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    connections.close()


def test_who_finds_all_connections_lent_waits_for_one(engine: sa.Engine) -> None:
    connections = Connections(engine, 1)
    inside, order = threading.Event(), []

    def second() -> None:
        inside.wait(timeout=10)
        with connections.transaction():
            order.append("second")

    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(second)
        with connections.transaction():
            inside.set()
            order.append("first")
        done.result()
    assert order == ["first", "second"]
    connections.close()


def test_who_waits_too_long_is_told_to_come_again(engine: sa.Engine) -> None:
    connections = Connections(engine, 1, wait_s=0.01)
    with connections.transaction():
        message = "all 1 connections of a database were busy for 0.01 s"
        with pytest.raises(MovedMeanwhile, match=message), connections.transaction():
            pass
    with connections.transaction() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
    connections.close()


def test_after_a_lost_server_one_transaction_fails_and_the_next_one_connects_anew(tmp_path: Path) -> None:
    with migrated_url("postgresql", tmp_path) as url:
        database = Database(url)
        with database.read() as one, database.read() as other:
            assert one.settings.get("a") == other.settings.get("a") is None
        disconnect_all(url)
        with pytest.raises(sa.exc.OperationalError), database.read() as work:
            work.settings.get("a")
        for _ in range(3):
            with database.read() as one, database.read() as other:
                assert one.settings.get("a") == other.settings.get("a") is None
        database.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("patchwindow.db", "database URL 'patchwindow.db' cannot be read; write sqlite:///PATH or postgresql://"),
        ("mysql://me:secret@host/db", "database URL mysql://me:[*]{3}@host/db is of another kind; write sqlite"),
        ("sqlite://", "database URL sqlite:// names no file; write sqlite:///PATH"),
        ("sqlite:///:memory:", "database URL sqlite:///.*memory.* names no file"),
    ],
)
def test_a_url_that_names_no_database_is_refused(url: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        Database(url)


def test_a_database_that_cannot_be_opened_is_named_without_its_password(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("This is no database, but long enough to be looked at as if it were one. " * 20)
    for url, message in (
        (f"sqlite:///{tmp_path}/absent/a.db", "absent/a.db cannot be made ready: unable to open database file; check"),
        (f"sqlite:///{text}", "text.db cannot be made ready: file is not a database; check"),
        (f"postgresql://me:secret@/db?host={tmp_path}", r"postgresql://me:\*\*\*@/db\?host=.* cannot be made ready: "),
    ):
        database = Database(url)
        with pytest.raises(Invalid, match=message):
            database.migrate()
        database.close()
