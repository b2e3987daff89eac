"""What the law knows of executions, tasks, their targets, and commands."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from patchwindow.domain import command, invocation, task_execution, task_invocation, window_execution
from patchwindow.domain.limit import Concurrency, ErrorLimit
from patchwindow.domain.window import CutoffBehavior


@dataclass(slots=True)
class Execution:
    """A window execution."""

    window_id: str
    opens_at: datetime
    cutoff_at: datetime
    state: window_execution.State
    is_cancelled: bool = False
    tasks: list["Task"] = field(default_factory=list)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in window_execution.TERMINAL


@dataclass(slots=True)
class Target:
    """One invocation of a task: a window target for a command, a node of one for a webhook."""

    id: str
    ordinal: int
    """Of the window target that it is, or is part of."""
    state: task_invocation.State
    has_started: bool = False
    answers: set[str] = field(default_factory=set)
    """What its webhook said."""

    @property
    def is_error(self) -> bool:
        """Whether it counts against MaxErrors of a task that calls webhooks."""
        return self.state in task_invocation.TERMINAL and self.state is not task_invocation.State.SUCCESS


@dataclass(slots=True)
class Task:
    """A task of an execution."""

    id: str
    execution: Execution
    priority: int
    behavior: CutoffBehavior
    concurrency: Concurrency | None
    """How many webhooks it may call at once for one window target; None where it sends commands, or has no target."""
    errors: ErrorLimit
    state: task_execution.State
    targets: dict[str, Target] = field(default_factory=dict)

    def parts_of(self, ordinal: int) -> list[Target]:
        """Return the invocations of one window target."""
        return [one for one in self.targets.values() if one.ordinal == ordinal]


@dataclass(slots=True)
class Command:
    """A command, and on which nodes it is in which state."""

    document: str
    concurrency: Concurrency
    errors: ErrorLimit
    expires_at: datetime
    state: command.Status
    wanted: Collection[str]
    nodes: dict[str, invocation.State] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    """The nodes that acknowledged it, or told of it."""
    tally: Counter[invocation.State] = field(default_factory=Counter)
    in_flight_count: int = 0
    is_cancelled: bool = False

    @property
    def error_count(self) -> int:
        """How many nodes failed."""
        return sum(self.tally[state] for state in invocation.ERRORS)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in command.TERMINAL

    def missed(self) -> set[str]:
        """Return the nodes that never took it."""
        untaken = (
            invocation.State.DELIVERY_TIMED_OUT,
            invocation.State.UNDELIVERABLE,
            invocation.State.CANCELLED,
            invocation.State.TERMINATED,
        )
        return {node for node, state in self.nodes.items() if state in untaken} - self.taken

    def counts(self) -> list[int]:
        """Return what the API is to tell of its invocations."""
        ended_count = sum(self.tally[state] for state in invocation.TERMINAL)
        return [len(self.nodes), ended_count, self.error_count, self.tally[invocation.State.DELIVERY_TIMED_OUT]]
