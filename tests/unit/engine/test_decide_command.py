from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from patchwindow.domain import invocation
from patchwindow.domain.command import Details, Standing, Status
from patchwindow.domain.invocation import CANCEL_WAIT, State
from patchwindow.engine.decide_command import ACKNOWLEDGEMENT_WAIT, CommandSnapshot, decide
from patchwindow.engine.effects import Dispatch, EndSent, EndUnsent, Restate, SendCancel, StopAwaiting, WakeAt

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
DELIVERY = timedelta(seconds=600)
EXPIRES_AT = NOW + timedelta(seconds=4200)

PENDING = Standing(Status.PENDING, Details.PENDING)
IN_PROGRESS = Standing(Status.IN_PROGRESS, Details.IN_PROGRESS)
CANCELLING = Standing(Status.CANCELLING, Details.CANCELLING)


def snapshot(
    *,
    standing: Standing = IN_PROGRESS,
    cancel_requested: bool = False,
    concurrency: int = 50,
    errors_tolerated: int = 0,
    ended: Mapping[State, int] | None = None,
    in_flight: Mapping[State, int] | None = None,
    overdue: Mapping[State, int] | None = None,
    next_due_at: datetime | None = None,
    unsent: int = 0,
    awaited_since: datetime | None = None,
    silent: int = 0,
) -> CommandSnapshot:
    """Return how a command stands; all that is pending is awaited."""
    return CommandSnapshot(
        standing=standing,
        cancel_requested=cancel_requested,
        delivery_timeout=DELIVERY,
        expires_at=EXPIRES_AT,
        concurrency=concurrency,
        errors_tolerated=errors_tolerated,
        ended=ended or {},
        in_flight=in_flight or {},
        unsent_count=unsent,
        overdue=overdue or {},
        next_due_at=next_due_at,
        awaited_count=(in_flight or {}).get(State.PENDING, 0),
        silent_count=silent,
        awaited_since=awaited_since,
    )


def test_sending_begins_with_one_node_and_wakes_in_case_it_is_silent() -> None:
    effects = decide(snapshot(standing=PENDING, unsent=9), NOW)
    assert effects == [Dispatch(1), WakeAt(NOW + ACKNOWLEDGEMENT_WAIT)]


@pytest.mark.parametrize(("answered", "batch"), [(1, 2), (3, 4), (7, 8), (15, 16)])
def test_each_full_round_of_answers_doubles_the_next_round(answered: int, batch: int) -> None:
    """MaxConcurrency: 1, wait for acknowledgement, 2, 4, … up to the limit."""
    command = snapshot(in_flight={State.IN_PROGRESS: answered}, unsent=40)
    assert decide(command, NOW)[0] == Dispatch(batch)


def test_from_the_cutoff_on_no_further_node_is_sent_the_command() -> None:
    waiting = replace(snapshot(in_flight={State.IN_PROGRESS: 1}, unsent=40), cutoff_at=NOW)
    assert decide(waiting, NOW - timedelta(milliseconds=1))[0] == Dispatch(2)
    assert decide(waiting, NOW) == [WakeAt(EXPIRES_AT)]


def test_where_a_freeze_begins_what_no_node_has_taken_ends_and_what_runs_goes_on() -> None:
    flying = {State.IN_PROGRESS: 2, State.PENDING: 1}
    frozen = replace(snapshot(in_flight=flying, unsent=40), frozen_at=NOW)
    assert WakeAt(NOW) in decide(frozen, NOW - timedelta(milliseconds=1)), "it is looked at when the freeze begins"
    assert decide(frozen, NOW) == [
        EndSent(State.PENDING, State.DELIVERY_TIMED_OUT, due_by=None),
        EndUnsent(State.DELIVERY_TIMED_OUT),
        WakeAt(EXPIRES_AT),
    ]


def test_a_node_that_is_silent_does_not_hold_up_the_others() -> None:
    fresh = snapshot(standing=PENDING, in_flight={State.PENDING: 1}, unsent=9, awaited_since=NOW)
    waited = NOW + ACKNOWLEDGEMENT_WAIT
    assert decide(fresh, waited - timedelta(seconds=1)) == [WakeAt(waited)]
    silent = replace(fresh, awaited_since=None, silent_count=1)
    assert decide(silent, waited) == [StopAwaiting(NOW), Dispatch(2), WakeAt(waited + ACKNOWLEDGEMENT_WAIT)]


def test_silent_nodes_are_no_longer_awaited_even_where_nothing_more_can_be_sent() -> None:
    """Otherwise each further decision would count them again."""
    full = snapshot(
        standing=PENDING, in_flight={State.PENDING: 4}, concurrency=4, unsent=9, silent=3, awaited_since=NOW
    )
    assert decide(full, NOW)[0] == StopAwaiting(NOW - ACKNOWLEDGEMENT_WAIT)
    all_sent = snapshot(standing=PENDING, in_flight={State.PENDING: 4}, silent=3, awaited_since=NOW)
    assert decide(all_sent, NOW)[0] == StopAwaiting(NOW - ACKNOWLEDGEMENT_WAIT)


def test_nodes_that_have_not_ended_take_up_the_concurrency() -> None:
    command = snapshot(concurrency=5, in_flight={State.IN_PROGRESS: 4}, ended={State.SUCCESS: 9}, unsent=9)
    assert decide(command, NOW) == [Dispatch(1), WakeAt(NOW + DELIVERY)]


def test_at_the_limit_nothing_is_sent() -> None:
    command = snapshot(concurrency=4, in_flight={State.IN_PROGRESS: 4}, unsent=9)
    assert decide(command, NOW) == [WakeAt(EXPIRES_AT)]


def test_no_more_is_sent_than_there_is() -> None:
    command = snapshot(concurrency=50, ended={State.SUCCESS: 31}, unsent=3)
    assert decide(command, NOW) == [Dispatch(3), WakeAt(NOW + DELIVERY)]


def test_with_more_errors_than_tolerated_what_was_not_sent_is_terminated_and_what_runs_goes_on() -> None:
    command = snapshot(ended={State.FAILED: 1}, in_flight={State.IN_PROGRESS: 1}, unsent=9)
    assert decide(command, NOW) == [EndUnsent(State.TERMINATED), WakeAt(EXPIRES_AT)]


def test_with_exactly_the_tolerated_errors_sending_goes_on() -> None:
    """MaxErrors 5: the command stops when the sixth error is received."""
    command = snapshot(ended={State.FAILED: 5}, errors_tolerated=5, unsent=2)
    assert decide(command, NOW)[0] == Dispatch(2)


def test_a_delivery_timeout_is_no_error() -> None:
    command = snapshot(ended={State.DELIVERY_TIMED_OUT: 9}, unsent=1)
    assert decide(command, NOW)[0] == Dispatch(1)


@pytest.mark.parametrize("state", sorted(invocation.NOT_RECEIVED))
def test_a_node_whose_time_to_take_the_command_is_up_ends(state: State) -> None:
    command = snapshot(in_flight={state: 1}, ended={State.SUCCESS: 1}, next_due_at=NOW + DELIVERY)
    assert decide(command, NOW) == [WakeAt(NOW + DELIVERY)]
    late = replace(command, overdue={state: 1}, next_due_at=None)
    assert decide(late, NOW + DELIVERY) == [
        EndSent(state, State.DELIVERY_TIMED_OUT, NOW + DELIVERY),
        Restate(Status.FAILED, Details.INCOMPLETE),
    ]


def test_those_whose_time_is_not_up_go_on_beside_those_whose_is() -> None:
    command = snapshot(
        in_flight={State.PENDING: 3, State.IN_PROGRESS: 2},
        overdue={State.PENDING: 2},
        silent=3,
        next_due_at=NOW + timedelta(seconds=7),
    )
    assert decide(command, NOW) == [
        EndSent(State.PENDING, State.DELIVERY_TIMED_OUT, NOW),
        StopAwaiting(NOW - ACKNOWLEDGEMENT_WAIT),
        WakeAt(NOW + timedelta(seconds=7)),
    ]


def test_a_node_that_took_the_command_has_until_the_total_timeout() -> None:
    command = snapshot(in_flight={State.IN_PROGRESS: 1})
    assert decide(command, EXPIRES_AT - timedelta(seconds=1)) == [WakeAt(EXPIRES_AT)]
    assert decide(command, EXPIRES_AT) == [
        EndSent(State.IN_PROGRESS, State.DELIVERY_TIMED_OUT, None),
        Restate(Status.TIMED_OUT, Details.DELIVERY_TIMED_OUT),
    ]


def test_at_the_total_timeout_everything_ends() -> None:
    command = snapshot(
        in_flight={State.IN_PROGRESS: 1, State.PENDING: 1, State.CANCELLING: 1},
        next_due_at=EXPIRES_AT + timedelta(seconds=1),
        unsent=5,
        concurrency=3,
    )
    assert decide(command, EXPIRES_AT) == [
        EndSent(State.IN_PROGRESS, State.DELIVERY_TIMED_OUT, None),
        EndSent(State.PENDING, State.DELIVERY_TIMED_OUT, None),
        EndSent(State.CANCELLING, State.CANCELLED, None),
        EndUnsent(State.DELIVERY_TIMED_OUT),
        Restate(Status.FAILED, Details.INCOMPLETE),
    ]


def test_a_cancelled_command_ends_what_was_not_sent_and_tells_the_nodes_once() -> None:
    command = snapshot(cancel_requested=True, in_flight={State.IN_PROGRESS: 2}, unsent=9)
    assert decide(command, NOW) == [
        EndUnsent(State.CANCELLED),
        SendCancel(),
        Restate(Status.CANCELLING, Details.CANCELLING),
        WakeAt(NOW + CANCEL_WAIT),
    ]
    told = replace(
        command,
        standing=CANCELLING,
        ended={State.CANCELLED: 9},
        in_flight={State.CANCELLING: 2},
        next_due_at=NOW + CANCEL_WAIT,
        unsent_count=0,
    )
    assert decide(told, NOW) == [WakeAt(NOW + CANCEL_WAIT)]


def test_a_node_that_does_not_answer_a_cancellation_is_cancelled_all_the_same() -> None:
    told = {State.CANCELLING: 1}
    command = snapshot(standing=CANCELLING, cancel_requested=True, in_flight=told, overdue=told)
    assert decide(command, NOW) == [
        EndSent(State.CANCELLING, State.CANCELLED, NOW),
        Restate(Status.CANCELLED, Details.CANCELLED),
    ]


def test_a_command_that_was_cancelled_before_it_was_sent_ends_at_once() -> None:
    command = snapshot(standing=PENDING, cancel_requested=True, unsent=3)
    assert decide(command, NOW) == [EndUnsent(State.CANCELLED), Restate(Status.CANCELLED, Details.CANCELLED)]


def test_cancelling_one_node_does_not_hold_up_the_others() -> None:
    command = snapshot(in_flight={State.CANCELLING: 1}, unsent=9)
    assert decide(command, NOW)[0] == Dispatch(2)


def test_a_command_without_targets_succeeds_and_says_why() -> None:
    assert decide(snapshot(standing=PENDING), NOW) == [Restate(Status.SUCCESS, Details.NO_INSTANCES_IN_TAG)]


def test_the_first_node_that_takes_the_command_sets_it_in_progress() -> None:
    command = snapshot(standing=PENDING, in_flight={State.IN_PROGRESS: 1})
    assert decide(command, NOW) == [Restate(Status.IN_PROGRESS, Details.IN_PROGRESS), WakeAt(EXPIRES_AT)]


def test_a_pending_command_whose_sending_is_delayed_says_so_once() -> None:
    command = snapshot(standing=PENDING, in_flight={State.DELAYED: 1}, next_due_at=NOW + DELIVERY)
    delayed = Restate(Status.PENDING, Details.DELAYED)
    assert decide(command, NOW) == [delayed, WakeAt(NOW + DELIVERY)]
    assert decide(replace(command, standing=Standing(delayed.status, delayed.details)), NOW) == [WakeAt(NOW + DELIVERY)]


def test_nothing_happens_to_a_command_that_has_ended() -> None:
    command = snapshot(standing=Standing(Status.SUCCESS, Details.SUCCESS), ended={State.SUCCESS: 3})
    assert decide(command, EXPIRES_AT) == []


def test_a_decision_about_a_hundred_thousand_nodes_is_one_about_counts() -> None:
    command = snapshot(concurrency=50_000, ended={State.SUCCESS: 30_000}, unsent=100_000)
    assert decide(command, NOW) == [Dispatch(30_001), WakeAt(NOW + ACKNOWLEDGEMENT_WAIT)]
