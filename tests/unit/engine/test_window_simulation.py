"""Window executions from a seed: each carries out what `decide` says, with commands that fail, linger, or do not stop."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

import pytest

from patchwindow.domain import command, task_execution, task_invocation, window_execution
from patchwindow.domain.command import Details, Status
from patchwindow.domain.window import CutoffBehavior
from patchwindow.engine.decide_window import ExecutionSnapshot, TaskInvocationSnapshot, TaskSnapshot, decide
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
ENDS = [
    (Status.SUCCESS, Details.SUCCESS),
    (Status.SUCCESS, Details.SUCCESS),
    (Status.SUCCESS, Details.NO_INSTANCES_IN_TAG),
    (Status.FAILED, Details.FAILED),
    (Status.FAILED, Details.INCOMPLETE),
    (Status.TIMED_OUT, Details.DELIVERY_TIMED_OUT),
    (Status.CANCELLED, Details.CANCELLED),
]


@dataclass(slots=True)
class Invocation:
    state: task_invocation.State = task_invocation.State.PENDING
    details: str = ""
    command: tuple[Status, Details] | None = None

    @property
    def is_open(self) -> bool:
        return self.state not in task_invocation.TERMINAL


@dataclass(slots=True)
class Task:
    priority: int
    behavior: CutoffBehavior
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
        task = Task(self.random.randint(0, 2), self.random.choice(list(CutoffBehavior)))
        task.invocations = {f"{number}.{target}": Invocation() for target in range(self.random.randint(0, 3))}
        return task

    def come(self, after_minutes: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.to_come, (self.now + timedelta(minutes=after_minutes), next(self.sequence), what))

    def run(self) -> None:
        while self.to_come:
            self.now, _, what = heapq.heappop(self.to_come)
            what()

    def invocation(self, id: str) -> Invocation:
        return self.tasks[f"task-{id.partition('.')[0]}"].invocations[id]

    def snapshot(self) -> ExecutionSnapshot:
        tasks = [
            TaskSnapshot(
                id=id,
                priority=task.priority,
                cutoff_behavior=task.behavior,
                state=task.state,
                invocations=tuple(
                    TaskInvocationSnapshot(
                        id=id,
                        state=each.state,
                        details=each.details,
                        command_id=f"command-{id}" if each.command else None,
                        command_status=each.command[0] if each.command else None,
                        command_details=each.command[1] if each.command else None,
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
        task = self.tasks[f"task-{id.partition('.')[0]}"]
        assert task.state is task_execution.State.IN_PROGRESS
        assert self.now < self.cutoff_at or task.behavior is CutoffBehavior.CONTINUE_TASK
        others = [each for other, each in task.invocations.items() if other != id]
        assert all(each.state in task_invocation.TERMINAL | {task_invocation.State.PENDING} for each in others)
        assert Details.FAILED not in {each.details for each in others}
        each = self.invocation(id)
        if self.random.random() < 0.05:
            each.state = task_invocation.advance(each.state, task_invocation.Event.FAILED)
            each.details = "The following SSM parameters are invalid: Operation"
            self.has_refused = True
            return
        each.state = task_invocation.advance(each.state, task_invocation.Event.STARTED)
        each.command = (Status.PENDING, Details.PENDING)
        self.come(self.random.uniform(0, 60), partial(self.end_command, id, self.random.choice(ENDS)))

    def end_command(self, id: str, end: tuple[Status, Details]) -> None:
        before = self.invocation(id).command
        assert before is not None
        if before[0] not in command.TERMINAL:
            self.invocation(id).command = end
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
        if task.state is task_execution.State.SUCCESS:
            assert states <= {task_invocation.State.SUCCESS}
