from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain import invocation
from patchwindow.domain.command import (
    EVENT_INTO,
    TERMINAL,
    Counts,
    Details,
    Standing,
    Status,
    advance,
    aggregate,
    counts,
    expires_after,
)
from patchwindow.domain.invocation import State

tallies = st.dictionaries(st.sampled_from(State), st.integers(0, 50))
ended_tallies = st.dictionaries(st.sampled_from(sorted(invocation.TERMINAL)), st.integers(0, 50))

SUCCESS = Standing(Status.SUCCESS, Details.SUCCESS)
FAILED = Standing(Status.FAILED, Details.FAILED)
INCOMPLETE = Standing(Status.FAILED, Details.INCOMPLETE)
CANCELLED = Standing(Status.CANCELLED, Details.CANCELLED)

OPEN = [
    ({State.PENDING: 3}, Standing(Status.PENDING, Details.PENDING)),
    ({State.PENDING: 3, State.DELAYED: 1}, Standing(Status.PENDING, Details.DELAYED)),
    ({State.PENDING: 3, State.IN_PROGRESS: 1}, Standing(Status.IN_PROGRESS, Details.IN_PROGRESS)),
    ({State.PENDING: 3, State.SUCCESS: 1}, Standing(Status.IN_PROGRESS, Details.IN_PROGRESS)),
    ({State.CANCELLING: 1, State.SUCCESS: 1}, Standing(Status.IN_PROGRESS, Details.IN_PROGRESS)),
]

# Tally, errors tolerated, standing; in the order of the rules.
CONCLUDED = [
    ({}, 0, Standing(Status.SUCCESS, Details.NO_INSTANCES_IN_TAG)),
    ({State.CANCELLED: 2}, 0, CANCELLED),
    ({State.UNDELIVERABLE: 2}, 9, FAILED),
    ({State.UNDELIVERABLE: 1, State.ACCESS_DENIED: 1}, 9, FAILED),
    ({State.ACCESS_DENIED: 2}, 9, Standing(Status.FAILED, Details.ACCESS_DENIED)),
    ({State.SUCCESS: 5, State.FAILED: 1}, 0, FAILED),
    ({State.SUCCESS: 5, State.FAILED: 2, State.TERMINATED: 3}, 1, FAILED),
    ({State.SUCCESS: 5, State.FAILED: 1, State.EXECUTION_TIMED_OUT: 1}, 1, FAILED),
    ({State.SUCCESS: 5, State.EXECUTION_TIMED_OUT: 2}, 1, Standing(Status.TIMED_OUT, Details.EXECUTION_TIMED_OUT)),
    ({State.SUCCESS: 1, State.UNDELIVERABLE: 5}, 0, SUCCESS),
    ({State.SUCCESS: 5, State.FAILED: 2}, 2, SUCCESS),
    ({State.FAILED: 2}, 2, SUCCESS),
    ({State.SUCCESS: 5, State.CANCELLED: 2}, 0, SUCCESS),
    ({State.DELIVERY_TIMED_OUT: 2}, 0, Standing(Status.TIMED_OUT, Details.DELIVERY_TIMED_OUT)),
    (
        {State.DELIVERY_TIMED_OUT: 2, State.UNDELIVERABLE: 1},
        0,
        Standing(Status.TIMED_OUT, Details.DELIVERY_TIMED_OUT),
    ),
    ({State.SUCCESS: 5, State.DELIVERY_TIMED_OUT: 1}, 9, INCOMPLETE),
    ({State.FAILED: 1, State.UNDELIVERABLE: 1}, 1, INCOMPLETE),
    ({State.SUCCESS: 5, State.FAILED: 1, State.UNDELIVERABLE: 1}, 1, INCOMPLETE),
]


@pytest.mark.parametrize(("tally", "standing"), OPEN)
def test_an_open_command_stands_as_its_furthest_invocation(tally: Mapping[State, int], standing: Standing) -> None:
    assert aggregate(tally, errors_tolerated=0, is_cancelled=False) == standing


@pytest.mark.parametrize(("tally", "errors_tolerated", "standing"), CONCLUDED)
def test_an_ended_command_stands_as_the_first_rule_says_that_applies(
    tally: Mapping[State, int], errors_tolerated: int, standing: Standing
) -> None:
    assert aggregate(tally, errors_tolerated=errors_tolerated, is_cancelled=False) == standing


@given(ended_tallies, st.integers(0, 50))
def test_a_cancelled_command_is_cancelled_whatever_its_nodes_did(tally: dict[State, int], tolerated: int) -> None:
    assert aggregate(tally, errors_tolerated=tolerated, is_cancelled=True) == CANCELLED


@given(tally=tallies, tolerated=st.integers(0, 50), is_cancelled=st.booleans())
def test_a_command_ends_with_its_last_invocation_and_not_before(
    *, tally: dict[State, int], tolerated: int, is_cancelled: bool
) -> None:
    standing = aggregate(tally, errors_tolerated=tolerated, is_cancelled=is_cancelled)
    is_open = any(count for state, count in tally.items() if state not in invocation.TERMINAL)
    assert (standing.status in TERMINAL) is not is_open


@given(ended_tallies, st.integers(0, 50))
def test_more_errors_than_tolerated_never_make_a_success(tally: dict[State, int], tolerated: int) -> None:
    tally[State.FAILED] = tolerated + 1
    assert aggregate(tally, errors_tolerated=tolerated, is_cancelled=False) == FAILED


@given(tally=tallies, tolerated=st.integers(0, 50), is_cancelled=st.booleans())
def test_every_standing_can_be_reached_from_the_first(
    *, tally: dict[State, int], tolerated: int, is_cancelled: bool
) -> None:
    status = aggregate(tally, errors_tolerated=tolerated, is_cancelled=is_cancelled).status
    if status is not Status.PENDING:
        before = Status.CANCELLING if is_cancelled and status is Status.CANCELLED else Status.PENDING
        assert advance(before, EVENT_INTO[status]) is status


def test_the_counts_follow_the_table_of_outcomes() -> None:
    """Total timeouts "don't count against the parent command's max-errors limit"."""
    assert counts(Counter(State)) == Counts(
        target_count=13, completed_count=9, error_count=2, delivery_timed_out_count=1
    )


REQUESTED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def seconds_until_expiry(document: Mapping[str, Any], timeout_seconds: int = 600, **parameters: str) -> float:
    given = {name: [value] for name, value in parameters.items()}
    expiry = expires_after(document, given, requested_at=REQUESTED_AT, timeout_seconds=timeout_seconds)
    return (expiry - REQUESTED_AT) / timedelta(seconds=1)


def steps(*timeouts: object) -> dict[str, Any]:
    return {"mainSteps": [{"action": "aws:runShellScript", "inputs": {"timeoutSeconds": each}} for each in timeouts]}


SHELL = {
    "parameters": {"executionTimeout": {"type": "String", "default": "3600"}},
    **steps("{{ executionTimeout }}"),
}


def test_the_total_timeout_is_the_delivery_timeout_and_that_of_the_step() -> None:
    assert seconds_until_expiry(SHELL) == 4200


def test_the_steps_of_all_platforms_count() -> None:
    assert seconds_until_expiry(steps(7200, 7200, 7200)) == 22200


def test_a_timeout_that_is_a_parameter_takes_what_the_caller_gave() -> None:
    assert seconds_until_expiry(SHELL, executionTimeout="60") == 660


@pytest.mark.parametrize("text", ["soon", "", "4", "172801", None, "{{ unknown }}"])
def test_a_timeout_that_the_agent_would_not_take_is_an_hour(text: str | None) -> None:
    assert seconds_until_expiry(steps(text), timeout_seconds=0) == 3600


def test_a_step_without_inputs_takes_an_hour_too() -> None:
    assert seconds_until_expiry({"mainSteps": [{"action": "aws:softwareInventory"}]}, timeout_seconds=30) == 3630


@pytest.mark.parametrize("properties", [[{"timeoutSeconds": "60"}], {"timeoutSeconds": 60}])
def test_documents_of_schema_1_2_keep_their_steps_elsewhere(properties: object) -> None:
    document = {"schemaVersion": "1.2", "runtimeConfig": {"aws:runShellScript": {"properties": properties}}}
    assert seconds_until_expiry(document) == 660
