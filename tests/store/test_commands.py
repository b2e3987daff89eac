"""Commands."""

from datetime import timedelta

import pytest
from tests.store.samples import NOW, command, invocation, later

from patchwindow.store.commands import CommandQuery
from patchwindow.store.work import Work


def test_a_command_comes_back_as_it_was_added(work: Work) -> None:
    work.commands.add(command(), [], wake_at=NOW)
    assert work.commands.get("c-1") == command()
    assert work.commands.lock("c-1") == command()
    assert work.commands.get("c-2") is None
    assert work.commands.lock("c-2") is None


def test_a_changed_command_replaces_the_former_and_keeps_its_invocations(work: Work) -> None:
    work.commands.add(command(), [invocation()], wake_at=NOW)
    changed = command(status="Success", output_s3_region=None, alarm_configuration=None)
    work.commands.put(changed, wake_at=None)
    assert work.commands.get("c-1") == changed
    assert work.commands.next_wake_at() is None
    assert work.invocations.of_command("c-1") == [invocation()]


def test_due_commands_are_those_whose_instant_has_come_the_earliest_first(work: Work) -> None:
    assert work.commands.next_wake_at() is None
    for id, minutes in (("c-1", 2), ("c-3", 1), ("c-2", 1), ("c-4", 3)):
        work.commands.add(command(id), [], wake_at=later(minutes))
    assert work.commands.due(later(2), 9) == ["c-2", "c-3", "c-1"]
    assert work.commands.due(later(2), 1) == ["c-2"]
    assert work.commands.due(later(1) - timedelta(milliseconds=1), 9) == []
    assert work.commands.next_wake_at() == later(1)


@pytest.mark.parametrize("status", ["Pending", "InProgress", "Cancelling"])
def test_a_command_under_way_can_be_woken(work: Work, status: str) -> None:
    work.commands.add(command(status=status), [], wake_at=later(9))
    work.commands.hold("c-1")
    work.commands.wake("c-1", NOW)
    assert work.commands.due(NOW, 9) == ["c-1"]


def test_whoever_wakes_a_command_does_not_keep_it_asleep(work: Work) -> None:
    work.commands.add(command(), [], wake_at=NOW)
    work.commands.wake("c-1", later(9))
    work.commands.wake_ramping_up("c-1", later(9))
    assert work.commands.next_wake_at() == NOW
    work.commands.sleep("c-1", until=later(9))
    assert work.commands.next_wake_at() == later(9)


@pytest.mark.parametrize("status", ["Success", "Failed", "TimedOut", "Cancelled"])
def test_a_command_that_has_ended_sleeps_on(work: Work, status: str) -> None:
    work.commands.put(command(status=status), wake_at=None)
    work.commands.wake("c-1", NOW)
    assert work.commands.next_wake_at() is None


@pytest.mark.parametrize(
    ("status", "completed_count", "unsent_count", "is_woken"),
    [
        ("Pending", 0, 1, True),
        ("Pending", 0, 0, True),
        ("InProgress", 4, 1, True),
        ("InProgress", 4, 0, False),
        ("InProgress", 5, 1, False),
        ("Success", 0, 1, False),
    ],
)
def test_a_command_is_ramping_up_until_all_is_sent_or_as_many_have_ended_as_may_run_at_once(
    work: Work, status: str, completed_count: int, unsent_count: int, *, is_woken: bool
) -> None:
    value = command(status=status, concurrency=5, completed_count=completed_count)
    parts = [invocation(f"mi-{n}", ordinal=n, dispatched_at=None if n < unsent_count else NOW) for n in range(2)]
    work.commands.add(value, parts, wake_at=later(9))
    assert work.commands.wake_ramping_up("c-1", NOW) is is_woken
    assert work.commands.due(NOW, 9) == (["c-1"] if is_woken else [])


def test_the_open_commands_of_a_node_are_those_that_have_not_ended(work: Work) -> None:
    for id, status in (("c-3", "Pending"), ("c-1", "Success"), ("c-2", "InProgress")):
        parts = [invocation(node, command_id=id) for node in ("mi-1", "mi-2")]
        work.commands.add(command(id, status=status), parts, wake_at=NOW)
    work.commands.add(command("c-4"), [invocation("mi-2", command_id="c-4")], wake_at=NOW)
    assert work.commands.open_on("mi-1") == ["c-2", "c-3"]
    assert work.commands.open_on("mi-3") == []


def test_commands_are_paged_from_the_newest_and_ties_by_id(work: Work) -> None:
    for id, minutes in (("c-1", 5), ("c-3", 5), ("c-2", 5), ("c-4", 6)):
        work.commands.add(command(id, requested_date_time=later(minutes)), [], wake_at=NOW)
    found: list[str] = []
    before: tuple[int, str] | None = None
    while page := work.commands.page(CommandQuery(), before=before, limit=1):
        found.append(page[0].command_id)
        before = (int(page[0].requested_date_time.timestamp() * 1000), page[0].command_id)
    assert found == ["c-4", "c-3", "c-2", "c-1"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (CommandQuery(), ["c-3", "c-2", "c-1"]),
        (CommandQuery(command_id="c-2"), ["c-2"]),
        (CommandQuery(node_id="mi-1"), ["c-3", "c-1"]),
        (CommandQuery(invoked_after=later(1)), ["c-3", "c-2"]),
        (CommandQuery(invoked_before=later(3)), ["c-2", "c-1"]),
        (CommandQuery(document_names=("AWS-Noop", "AWS-RunShellScript")), ["c-2"]),
        (CommandQuery(statuses=("Success",)), ["c-1"]),
        (CommandQuery(statuses=("DeliveryTimedOut", "Success")), ["c-3", "c-1"]),
        (CommandQuery(is_executing=True), ["c-2"]),
        (CommandQuery(is_executing=False), ["c-3", "c-1"]),
        (CommandQuery(node_id="mi-1", is_executing=False, invoked_after=later(2)), ["c-3"]),
    ],
)
def test_conditions_on_commands_are_anded(work: Work, query: CommandQuery, ids: list[str]) -> None:
    for minutes, document, status, details, node in (
        (1, "AWS-RunPatchBaseline", "Success", "Success", "mi-1"),
        (2, "AWS-RunShellScript", "InProgress", "InProgress", "mi-2"),
        (3, "AWS-RunPatchBaseline", "TimedOut", "DeliveryTimedOut", "mi-1"),
    ):
        value = command(
            f"c-{minutes}",
            requested_date_time=later(minutes),
            document_name=document,
            status=status,
            status_details=details,
        )
        work.commands.add(value, [invocation(node, command_id=value.command_id)], wake_at=NOW)
    assert [one.command_id for one in work.commands.page(query, before=None, limit=9)] == ids
