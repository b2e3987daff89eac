"""What is decided about associations and their runs, whatever they are and whenever one looks."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain import command
from patchwindow.domain.association_execution import EVENT_OF, TERMINAL, State
from patchwindow.domain.association_schedule import timing
from patchwindow.engine.decide_association import (
    LOOK_EVERY,
    AssociationSnapshot,
    EndRun,
    LookAgain,
    Plan,
    RunSnapshot,
    StartRun,
    TellNodes,
    decide_association,
    decide_run,
)

MADE = datetime(2026, 3, 14, 9, tzinfo=UTC)
TIMINGS = st.sampled_from(["rate(30 minutes)", "cron(0 0/1 * * ? *)", "at(2026-03-14T12:00:00)"]).map(
    lambda text: timing(text, schedule_offset=None, only_at_interval=False, set_at=MADE)
)
WAITS = st.timedeltas(timedelta(), timedelta(days=3))


@st.composite
def snapshots(draw: st.DrawFn) -> AssociationSnapshot:
    found = draw(st.none() | TIMINGS)
    return AssociationSnapshot(
        timing=found,
        next_run_at=None if found is None else found.next_opening(MADE),
        is_wanted=draw(st.booleans()),
        runs_at_once=draw(st.booleans()),
        has_run=draw(st.booleans()),
        lacking=draw(st.sampled_from([(), ("mi-1",)])),
    )


@given(snapshots(), WAITS)
def test_there_is_one_run_at_most_and_always_a_plan(snapshot: AssociationSnapshot, wait: timedelta) -> None:
    *runs, plan = decide_association(snapshot, MADE + wait)
    assert len(runs) <= 1
    assert all(isinstance(run, StartRun) for run in runs)
    assert isinstance(plan, Plan)


@given(snapshots(), WAITS)
def test_what_is_planned_lies_ahead_and_is_looked_at_in_time(snapshot: AssociationSnapshot, wait: timedelta) -> None:
    now = MADE + wait
    plan = decide_association(snapshot, now)[-1]
    assert isinstance(plan, Plan)
    if plan.next_run_at is not None:
        assert plan.next_run_at > now
        assert plan.wake_at is not None
        assert plan.wake_at <= plan.next_run_at
    if plan.wake_at is not None:
        assert plan.wake_at > now


@given(snapshots(), st.lists(WAITS, max_size=20))
def test_no_instant_of_a_schedule_is_run_twice(snapshot: AssociationSnapshot, waits: list[timedelta]) -> None:
    """Source: run-once of each instant, whenever one looks and however often."""
    run_at: list[datetime] = []
    for wait in sorted(waits):
        *runs, plan = decide_association(snapshot, MADE + wait)
        assert isinstance(plan, Plan)
        run_at += [run.scheduled_at for run in runs if isinstance(run, StartRun) and run.scheduled_at]
        snapshot = AssociationSnapshot(
            timing=snapshot.timing,
            next_run_at=plan.next_run_at,
            is_wanted=False,
            runs_at_once=snapshot.runs_at_once,
            has_run=snapshot.has_run or bool(runs),
        )
    assert run_at == sorted(set(run_at))


@given(snapshots(), WAITS)
def test_nodes_are_made_up_for_only_after_a_first_run_and_where_it_runs_at_once(
    snapshot: AssociationSnapshot, wait: timedelta
) -> None:
    partial = [one for one in decide_association(snapshot, MADE + wait) if isinstance(one, StartRun) and one.node_ids]
    if partial:
        assert snapshot.has_run
        assert snapshot.runs_at_once
        assert not snapshot.is_wanted


def test_an_association_that_runs_at_once_is_looked_at_again_soon() -> None:
    snapshot = AssociationSnapshot(timing=None, next_run_at=None, is_wanted=True, runs_at_once=True, has_run=False)
    assert decide_association(snapshot, MADE) == [StartRun(), Plan(None, MADE + LOOK_EVERY)]


@given(
    state=st.sampled_from(sorted(set(State) - {State.PENDING})),
    status=st.sampled_from(command.Status),
    has_news=st.booleans(),
    wait=WAITS,
)
def test_a_run_ends_with_its_command_and_is_looked_at_until_then(
    *, state: State, status: command.Status, has_news: bool, wait: timedelta
) -> None:
    snapshot = RunSnapshot(state=state, created_at=MADE, status=status, details="x", has_news=has_news)
    effects = decide_run(snapshot, MADE + wait)
    if state in TERMINAL:
        assert effects == []
    elif status in EVENT_OF:
        tell, end = effects
        assert isinstance(tell, TellNodes)
        assert isinstance(end, EndRun)
        assert end.state in TERMINAL
    else:
        assert isinstance(effects[-1], LookAgain)
        assert effects[-1].instant > MADE + wait
        assert isinstance(effects[0], TellNodes) == has_news
