from datetime import UTC, datetime, timedelta, timezone

import pytest

from patchwindow.domain.invocation import (
    ERRORS,
    NOT_RECEIVED,
    REFUSED,
    STATUS_OF,
    TERMINAL,
    Event,
    State,
    advance,
    not_taken,
)


def test_every_state_has_a_status() -> None:
    assert set(STATUS_OF) == set(State)


@pytest.mark.parametrize("state", sorted(set(State) - TERMINAL))
def test_the_status_of_an_open_invocation_is_named_like_its_state(state: State) -> None:
    assert STATUS_OF[state] == state.value


@pytest.mark.parametrize("state", sorted(NOT_RECEIVED))
def test_a_reply_is_taken_though_no_acknowledgement_came_before(state: State) -> None:
    assert advance(state, Event.SUCCEEDED) is State.SUCCESS


def test_what_a_node_did_before_it_heard_of_the_cancellation_is_a_fact() -> None:
    assert advance(State.CANCELLING, Event.SUCCEEDED) is State.SUCCESS
    assert advance(State.CANCELLING, Event.FAILED) is State.FAILED


@pytest.mark.parametrize("state", [State.PENDING, State.DELAYED, State.IN_PROGRESS])
def test_at_expires_after_what_has_not_ended_counts_as_not_delivered(state: State) -> None:
    """Service model, Command.ExpiresAfter: "it changes its status to DeliveryTimedOut"."""
    assert advance(state, Event.EXPIRED) is State.DELIVERY_TIMED_OUT


def test_an_error_and_a_refusal_are_different_ends() -> None:
    assert ERRORS.isdisjoint(REFUSED)
    assert ERRORS | REFUSED < TERMINAL


def test_a_node_that_never_took_the_command_is_named_with_the_time_that_it_had_in_utc() -> None:
    since = datetime(2026, 1, 15, 2, 0, 30, 999_000, tzinfo=UTC)
    until = datetime(2026, 1, 15, 4, 0, tzinfo=timezone(timedelta(hours=1)))
    assert not_taken("mi-1", since=since, until=until) == (
        "node mi-1 did not take the command between 2026-01-15T02:00:30Z and 2026-01-15T03:00:00Z"
    )
