"""Window executions with their task executions and task invocations."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from tests.store.samples import NOW, command, execution, invocation, later, task_execution, task_invocation

from patchwindow.domain.run import TaskExecution, TaskInvocation, WindowExecution
from patchwindow.store.database import Database
from patchwindow.store.work import Work


def opened(work: Work, id: str, minutes: float, window_id: str = "mw-1") -> WindowExecution:
    value = execution(id, window_id=window_id, opens_at=later(minutes), start_time=later(minutes), end_time=None)
    assert work.executions.open(value, wake_at=value.opens_at)
    return value


def test_an_execution_comes_back_as_it_was_opened(work: Work) -> None:
    assert work.executions.open(execution(), wake_at=None)
    assert work.executions.get("we-1") == execution()
    assert work.executions.lock("we-1") == execution()
    assert work.executions.get("we-2") is None
    assert work.executions.lock("we-2") is None


def test_one_opening_of_a_window_has_one_execution(work: Work) -> None:
    assert work.executions.open(execution("we-1"), wake_at=None)
    assert not work.executions.open(execution("we-2"), wake_at=None)
    assert work.executions.get("we-2") is None
    assert work.executions.open(execution("we-3", opens_at=later(1)), wake_at=None)
    assert work.executions.open(execution("we-4", window_id="mw-2"), wake_at=None)


def test_opening_an_execution_again_leaves_it_as_it_is(work: Work) -> None:
    work.executions.open(execution(), wake_at=later(1))
    assert not work.executions.open(execution(opens_at=later(9), status="FAILED"), wake_at=None)
    assert work.executions.get("we-1") == execution()
    assert work.executions.next_wake_at() == later(1)


def test_a_changed_execution_replaces_the_former_and_keeps_its_tasks(work: Work) -> None:
    work.executions.open(execution(), wake_at=later(1))
    work.executions.put_task(task_execution())
    changed = execution(status="FAILED", end_time=None, cancel_requested=False)
    work.executions.put(changed, wake_at=later(2))
    assert work.executions.get("we-1") == changed
    assert work.executions.next_wake_at() == later(2)
    assert work.executions.tasks("we-1") == [task_execution()]


def test_due_executions_are_those_whose_instant_has_come_the_earliest_first(work: Work) -> None:
    assert work.executions.next_wake_at() is None
    for id, minutes in (("we-1", 2), ("we-3", 1), ("we-2", 1), ("we-4", 3)):
        opened(work, id, minutes, window_id=id)
    assert work.executions.due(later(2), 9) == ["we-2", "we-3", "we-1"]
    assert work.executions.due(later(2), 2) == ["we-2", "we-3"]
    assert work.executions.due(later(1) - timedelta(milliseconds=1), 9) == []
    work.executions.wake("we-4", NOW)
    work.executions.hold("we-4")
    assert work.executions.due(NOW, 9) == ["we-4"]
    assert work.executions.next_wake_at() == NOW


def test_a_window_is_open_while_one_of_its_executions_has_not_ended(work: Work) -> None:
    assert not work.executions.is_open("mw-1")
    value = opened(work, "we-1", 0)
    assert work.executions.is_open("mw-1")
    assert not work.executions.is_open("mw-2")
    work.executions.put(execution(opens_at=value.opens_at), wake_at=None)
    assert not work.executions.is_open("mw-1")


def test_executions_are_paged_from_the_newest_and_ties_by_id(work: Work) -> None:
    for id, opens, starts in (("we-1", 1, 5), ("we-3", 2, 5), ("we-2", 3, 5), ("we-4", 4, 6)):
        value = execution(id, opens_at=later(opens), start_time=later(starts))
        work.executions.open(value, wake_at=None)
    opened(work, "we-5", 0, window_id="mw-2")
    found: list[str] = []
    before: tuple[int, str] | None = None
    while page := work.executions.page("mw-1", before=before, limit=1):
        found.append(page[0].window_execution_id)
        before = (int(page[0].start_time.timestamp() * 1000), page[0].window_execution_id)
    assert found == ["we-4", "we-3", "we-2", "we-1"]


def test_executions_can_be_filtered_by_when_they_started(work: Work) -> None:
    for minutes in (1, 2, 3):
        opened(work, f"we-{minutes}", minutes)
    found = work.executions.page("mw-1", before=None, limit=9, after_at=later(1), before_at=later(3))
    assert [one.window_execution_id for one in found] == ["we-2"]


@pytest.mark.parametrize("value", [task_execution(), task_execution(start_time=None, end_time=None, status_details="")])
def test_a_task_execution_comes_back_as_it_was_put(work: Work, value: TaskExecution) -> None:
    work.executions.open(execution(), wake_at=None)
    work.executions.put_task(task_execution(status="PENDING"))
    work.executions.put_task(value)
    assert work.executions.tasks("we-1") == [value]
    assert work.executions.task("we-1", "te-1") == value
    assert work.executions.task("we-2", "te-1") is None
    assert work.executions.task("we-1", "te-2") is None


@pytest.mark.parametrize(
    "value",
    [
        task_invocation(),
        task_invocation(window_target_id=None, command_id=None, targets=(), start_time=None, end_time=None),
    ],
)
def test_a_task_invocation_comes_back_as_it_was_put(work: Work, value: TaskInvocation) -> None:
    work.executions.open(execution(), wake_at=None)
    work.executions.put_task(task_execution())
    work.executions.put_invocation(task_invocation(status="PENDING"))
    work.executions.put_invocation(value)
    assert work.executions.invocations("te-1") == [value]
    assert work.executions.invocations("te-2") == []
    assert work.executions.invocation("ti-1") == value
    assert work.executions.invocation("ti-2") is None
    part = ("ti-1", value.status, value.status_details, value.target_ordinal, value.command_id)
    assert work.executions.parts("te-1") == [part]


def test_tasks_and_invocations_are_in_the_order_in_which_they_run(work: Work) -> None:
    work.executions.open(execution(), wake_at=None)
    for ordinal in (3, 1, 2):
        work.executions.put_task(task_execution(f"te-{9 - ordinal}", ordinal=ordinal))
    for ordinal in (3, 1, 2):
        work.executions.put_invocation(task_invocation(f"ti-{ordinal}", task_execution_id="te-8", ordinal=ordinal))
    assert [task.ordinal for task in work.executions.tasks("we-1")] == [1, 2, 3]
    assert [one.ordinal for one in work.executions.invocations("te-8")] == [1, 2, 3]


def test_the_execution_that_sent_a_command_is_found_by_the_command(work: Work) -> None:
    work.executions.open(execution(), wake_at=None)
    work.executions.put_task(task_execution())
    work.executions.put_invocation(task_invocation())
    assert work.executions.of_command("c-1") == "we-1"
    assert work.executions.invocation_of_command("c-1") == task_invocation()
    assert work.executions.of_command("c-2") is None
    assert work.executions.invocation_of_command("c-2") is None


def test_tasks_and_invocations_are_paged_by_ordinal_and_filtered_by_status(work: Work) -> None:
    work.executions.open(execution(), wake_at=None)
    statuses = ("SUCCESS", "FAILED", "SUCCESS", "PENDING")
    for ordinal, status in enumerate(statuses):
        work.executions.put_task(task_execution(f"te-{ordinal}", ordinal=ordinal, status=status))
        value = task_invocation(f"ti-{ordinal}", task_execution_id="te-0", ordinal=ordinal, status=status)
        work.executions.put_invocation(value)

    def both(
        read: Callable[[], list[TaskExecution]], read_invocations: Callable[[], list[TaskInvocation]]
    ) -> list[int]:
        ordinals = [one.ordinal for one in read()]
        assert [one.ordinal for one in read_invocations()] == ordinals
        return ordinals

    def page(after: int, limit: int, statuses: tuple[str, ...] = ()) -> list[int]:
        return both(
            lambda: work.executions.page_tasks("we-1", after=after, limit=limit, statuses=statuses),
            lambda: work.executions.page_invocations("te-0", after=after, limit=limit, statuses=statuses),
        )

    assert page(-1, 3) == [0, 1, 2]
    assert page(2, 3) == [3]
    assert page(-1, 9, ("SUCCESS", "PENDING")) == [0, 2, 3]
    assert page(0, 1, ("SUCCESS",)) == [2]


def test_a_task_execution_of_no_window_execution_cannot_be_kept(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as work:
        work.executions.put_task(task_execution())


def test_several_task_invocations_are_kept_at_once(work: Work) -> None:
    work.executions.open(execution(), wake_at=None)
    work.executions.put_task(task_execution())
    values = [task_invocation(f"ti-{ordinal}", ordinal=ordinal, target_ordinal=1) for ordinal in range(3)]
    work.executions.put_invocations(values)
    work.executions.put_invocations([])
    assert work.executions.invocations("te-1") == values


def test_what_a_webhook_calls_its_execution_is_kept_with_the_task_invocation(work: Work) -> None:
    work.executions.open(execution(), wake_at=None)
    work.executions.put_task(task_execution())
    work.executions.put_invocation(task_invocation(target_type="RESOURCE_GROUP"))
    work.executions.tell("ti-1", "run-1")
    assert work.executions.invocations("te-1") == [task_invocation(target_type="RESOURCE_GROUP", external_id="run-1")]


def test_who_missed_a_command_never_took_it_and_told_nothing_of_it(work: Work) -> None:
    states = ("Success", "DeliveryTimedOut", "Undeliverable", "Terminated", "Cancelled", "Failed", "InvalidPlatform")
    invocations = [
        invocation(f"mi-{number}", ordinal=number, details=state, acknowledged_at=None)
        for number, state in enumerate(states)
    ]
    taken = invocation("mi-9", ordinal=9, details="DeliveryTimedOut", acknowledged_at=NOW)
    work.commands.add(command(), [*reversed(invocations), taken], wake_at=NOW)
    assert work.executions.missed("c-1") == ["mi-1", "mi-2", "mi-3", "mi-4"]
    assert work.executions.missed("c-2") == []
