"""What the engine's decisions can ask for.  Each is small and says all that the shell needs to carry it out.

States in effects are the states to store: the decision has already asked the state table.
"""

from dataclasses import dataclass
from datetime import datetime

from patchwindow.domain import command, invocation, task_execution, task_invocation, window_execution


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Decide again at *instant*, if nothing happens before."""

    instant: datetime


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Put the command into the mailboxes of the next *count* nodes, and note when; their state stays as it is."""

    count: int


@dataclass(frozen=True, slots=True)
class StopAwaiting:
    """The nodes that were sent the command by *sent_until*, and are silent, hold up the others no longer."""

    sent_until: datetime


@dataclass(frozen=True, slots=True)
class SendCancel:
    """Tell all nodes in flight to stop that were not told yet, take back what they have not taken, and note when."""


@dataclass(frozen=True, slots=True)
class EndSent:
    """The invocations in flight in the state *before* end in *after*: those that are due by *due_by*; None: all.

    A message that still waits for the node is taken back.
    """

    before: invocation.State
    after: invocation.State
    due_by: datetime | None


@dataclass(frozen=True, slots=True)
class EndUnsent:
    """All invocations of the command that were never sent end in *state*."""

    state: invocation.State


@dataclass(frozen=True, slots=True)
class Restate:
    """The command has come to stand otherwise; with a terminal status it is over, and its window wants to know."""

    status: command.Status
    details: command.Details


CommandEffect = Dispatch | StopAwaiting | SendCancel | EndSent | EndUnsent | Restate | WakeAt


@dataclass(frozen=True, slots=True)
class BeginExecution:
    """The window execution is in progress."""


@dataclass(frozen=True, slots=True)
class CancelExecution:
    """The window execution is being cancelled."""


@dataclass(frozen=True, slots=True)
class EndExecution:
    """The window execution ends."""

    state: window_execution.State
    details: str


@dataclass(frozen=True, slots=True)
class StartTask:
    """The task is in progress."""

    task_id: str


@dataclass(frozen=True, slots=True)
class CutOffTask:
    """The task is being cancelled, because its time is up."""

    task_id: str


@dataclass(frozen=True, slots=True)
class EndTask:
    """The task ends."""

    task_id: str
    state: task_execution.State
    details: str


@dataclass(frozen=True, slots=True)
class StartInvocation:
    """Send the command of this task invocation, or let its webhook be called: in progress; or it failed, if it cannot."""

    invocation_id: str


@dataclass(frozen=True, slots=True)
class CancelCommand:
    """Request the cancellation of the command of this task invocation, which is then being cancelled."""

    invocation_id: str
    command_id: str


@dataclass(frozen=True, slots=True)
class EndInvocation:
    """The task invocation ends."""

    invocation_id: str
    state: task_invocation.State
    details: str


WindowEffect = (
    BeginExecution
    | CancelExecution
    | EndExecution
    | StartTask
    | CutOffTask
    | EndTask
    | StartInvocation
    | CancelCommand
    | EndInvocation
    | WakeAt
)
