"""Migrations make the tables that `tables.py` describes, once, and leave newer databases alone."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
import sqlalchemy as sa

from patchwindow.domain.errors import Conflict, Invalid
from patchwindow.store.columns import metadata
from patchwindow.store.database import Database

MIGRATE = (
    "import sys; from patchwindow.store.database import Database; sys.stdin.readline(); Database(sys.argv[1]).migrate()"
)
NEWER = 99


@pytest.fixture
def engine(fresh_url: str) -> Iterator[sa.Engine]:
    """A way into a database without tables, past the store."""
    url = sa.make_url(fresh_url)
    driver = "postgresql+psycopg" if url.get_backend_name() == "postgresql" else url.drivername
    engine = sa.create_engine(url.set(drivername=driver), poolclass=sa.NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def database(fresh_url: str) -> Iterator[Database]:
    """The store's database in the same place; nothing is migrated."""
    database = Database(fresh_url)
    yield database
    database.close()


def type_name(type: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> str:
    """Return how the database spells a type, but for its order of sorting."""
    return re.sub(' COLLATE "C"$', "", type.compile(dialect))


def there(engine: sa.Engine) -> dict[str, object]:
    """Return what the database has, in one question of each kind for all tables."""
    inspector = sa.inspect(engine)
    keys = inspector.get_multi_pk_constraint()
    foreign_keys = inspector.get_multi_foreign_keys()
    indexes = inspector.get_multi_indexes()
    uniques = inspector.get_multi_unique_constraints()
    return {
        at[1]: {
            "columns": [
                (column["name"], type_name(column["type"], engine.dialect), column["nullable"]) for column in columns
            ],
            "key": keys[at]["constrained_columns"],
            "foreign keys": sorted(
                (key["constrained_columns"], key["referred_table"], key["referred_columns"], key["options"])
                for key in foreign_keys[at]
            ),
            "indexes": sorted((index["name"], index["column_names"]) for index in indexes[at] if not index["unique"]),
            "uniques": sorted((one["name"], one["column_names"]) for one in uniques[at]),
        }
        for at, columns in inspector.get_multi_columns().items()
    }


def described(engine: sa.Engine) -> dict[str, object]:
    """Return what `tables.py` says that there is."""
    return {
        table.name: {
            "columns": [(column.name, type_name(column.type, engine.dialect), column.nullable) for column in table.c],
            "key": [column.name for column in table.primary_key],
            "foreign keys": sorted(
                (
                    list(key.column_keys),
                    key.referred_table.name,
                    [element.column.name for element in key.elements],
                    {"ondelete": key.ondelete} if key.ondelete else {},
                )
                for key in table.foreign_key_constraints
            ),
            "indexes": sorted((index.name, [column.name for column in index.columns]) for index in table.indexes),
            "uniques": sorted(
                (one.name, [column.name for column in one.columns])
                for one in table.constraints
                if isinstance(one, sa.UniqueConstraint)
            ),
        }
        for table in metadata.sorted_tables
    }


def versions(engine: sa.Engine) -> list[int]:
    """Return the migrations that were run."""
    with engine.connect() as connection:
        return list(connection.scalars(sa.text("SELECT version FROM schema_version ORDER BY version")))


def test_a_migrated_database_has_exactly_what_the_tables_describe(engine: sa.Engine, database: Database) -> None:
    database.migrate()
    found = there(engine)
    assert found.pop("schema_version") is not None
    assert found == described(engine)


def test_every_text_sorts_by_code_point(engine: sa.Engine, database: Database) -> None:
    database.migrate()
    # None is the database's own order, which for SQLite is that of code points.
    allowed = {None} if engine.dialect.name == "sqlite" else {"C"}
    collations = {
        column["type"].collation
        for (_, table), columns in sa.inspect(engine).get_multi_columns().items()
        for column in columns
        if table in metadata.tables and isinstance(column["type"], sa.Text)
    }
    assert collations == allowed


def test_migrating_twice_changes_nothing(engine: sa.Engine, database: Database) -> None:
    database.migrate()
    before, ran = there(engine), versions(engine)
    with database.write() as work:
        work.settings.keep("a", "1")
    database.migrate()
    assert (there(engine), versions(engine)) == (before, ran)
    with database.read() as work:
        assert work.settings.get("a") == "1"


def test_the_migrations_are_numbered_without_a_gap() -> None:
    folder = resources.files("patchwindow.store").joinpath("migrations")
    numbers = sorted(int(file.name.split("_")[0]) for file in folder.iterdir() if file.name.endswith(".sql"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_newer_database_is_refused_and_unchanged(engine: sa.Engine, database: Database) -> None:
    database.migrate()
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE setting"))
        connection.execute(sa.text("INSERT INTO schema_version VALUES (:newer)"), {"newer": NEWER})
    before, ran = there(engine), versions(engine)
    with pytest.raises(Conflict, match=rf"schema version {NEWER}, and this patchwindow knows \d+: .*start that one"):
        database.migrate()
    assert (there(engine), versions(engine)) == (before, ran)


def test_a_migration_that_fails_leaves_nothing_behind(engine: sa.Engine, database: Database) -> None:
    with engine.begin() as connection:
        # The last table of the migration: all others are made before it fails.
        connection.execute(sa.text("CREATE TABLE task_invocation (invocation_id TEXT)"))
    before = there(engine)
    with pytest.raises(Invalid, match=r"task_invocation.* already exists"):
        database.migrate()
    assert there(engine) == before


def test_processes_that_migrate_at_once_migrate_once(engine: sa.Engine, fresh_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, fresh_url], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert said == [""] * 3
    assert [process.returncode for process in processes] == [0] * 3
    assert versions(engine) == list(range(1, len(versions(engine)) + 1))
    assert len(there(engine)) == len(metadata.tables) + 1
