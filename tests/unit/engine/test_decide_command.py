from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from patchwindow.domain import invocation
from patchwindow.domain.command import Details, Standing, Status
from patchwindow.domain.invocation import State
from patchwindow.engine.decide_command import ACKNOWLEDGEMENT_WAIT, CANCEL_WAIT, CommandSnapshot, InFlight, decide
from patchwindow.engine.effects import Dispatch, EndSent, EndUnsent, Restate, SendCancel, WakeAt

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
DELIVERY = timedelta(seconds=600)
EXPIRES_AT = NOW + timedelta(seconds=4200)

PENDING = Standing(Status.PENDING, Details.PENDING)
IN_PROGRESS = Standing(Status.IN_PROGRESS, Details.IN_PROGRESS)
CANCELLING = Standing(Status.CANCELLING, Details.CANCELLING)


def nodes(count: int, first: int = 1) -> tuple[str, ...]:
    return tuple(f"mi-{number:02}" for number in range(first, first + count))


def sent(*node_ids: str, state: State = State.IN_PROGRESS, at: datetime = NOW) -> tuple[InFlight, ...]:
    cancelled_at = at if state is State.CANCELLING else None
    return tuple(InFlight(node_id=id, state=state, dispatched_at=at, cancelled_at=cancelled_at) for id in node_ids)


def snapshot(
    *,
    standing: Standing = IN_PROGRESS,
    cancel_requested: bool = False,
    concurrency: int = 50,
    errors_tolerated: int = 0,
    ended: Mapping[State, int] | None = None,
    in_flight: tuple[InFlight, ...] = (),
    unsent: tuple[str, ...] = (),
) -> CommandSnapshot:
    return CommandSnapshot(
        standing=standing,
        cancel_requested=cancel_requested,
        delivery_timeout=DELIVERY,
        expires_at=EXPIRES_AT,
        concurrency=concurrency,
        errors_tolerated=errors_tolerated,
        ended=ended or {},
        in_flight=in_flight,
        unsent=unsent,
        unsent_count=len(unsent),
    )


def test_sending_begins_with_one_node_and_wakes_in_case_it_is_silent() -> None:
    effects = decide(snapshot(standing=PENDING, unsent=nodes(9)), NOW)
    assert effects == [Dispatch(nodes(1)), WakeAt(NOW + ACKNOWLEDGEMENT_WAIT)]


@pytest.mark.parametrize(("answered", "batch"), [(1, 2), (3, 4), (7, 8), (15, 16)])
def test_each_full_round_of_answers_doubles_the_next_round(answered: int, batch: int) -> None:
    """MaxConcurrency: 1, wait for acknowledgement, 2, 4, … up to the limit."""
    command = snapshot(in_flight=sent(*nodes(answered)), unsent=nodes(40, first=answered + 1))
    assert decide(command, NOW)[0] == Dispatch(nodes(batch, first=answered + 1))


def test_a_node_that_is_silent_does_not_hold_up_the_others() -> None:
    silent = sent(*nodes(1), state=State.PENDING)
    command = snapshot(standing=PENDING, in_flight=silent, unsent=nodes(9, first=2))
    waited = NOW + ACKNOWLEDGEMENT_WAIT
    assert decide(command, waited - timedelta(seconds=1)) == [WakeAt(waited)]
    assert decide(command, waited)[0] == Dispatch(nodes(2, first=2))


def test_nodes_that_have_not_ended_take_up_the_concurrency() -> None:
    command = snapshot(concurrency=5, in_flight=sent(*nodes(4)), ended={State.SUCCESS: 9}, unsent=nodes(9, first=14))
    assert decide(command, NOW) == [Dispatch(nodes(1, first=14)), WakeAt(NOW + DELIVERY)]


def test_at_the_limit_nothing_is_sent() -> None:
    command = snapshot(concurrency=4, in_flight=sent(*nodes(4)), unsent=nodes(9, first=5))
    assert decide(command, NOW) == [WakeAt(EXPIRES_AT)]


def test_with_more_errors_than_tolerated_what_was_not_sent_is_terminated_and_what_runs_goes_on() -> None:
    command = snapshot(ended={State.FAILED: 1}, in_flight=sent(*nodes(1)), unsent=nodes(9, first=2))
    assert decide(command, NOW) == [EndUnsent(State.TERMINATED), WakeAt(EXPIRES_AT)]


def test_with_exactly_the_tolerated_errors_sending_goes_on() -> None:
    """MaxErrors 5: the command stops when the sixth error is received."""
    command = snapshot(ended={State.FAILED: 5}, errors_tolerated=5, unsent=nodes(2))
    assert decide(command, NOW)[0] == Dispatch(nodes(2))


def test_a_delivery_timeout_is_no_error() -> None:
    command = snapshot(ended={State.DELIVERY_TIMED_OUT: 9}, unsent=nodes(1))
    assert decide(command, NOW)[0] == Dispatch(nodes(1))


@pytest.mark.parametrize("state", sorted(invocation.NOT_RECEIVED))
def test_a_node_has_the_delivery_timeout_from_when_it_was_sent_the_command(state: State) -> None:
    sent_at = NOW + timedelta(seconds=1000)
    command = snapshot(standing=IN_PROGRESS, in_flight=sent("mi-01", state=state, at=sent_at), ended={State.SUCCESS: 1})
    too_late = sent_at + DELIVERY
    assert decide(command, too_late - timedelta(seconds=1)) == [WakeAt(too_late)]
    assert decide(command, too_late) == [
        EndSent(("mi-01",), State.DELIVERY_TIMED_OUT),
        Restate(Status.FAILED, Details.INCOMPLETE),
    ]


def test_a_node_that_took_the_command_has_until_the_total_timeout() -> None:
    command = snapshot(in_flight=sent("mi-01"))
    assert decide(command, EXPIRES_AT - timedelta(seconds=1)) == [WakeAt(EXPIRES_AT)]
    assert decide(command, EXPIRES_AT) == [
        EndSent(("mi-01",), State.DELIVERY_TIMED_OUT),
        Restate(Status.TIMED_OUT, Details.DELIVERY_TIMED_OUT),
    ]


def test_at_the_total_timeout_everything_ends() -> None:
    in_flight = (
        *sent("mi-01"),
        *sent("mi-02", state=State.PENDING),
        *sent("mi-03", state=State.CANCELLING, at=EXPIRES_AT - timedelta(seconds=1)),
    )
    command = snapshot(in_flight=in_flight, unsent=nodes(5, first=4), concurrency=3)
    assert decide(command, EXPIRES_AT) == [
        EndSent(("mi-01", "mi-02"), State.DELIVERY_TIMED_OUT),
        EndSent(("mi-03",), State.CANCELLED),
        EndUnsent(State.DELIVERY_TIMED_OUT),
        Restate(Status.FAILED, Details.INCOMPLETE),
    ]


def test_a_cancelled_command_ends_what_was_not_sent_and_tells_the_nodes_once() -> None:
    command = snapshot(cancel_requested=True, in_flight=sent(*nodes(2)), unsent=nodes(9, first=3))
    assert decide(command, NOW) == [
        EndUnsent(State.CANCELLED),
        SendCancel(nodes(2)),
        Restate(Status.CANCELLING, Details.CANCELLING),
        WakeAt(NOW + CANCEL_WAIT),
    ]
    told = replace(
        command,
        standing=CANCELLING,
        ended={State.CANCELLED: 9},
        in_flight=sent(*nodes(2), state=State.CANCELLING),
        unsent=(),
        unsent_count=0,
    )
    assert decide(told, NOW) == [WakeAt(NOW + CANCEL_WAIT)]


def test_a_node_that_does_not_answer_a_cancellation_is_cancelled_all_the_same() -> None:
    command = snapshot(
        standing=CANCELLING, cancel_requested=True, in_flight=sent("mi-01", state=State.CANCELLING), ended={}
    )
    assert decide(command, NOW + CANCEL_WAIT) == [
        EndSent(("mi-01",), State.CANCELLED),
        Restate(Status.CANCELLED, Details.CANCELLED),
    ]


def test_a_command_that_was_cancelled_before_it_was_sent_ends_at_once() -> None:
    command = snapshot(standing=PENDING, cancel_requested=True, unsent=nodes(3))
    assert decide(command, NOW) == [EndUnsent(State.CANCELLED), Restate(Status.CANCELLED, Details.CANCELLED)]


def test_cancelling_one_node_does_not_hold_up_the_others() -> None:
    command = snapshot(in_flight=sent("mi-01", state=State.CANCELLING), unsent=nodes(9, first=2))
    assert decide(command, NOW)[0] == Dispatch(nodes(2, first=2))


def test_a_command_without_targets_succeeds_and_says_why() -> None:
    assert decide(snapshot(standing=PENDING), NOW) == [Restate(Status.SUCCESS, Details.NO_INSTANCES_IN_TAG)]


def test_the_first_node_that_takes_the_command_sets_it_in_progress() -> None:
    command = snapshot(standing=PENDING, in_flight=sent("mi-01"))
    assert decide(command, NOW) == [Restate(Status.IN_PROGRESS, Details.IN_PROGRESS), WakeAt(EXPIRES_AT)]


def test_a_pending_command_whose_sending_is_delayed_says_so_once() -> None:
    command = snapshot(standing=PENDING, in_flight=sent("mi-01", state=State.DELAYED))
    delayed = Restate(Status.PENDING, Details.DELAYED)
    assert decide(command, NOW) == [delayed, WakeAt(NOW + DELIVERY)]
    assert decide(replace(command, standing=Standing(delayed.status, delayed.details)), NOW) == [WakeAt(NOW + DELIVERY)]


def test_nothing_happens_to_a_command_that_has_ended() -> None:
    command = snapshot(standing=Standing(Status.SUCCESS, Details.SUCCESS), ended={State.SUCCESS: 3})
    assert decide(command, EXPIRES_AT) == []


def test_only_the_first_few_unsent_nodes_need_to_be_named() -> None:
    command = snapshot(concurrency=2, ended={State.SUCCESS: 3}, unsent=nodes(2))
    many = replace(command, unsent_count=100_000)
    assert decide(many, NOW) == [Dispatch(nodes(2)), WakeAt(NOW + DELIVERY)]
