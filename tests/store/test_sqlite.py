"""What SQLite alone promises: how its connections are set, and that what was confirmed survives a killed process."""

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.fakes.databases import migrated_url

from patchwindow.store.database import Database
from patchwindow.store.work import Work

# Each transaction writes two rows, so that half of one would be seen.
WRITER = """
import itertools, sys
from patchwindow.store.database import Database
database = Database(sys.argv[1])
for number in itertools.count(int(sys.argv[2])):
    with database.write() as work:
        work.settings.keep(f"first-{number}", "kept")
        work.settings.keep(f"second-{number}", "kept")
    print(number, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """The file of a migrated database."""
    with migrated_url("sqlite", tmp_path) as url:
        path = sa.make_url(url).database
        assert path is not None
        yield Path(path)


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    """A migrated database."""
    database = Database(f"sqlite:///{file}")
    yield database
    database.close()


def pragma(work: Work, name: str) -> object:
    """Return what a connection is set to."""
    return work.settings._connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_every_connection_is_set_alike(database: Database) -> None:
    with ExitStack() as stack:
        readers = [stack.enter_context(database.read()) for _ in range(4)]
        writer = stack.enter_context(database.write())
        assert len({id(work.settings._connection) for work in (*readers, writer)}) == 5
        for work in (*readers, writer):
            assert pragma(work, "journal_mode") == "wal"
            assert pragma(work, "synchronous") == 2, "2 is FULL"
            assert pragma(work, "foreign_keys") == 1
            assert pragma(work, "busy_timeout") == 30_000


def test_a_writer_keeps_other_writers_out_from_its_first_moment_and_readers_never(
    database: Database, file: Path
) -> None:
    other = sqlite3.connect(file, timeout=0, isolation_level=None)
    with database.write():
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM setting").fetchone() == (0,)
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_writer_waits_for_one_in_another_process(database: Database, file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO setting VALUES ('a', 'theirs')")
    script = "import sys; from patchwindow.store.database import Database\nwith Database(sys.argv[1]).write() as work: print(work.settings.keep('a', 'ours'))"
    child = subprocess.Popen([sys.executable, "-c", script, f"sqlite:///{file}"], stdout=subprocess.PIPE, text=True)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(timeout=1)
    other.execute("COMMIT")
    other.close()
    assert child.communicate(timeout=30)[0] == "theirs\n"
    with database.read() as work:
        assert work.settings.get("a") == "theirs"


def test_what_was_confirmed_survives_a_killed_process_and_nothing_is_half(file: Path) -> None:
    confirmed: list[int] = []
    for seed in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, f"sqlite:///{file}", str(seed * 1_000_000)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        confirmed.append(int(child.stdout.readline()))
        time.sleep(random.Random(seed).uniform(0, 0.1))
        child.kill()
        said = child.communicate(timeout=30)[0]
        # The last line may have been cut off in the middle.
        confirmed.extend(map(int, said[: said.rfind("\n") + 1].split()))
    with closing(sqlite3.connect(file)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM setting")}
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(confirmed) > 3, "the writer never got far enough to be killed in the middle"
    assert {f"first-{number}" for number in confirmed} <= names
    firsts = {name.removeprefix("first-") for name in names if name.startswith("first-")}
    assert firsts == {name.removeprefix("second-") for name in names if name.startswith("second-")}


def test_a_file_is_found_whatever_characters_its_path_has(tmp_path: Path) -> None:
    folder = tmp_path / "50% off?mode=ro#x"
    folder.mkdir()
    database = Database(folder / "patchwindow.db")
    database.migrate()
    database.close()
    assert (folder / "patchwindow.db").stat().st_size > 0
    assert list(tmp_path.iterdir()) == [folder]
