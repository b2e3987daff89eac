"""Invocations of commands on nodes, and their steps."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError
from tests.store.samples import NOW, UNICODE, command, invocation, later, step

from patchwindow.domain.run import Invocation
from patchwindow.store.commands import CommandQuery
from patchwindow.store.database import Database
from patchwindow.store.invocations import Outlook
from patchwindow.store.tally import Place, Stage
from patchwindow.store.work import Work

WAITING = invocation("mi-1", ordinal=2)
SENT = invocation("mi-2", ordinal=0, details="InProgress", dispatched_at=NOW, is_awaited=True, due_at=later(10))
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
    assert sent.invocations.tally("c-1") == {
        Place(Stage.UNSENT, "Pending"): 1,
        Place(Stage.AWAITED, "InProgress"): 1,
        Place(Stage.SENT, "InProgress"): 1,
        Place(Stage.ENDED, "Failed"): 1,
        Place(Stage.ENDED, "Cancelled"): 1,
    }
    assert sent.invocations.tally("c-3") == {}


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


def test_dispatching_notes_when_and_for_how_long(work: Work) -> None:
    added = [invocation(f"mi-{n}", ordinal=n) for n in range(4)]
    work.commands.add(command(), added, wake_at=NOW)
    work.invocations.dispatch("c-1", ["mi-2", "mi-0"], details="Pending", now=later(1), due_at=later(5))
    sent = [replace(added[n], dispatched_at=later(1), is_awaited=True, due_at=later(5)) for n in (0, 2)]
    assert work.invocations.in_flight("c-1") == sent
    assert work.invocations.unsent("c-1", 9) == ["mi-1", "mi-3"]
    assert work.invocations.tally("c-1") == {Place(Stage.UNSENT, "Pending"): 2, Place(Stage.AWAITED, "Pending"): 2}


def test_nothing_is_sent_twice(work: Work) -> None:
    work.commands.add(command(), [SENT, WAITING], wake_at=NOW)
    with pytest.raises(AssertionError, match="the command is held"):
        work.invocations.dispatch("c-1", ["mi-1", "mi-2"], details="Pending", now=later(1), due_at=later(5))


def test_what_is_due_comes_in_the_order_of_sending_and_is_counted_by_state(work: Work) -> None:
    rows = ((1, "Pending", 5), (2, "Cancelling", 4), (0, "Pending", 3), (3, "Pending", 6), (4, "InProgress", None))
    parts = [
        replace(SENT, instance_id=f"mi-{n}", ordinal=n, details=details, due_at=None if at is None else later(at))
        for n, details, at in rows
    ]
    work.commands.add(command(), parts, wake_at=NOW)
    work.commands.add(command("c-2"), [replace(SENT, command_id="c-2", due_at=NOW)], wake_at=NOW)
    assert [one.ordinal for one in work.invocations.due("c-1", later(5))] == [0, 1, 2]
    assert work.invocations.due_count("c-1", later(5)) == {"Pending": 2, "Cancelling": 1}
    assert work.invocations.due_count("c-1", NOW) == {}


def test_the_outlook_tells_silent_nodes_from_those_still_awaited(work: Work) -> None:
    parts = [
        replace(SENT, instance_id=f"mi-1{n}", ordinal=n, dispatched_at=later(n), due_at=later(10 + n)) for n in range(4)
    ]
    work.commands.add(command(), [*parts, replace(TAKEN, due_at=later(9)), WAITING], wake_at=NOW)
    look = work.invocations.outlook
    assert look("c-1", NOW, awaited_until=later(1)) == Outlook(2, later(2), later(9))
    assert look("c-1", later(9), awaited_until=later(3)) == Outlook(4, None, later(10))
    assert look("c-1", later(13), awaited_until=later(-1)) == Outlook(0, NOW, None)
    assert look("c-2", NOW, awaited_until=NOW) == Outlook(0, None, None)


def test_what_is_awaited_no_more_is_counted_as_sent(work: Work) -> None:
    parts = [
        replace(SENT, instance_id=f"mi-{n}", ordinal=n, details=details, dispatched_at=later(n))
        for n, details in enumerate(["Pending", "Delayed", "Pending"])
    ]
    work.commands.add(command(), parts, wake_at=NOW)
    work.invocations.stop_awaiting("c-1", details=["Pending", "Delayed"], sent_until=later(1))
    assert [one.is_awaited for one in work.invocations.in_flight("c-1")] == [False, False, True]
    assert work.invocations.tally("c-1") == {
        Place(Stage.SENT, "Pending"): 1,
        Place(Stage.SENT, "Delayed"): 1,
        Place(Stage.AWAITED, "Pending"): 1,
    }


def test_ending_what_was_not_sent_leaves_everything_else(sent: Work) -> None:
    assert sent.invocations.end_unsent("c-1", details="Pending", to="Terminated", now=later(9)) == 1
    expected = [SENT, ENDED, replace(WAITING, details="Terminated", ended_at=later(9)), TAKEN, NEVER_SENT]
    assert sent.invocations.of_command("c-1") == expected
    assert sent.invocations.end_unsent("c-1", details="Pending", to="Terminated", now=later(9)) == 0


def test_many_moves_at_once_are_each_from_where_it_was_read(sent: Work) -> None:
    over = [
        replace(one, details="Cancelled", ended_at=later(9), is_awaited=False, due_at=None) for one in (SENT, TAKEN)
    ]
    moves = list(zip((SENT, TAKEN), over, strict=True))
    sent.invocations.move_all([*moves, (WAITING, replace(WAITING, details="Cancelled", ended_at=later(9)))])
    assert [sent.invocations.get("c-1", after.instance_id) for after in over] == over
    assert sent.invocations.tally("c-1") == {Place(Stage.ENDED, "Failed"): 1, Place(Stage.ENDED, "Cancelled"): 4}
    with pytest.raises(AssertionError, match="the command is held"):
        sent.invocations.move_all(moves)


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
    sent.invocations.put_steps("c-1", "mi-1", [second])
    sent.invocations.put_steps("c-1", "mi-1", [step()])
    sent.invocations.put_steps("c-1", "mi-2", [step()])
    found = sent.invocations.steps("c-1", ["mi-3", "mi-2", "mi-1"])
    assert found == {"mi-3": [], "mi-2": [step()], "mi-1": [step(), second]}
    assert sent.invocations.steps("c-1", []) == {}
    assert {id: sent.invocations.steps_on("c-1", id) for id in found} == found


def test_a_later_word_on_a_step_takes_the_place_of_the_former(sent: Work) -> None:
    sent.invocations.put_steps("c-1", "mi-1", [step(status="InProgress")])
    sent.invocations.put_steps("c-1", "mi-1", [step()])
    assert sent.invocations.steps("c-1", ["mi-1"]) == {"mi-1": [step()]}


def test_a_step_of_no_invocation_cannot_be_kept(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as work:
        work.invocations.put_steps("c-1", "mi-1", [step()])


def test_two_invocations_of_one_command_on_one_node_cannot_be_kept(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as work:
        work.commands.add(command(), [invocation(), invocation(ordinal=2)], wake_at=NOW)
    with database.read() as work:
        assert work.commands.get("c-1") is None
