"""Invocations of commands on nodes, and their steps."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError
from tests.store.samples import NOW, UNICODE, command, invocation, later, step

from patchwindow.domain.run import Invocation
from patchwindow.store.commands import CommandQuery
from patchwindow.store.database import Database
from patchwindow.store.work import Work

WAITING = invocation("mi-1", ordinal=2)
SENT = invocation("mi-2", ordinal=0, details="InProgress", dispatched_at=NOW)
TAKEN = invocation("mi-3", ordinal=3, details="InProgress", dispatched_at=NOW, acknowledged_at=later(1))
ENDED = invocation(
    "mi-4",
    ordinal=1,
    details="Failed",
    dispatched_at=NOW,
    acknowledged_at=later(1),
    cancelled_at=later(2),
    ended_at=later(3),
    trace_output=UNICODE,
)
NEVER_SENT = invocation("mi-5", ordinal=4, details="Cancelled", ended_at=later(3))
ALL = (WAITING, SENT, TAKEN, ENDED, NEVER_SENT)


@pytest.fixture
def sent(work: Work) -> Work:
    """A transaction in which a command has invocations of every kind."""
    work.commands.add(command(), ALL, wake_at=NOW)
    return work


@pytest.mark.parametrize("value", ALL, ids=lambda value: value.instance_id)
def test_an_invocation_comes_back_as_it_was_added(sent: Work, value: Invocation) -> None:
    assert sent.invocations.get("c-1", value.instance_id) == value


def test_an_unknown_invocation_is_none(sent: Work) -> None:
    assert sent.invocations.get("c-1", "mi-9") is None
    assert sent.invocations.get("c-2", "mi-1") is None


def test_invocations_are_listed_and_counted_by_their_command(sent: Work) -> None:
    sent.commands.add(command("c-2"), [invocation(command_id="c-2")], wake_at=NOW)
    assert sent.invocations.of_command("c-1") == [SENT, ENDED, WAITING, TAKEN, NEVER_SENT]
    assert sent.invocations.count("c-1") == {"Pending": 1, "InProgress": 2, "Failed": 1, "Cancelled": 1}
    assert sent.invocations.count("c-3") == {}


def test_in_flight_is_what_was_sent_and_has_not_ended(sent: Work) -> None:
    assert sent.invocations.in_flight("c-1") == [SENT, TAKEN]


def test_in_flight_is_in_the_order_of_sending_and_ties_by_ordinal(work: Work) -> None:
    sent = [
        replace(SENT, instance_id=f"mi-{n}", ordinal=n, dispatched_at=later(at)) for n, at in ((1, 2), (3, 1), (2, 1))
    ]
    work.commands.add(command(), sent, wake_at=NOW)
    assert [one.ordinal for one in work.invocations.in_flight("c-1")] == [2, 3, 1]


def test_unsent_is_what_was_not_sent_and_has_not_ended(sent: Work) -> None:
    sent.commands.add(
        command("c-2"), [invocation(f"mi-{9 - n}", command_id="c-2", ordinal=n) for n in range(3)], wake_at=NOW
    )
    assert sent.invocations.unsent("c-1", 9) == ["mi-1"]
    assert sent.invocations.unsent("c-2", 2) == ["mi-9", "mi-8"]


def test_a_node_is_busy_with_what_it_has_taken_and_not_finished(sent: Work) -> None:
    assert [sent.invocations.busy_count(value.instance_id) for value in ALL] == [0, 0, 1, 0, 0]
    sent.commands.add(command("c-2"), [replace(TAKEN, command_id="c-2")], wake_at=NOW)
    assert sent.invocations.busy_count("mi-3") == 2


def test_ending_what_was_not_sent_leaves_everything_else(sent: Work) -> None:
    sent.invocations.end_unsent("c-1", details="Terminated", now=later(9))
    expected = [SENT, ENDED, replace(WAITING, details="Terminated", ended_at=later(9)), TAKEN, NEVER_SENT]
    assert sent.invocations.of_command("c-1") == expected


def test_a_move_changes_the_invocation_from_the_state_that_was_read(sent: Work) -> None:
    after = replace(ENDED, instance_id="mi-1", ordinal=2)
    assert sent.invocations.move(WAITING, after)
    assert sent.invocations.get("c-1", "mi-1") == after
    assert sent.invocations.get("c-1", "mi-2") == SENT


def test_a_move_from_another_state_changes_nothing(sent: Work) -> None:
    assert not sent.invocations.move(replace(WAITING, details="Delayed"), replace(WAITING, details="Success"))
    assert sent.invocations.get("c-1", "mi-1") == WAITING
    assert not sent.invocations.move(invocation("mi-9"), invocation("mi-9", details="Success"))


def test_invocations_are_paged_the_newest_command_first_and_in_order_within_it(work: Work) -> None:
    for id, minutes in (("c-1", 0), ("c-3", 1), ("c-2", 1)):
        value = command(id, requested_date_time=later(minutes))
        parts = [invocation(f"mi-{n}", command_id=id, ordinal=n) for n in (1, 0)]
        work.commands.add(value, parts, wake_at=NOW)
    found: list[tuple[str, int]] = []
    before: tuple[int, str, int] | None = None
    while page := work.invocations.page(CommandQuery(), before=before, limit=1):
        value, part = page[0]
        assert value.command_id == part.command_id
        found.append((part.command_id, part.ordinal))
        before = (int(value.requested_date_time.timestamp() * 1000), value.command_id, part.ordinal)
    assert found == [("c-3", 0), ("c-3", 1), ("c-2", 0), ("c-2", 1), ("c-1", 0), ("c-1", 1)]


def test_conditions_on_invocations_are_anded(sent: Work) -> None:
    sent.commands.add(command("c-2"), [replace(ENDED, command_id="c-2")], wake_at=NOW)

    def found(query: CommandQuery) -> list[tuple[str, str]]:
        page = sent.invocations.page(query, before=None, limit=9)
        return [(part.command_id, part.instance_id) for _, part in page]

    assert found(CommandQuery(node_id="mi-4")) == [("c-2", "mi-4"), ("c-1", "mi-4")]
    assert found(CommandQuery(details=("Pending", "Cancelled"))) == [("c-1", "mi-1"), ("c-1", "mi-5")]
    assert found(CommandQuery(details=("Failed",), command_id="c-1")) == [("c-1", "mi-4")]
    assert found(CommandQuery(invoked_after=NOW)) == []


def test_steps_come_back_as_they_were_put_in_order_by_node(sent: Work) -> None:
    second = step("Verify", ordinal=2, started_at=None, ended_at=None)
    sent.invocations.put_step("c-1", "mi-1", second)
    sent.invocations.put_step("c-1", "mi-1", step())
    sent.invocations.put_step("c-1", "mi-2", step())
    found = sent.invocations.steps("c-1", ["mi-3", "mi-2", "mi-1"])
    assert found == {"mi-3": [], "mi-2": [step()], "mi-1": [step(), second]}
    assert sent.invocations.steps("c-1", []) == {}


def test_a_later_word_on_a_step_takes_the_place_of_the_former(sent: Work) -> None:
    sent.invocations.put_step("c-1", "mi-1", step(status="InProgress"))
    sent.invocations.put_step("c-1", "mi-1", step())
    assert sent.invocations.steps("c-1", ["mi-1"]) == {"mi-1": [step()]}


def test_a_step_of_no_invocation_cannot_be_kept(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as work:
        work.invocations.put_step("c-1", "mi-1", step())


def test_two_invocations_of_one_command_on_one_node_cannot_be_kept(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as work:
        work.commands.add(command(), [invocation(), invocation(ordinal=2)], wake_at=NOW)
    with database.read() as work:
        assert work.commands.get("c-1") is None
