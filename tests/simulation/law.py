"""What must hold after every step of every world, whatever nodes, engines and callers do."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from tests.simulation.witness import Change, Kind, Witness

from patchwindow.domain import command, invocation, task_execution, task_invocation, window_execution
from patchwindow.domain.limit import Concurrency, ErrorLimit
from patchwindow.domain.window import CutoffBehavior
from patchwindow.protocol.records import from_ms

_TABLES: Final[Mapping[Kind, Mapping[Any, Mapping[Any, StrEnum]]]] = {
    Kind.EXECUTION: window_execution.TRANSITIONS,
    Kind.TASK: task_execution.TRANSITIONS,
    Kind.TARGET: task_invocation.TRANSITIONS,
    Kind.COMMAND: command.TRANSITIONS,
    Kind.INVOCATION: invocation.TRANSITIONS,
}
# Counts of a command, and what they must be by its invocations.
_MISCOUNTED: Final = """
SELECT command_id FROM command
WHERE target_count <> (SELECT count(*) FROM invocation WHERE invocation.command_id = command.command_id)
OR completed_count <> target_count
OR error_count <> (SELECT count(*) FROM invocation WHERE invocation.command_id = command.command_id
                   AND details IN ('Failed', 'ExecutionTimedOut'))
OR delivery_timed_out_count <> (SELECT count(*) FROM invocation WHERE invocation.command_id = command.command_id
                                AND details = 'DeliveryTimedOut')
"""


@dataclass(slots=True)
class Execution:
    """A window execution."""

    window_id: str
    opens_at: datetime
    cutoff_at: datetime
    state: window_execution.State
    is_cancelled: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in window_execution.TERMINAL


@dataclass(slots=True)
class Task:
    """A task of an execution."""

    execution: Execution
    priority: int
    behavior: CutoffBehavior
    state: task_execution.State
    targets: dict[str, task_invocation.State] = field(default_factory=dict)


@dataclass(slots=True)
class Command:
    """A command, and on which nodes it is in which state."""

    concurrency: Concurrency
    errors: ErrorLimit
    expires_at: datetime
    state: command.Status
    wanted: Collection[str]
    nodes: dict[str, invocation.State] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    is_cancelled: bool = False


class Law:
    """Hears of every change at its instant; *selected* says which nodes a new command is for."""

    def __init__(self, selected: Callable[[Mapping[str, Any]], Collection[str]]) -> None:
        self._selected = selected
        self.executions: dict[str, Execution] = {}
        self.tasks: dict[str, Task] = {}
        self.commands: dict[str, Command] = {}
        self.openings: dict[str, set[datetime]] = {}
        self.stood_still = False
        """Whether all engines did, for so long that a cutoff may have passed."""

    def see(self, changes: Collection[Change], now: datetime) -> None:
        """Check the changes of one step."""
        for change in changes:
            self._see(change, now)
        for change in changes:
            if change.kind is Kind.COMMAND and change.before is None:
                made = self.commands[change.id]
                assert set(made.nodes) == set(made.wanted), "each target has an invocation from the first"

    def is_up_to_date(self, now: datetime) -> None:
        """Check that nothing is left that an engine, which has just turned, had to do by *now*."""
        for task in self.tasks.values():
            if now >= task.execution.cutoff_at:
                assert task.state is not task_execution.State.PENDING, "no task waits beyond the cutoff"
                runs_on = task.state is task_execution.State.IN_PROGRESS
                assert not runs_on or task.behavior is CutoffBehavior.CONTINUE_TASK, "what is to be cut off is"
        for value in self.commands.values():
            assert now < value.expires_at or value.state in command.TERMINAL, "every command ends by its expiry"

    def _see(self, change: Change, now: datetime) -> None:
        if change.before:
            self._check_move(change)
        match change.kind:
            case Kind.EXECUTION:
                self._execution(change, now)
            case Kind.TASK:
                self._task(change, now)
            case Kind.TARGET:
                self._target(change, now)
            case Kind.COMMAND:
                self._command(change)
            case Kind.INVOCATION:
                self._invocation(change)
            case Kind.DISPATCH:
                self._dispatch(change, now)
            case Kind.CANCEL:
                cancelled = self.executions.get(change.id) or self.commands[change.id]
                cancelled.is_cancelled = True

    def _check_move(self, change: Change) -> None:
        """Every status change is one that the table allows."""
        table = _TABLES[change.kind]
        allowed = set(table[change.before].values())
        if change.kind is Kind.EXECUTION and change.before == window_execution.State.PENDING:
            # What begins may have ended by the end of the same step.
            allowed |= {after for middle in allowed for after in table[middle].values()}
        assert change.after in allowed, f"{change.kind} {change.id} went from {change.before} to {change.after}"

    def _execution(self, change: Change, now: datetime) -> None:
        if change.before is not None:
            execution = self.executions[change.id]
            execution.state = window_execution.State(change.after)
            if execution.has_ended:
                tasks = [task for task in self.tasks.values() if task.execution is execution]
                assert all(task.state in task_execution.TERMINAL for task in tasks)
            return
        opens_at, cutoff_at = map(from_ms, json.loads(change.body))
        execution = Execution(change.part_of, opens_at, cutoff_at, window_execution.State(change.after))
        others = [one for one in self.executions.values() if one.window_id == change.part_of]
        runs_already = any(not one.has_ended for one in others)
        assert opens_at <= now
        assert opens_at not in {one.opens_at for one in others}
        match execution.state:
            case window_execution.State.PENDING:
                assert not runs_already
                assert now < cutoff_at
            case window_execution.State.SKIPPED_OVERLAPPING:
                assert runs_already
            case missed:
                assert missed is window_execution.State.TIMED_OUT
                assert now >= cutoff_at
                assert self.stood_still
        self.executions[change.id] = execution
        self.openings.setdefault(change.part_of, set()).add(opens_at)

    def _task(self, change: Change, now: datetime) -> None:
        state = task_execution.State(change.after)
        if change.before is None:
            body = json.loads(change.body)
            behavior = CutoffBehavior(body.get("CutoffBehavior", CutoffBehavior.CONTINUE_TASK))
            self.tasks[change.id] = Task(self.executions[change.part_of], body["Priority"], behavior, state)
            return
        task = self.tasks[change.id]
        if state is task_execution.State.IN_PROGRESS:
            assert task.execution.opens_at <= now < task.execution.cutoff_at
            assert not task.execution.is_cancelled
            siblings = [one for one in self.tasks.values() if one.execution is task.execution]
            before = [one.state for one in siblings if one.priority < task.priority]
            assert all(one in task_execution.TERMINAL for one in before)
        if state in task_execution.TERMINAL:
            assert all(one in task_invocation.TERMINAL for one in task.targets.values())
        task.state = state

    def _target(self, change: Change, now: datetime) -> None:
        task = self.tasks[change.part_of]
        state = task_invocation.State(change.after)
        if state is task_invocation.State.IN_PROGRESS:
            assert task.state is task_execution.State.IN_PROGRESS
            assert now < task.execution.cutoff_at or task.behavior is CutoffBehavior.CONTINUE_TASK
            running = [one for one in task.targets.values() if one is task_invocation.State.IN_PROGRESS]
            assert not running, "targets of a task run one after another"
        if state in task_invocation.TERMINAL and (command_id := json.loads(change.body)[0]) is not None:
            assert self.commands[command_id].state in command.TERMINAL
        task.targets[change.id] = state

    def _command(self, change: Change) -> None:
        if change.before is None:
            body = json.loads(change.body)
            self.commands[change.id] = Command(
                concurrency=Concurrency.parse(body["MaxConcurrency"]),
                errors=ErrorLimit.parse(body["MaxErrors"]),
                expires_at=from_ms(body["ExpiresAfter"]),
                state=command.Status(change.after),
                wanted=self._selected(body),
            )
            return
        value = self.commands[change.id]
        value.state = command.Status(change.after)
        if value.state in command.TERMINAL:
            assert set(value.nodes.values()) <= invocation.TERMINAL

    def _invocation(self, change: Change) -> None:
        state = invocation.State(change.after)
        (ended_at_ms,) = json.loads(change.body)
        assert (ended_at_ms is not None) is (state in invocation.TERMINAL)
        self.commands[change.id].nodes[change.part_of] = state

    def _dispatch(self, change: Change, now: datetime) -> None:
        value = self.commands[change.id]
        states = value.nodes
        assert states[change.part_of] is invocation.State.PENDING
        assert not value.is_cancelled
        assert now < value.expires_at
        failed_count = sum(state in invocation.ERRORS for state in states.values())
        assert failed_count < value.errors.stops_after(len(states)), "after MaxErrors nothing new"
        value.sent.add(change.part_of)
        in_flight_count = sum(states[node] not in invocation.TERMINAL for node in value.sent)
        assert in_flight_count <= value.concurrency.of(len(states)), "in flight at most MaxConcurrency"

    def conclude(self, witness: Witness, said: Mapping[tuple[str, str], Collection[str]]) -> None:
        """Check that everything has ended and every node is accounted for; *said* is what nodes told of commands."""
        assert all(one.has_ended for one in self.executions.values())
        assert all(one.state in task_execution.TERMINAL for one in self.tasks.values())
        for task in self.tasks.values():
            assert set(task.targets.values()) <= task_invocation.TERMINAL
        for id, value in self.commands.items():
            assert value.state in command.TERMINAL
            for node, state in value.nodes.items():
                if state in (invocation.State.SUCCESS, *invocation.ERRORS):
                    assert state in said.get((id, node), ()), f"{node} never said {state} of {id}"
        assert witness.scalars(_MISCOUNTED) == []
        assert witness.scalars("SELECT message_id FROM message") == []
