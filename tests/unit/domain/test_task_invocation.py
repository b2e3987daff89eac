import pytest

from patchwindow.domain.task_invocation import Event, State, advance


def test_a_command_that_was_cancelled_at_the_cutoff_has_timed_out() -> None:
    assert advance(State.CANCELLING, Event.CANCELLED) is State.TIMED_OUT


def test_a_command_that_somebody_cancelled_is_cancelled() -> None:
    assert advance(State.IN_PROGRESS, Event.CANCELLED) is State.CANCELLED


@pytest.mark.parametrize("event", [Event.SUCCEEDED, Event.FAILED])
def test_a_command_that_was_quicker_than_its_cancellation_keeps_its_outcome(event: Event) -> None:
    assert advance(State.CANCELLING, event) is advance(State.IN_PROGRESS, event)
