"""Until when a command may change a node, and until when what it did there may still be told.

A command ends for a node before its invocation does: the node may not have heard of a cancellation yet, and the engine
may come to an expiry or a cutoff a moment, or a restart of the server, late. What is asked in between is judged here.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from patchwindow.domain import invocation
from patchwindow.domain.invocation import State
from patchwindow.domain.run import Command, Invocation

LATE_REPORT_WAIT: Final = timedelta(hours=48)
"""For so long after its end a report is taken: what was installed is so, whoever waits for it. Agents keep replies as long."""

_CANCELLED: Final = frozenset({State.CANCELLING, State.CANCELLED, State.TERMINATED})


def ends_at(command: Command) -> datetime:
    """Return when *command* may change nothing more by itself: at the cutoff that cancels it, else when it expires."""
    return command.expires_after if command.cutoff_at is None else min(command.expires_after, command.cutoff_at)


def may_reach(command: Command, now: datetime) -> bool:
    """Return whether *command* may still be given to a node that does not have it."""
    is_frozen = command.frozen_at is not None and now >= command.frozen_at
    return not (command.cancel_requested or is_frozen or now >= ends_at(command))


def why_over(command: Command, one: Invocation, now: datetime) -> str:
    """Return why *command* may begin nothing more on the node of its invocation *one*; empty while it may."""
    state = State(one.details)
    if command.cancel_requested or state in _CANCELLED:
        return f"command {command.command_id} is cancelled"
    if state in invocation.TERMINAL:
        return f"command {command.command_id} has ended on node {one.instance_id} ({state})"
    if command.cutoff_at is not None and now >= command.cutoff_at:
        return f"command {command.command_id} was cut off at {_shown(command.cutoff_at)}"
    if now >= command.expires_after:
        return f"command {command.command_id} expired at {_shown(command.expires_after)}"
    return ""


def takes_report(one: Invocation, now: datetime) -> bool:
    """Return whether what the command did on the node may still be told: while it is open there, and a while after."""
    if State(one.details) not in invocation.TERMINAL:
        return True
    # What was never sent has done nothing.
    return one.dispatched_at is not None and one.ended_at is not None and now < one.ended_at + LATE_REPORT_WAIT


def _shown(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
