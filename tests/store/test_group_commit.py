"""Jobs that are committed together: what each is told, and what is left in the database."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.databases import migrated_url

from patchwindow.domain.errors import MovedMeanwhile
from patchwindow.store.database import Database
from patchwindow.store.work import Work

# Each job writes two rows, so that half of one would be seen.
WRITER = """
import itertools, sys
from functools import partial
from patchwindow.store.database import Database
database = Database(sys.argv[1])

def write(number, work):
    work.settings.keep(f"first-{number}", "kept")
    work.settings.keep(f"second-{number}", "kept")
    return number

for batch in itertools.count():
    numbers = range(batch * 20, batch * 20 + 20)
    print(*database.write_together([partial(write, number) for number in numbers]), flush=True)
"""

# A row of this table that names no other is found at the commit, and only then.
NEEDS = """
CREATE TABLE needed (id INTEGER PRIMARY KEY);
CREATE TABLE needing (id INTEGER REFERENCES needed DEFERRABLE INITIALLY DEFERRED);
"""


class Stop(Exception):
    """What a job fails with in a test."""


@pytest.fixture(scope="module")
def kept(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A migrated database, of the tests of this module that write under names of their own."""
    with migrated_url(kind, tmp_path_factory.mktemp("kept")) as url:
        database = Database(url)
        yield database
        database.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """The file of a migrated database."""
    with migrated_url("sqlite", tmp_path) as url:
        path = sa.make_url(url).database
        assert path is not None
        yield Path(path)


@pytest.fixture
def embedded(file: Path) -> Iterator[Database]:
    """A migrated database in a file, in which what `NEEDS` makes is there."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(NEEDS)
    database = Database(file)
    yield database
    database.close()


def keep(name: str, work: Work) -> str:
    """Keep a setting and wake somebody of its name."""
    work.wake(name)
    return work.settings.keep(name, "kept")


def keep_and_stop(name: str, work: Work) -> str:
    """Do the same, and fail."""
    keep(name, work)
    raise Stop(name)


def run(statement: str, work: Work) -> str:
    """Let the driver execute a statement."""
    work.wake("run")
    work.settings._connection.exec_driver_sql(statement)
    return statement


def settings(database: Database, *names: str) -> list[str | None]:
    """Return what is committed under the names."""
    with database.read() as work:
        return [work.settings.get(name) for name in names]


examples = count()
writes = st.dictionaries(st.sampled_from("abc"), st.sampled_from("123"), min_size=1)
jobs = st.lists(st.tuples(writes, writes, st.booleans()), max_size=8)


@given(jobs)
def test_whatever_jobs_fail_the_others_are_there_and_nothing_of_those(
    kept: Database, wanted: list[tuple[dict[str, str], dict[str, str], bool]]
) -> None:
    example = f"example-{next(examples)}"

    def job(first: dict[str, str], then: dict[str, str], fails: bool, work: Work) -> dict[str, str]:  # noqa: FBT001  (a step of the example)
        work.tags.add("t", example, first)
        work.tags.add("t", example, then)
        if fails:
            raise Stop
        return work.tags.of("t", example)

    outcomes = kept.write_together([partial(job, *each) for each in wanted])

    expected: dict[str, str] = {}
    for (first, then, fails), outcome in zip(wanted, outcomes, strict=True):
        if fails:
            assert isinstance(outcome, Stop)
        else:
            expected |= first | then
            assert outcome == expected
    with kept.read() as work:
        assert work.tags.of("t", example) == expected


def test_a_statement_that_fails_takes_back_its_own_job_alone(database: Database) -> None:
    outcomes = database.write_together(
        [partial(keep, "a"), partial(run, "INSERT INTO setting VALUES (NULL, NULL)"), partial(keep, "b")]
    )
    assert [outcomes[0], outcomes[2]] == ["kept", "kept"]
    assert isinstance(outcomes[1], sa.exc.IntegrityError)
    assert settings(database, "a", "b") == ["kept", "kept"]


def test_only_who_is_committed_is_woken_once_and_after_the_commit(database: Database) -> None:
    told: list[tuple[str, list[str | None]]] = []
    database.on_wake(lambda name: told.append((name, settings(database, name))))
    database.write_together([partial(keep, "a"), partial(keep_and_stop, "b"), partial(keep, "c")])
    assert told == [("a", ["kept"]), ("c", ["kept"])]


def test_no_jobs_and_one_job_are_jobs_too(database: Database) -> None:
    assert database.write_together([]) == []
    assert database.write_together([partial(keep, "a")]) == ["kept"]
    (problem,) = database.write_together([partial(keep_and_stop, "b")])
    assert isinstance(problem, Stop)
    assert settings(database, "a", "b") == ["kept", None]


def test_where_other_servers_write_too_each_job_is_a_transaction(database: Database) -> None:
    def committed(name: str, _: Work) -> str:
        return str(settings(database, name))

    outcomes = database.write_together([partial(keep, "a"), partial(committed, "a")])
    assert outcomes == ["kept", "['kept']" if database.is_shared else "[None]"]
    assert database.together_max == (1 if database.is_shared else 64)


def test_a_commit_that_fails_is_the_answer_to_every_job(embedded: Database) -> None:
    told: list[str] = []
    embedded.on_wake(told.append)
    needing = partial(run, "INSERT INTO needing VALUES (1)")
    together = embedded.write_together([partial(keep, "a"), needing, partial(keep_and_stop, "b"), partial(keep, "c")])
    alone = embedded.write_together([needing])
    assert [str(getattr(outcome, "orig", outcome)) for outcome in together + alone] == [
        "FOREIGN KEY constraint failed"
    ] * 5
    assert settings(embedded, "a", "b", "c") == [None, None, None]
    assert told == []
    assert embedded.write_together([partial(keep, "a"), partial(keep, "c")]) == ["kept", "kept"]


def test_a_transaction_that_cannot_begin_is_the_answer_to_every_job(
    embedded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded._writers, "_wait_s", 0.01)
    with embedded.write():
        outcomes = embedded.write_together([partial(keep, "a"), partial(keep, "b")])
    assert [type(outcome) for outcome in outcomes] == [MovedMeanwhile, MovedMeanwhile]
    assert settings(embedded, "a", "b") == [None, None]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_where_a_failure_ends_the_transaction_nothing_is_done_for_any_job(embedded: Database, number: int) -> None:
    # So a full disk may end it: what came before is gone, and what comes after must not be committed alone.
    group: list[Callable[[Work], str]] = [partial(keep, "a"), partial(keep, "b")]
    group.insert(number, partial(run, "INSERT OR ROLLBACK INTO setting VALUES (NULL, NULL)"))
    outcomes = embedded.write_together(group)
    assert [type(outcome) for outcome in outcomes] == [sa.exc.IntegrityError] * 3
    assert settings(embedded, "a", "b") == [None, None]
    assert embedded.write_together([partial(keep, "a"), partial(keep, "b")]) == ["kept", "kept"]


def test_a_full_disk_fails_the_job_that_fills_it_and_nothing_is_half(embedded: Database) -> None:
    def fill(work: Work) -> str:
        work.settings.keep("small", "kept")
        return work.settings.keep("large", "x" * 10_000_000)

    embedded.write_together([partial(run, "PRAGMA max_page_count=200")])
    outcomes: list[Any] = embedded.write_together([partial(keep, "a"), fill, partial(keep, "b")])
    assert "database or disk is full" in str(outcomes[1])
    assert settings(embedded, "small", "large") == [None, None]
    told = ["kept" if outcome == "kept" else None for outcome in outcomes]
    assert settings(embedded, "a", "b") == [told[0], told[2]]


def test_another_writer_has_his_turn_after_each_group(embedded: Database) -> None:
    is_over = threading.Event()
    turns: list[str] = []

    def hog() -> None:
        while not is_over.is_set():
            embedded.write_together([lambda _: turns.append("group"), lambda _: time.sleep(0.002)])

    thread = threading.Thread(target=hog)
    thread.start()
    for _ in range(20):
        with embedded.write():
            turns.append("engine")
    is_over.set()
    thread.join(20)
    waits = " ".join(turns).split("engine")
    assert max(wait.count("group") for wait in waits[1:-1]) <= 2


def test_what_a_group_was_told_survives_a_killed_process_and_no_job_is_half(file: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITER, f"sqlite:///{file}"], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = child.stdout.readline()
    time.sleep(0.05)
    child.kill()
    said += child.communicate(timeout=30)[0]
    # The last line may have been cut off in the middle.
    told = [int(number) for number in said[: said.rfind("\n") + 1].split()]
    with closing(sqlite3.connect(file)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM setting")}
    assert {f"first-{number}" for number in told} <= names
    firsts = {name.removeprefix("first-") for name in names if name.startswith("first-")}
    assert firsts == {name.removeprefix("second-") for name in names if name.startswith("second-")}
    assert len(firsts) % 20 == 0


def test_jobs_are_done_again_only_where_one_failed_after_it_had_written(embedded: Database) -> None:
    begun: list[str] = []

    def noted(name: str, job: Callable[[Work], str], work: Work) -> str:
        begun.append(name)
        return job(work)

    def refuse(_: Work) -> str:
        raise Stop

    a, b, c = (
        partial(noted, "a", partial(keep, "a")),
        partial(noted, "b", refuse),
        partial(noted, "c", partial(keep, "c")),
    )
    embedded.write_together([a, b, c])
    assert begun == ["a", "b", "c"]
    embedded.write_together([a, partial(noted, "d", partial(keep_and_stop, "d")), c])
    assert begun[3:] == ["a", "d", "a", "d", "c"]
