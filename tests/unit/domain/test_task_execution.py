import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain import task_execution, task_invocation
from patchwindow.domain.task_execution import Event, State, advance, roll_up

outcomes = st.lists(st.tuples(st.sampled_from(sorted(task_invocation.TERMINAL)), st.text(max_size=5)))


@pytest.mark.parametrize(
    ("states", "event"),
    [
        ("SUCCESS SUCCESS", Event.SUCCEEDED),
        ("SUCCESS CANCELLED", Event.CANCELLED),
        ("CANCELLED TIMED_OUT", Event.TIMED_OUT),
        ("TIMED_OUT FAILED CANCELLED", Event.FAILED),
    ],
)
def test_the_worst_invocation_decides(states: str, event: Event) -> None:
    assert roll_up([(task_invocation.State(each), each) for each in states.split()])[0] is event


def test_the_first_of_the_worst_invocations_speaks_for_the_task() -> None:
    failed = task_invocation.State.FAILED
    invocations = [(task_invocation.State.SUCCESS, "Success"), (failed, "Incomplete"), (failed, "Failed")]
    assert roll_up(invocations) == (Event.FAILED, "Incomplete")


def test_a_task_without_targets_succeeds_and_says_so() -> None:
    assert roll_up([]) == (Event.SUCCEEDED, task_execution.NO_TARGETS)


@given(outcomes)
def test_a_running_task_can_end_in_every_way_that_its_invocations_can(
    invocations: list[tuple[task_invocation.State, str]],
) -> None:
    event, _ = roll_up(invocations)
    assert advance(State.IN_PROGRESS, event) in task_execution.TERMINAL
