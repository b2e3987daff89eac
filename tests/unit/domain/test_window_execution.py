import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain import task_execution, window_execution
from patchwindow.domain.window_execution import Event, State, advance, roll_up

FAILED = "One or more tasks in the orchestration failed."


def test_an_execution_without_tasks_succeeds() -> None:
    assert roll_up([]) == (Event.SUCCEEDED, "No tasks to execute.")


@pytest.mark.parametrize(
    ("states", "event"),
    [
        ("SUCCESS SUCCESS", Event.SUCCEEDED),
        ("SUCCESS TIMED_OUT", Event.TIMED_OUT),
        ("TIMED_OUT FAILED", Event.FAILED),
        ("SUCCESS CANCELLED", Event.CANCELLED),
    ],
)
def test_the_worst_task_decides(states: str, event: Event) -> None:
    assert roll_up([task_execution.State(each) for each in states.split()])[0] is event


def test_a_failed_task_is_told_in_the_words_of_the_api() -> None:
    assert roll_up([task_execution.State.FAILED, task_execution.State.SUCCESS]) == (Event.FAILED, FAILED)


@given(st.lists(st.sampled_from(sorted(task_execution.TERMINAL))))
def test_a_running_execution_can_end_in_every_way_that_its_tasks_can(tasks: list[task_execution.State]) -> None:
    event, details = roll_up(tasks)
    assert advance(State.IN_PROGRESS, event) in window_execution.TERMINAL
    assert len(details) <= 250
