"""The tally of a command equals the counts of its invocations, whatever is done to them, on both databases."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import resources
from itertools import count
from typing import Final

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.samples import NOW, command, invocation, later

from patchwindow.domain.invocation import NOT_RECEIVED, TRANSITIONS, State
from patchwindow.store.database import Database
from patchwindow.store.tally import place_of
from patchwindow.store.work import Work

_NUMBERS: Final = count(1)

Draw = Callable[[int], int]
"""Returns a number below another."""


def dispatch(work: Work, id: str, now: datetime, draw: Draw) -> None:
    some = work.invocations.unsent(id, draw(4))
    work.invocations.dispatch(id, some, details=State.PENDING, now=now, due_at=now + timedelta(seconds=30))


def stop_awaiting(work: Work, id: str, now: datetime, draw: Draw) -> None:
    until = now - timedelta(seconds=draw(20))
    work.invocations.stop_awaiting(id, details=NOT_RECEIVED, sent_until=until)


def end_unsent(work: Work, id: str, now: datetime, draw: Draw) -> None:
    if draw(4) == 0:
        work.invocations.end_unsent(id, details=State.PENDING, to=State.TERMINATED, now=now)


def move(work: Work, id: str, now: datetime, draw: Draw) -> None:
    """Let something happen to an invocation, perhaps to one that has changed since it was read."""
    parts = work.invocations.of_command(id)
    one = parts[draw(len(parts))]
    was_sent = one.dispatched_at is not None
    possible = sorted(state for state in TRANSITIONS[State(one.details)].values() if was_sent or not TRANSITIONS[state])
    if possible:
        became = possible[draw(len(possible))]
        ended_at = None if TRANSITIONS[became] else now
        read = replace(one, is_awaited=not one.is_awaited) if draw(5) == 0 else one
        work.invocations.move(read, replace(one, details=became, ended_at=ended_at, is_awaited=False))


def move_all(work: Work, id: str, now: datetime, draw: Draw) -> None:
    some = work.invocations.in_flight(id)[: draw(5)]
    over = [replace(one, details=State.DELIVERY_TIMED_OUT, ended_at=now, is_awaited=False) for one in some]
    work.invocations.move_all(zip(some, over, strict=True))


ACTIONS: Final = (dispatch, stop_awaiting, end_unsent, move, move, move_all)


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_tally_equals_the_counts_of_the_invocations_whatever_happens(work: Work, data: st.DataObject) -> None:
    ids = [f"c-{next(_NUMBERS)}" for _ in range(2)]
    for id in ids:
        nodes = range(data.draw(st.integers(1, 6)))
        parts = [invocation(f"mi-{n}", command_id=id, ordinal=n) for n in nodes]
        work.commands.add(command(id), parts, wake_at=NOW)
    for minute in range(data.draw(st.integers(0, 12))):
        action, id = data.draw(st.sampled_from(ACTIONS)), data.draw(st.sampled_from(ids))
        action(work, id, later(minute), lambda below: data.draw(st.integers(0, max(0, below - 1))))
        for each in ids:
            assert work.invocations.tally(each) == Counter(map(place_of, work.invocations.of_command(each)))


def test_a_change_that_is_rolled_back_takes_its_count_with_it(database: Database) -> None:
    with database.write() as work:
        work.commands.add(command(), [invocation("mi-1"), invocation("mi-2", ordinal=2)], wake_at=NOW)

    def fail(work: Work) -> None:
        work.invocations.end_unsent("c-1", details=State.PENDING, to=State.CANCELLED, now=NOW)
        raise LookupError

    outcomes = database.write_together(
        [fail, lambda work: work.invocations.dispatch("c-1", ["mi-1"], details=State.PENDING, now=NOW, due_at=later(1))]
    )
    assert isinstance(outcomes[0], LookupError)
    assert outcomes[1] is None
    with database.read() as work:
        assert work.invocations.tally("c-1") == Counter(map(place_of, work.invocations.of_command("c-1")))
        assert sum(work.invocations.tally("c-1").values()) == 2


def test_the_tally_goes_with_its_command(work: Work) -> None:
    work.commands.add(command(), [invocation()], wake_at=NOW)
    connection, *_ = work.basis
    connection.execute(sa.text("DELETE FROM command"))
    assert work.invocations.tally("c-1") == {}


WRITES: Final = re.compile(r"\b(?:insert|update|delete|upsert\w*|_insert\w*)\(\s*invocation\s*[,)]")


def test_nothing_but_the_tally_writes_invocations() -> None:
    folder = resources.files("patchwindow.store")
    writers = [file.name for file in folder.iterdir() if file.name.endswith(".py") and WRITES.search(file.read_text())]
    assert writers == ["tally.py"]
