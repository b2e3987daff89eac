"""What must hold after every step of every world: the rules, asserted of every change in the database.

The law knows the world by what its rows became, and by nothing else: the state tables are the only thing that it takes
from what it judges.
"""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from tests.simulation.associations import Associations
from tests.simulation.compliance import Compliance
from tests.simulation.freezes import Freezes
from tests.simulation.openings import Openings
from tests.simulation.records import Command, Execution, Target, Task
from tests.simulation.rules import Checks, Rule
from tests.simulation.selection import Nodes
from tests.simulation.witness import Change, Kind, Witness

from patchwindow.domain import (
    association_execution,
    command,
    invocation,
    task_execution,
    task_invocation,
    window_execution,
)
from patchwindow.domain.limit import Concurrency, ErrorLimit
from patchwindow.domain.window import CutoffBehavior, TaskType, Window
from patchwindow.protocol.records import from_ms, loads

_TABLES: Final[Mapping[Kind, Mapping[Any, Mapping[Any, StrEnum]]]] = {
    Kind.EXECUTION: window_execution.TRANSITIONS,
    Kind.TASK: task_execution.TRANSITIONS,
    Kind.TARGET: task_invocation.TRANSITIONS,
    Kind.COMMAND: command.TRANSITIONS,
    Kind.INVOCATION: invocation.TRANSITIONS,
    Kind.RUN: association_execution.TRANSITIONS,
}
_PATCH_DOCUMENT: Final = "AWS-RunPatchBaseline"
_COUNTS: Final = "SELECT command_id, target_count, completed_count, error_count, delivery_timed_out_count FROM command"
_TALLY: Final = """
SELECT details, sum(invocation_count) FROM command_tally WHERE command_id = ? AND invocation_count > 0 GROUP BY details
"""
_WAITING: Final = "SELECT message_id FROM message WHERE command_id = ? AND node_id = ?"


class Law:
    """Hears of every change at its instant."""

    def __init__(self, witness: Witness, freezes: Freezes) -> None:
        self._witness = witness
        self._freezes = freezes
        self.checks: Final = Checks()
        self._hold = self.checks.hold
        self.nodes = Nodes()
        self.windows: dict[str, Openings] = {}
        self.executions: dict[str, Execution] = {}
        self.tasks: dict[str, Task] = {}
        self.commands: dict[str, Command] = {}
        self.targets: dict[str, Target] = {}
        self.associations = Associations(self.checks, self.nodes, self.commands)
        self.compliance = Compliance(self.checks, self.nodes, witness)
        self._sent_by: dict[str, Task] = {}
        """The tasks that sent commands, by command."""
        self._open_commands: set[str] = set()
        self._open_tasks: set[str] = set()
        self._latest = datetime.min.replace(tzinfo=UTC)
        """The latest time that any server acted at: what has opened is open, also when clocks are set back."""
        self._started: set[tuple[str, int]] = set()
        """The tasks, with the numbers of their window targets, for which webhooks begin to be called in this step."""
        self._looks: list[datetime] = []
        """When engines looked and found nothing more to do, by their clocks, in order of true time."""
        self._patching: dict[str, set[str]] = {}
        """The patch operations that each node was handed and that have not ended."""

    def see(self, now: datetime) -> list[Change]:
        """Check all that has changed at *now*, and return it."""
        changes = list(self._witness.new())
        self._latest = max(self._latest, now)
        for change in changes:
            self._see(change, now)
        for task, ordinal in self._started:
            self._check_limits(task, ordinal)
        self._started.clear()
        self.associations.settled()
        for id in {change.id for change in changes if change.kind in (Kind.COMMAND, Kind.INVOCATION, Kind.DISPATCH)}:
            counted = {invocation.State(state): count for state, count in self._witness.rows(_TALLY, id)}
            rows = {state: count for state, count in self.commands[id].tally.items() if count}
            self._hold(Rule.COUNTS_EQUAL_ROWS, counted == rows, f"the tally of {id} is {counted}, its rows {rows}")
        for change in changes:
            if change.kind is Kind.COMMAND and change.before is None:
                made = self.commands[change.id]
                detail = f"command {change.id} has {sorted(made.nodes)}, wanted are {sorted(made.wanted)}"
                self._hold(Rule.TARGETS_ACCOUNTED_FOR, made.nodes.keys() == set(made.wanted), detail)
        return changes

    def looked(self, now: datetime) -> None:
        """Check that nothing is left that an engine, which looked at *now* and found nothing more, had to do by then."""
        self._looks.append(now)
        for id in list(self._open_tasks):
            task = self.tasks[id]
            if now >= task.execution.cutoff_at:
                waits = task.state is task_execution.State.PENDING
                self._hold(Rule.CUTOFF_IS_HEEDED, not waits, f"task {id} waits at {now}")
                runs_on = task.state is task_execution.State.IN_PROGRESS
                may = task.behavior is CutoffBehavior.CONTINUE_TASK
                self._hold(Rule.CUTOFF_IS_HEEDED, not runs_on or may, f"task {id} goes on at {now}")
        for id in self._open_commands:
            expires_at = self.commands[id].expires_at
            self._hold(Rule.ENDS_BY_EXPIRY, now < expires_at, f"command {id} is open at {now}")
        for window in self.windows.values():
            window.check(now)
        self.associations.looked(now)
        self.compliance.looked()

    def handed(self, command_id: str, node_id: str, now: datetime) -> None:
        """Check that the node may be given the command at *now*."""
        may = command_id not in self._sent_by or not self._freezes.covers(now)
        self._hold(Rule.NOTHING_IN_A_FREEZE, may, f"{node_id} was handed {command_id} at {now}")
        value = self.commands[command_id]
        state = value.nodes[node_id]
        is_open = state not in invocation.TERMINAL and state is not invocation.State.CANCELLING
        self._hold(Rule.HANDED_OUT_WHILE_OPEN, is_open, f"{node_id} was handed {command_id}, which is {state}")
        if value.document == _PATCH_DOCUMENT:
            others = {
                id
                for id in self._patching.setdefault(node_id, set())
                if self.commands[id].nodes[node_id] not in invocation.TERMINAL and id != command_id
            }
            self._hold(Rule.ONE_PATCH_OPERATION, not others, f"{node_id} was handed {command_id} beside {others}")
            self._patching[node_id] = {*others, command_id}

    def called(self, target_id: str) -> None:
        """Check that a webhook may be called for the task's target."""
        target = self.targets[target_id]
        self._hold(Rule.INVOCATION_IN_TIME, target.has_started, f"{target_id} was called before it started")

    def answered(self, target_id: str, status: str) -> None:
        """Note how the webhook of a task's target says that it ended."""
        self.targets[target_id].answers.add(status)

    def conclude(self, said: Mapping[tuple[str, str], Collection[str]]) -> None:
        """Check that all has ended and every node is accounted for; *said* is what nodes told of commands."""
        hold = self._hold
        for id, execution in self.executions.items():
            hold(Rule.EVERYTHING_ENDS, execution.has_ended, f"execution {id} is {execution.state}")
        for id, task in self.tasks.items():
            hold(Rule.EVERYTHING_ENDS, task.state in task_execution.TERMINAL, f"task {id} is {task.state}")
            waits = [one.id for one in task.targets.values() if one.state not in task_invocation.TERMINAL]
            hold(Rule.EVERYTHING_ENDS, not waits, f"targets {waits} of {id} wait")
            for one in task.targets.values():
                if task.concurrency is not None and one.state is task_invocation.State.SUCCESS:
                    hold(Rule.TOLD_BY_THE_NODE, "SUCCESS" in one.answers, f"the webhook of {one.id} never said so")
        for id, value in self.commands.items():
            hold(Rule.EVERYTHING_ENDS, value.has_ended, f"command {id} is {value.state}")
            hold(Rule.TARGETS_ACCOUNTED_FOR, set(value.nodes.values()) <= invocation.TERMINAL, f"nodes of {id} wait")
            for node, state in value.nodes.items():
                if state in (invocation.State.SUCCESS, *invocation.ERRORS):
                    told = said.get((id, node), ())
                    hold(Rule.TOLD_BY_THE_NODE, state in told, f"{node} never said {state} of {id}")
        for id, *counts in self._witness.rows(_COUNTS):
            hold(Rule.COUNTS_EQUAL_ROWS, counts == self.commands[id].counts(), f"{id} ends with {counts}")
        left = self._witness.rows("SELECT message_id FROM message")
        hold(Rule.MAILBOXES_EMPTY, not left, f"{left} wait at the end")
        for window in self.windows.values():
            window.conclude()

    def _see(self, change: Change, now: datetime) -> None:
        if change.before is not None and change.kind in _TABLES:
            self._check_move(change)
        match change.kind:
            case Kind.WINDOW:
                self._window(change, now)
            case Kind.NODE:
                self.nodes.note_node(change.id, is_there=bool(change.after))
            case Kind.TAG:
                self.nodes.note_tag(change.id, change.part_of, change.after)
            case Kind.GROUP:
                self.nodes.note_group(change.id, change.after)
            case Kind.ASSOCIATION:
                self.associations.become(change, now)
            case Kind.RUN:
                self.associations.run(change, now)
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
            case Kind.COUNTS:
                self._counts(change)
            case Kind.TOUCHED:
                self._hold(Rule.ENDS_ARE_FINAL, condition=False, detail=f"{change}")
            case Kind.CANCEL:
                cancelled = self.executions.get(change.id) or self.commands[change.id]
                self._hold(Rule.ENDS_ARE_FINAL, not cancelled.has_ended, f"{change.id} was cancelled at {now}")
                cancelled.is_cancelled = True

    def _check_move(self, change: Change) -> None:
        table = _TABLES[change.kind]
        moves = table[change.before]
        allowed = set(moves.values())
        if change.kind is Kind.EXECUTION and change.before == window_execution.State.PENDING:
            # What begins may have ended by the end of the same step.
            allowed |= {after for middle in allowed for after in table[middle].values()}
        what = f"{change.kind} {change.id} {change.part_of} went from {change.before} to {change.after}"
        self._hold(Rule.ENDS_ARE_FINAL, moves, what)
        self._hold(Rule.ALLOWED_MOVES, change.after in allowed, what)

    def _window(self, change: Change, now: datetime) -> None:
        if change.id not in self.windows:
            self.windows[change.id] = Openings(change.id, self.checks)
        self.windows[change.id].become(loads(Window, change.after) if change.after else None, now, len(self._looks))

    def _execution(self, change: Change, now: datetime) -> None:
        if change.before is not None:
            execution = self.executions[change.id]
            execution.state = window_execution.State(change.after)
            if execution.has_ended:
                waits = [task.id for task in execution.tasks if task.state not in task_execution.TERMINAL]
                self._hold(Rule.PARTS_END_FIRST, not waits, f"execution {change.id} ended before its tasks {waits}")
            return
        opens_at, cutoff_at = map(from_ms, json.loads(change.body))
        execution = Execution(change.part_of, opens_at, cutoff_at, window_execution.State(change.after))
        others = [one for one in self.executions.values() if one.window_id == change.part_of]
        runs_already = any(not one.has_ended for one in others)
        openings = self.windows[change.part_of]
        openings.record(opens_at, cutoff_at, now, self._freezes)
        is_skipped = execution.state is window_execution.State.SKIPPED_OVERLAPPING
        what = f"{change.part_of} at {opens_at} is {execution.state}"
        self._hold(Rule.SKIPS_WHILE_OPEN, is_skipped is runs_already, what)
        is_frozen = self._freezes.covers(opens_at) and not is_skipped
        is_given_up = execution.state is window_execution.State.CANCELLED
        self._hold(Rule.NOTHING_IN_A_FREEZE, is_given_up is is_frozen, what)
        if execution.state is window_execution.State.TIMED_OUT:
            looks = [at for at in self._looks[openings.seen_count :] if opens_at <= at < cutoff_at]
            self._hold(Rule.MISSES_AFTER_CUTOFF, now >= cutoff_at, f"{what} at {now}")
            self._hold(Rule.MISSES_AFTER_CUTOFF, not looks, f"{what}, and an engine looked at {looks}")
        elif not is_skipped and not is_frozen:
            self._hold(Rule.MISSES_AFTER_CUTOFF, now < cutoff_at, f"{what} at {now}, after its cutoff {cutoff_at}")
        self.executions[change.id] = execution

    def _task(self, change: Change, now: datetime) -> None:
        state = task_execution.State(change.after)
        if change.before is None:
            body = json.loads(change.body)
            behavior = CutoffBehavior(body.get("CutoffBehavior", CutoffBehavior.CONTINUE_TASK))
            execution = self.executions[change.part_of]
            is_command = body["TaskType"] == TaskType.RUN_COMMAND
            self.tasks[change.id] = task = Task(
                id=change.id,
                execution=execution,
                priority=body["Priority"],
                behavior=behavior,
                concurrency=None if is_command else Concurrency.parse(body.get("MaxConcurrency", "1")),
                errors=ErrorLimit.parse(body.get("MaxErrors", "0")),
                state=state,
            )
            execution.tasks.append(task)
            self._open_tasks.add(change.id)
            return
        task, what = self.tasks[change.id], f"task {change.id} became {state} at {now}"
        if state is task_execution.State.IN_PROGRESS:
            execution = task.execution
            self._hold(Rule.TASK_IN_TIME, execution.opens_at <= self._latest and now < execution.cutoff_at, what)
            self._hold(Rule.NOTHING_IN_A_FREEZE, not self._freezes.covers(now), what)
            self._hold(Rule.CANCELLED_STARTS_NOTHING, not execution.is_cancelled, what)
            before = [one.id for one in execution.tasks if one.priority < task.priority and one.id in self._open_tasks]
            self._hold(Rule.PRIORITIES, not before, f"{what}, before {before}")
        task.state = state
        if state in task_execution.TERMINAL:
            waits = [one.id for one in task.targets.values() if one.state not in task_invocation.TERMINAL]
            self._hold(Rule.PARTS_END_FIRST, not waits, f"{what} before {waits}")
            self._open_tasks.discard(change.id)

    def _target(self, change: Change, now: datetime) -> None:
        task, what = self.tasks[change.part_of], f"target {change.id} of task {change.part_of} at {now}"
        state = task_invocation.State(change.after)
        command_id, ordinal, details = json.loads(change.body)
        if change.before is None:
            task.targets[change.id] = self.targets[change.id] = Target(change.id, ordinal, state)
            return
        target = task.targets[change.id]
        if state is task_invocation.State.IN_PROGRESS:
            begins_in_time = now < task.execution.cutoff_at or task.behavior is CutoffBehavior.CONTINUE_TASK
            self._hold(Rule.INVOCATION_IN_TIME, begins_in_time and task.execution.opens_at <= self._latest, what)
            self._hold(Rule.NOTHING_IN_A_FREEZE, not self._freezes.covers(now), what)
            self._hold(Rule.TASK_IN_TIME, task.state is task_execution.State.IN_PROGRESS, f"{what} starts without it")
            if task.concurrency is None:
                running = [one.id for one in task.targets.values() if one.state is task_invocation.State.IN_PROGRESS]
                self._hold(Rule.ONE_TARGET_AT_A_TIME, not running, f"{what} starts beside {running}")
            else:
                self._started.add((task.id, ordinal))
            target.has_started = True
            if command_id is not None:
                self._sent_by[command_id] = task
        if state in task_invocation.TERMINAL and command_id is not None:
            sent = self.commands[command_id]
            self._hold(Rule.PARTS_END_FIRST, sent.has_ended, f"{what} ends before {command_id}")
            told = f"{len(missed)} of {len(sent.nodes)} nodes missed" if (missed := sent.missed()) else ""
            is_told = told in details if told else "missed" not in details
            self._hold(Rule.MISSED_ARE_TOLD, is_told, f"{what} says {details!r}, and {missed} missed it")
        target.state = state

    def _check_limits(self, task_id: str, ordinal: int) -> None:
        """Check, at the end of a step, a task that began to call webhooks in it."""
        task = self.tasks[task_id]
        parts, what = task.parts_of(ordinal), f"target {ordinal} of task {task_id}"
        assert task.concurrency is not None
        running_count = sum(one.state is task_invocation.State.IN_PROGRESS for one in parts)
        limit = task.concurrency.of(len(parts))
        self._hold(Rule.WITHIN_CONCURRENCY, running_count <= limit, f"{what} calls {running_count} webhooks of {limit}")
        earlier = [one for one in task.targets.values() if one.ordinal < ordinal]
        waits = [one.id for one in earlier if one.state not in task_invocation.TERMINAL]
        self._hold(Rule.ONE_TARGET_AT_A_TIME, not waits, f"{what} starts before {waits}")
        for number in range(ordinal + 1):
            parts = task.parts_of(number)
            error_count = sum(one.is_error for one in parts)
            stops_after = task.errors.of(len(parts)) + 1
            self._hold(Rule.WITHIN_ERRORS, error_count < stops_after, f"{what} starts after {error_count} failures")

    def _command(self, change: Change) -> None:
        if change.before is None:
            body = json.loads(change.body)
            self.commands[change.id] = Command(
                document=body["DocumentName"],
                concurrency=Concurrency.parse(body["MaxConcurrency"]),
                errors=ErrorLimit.parse(body["MaxErrors"]),
                expires_at=from_ms(body["ExpiresAfter"]),
                state=command.Status(change.after),
                wanted=self.nodes.selected(body),
            )
            self._open_commands.add(change.id)
            return
        value = self.commands[change.id]
        value.state = command.Status(change.after)
        if value.has_ended:
            self._open_commands.discard(change.id)
            open_count = sum(state not in invocation.TERMINAL for state in value.nodes.values())
            self._hold(Rule.PARTS_END_FIRST, not open_count, f"command {change.id} ended before {open_count} nodes")

    def _invocation(self, change: Change) -> None:
        state = invocation.State(change.after)
        ended_at_ms, acknowledged_at_ms = json.loads(change.body)
        has_ended = state in invocation.TERMINAL
        what = f"command {change.id} on {change.part_of} is {state}"
        self._hold(Rule.ENDS_ARE_FINAL, (ended_at_ms is not None) is has_ended, f"{what}, ended {ended_at_ms}")
        value = self.commands[change.id]
        if change.before is not None:
            value.tally[invocation.State(change.before)] -= 1
            if has_ended and change.part_of in value.sent:
                value.in_flight_count -= 1
                waiting = self._witness.rows(_WAITING, change.id, change.part_of)
                self._hold(Rule.MAILBOXES_EMPTY, not waiting, f"{what}, and {waiting} wait")
        if acknowledged_at_ms is not None:
            value.taken.add(change.part_of)
        value.nodes[change.part_of] = state
        value.tally[state] += 1

    def _dispatch(self, change: Change, now: datetime) -> None:
        value, what = self.commands[change.id], f"{change.id} was sent to {change.part_of} at {now}"
        state = value.nodes[change.part_of]
        waits = state is invocation.State.PENDING and change.part_of not in value.sent
        self._hold(Rule.SENT_ONCE, waits and now < value.expires_at, f"{what}, where it was {state}")
        self._hold(Rule.CANCELLED_STARTS_NOTHING, not value.is_cancelled, what)
        task = self._sent_by.get(change.id)
        may = task is None or task.behavior is CutoffBehavior.CONTINUE_TASK or now < task.execution.cutoff_at
        self._hold(Rule.INVOCATION_IN_TIME, may, f"{what}, after the cutoff of its window")
        self._hold(Rule.NOTHING_IN_A_FREEZE, task is None or not self._freezes.covers(now), what)
        stops_after = value.errors.of(len(value.nodes)) + 1
        self._hold(Rule.WITHIN_ERRORS, value.error_count < stops_after, f"{what} after {value.error_count} failures")
        value.sent.add(change.part_of)
        value.in_flight_count += 1
        most = value.concurrency.of(len(value.nodes))
        self._hold(Rule.WITHIN_CONCURRENCY, value.in_flight_count <= most, f"{what} beside {most} others")

    def _counts(self, change: Change) -> None:
        value, counts = self.commands[change.id], json.loads(change.body)
        self._hold(Rule.COUNTS_EQUAL_ROWS, counts == value.counts(), f"{change.id}: {counts}, not {value.counts()}")
