"""What a transaction promises, on both databases."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sqlalchemy.exc import DBAPIError
from tests.store.samples import NOW, activation, baseline, command, execution, later, window

from patchwindow.domain.errors import MovedMeanwhile
from patchwindow.store.baselines import OWNER_SELF
from patchwindow.store.database import Database
from patchwindow.store.work import Work


class Stop(Exception):
    """What leaves a transaction in a test."""


def stopped(database: Database) -> None:
    """Write, want somebody woken, and leave the transaction with an exception."""
    with database.write() as work:
        work.settings.keep("a", "1")
        work.commands.add(command(), [], wake_at=NOW)
        work.wake("engine")
        raise Stop


def value(database: Database, name: str = "a") -> str | None:
    """Return what is committed under a name."""
    with database.read() as work:
        return work.settings.get(name)


def test_what_a_transaction_wrote_is_seen_when_it_has_ended(database: Database) -> None:
    with database.write() as work:
        work.settings.keep("a", "1")
        assert value(database) is None
    assert value(database) == "1"


def test_an_exception_takes_back_everything_and_goes_on(database: Database) -> None:
    with pytest.raises(Stop):
        stopped(database)
    with database.write() as work:
        assert work.settings.get("a") is None
        assert work.commands.get("c-1") is None


def test_the_woken_are_told_once_each_in_order_and_after_the_commit(database: Database) -> None:
    told: list[tuple[str, str | None]] = []
    database.on_wake(lambda name: told.append((name, value(database))))
    with database.write() as work:
        work.wake("engine")
        work.settings.keep("a", "1")
        work.wake("mi-1")
        work.wake("engine")
        assert told == []
    assert told == [("engine", "1"), ("mi-1", "1")]


def test_nobody_is_woken_by_what_was_rolled_back(database: Database) -> None:
    told: list[str] = []
    database.on_wake(told.append)
    with pytest.raises(Stop):
        stopped(database)
    with database.write():
        pass
    assert told == []


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError), database.read() as work:
        work.settings.keep("a", "1")
    assert value(database) is None


def test_a_reader_sees_one_state_however_often_it_looks(database: Database) -> None:
    with database.read() as reader:
        assert reader.settings.get("a") is None
        with database.write() as work:
            work.settings.keep("a", "1")
            work.tags.add("t", "i", {"k": "v"})
        assert reader.settings.get("a") is None
        assert reader.tags.of("t", "i") == {}
    assert value(database) == "1"


def test_readers_do_not_wait_for_a_writer_nor_for_each_other(database: Database) -> None:
    with database.write() as work, ExitStack() as stack:
        work.settings.keep("a", "1")
        readers = [stack.enter_context(database.read()) for _ in range(4)]
        assert [reader.settings.get("a") for reader in readers] == [None] * 4


Take = Callable[[Work], object]
TAKES: dict[str, Take] = {
    "windows.lock": lambda work: work.windows.lock("mw-1"),
    "executions.lock": lambda work: work.executions.lock("we-1"),
    "executions.hold": lambda work: work.executions.hold("we-1"),
    "commands.lock": lambda work: work.commands.lock("c-1"),
    "commands.hold": lambda work: work.commands.hold("c-1"),
    "activations.lock": lambda work: work.activations.lock("a-1"),
    "baselines.lock": lambda work: work.baselines.lock("pb-1"),
}


@pytest.mark.parametrize("take", TAKES.values(), ids=TAKES)
def test_who_locks_a_row_waits_for_whoever_has_it_and_sees_what_he_wrote(database: Database, take: Take) -> None:
    with database.write() as work:
        work.windows.put(window(), next_opening_at=None)
        work.executions.open(execution(), wake_at=None)
        work.commands.add(command(), [], wake_at=NOW)
        work.activations.put(activation(), code_digest="d")
        work.baselines.put(baseline(), owner=OWNER_SELF)
        work.tags.add("t", "i", {"count": "0"})
    together = threading.Barrier(2)

    def count() -> None:
        together.wait(timeout=10)
        for _ in range(10):
            with database.write() as work:
                take(work)
                before = int(work.tags.of("t", "i")["count"])
                work.tags.add("t", "i", {"count": str(before + 1)})

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(count) for _ in range(2)]:
            done.result()
    with database.read() as work:
        assert work.tags.of("t", "i") == {"count": "20"}


def test_of_many_who_open_a_window_at_one_instant_one_succeeds(database: Database) -> None:
    together = threading.Barrier(4)

    def open_it(number: int) -> bool:
        together.wait(timeout=10)
        with database.write() as work:
            return work.executions.open(execution(f"we-{number}"), wake_at=NOW)

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(open_it, range(4))) == [False, False, False, True]


def test_two_changes_of_a_baseline_at_once_make_two_revisions(database: Database) -> None:
    with database.write() as work:
        work.baselines.put(baseline(), owner=OWNER_SELF)
    together = threading.Barrier(2)

    def change(name: str) -> int:
        together.wait(timeout=10)
        with database.write() as work:
            return work.baselines.put(baseline(name=name), owner=OWNER_SELF).revision

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(change, ("one", "two"))) == [2, 3]


def test_a_client_token_that_two_requests_use_at_once_has_one_answer(database: Database) -> None:
    together = threading.Barrier(4)

    def request(answer: str) -> str:
        together.wait(timeout=10)
        with database.write() as work:
            known = work.client_tokens.find("SendCommand", "t", NOW)
            if known is not None:
                return known[1]
            work.client_tokens.keep("SendCommand", "t", digest="d", answer=answer, until=later(1))
            return answer

    def send(answer: str) -> str:
        try:
            return request(answer)
        except MovedMeanwhile:
            with database.write() as work:
                known = work.client_tokens.find("SendCommand", "t", NOW)
            assert known is not None
            return known[1]

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(send, "abcd"))) == 1
