"""How commands and calls end for the task invocation that they belong to."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain import command
from patchwindow.domain.command import Details, Status
from patchwindow.domain.run import Command
from patchwindow.domain.task_invocation import DETAILS_MAX, Event
from patchwindow.engine.outcomes import of_call, of_command

NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)


def ended(status: Status, details: Details, *, errors: int = 0, tolerated: int = 0, targets: int = 10) -> Command:
    return Command(
        command_id="c-1",
        document_name="AWS-Noop",
        requested_date_time=NOW,
        expires_after=NOW,
        timeout_seconds=3600,
        max_concurrency="50",
        max_errors="0",
        errors_tolerated=tolerated,
        error_count=errors,
        target_count=targets,
        status=status,
        status_details=details,
    )


@pytest.mark.parametrize("status", sorted(set(Status) - command.TERMINAL))
def test_what_has_not_ended_has_no_outcome(status: Status) -> None:
    assert of_command(ended(status, Details.IN_PROGRESS)) is None
    assert of_command(None) is None
    assert of_call(None) is None


@pytest.mark.parametrize(
    ("sent", "event", "is_error"),
    [
        (ended(Status.SUCCESS, Details.SUCCESS), Event.SUCCEEDED, False),
        (ended(Status.SUCCESS, Details.SUCCESS, errors=1, tolerated=1), Event.SUCCEEDED, False),
        (ended(Status.FAILED, Details.FAILED, errors=2, tolerated=1), Event.FAILED, True),
        (ended(Status.TIMED_OUT, Details.EXECUTION_TIMED_OUT, errors=1), Event.TIMED_OUT, True),
        (ended(Status.CANCELLED, Details.CANCELLED), Event.CANCELLED, True),
        # Nodes that could not be reached, or refused, are no errors: also where there are no others.
        (ended(Status.FAILED, Details.FAILED), Event.FAILED, False),
        (ended(Status.FAILED, Details.INCOMPLETE, errors=1, tolerated=1), Event.FAILED, False),
        (ended(Status.FAILED, Details.ACCESS_DENIED), Event.FAILED, False),
        (ended(Status.TIMED_OUT, Details.DELIVERY_TIMED_OUT), Event.TIMED_OUT, False),
    ],
)
def test_a_command_is_an_error_if_it_ended_by_its_errors_or_by_hand(
    sent: Command, event: Event, *, is_error: bool
) -> None:
    outcome = of_command(sent)
    assert outcome is not None
    assert (outcome.event, outcome.details, outcome.is_error) == (event, sent.status_details, is_error)


def details_of(*missed: str, targets: int) -> str:
    outcome = of_command(ended(Status.SUCCESS, Details.SUCCESS, targets=targets), missed)
    assert outcome is not None
    return outcome.details


def test_the_details_name_the_nodes_that_missed_the_window_behind_the_word_of_the_command() -> None:
    assert details_of("mi-1", "mi-2", targets=10) == "Success; 2 of 10 nodes missed the window: mi-1, mi-2"


def test_of_many_nodes_that_missed_the_window_as_many_are_named_as_there_is_room_for() -> None:
    missed = [f"mi-{number:017}" for number in range(1000)]
    details = details_of(*missed, targets=1000)
    assert details.startswith(f"Success; 1000 of 1000 nodes missed the window: {missed[0]}, {missed[1]}, ")
    assert details.endswith(" and 992 more")
    assert len(details) <= DETAILS_MAX


@given(st.integers(1, 30))
def test_every_node_that_missed_the_window_is_named_or_counted(count: int) -> None:
    details = details_of(*(f"mi-{number:017}" for number in range(count)), targets=count)
    more = int(details.split(" and ")[1].split()[0]) if " and " in details else 0
    assert details.count("mi-") + more == count
    assert len(details) <= DETAILS_MAX
