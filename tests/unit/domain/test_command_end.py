import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.command_end import LATE_REPORT_WAIT, ends_at, may_reach, takes_report, why_over
from patchwindow.domain.invocation import TERMINAL, State
from patchwindow.domain.run import Command, Invocation

NOW = datetime(2026, 1, 15, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)
COMMAND = Command(
    command_id="c-1",
    document_name="AWS-RunPatchBaseline",
    requested_date_time=NOW - HOUR,
    expires_after=NOW + HOUR,
    timeout_seconds=3600,
    max_concurrency="1",
    max_errors="0",
    status="InProgress",
    status_details="InProgress",
)
RUNNING = Invocation(
    command_id="c-1", instance_id="mi-1", ordinal=0, details=State.IN_PROGRESS, dispatched_at=NOW - HOUR
)


def ended(state: State) -> Invocation:
    return dataclasses.replace(RUNNING, details=state, ended_at=NOW)


def test_a_command_that_runs_in_its_time_is_not_over() -> None:
    assert why_over(COMMAND, RUNNING, NOW) == ""


@pytest.mark.parametrize(
    ("command", "one", "why"),
    [
        (dataclasses.replace(COMMAND, cancel_requested=True), RUNNING, "command c-1 is cancelled"),
        (COMMAND, dataclasses.replace(RUNNING, details=State.CANCELLING), "command c-1 is cancelled"),
        (COMMAND, ended(State.CANCELLED), "command c-1 is cancelled"),
        (COMMAND, ended(State.FAILED), "command c-1 has ended on node mi-1 (Failed)"),
        (COMMAND, ended(State.DELIVERY_TIMED_OUT), "command c-1 has ended on node mi-1 (DeliveryTimedOut)"),
        (dataclasses.replace(COMMAND, cutoff_at=NOW), RUNNING, "command c-1 was cut off at 2026-01-15T17:00:00Z"),
        (dataclasses.replace(COMMAND, expires_after=NOW), RUNNING, "command c-1 expired at 2026-01-15T17:00:00Z"),
    ],
)
def test_a_command_that_is_over_says_why(command: Command, one: Invocation, why: str) -> None:
    assert why_over(command, one, NOW) == why


@pytest.mark.parametrize(
    "late",
    [{"cancel_requested": True}, {"expires_after": NOW}, {"cutoff_at": NOW}, {"frozen_at": NOW}],
)
def test_a_command_that_no_further_node_is_to_have_reaches_none(late: dict[str, Any]) -> None:
    assert may_reach(COMMAND, NOW)
    assert not may_reach(dataclasses.replace(COMMAND, **late), NOW)


def test_what_runs_on_a_node_when_a_freeze_begins_runs_to_its_end() -> None:
    """docs/decisions-windows.md: "What runs on a node runs to its end, or is cancelled with CANCEL_TASK"."""
    assert why_over(dataclasses.replace(COMMAND, frozen_at=NOW - HOUR), RUNNING, NOW) == ""


@given(
    cutoff=st.none() | st.timedeltas(-HOUR, HOUR),
    expiry=st.timedeltas(-HOUR, HOUR),
    state=st.sampled_from(sorted(set(State) - TERMINAL - {State.CANCELLING})),
)
def test_nothing_begins_from_the_cutoff_or_the_expiry_on(
    cutoff: timedelta | None, expiry: timedelta, state: State
) -> None:
    command = dataclasses.replace(
        COMMAND, cutoff_at=None if cutoff is None else NOW + cutoff, expires_after=NOW + expiry
    )
    one = dataclasses.replace(RUNNING, details=state)
    assert bool(why_over(command, one, NOW)) == (ends_at(command) <= NOW)


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_a_report_is_taken_for_48_hours_after_the_end(state: State) -> None:
    assert takes_report(ended(state), NOW)
    assert takes_report(ended(state), NOW + LATE_REPORT_WAIT - timedelta(seconds=1))
    assert not takes_report(ended(state), NOW + timedelta(hours=48))


@pytest.mark.parametrize("state", sorted(set(State) - TERMINAL))
def test_a_report_is_taken_while_the_command_is_open(state: State) -> None:
    assert takes_report(dataclasses.replace(RUNNING, details=state), NOW + 2 * LATE_REPORT_WAIT)


def test_what_was_never_sent_to_a_node_has_nothing_to_report() -> None:
    assert not takes_report(dataclasses.replace(ended(State.CANCELLED), dispatched_at=None), NOW)
