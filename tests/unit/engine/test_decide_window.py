from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from patchwindow.domain import task_execution, task_invocation, window_execution
from patchwindow.domain.limit import Concurrency, ErrorLimit
from patchwindow.domain.task_execution import (
    CANCELLED_BEFORE_START,
    CUT_OFF,
    FROZEN,
    NOT_STARTED_BY_CUTOFF,
    STOPPED_BY_ERRORS,
)
from patchwindow.domain.window import CutoffBehavior
from patchwindow.engine.decide_window import ExecutionSnapshot, Outcome, TaskInvocationSnapshot, TaskSnapshot, decide
from patchwindow.engine.effects import (
    BeginExecution,
    CancelCommand,
    CancelExecution,
    CutOffTask,
    EndExecution,
    EndInvocation,
    EndTask,
    StartInvocation,
    StartTask,
    WakeAt,
    WindowEffect,
)

OPENS_AT = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)
CUTOFF_AT = OPENS_AT + timedelta(hours=2)

Execution = window_execution.State
Task = task_execution.State
Invocation = task_invocation.State

CONTINUE = CutoffBehavior.CONTINUE_TASK
CANCEL = CutoffBehavior.CANCEL_TASK

Event = task_invocation.Event
SUCCEEDED = Outcome(event=Event.SUCCEEDED, details="Success", is_error=False)
FAILED = Outcome(event=Event.FAILED, details="Failed", is_error=True)
INCOMPLETE = Outcome(event=Event.FAILED, details="Incomplete", is_error=False)
TIMED_OUT = Outcome(event=Event.TIMED_OUT, details="ExecutionTimedOut", is_error=True)
CANCELLED = Outcome(event=Event.CANCELLED, details="Cancelled", is_error=True)


def waiting(id: str, target: int | None = None) -> TaskInvocationSnapshot:
    """Return an invocation whose target is the number in its id, unless it is another."""
    return TaskInvocationSnapshot(
        id=id, state=Invocation.PENDING, target=int(id.lstrip("ABCD")) if target is None else target
    )


def ended(
    id: str,
    state: Invocation = Invocation.SUCCESS,
    details: str = "Success",
    outcome: Outcome | None = None,
    target: int | None = None,
) -> TaskInvocationSnapshot:
    return replace(waiting(id, target), state=state, details=details, outcome=outcome, command_id=f"command-{id}")


def running(
    id: str, outcome: Outcome | None = None, state: Invocation = Invocation.IN_PROGRESS
) -> TaskInvocationSnapshot:
    return replace(waiting(id), state=state, command_id=f"command-{id}", outcome=outcome)


def calling(id: str, outcome: Outcome | None = None, target: int | None = None) -> TaskInvocationSnapshot:
    return replace(waiting(id, target), state=Invocation.IN_PROGRESS, outcome=outcome)


def task(
    id: str,
    *invocations: TaskInvocationSnapshot,
    state: Task = Task.IN_PROGRESS,
    priority: int = 1,
    cutoff_behavior: CutoffBehavior = CONTINUE,
    concurrency: str = "1",
    errors: str = "0",
) -> TaskSnapshot:
    return TaskSnapshot(
        id=id,
        priority=priority,
        cutoff_behavior=cutoff_behavior,
        state=state,
        concurrency=Concurrency.parse(concurrency),
        errors=ErrorLimit.parse(errors),
        invocations=invocations,
    )


def execution(
    *tasks: TaskSnapshot, state: Execution = Execution.IN_PROGRESS, cancel_requested: bool = False
) -> ExecutionSnapshot:
    return ExecutionSnapshot(
        state=state, cancel_requested=cancel_requested, opens_at=OPENS_AT, cutoff_at=CUTOFF_AT, tasks=tasks
    )


def at(hour: int, minute: int = 0) -> datetime:
    return OPENS_AT.replace(hour=hour, minute=minute)


def pending(id: str, priority: int = 1, cutoff_behavior: CutoffBehavior = CONTINUE) -> TaskSnapshot:
    return task(id, waiting(f"{id}1"), state=Task.PENDING, priority=priority, cutoff_behavior=cutoff_behavior)


SUCCESS_A1 = EndInvocation("A1", Invocation.SUCCESS, "Success")


class TestTimeline:
    """A window from 15:00 for three hours, cutoff one hour; A (60 min) and B (90 min) of priority 1, C (60 min) of
    priority 2, D of priority 3: "A and B start 15:00; C starts 16:30 when B ends; C ends 17:30; D is not started".
    """

    def test_at_the_opening_the_tasks_of_the_first_priority_start(self) -> None:
        tasks = [pending("D", 3), pending("A"), pending("C", 2), pending("B")]
        assert decide(execution(*tasks, state=Execution.PENDING), at(15)) == [
            BeginExecution(),
            StartTask("A"),
            StartInvocation("A1"),
            StartTask("B"),
            StartInvocation("B1"),
            WakeAt(CUTOFF_AT),
        ]

    def test_when_only_one_of_them_has_ended_the_next_priority_waits(self) -> None:
        a, b = task("A", running("A1", SUCCEEDED)), task("B", running("B1"))
        assert decide(execution(a, b, pending("C", 2), pending("D", 3)), at(16)) == [
            SUCCESS_A1,
            EndTask("A", Task.SUCCESS, "Success"),
            WakeAt(CUTOFF_AT),
        ]

    def test_when_both_have_ended_the_next_priority_starts(self) -> None:
        a, b = task("A", ended("A1"), state=Task.SUCCESS), task("B", running("B1", SUCCEEDED))
        assert decide(execution(a, b, pending("C", 2), pending("D", 3)), at(16, 30)) == [
            EndInvocation("B1", Invocation.SUCCESS, "Success"),
            EndTask("B", Task.SUCCESS, "Success"),
            StartTask("C"),
            StartInvocation("C1"),
            WakeAt(CUTOFF_AT),
        ]

    def at_the_cutoff(self, cutoff_behavior: CutoffBehavior) -> list[WindowEffect]:
        a, b = (task(id, ended(f"{id}1"), state=Task.SUCCESS) for id in "AB")
        c = task("C", running("C1"), priority=2, cutoff_behavior=cutoff_behavior)
        return decide(execution(a, b, c, pending("D", 3)), at(17))

    def test_what_has_not_started_at_the_cutoff_never_does(self) -> None:
        assert self.at_the_cutoff(CONTINUE) == [
            EndInvocation("D1", Invocation.TIMED_OUT, NOT_STARTED_BY_CUTOFF),
            EndTask("D", Task.TIMED_OUT, NOT_STARTED_BY_CUTOFF),
        ]

    def test_a_task_with_cancel_task_is_cancelled_at_the_cutoff(self) -> None:
        assert self.at_the_cutoff(CANCEL)[:2] == [CutOffTask("C"), CancelCommand("C1", "command-C1")]

    @pytest.mark.parametrize("behavior", CutoffBehavior)
    def test_when_the_last_command_ends_the_execution_does(self, behavior: CutoffBehavior) -> None:
        a, b = (task(id, ended(f"{id}1"), state=Task.SUCCESS) for id in "AB")
        d = task("D", ended("D1", Invocation.TIMED_OUT), state=Task.TIMED_OUT, priority=3)
        if behavior is CANCEL:
            c1 = running("C1", CANCELLED, state=Invocation.CANCELLING)
            c = task("C", c1, state=Task.CANCELLING, priority=2, cutoff_behavior=CANCEL)
            outcome = [EndInvocation("C1", Invocation.TIMED_OUT, "Cancelled"), EndTask("C", Task.TIMED_OUT, CUT_OFF)]
        else:
            c = task("C", running("C1", SUCCEEDED), priority=2)
            outcome = [EndInvocation("C1", Invocation.SUCCESS, "Success"), EndTask("C", Task.SUCCESS, "Success")]
        assert decide(execution(a, b, c, d), at(17, 30)) == [
            *outcome,
            EndExecution(Execution.TIMED_OUT, "One or more tasks in the orchestration timed out."),
        ]


def test_before_its_opening_an_execution_waits() -> None:
    early = OPENS_AT - timedelta(seconds=1)
    assert decide(execution(pending("A"), state=Execution.PENDING), early) == [WakeAt(OPENS_AT)]


def test_an_execution_without_tasks_succeeds_at_once() -> None:
    assert decide(execution(state=Execution.PENDING), OPENS_AT) == [
        BeginExecution(),
        EndExecution(Execution.SUCCESS, "No tasks to execute."),
    ]


def test_a_task_whose_targets_are_gone_succeeds_and_lets_the_next_priority_start() -> None:
    empty = task("A", state=Task.PENDING)
    assert decide(execution(empty, pending("B", 2)), OPENS_AT)[:3] == [
        StartTask("A"),
        EndTask("A", Task.SUCCESS, "The task has no targets to run on."),
        StartTask("B"),
    ]


def test_a_task_works_through_its_window_targets_one_after_another() -> None:
    several = task("A", waiting("A1"), waiting("A2"), state=Task.PENDING)
    assert decide(execution(several), OPENS_AT)[:2] == [StartTask("A"), StartInvocation("A1")]
    first_running = task("A", running("A1"), waiting("A2"))
    assert decide(execution(first_running), at(15, 30)) == []
    first_done = task("A", running("A1", SUCCEEDED), waiting("A2"))
    assert decide(execution(first_done), at(15, 30)) == [SUCCESS_A1, StartInvocation("A2")]


@pytest.mark.parametrize("outcome", [FAILED, TIMED_OUT, CANCELLED])
def test_a_command_that_ends_by_its_errors_or_by_hand_ends_the_task(outcome: Outcome) -> None:
    """RegisterTaskWithMaintenanceWindow, MaxErrors: "errors allowed before this task stops being scheduled"."""
    effects = decide(execution(task("A", running("A1", outcome), waiting("A2"))), at(16))
    assert EndInvocation("A2", Invocation.CANCELLED, STOPPED_BY_ERRORS) in effects
    assert not any(isinstance(effect, StartInvocation) for effect in effects)


def test_nodes_that_could_not_be_reached_do_not_stop_the_task() -> None:
    effects = decide(execution(task("A", running("A1", INCOMPLETE), waiting("A2"))), at(16))
    assert effects == [EndInvocation("A1", Invocation.FAILED, "Incomplete"), StartInvocation("A2")]


def test_a_task_whose_parameters_were_refused_fails_in_those_words() -> None:
    refused = ended("A1", Invocation.FAILED, "The following SSM parameters are invalid: Operation")
    assert decide(execution(task("A", refused)), at(15)) == [
        EndTask("A", Task.FAILED, refused.details),
        EndExecution(Execution.FAILED, "One or more tasks in the orchestration failed."),
    ]


def test_a_failed_task_does_not_keep_the_next_priority_from_starting() -> None:
    effects = decide(execution(task("A", running("A1", FAILED)), pending("B", 2)), at(16))
    assert effects[1:4] == [EndTask("A", Task.FAILED, "Failed"), StartTask("B"), StartInvocation("B1")]


def test_past_cutoff_and_end_a_task_that_continues_goes_on_to_its_next_target() -> None:
    several = task("A", running("A1", SUCCEEDED), waiting("A2"))
    assert decide(execution(several), at(19)) == [SUCCESS_A1, StartInvocation("A2")]


def test_a_task_that_is_cut_off_starts_no_further_target() -> None:
    several = task("A", running("A1"), waiting("A2"), cutoff_behavior=CANCEL)
    assert decide(execution(several), CUTOFF_AT) == [
        CutOffTask("A"),
        CancelCommand("A1", "command-A1"),
        EndInvocation("A2", Invocation.TIMED_OUT, CUT_OFF),
    ]


def test_a_task_that_is_cut_off_between_two_targets_ends_at_once() -> None:
    several = task("A", running("A1", SUCCEEDED), waiting("A2"), cutoff_behavior=CANCEL)
    assert decide(execution(several), CUTOFF_AT)[:4] == [
        CutOffTask("A"),
        SUCCESS_A1,
        EndInvocation("A2", Invocation.TIMED_OUT, CUT_OFF),
        EndTask("A", Task.TIMED_OUT, CUT_OFF),
    ]


def test_a_task_whose_last_command_ended_before_anyone_looked_is_not_cut_off() -> None:
    complete = task("A", running("A1", SUCCEEDED), cutoff_behavior=CANCEL)
    assert decide(execution(complete), CUTOFF_AT) == [
        SUCCESS_A1,
        EndTask("A", Task.SUCCESS, "Success"),
        EndExecution(Execution.SUCCESS, ""),
    ]


def test_a_command_that_was_told_to_stop_is_told_once() -> None:
    told = running("A1", state=Invocation.CANCELLING)
    cut_off = task("A", told, state=Task.CANCELLING, cutoff_behavior=CANCEL)
    assert decide(execution(cut_off), at(17, 1)) == []


def test_the_cutoff_is_awaited_only_where_it_does_something() -> None:
    assert decide(execution(task("A", running("A1"))), at(16)) == []
    assert decide(execution(task("A", running("A1"), cutoff_behavior=CANCEL)), at(16)) == [WakeAt(CUTOFF_AT)]


def test_an_execution_that_nobody_looked_at_before_the_cutoff_times_out() -> None:
    assert decide(execution(pending("A"), state=Execution.PENDING), CUTOFF_AT)[-2:] == [
        EndTask("A", Task.TIMED_OUT, NOT_STARTED_BY_CUTOFF),
        EndExecution(Execution.TIMED_OUT, "One or more tasks in the orchestration timed out."),
    ]


def test_a_cancelled_execution_lets_running_tasks_go_on_and_drops_the_others() -> None:
    cancelled = execution(task("A", running("A1"), waiting("A2")), pending("B", 2), cancel_requested=True)
    assert decide(cancelled, at(16)) == [
        CancelExecution(),
        EndInvocation("B1", Invocation.CANCELLED, CANCELLED_BEFORE_START),
        EndTask("B", Task.CANCELLED, CANCELLED_BEFORE_START),
    ]
    first_done = task("A", running("A1", SUCCEEDED), waiting("A2"))
    going_on = replace(cancelled, state=Execution.CANCELLING, tasks=(first_done,))
    assert decide(going_on, at(16)) == [SUCCESS_A1, StartInvocation("A2")]


def test_a_cancelled_execution_is_cancelled_however_its_tasks_end() -> None:
    failed = task("A", running("A1", FAILED))
    cancelled = execution(failed, state=Execution.CANCELLING, cancel_requested=True)
    assert decide(cancelled, at(16))[-1] == EndExecution(Execution.CANCELLED, "The execution was cancelled.")


def test_an_execution_can_be_cancelled_before_it_opens() -> None:
    cancelled = execution(pending("A"), state=Execution.PENDING, cancel_requested=True)
    effects = decide(cancelled, OPENS_AT - timedelta(hours=1))
    assert effects[0] == CancelExecution()
    assert effects[-1] == EndExecution(Execution.CANCELLED, "The execution was cancelled.")


@pytest.mark.parametrize("state", sorted(window_execution.TERMINAL))
def test_nothing_happens_to_an_execution_that_has_ended(state: Execution) -> None:
    assert decide(execution(task("A", ended("A1"), state=Task.SUCCESS), state=state), CUTOFF_AT) == []


@pytest.mark.parametrize("event", [Event.SUCCEEDED, Event.FAILED, Event.TIMED_OUT, Event.CANCELLED])
def test_a_task_invocation_can_end_however_its_command_did(event: Event) -> None:
    outcome = Outcome(event=event, details="Failed", is_error=False)
    effects = decide(execution(task("A", running("A1", outcome))), at(16))
    assert isinstance(effects[0], EndInvocation)
    assert effects[0].state in task_invocation.TERMINAL


class TestWithinATarget:
    """Tasks that are no commands have an invocation for each node of a target."""

    def test_as_many_invocations_run_as_max_concurrency_allows(self) -> None:
        nodes = [waiting(f"A{number}", target=0) for number in range(5)]
        effects = decide(execution(task("A", *nodes, state=Task.PENDING, concurrency="40%")), OPENS_AT)
        assert effects == [StartTask("A"), StartInvocation("A0"), StartInvocation("A1")]
        one_done = [calling("A0", SUCCEEDED, 0), calling("A1", target=0), *nodes[2:]]
        assert decide(execution(task("A", *one_done, concurrency="40%")), at(16)) == [
            EndInvocation("A0", Invocation.SUCCESS, "Success"),
            StartInvocation("A2"),
        ]

    def test_no_more_than_500_invocations_start_by_one_decision(self) -> None:
        nodes = [waiting(f"A{number}", target=0) for number in range(501)]
        first = decide(execution(task("A", *nodes, state=Task.PENDING, concurrency="100%")), OPENS_AT)
        assert first[1:] == [StartInvocation(f"A{number}") for number in range(500)]
        nodes[:500] = [calling(f"A{number}", target=0) for number in range(500)]
        assert decide(execution(task("A", *nodes, concurrency="100%")), OPENS_AT) == [StartInvocation("A500")]

    def test_the_next_target_waits_until_all_of_the_former_have_ended(self) -> None:
        first = [calling("A1", SUCCEEDED, 0), calling("A2", target=0)]
        assert decide(execution(task("A", *first, waiting("A3", 1), concurrency="100%")), at(16)) == [SUCCESS_A1]
        first[1] = calling("A2", SUCCEEDED, 0)
        assert decide(execution(task("A", *first, waiting("A3", 1), concurrency="100%")), at(16))[2:] == [
            StartInvocation("A3")
        ]

    def test_more_errors_than_allowed_stop_the_task_and_what_runs_goes_on(self) -> None:
        nodes = [calling("A1", FAILED, 0), calling("A2", target=0), waiting("A3", 0), waiting("A4", 1)]
        assert decide(execution(task("A", *nodes, concurrency="2")), at(16)) == [
            EndInvocation("A1", Invocation.FAILED, "Failed"),
            EndInvocation("A3", Invocation.CANCELLED, STOPPED_BY_ERRORS),
            EndInvocation("A4", Invocation.CANCELLED, STOPPED_BY_ERRORS),
        ]
        last = [
            ended("A1", Invocation.FAILED, "Failed", FAILED, target=0),
            calling("A2", SUCCEEDED, 0),
            ended("A3", Invocation.CANCELLED, STOPPED_BY_ERRORS, target=0),
        ]
        assert EndTask("A", Task.FAILED, "Failed") in decide(execution(task("A", *last)), at(16))

    def test_errors_that_are_allowed_stop_nothing_and_the_task_succeeds(self) -> None:
        nodes = [
            ended("A1", Invocation.FAILED, "Failed", FAILED, target=0),
            calling("A2", SUCCEEDED, 0),
            waiting("A3", 1),
        ]
        assert decide(execution(task("A", *nodes, errors="1")), at(16))[1:] == [StartInvocation("A3")]
        nodes[1:] = [ended("A2", target=0), calling("A3", SUCCEEDED, 1)]
        assert decide(execution(task("A", *nodes, errors="1")), at(16))[1] == EndTask(
            "A", Task.SUCCESS, "1 of 2 invocations did not succeed, which MaxErrors allows."
        )

    def test_a_percentage_of_errors_is_of_the_nodes_of_the_target(self) -> None:
        nodes = [calling("A1", FAILED, 0), waiting("A2", 0), waiting("A3", 1), waiting("A4", 1), waiting("A5", 1)]
        stopped = decide(execution(task("A", *nodes, errors="40%")), at(16))
        assert EndInvocation("A5", Invocation.CANCELLED, STOPPED_BY_ERRORS) in stopped
        tolerated = decide(execution(task("A", *nodes, errors="50%")), at(16))
        assert tolerated[1:] == [StartInvocation("A2")]

    def test_the_cutoff_lets_calls_that_were_made_end_and_makes_no_others(self) -> None:
        nodes = (calling("A1", target=0), waiting("A2", 0))
        cut_off = task("A", *nodes, cutoff_behavior=CANCEL)
        assert decide(execution(cut_off), CUTOFF_AT) == [
            CutOffTask("A"),
            EndInvocation("A2", Invocation.TIMED_OUT, CUT_OFF),
        ]
        ending = (calling("A1", SUCCEEDED, 0), ended("A2", Invocation.TIMED_OUT, CUT_OFF, target=0))
        last = task("A", *ending, state=Task.CANCELLING, cutoff_behavior=CANCEL)
        assert decide(execution(last), at(18))[:2] == [SUCCESS_A1, EndTask("A", Task.TIMED_OUT, CUT_OFF)]

    def test_past_the_cutoff_a_task_that_continues_makes_the_calls_that_are_left(self) -> None:
        nodes = (calling("A1", SUCCEEDED, 0), waiting("A2", 0))
        assert decide(execution(task("A", *nodes)), at(19)) == [SUCCESS_A1, StartInvocation("A2")]

    def test_a_target_that_could_not_be_looked_up_has_failed_and_stays_so(self) -> None:
        failed = ended("A1", Invocation.FAILED, "There is no such group", target=0)
        late = task("A", failed, waiting("A2", 1), state=Task.PENDING)
        assert decide(execution(late), CUTOFF_AT)[:2] == [
            EndInvocation("A2", Invocation.TIMED_OUT, NOT_STARTED_BY_CUTOFF),
            EndTask("A", Task.TIMED_OUT, NOT_STARTED_BY_CUTOFF),
        ]


def test_where_a_freeze_begins_a_task_that_goes_on_beyond_the_cutoff_starts_nothing_more() -> None:
    frozen_at = CUTOFF_AT + timedelta(hours=1)
    going_on = replace(execution(task("A", running("A1"), waiting("A2"))), frozen_at=frozen_at)
    assert decide(going_on, frozen_at - timedelta(seconds=1)) == [WakeAt(frozen_at)]
    assert decide(going_on, frozen_at) == [EndInvocation("A2", Invocation.TIMED_OUT, FROZEN)]
    done = replace(going_on, tasks=(task("A", running("A1", SUCCEEDED), waiting("A2")),))
    assert EndTask("A", Task.TIMED_OUT, FROZEN) in decide(done, frozen_at)


def test_where_a_freeze_is_the_cutoff_a_task_that_says_cancel_task_is_cancelled() -> None:
    frozen = replace(
        execution(task("A", running("A1"), cutoff_behavior=CANCEL)), cutoff_at=OPENS_AT, frozen_at=OPENS_AT
    )
    assert decide(frozen, OPENS_AT) == [CutOffTask("A"), CancelCommand("A1", "command-A1")]
