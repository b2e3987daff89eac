"""Window executions from a seed: each does what `decide` says, with commands and calls that fail, linger, or do not stop."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

import pytest

from patchwindow.domain import task_execution, task_invocation, window_execution
from patchwindow.domain.limit import Concurrency, ErrorLimit
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

OPENS_AT = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
Event = task_invocation.Event
ENDS = [
    Outcome(event=Event.SUCCEEDED, details="Success", is_error=False),
    Outcome(event=Event.SUCCEEDED, details="Success", is_error=False),
    Outcome(event=Event.SUCCEEDED, details="NoInstancesInTag", is_error=False),
    Outcome(event=Event.FAILED, details="Failed", is_error=True),
    Outcome(event=Event.FAILED, details="Incomplete", is_error=False),
    Outcome(event=Event.TIMED_OUT, details="DeliveryTimedOut", is_error=False),
    Outcome(event=Event.CANCELLED, details="Cancelled", is_error=True),
]


@dataclass(slots=True)
class Invocation:
    state: task_invocation.State = task_invocation.State.PENDING
    details: str = ""
    target: int = 0
    is_sent: bool = False
    outcome: Outcome | None = None

    @property
    def is_open(self) -> bool:
        return self.state not in task_invocation.TERMINAL


@dataclass(slots=True)
class Task:
    priority: int
    behavior: CutoffBehavior
    sends_commands: bool
    concurrency: int
    errors: int
    state: task_execution.State = task_execution.State.PENDING
    invocations: dict[str, Invocation] = field(default_factory=dict)


class World:
    """A window execution, its commands, and a heap of things to come; time jumps from one to the next."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = OPENS_AT
        self.sequence = count()
        self.to_come: list[tuple[datetime, int, Callable[[], None]]] = []
        self.cutoff_at = OPENS_AT + timedelta(minutes=self.random.choice([60, 120]))
        self.state = window_execution.State.PENDING
        self.cancel_requested = False
        self.has_refused = False
        self.tasks = {f"task-{number}": self.some_task(number) for number in range(self.random.randint(0, 6))}
        self.come(0, self.engine)
        if self.random.random() < 0.2:
            self.come(self.random.uniform(0, 180), self.cancel)

    def some_task(self, number: int) -> Task:
        """Return a task that sends a command for each target, or one that calls for each node of its targets."""
        draw = self.random
        task = Task(draw.randint(0, 2), draw.choice(list(CutoffBehavior)), draw.random() < 0.5, 1, 0)
        if not task.sends_commands:
            task.concurrency, task.errors = draw.randint(1, 3), draw.randint(0, 2)
        for target in range(draw.randint(0, 3)):
            for node in range(1 if task.sends_commands else draw.randint(0, 4)):
                task.invocations[f"{number}.{target}.{node}"] = Invocation(target=target)
        return task

    def come(self, after_minutes: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.to_come, (self.now + timedelta(minutes=after_minutes), next(self.sequence), what))

    def run(self) -> None:
        while self.to_come:
            self.now, _, what = heapq.heappop(self.to_come)
            what()

    def task_of(self, id: str) -> Task:
        return self.tasks[f"task-{id.partition('.')[0]}"]

    def invocation(self, id: str) -> Invocation:
        return self.task_of(id).invocations[id]

    def snapshot(self) -> ExecutionSnapshot:
        tasks = [
            TaskSnapshot(
                id=id,
                priority=task.priority,
                cutoff_behavior=task.behavior,
                state=task.state,
                concurrency=Concurrency(task.concurrency, is_percent=False),
                errors=ErrorLimit(task.errors, is_percent=False),
                invocations=tuple(
                    TaskInvocationSnapshot(
                        id=id,
                        state=each.state,
                        target=each.target,
                        details=each.details,
                        command_id=f"command-{id}" if each.is_sent and task.sends_commands else None,
                        outcome=each.outcome,
                    )
                    for id, each in task.invocations.items()
                ),
            )
            for id, task in self.tasks.items()
        ]
        return ExecutionSnapshot(
            state=self.state,
            cancel_requested=self.cancel_requested,
            opens_at=OPENS_AT,
            cutoff_at=self.cutoff_at,
            tasks=tuple(tasks),
        )

    def engine(self) -> None:
        effects = decide(self.snapshot(), self.now)
        if self.random.random() < 0.1:
            self.come(1, self.engine)  # It crashed before it performed, and nothing of the decision is left.
            return
        for effect in effects:
            self.perform(effect)
        if self.has_refused:
            self.has_refused = False
            self.engine()
            return
        again = decide(self.snapshot(), self.now)
        assert again == [effect for effect in effects if isinstance(effect, WakeAt)]

    def perform(self, effect: WindowEffect) -> None:
        match effect:
            case BeginExecution():
                self.state = window_execution.advance(self.state, window_execution.Event.BEGUN)
            case CancelExecution():
                self.state = window_execution.advance(self.state, window_execution.Event.CANCEL_REQUESTED)
            case EndExecution(state, _):
                assert all(task.state in task_execution.TERMINAL for task in self.tasks.values())
                assert state in window_execution.TRANSITIONS[self.state].values()
                self.state = state
            case StartTask(id):
                self.start_task(self.tasks[id])
            case CutOffTask(id):
                assert self.now >= self.cutoff_at
                assert self.now <= self.cutoff_at + timedelta(minutes=10)  # Some crashes later at most.
                self.tasks[id].state = task_execution.advance(self.tasks[id].state, task_execution.Event.CUT_OFF)
            case EndTask(id, state, details):
                assert not any(each.is_open for each in self.tasks[id].invocations.values())
                assert state in task_execution.TRANSITIONS[self.tasks[id].state].values()
                assert len(details) <= 250
                self.tasks[id].state = state
            case StartInvocation(id):
                self.start_invocation(id)
            case CancelCommand(id, command_id):
                assert command_id == f"command-{id}"
                assert self.task_of(id).sends_commands
                each = self.invocation(id)
                each.state = task_invocation.advance(each.state, task_invocation.Event.CUT_OFF)
                self.come(self.random.choice([0, 5]), partial(self.end_command, id, ENDS[-1]))
            case EndInvocation(id, state, details):
                assert state in task_invocation.TRANSITIONS[self.invocation(id).state].values()
                self.invocation(id).state, self.invocation(id).details = state, details
            case WakeAt(instant):
                assert instant > self.now
                self.come((instant - self.now) / timedelta(minutes=1), self.engine)

    def start_task(self, task: Task) -> None:
        assert self.now < self.cutoff_at
        assert not self.cancel_requested
        earlier = [other for other in self.tasks.values() if other.priority < task.priority]
        assert all(other.state in task_execution.TERMINAL for other in earlier)
        task.state = task_execution.advance(task.state, task_execution.Event.STARTED)

    def start_invocation(self, id: str) -> None:
        task, each = self.task_of(id), self.invocation(id)
        assert task.state is task_execution.State.IN_PROGRESS
        assert self.now < self.cutoff_at or task.behavior is CutoffBehavior.CONTINUE_TASK
        beside = [other for other in task.invocations.values() if other.target == each.target]
        assert sum(other.state is task_invocation.State.IN_PROGRESS for other in beside) < task.concurrency
        others = [other for other in task.invocations.values() if other.target != each.target]
        assert all(other.is_open is (other.target > each.target) for other in others), "target by target"
        errors = [other for other in task.invocations.values() if other.outcome and other.outcome.is_error]
        for target in {other.target for other in errors}:
            assert sum(other.target == target for other in errors) <= task.errors
        if self.random.random() < 0.05:
            each.state = task_invocation.advance(each.state, task_invocation.Event.FAILED)
            each.details = "The following SSM parameters are invalid: Operation"
            self.has_refused = True
            return
        each.state = task_invocation.advance(each.state, task_invocation.Event.STARTED)
        each.is_sent = True
        self.come(self.random.uniform(0, 60), partial(self.end_command, id, self.random.choice(ENDS)))

    def end_command(self, id: str, end: Outcome) -> None:
        if self.invocation(id).outcome is None:
            self.invocation(id).outcome = end
            self.engine()

    def cancel(self) -> None:
        if self.state not in window_execution.TERMINAL:
            self.cancel_requested = True
            self.engine()


@pytest.mark.parametrize("seed", range(200))
def test_every_execution_ends_and_nothing_starts_out_of_turn(seed: int) -> None:
    world = World(seed)
    world.run()
    assert world.state in window_execution.TERMINAL
    assert (world.state is window_execution.State.CANCELLED) >= world.cancel_requested
    for task in world.tasks.values():
        assert task.state in task_execution.TERMINAL
        states = {each.state for each in task.invocations.values()}
        assert states <= task_invocation.TERMINAL
        if task.state is task_execution.State.SUCCESS and task.sends_commands:
            assert states <= {task_invocation.State.SUCCESS}
