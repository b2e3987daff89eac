"""What happens to an association next, and to a run of it.  Pure: a snapshot and the time in, effects out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from patchwindow.domain import command
from patchwindow.domain.association_execution import EVENT_OF, TERMINAL, State, advance
from patchwindow.domain.opening import Timing

LOOK_EVERY: Final = timedelta(seconds=30)
"""So often it is looked whether a node has joined the targets, or is back that missed a run."""
_PAUSE_MIN: Final = timedelta(seconds=1)
_PAUSE_MAX: Final = timedelta(seconds=15)
_PAUSES: Final = 10
"""A run that has taken so long is looked at again after this part of that time: soon at first, and then less often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationSnapshot:
    """How an association stands.

    `is_wanted` says that a run was asked for; `lacking` names nodes among the targets that it has not run for.
    """

    timing: Timing | None
    next_run_at: datetime | None
    is_wanted: bool
    runs_at_once: bool
    has_run: bool
    closed_until: datetime | None = None
    """When the calendars that it runs under are open again; None where they are open."""
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSnapshot:
    """How a run stands, and the command that it is; `has_news` says that nodes have ended of which it is not told."""

    state: State
    created_at: datetime
    status: command.Status
    details: str
    has_news: bool


@dataclass(frozen=True, slots=True)
class StartRun:
    """Run the association for all its targets, which ends an older run, or for these nodes alone."""

    scheduled_at: datetime | None = None
    node_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The schedule has its next run then, and the association is to be looked at again at *wake_at*."""

    next_run_at: datetime | None
    wake_at: datetime | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing runs now: what is due, or was asked for, stays so, and the association is looked at again at *wake_at*."""

    wake_at: datetime


@dataclass(frozen=True, slots=True)
class TellNodes:
    """Note on which nodes the run has ended since it was last looked at, and whether they comply."""


@dataclass(frozen=True, slots=True)
class EndRun:
    """The run ends."""

    state: State
    details: str


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Decide about the run again at *instant*."""

    instant: datetime


RunEffect = TellNodes | EndRun | LookAgain


def decide_association(snapshot: AssociationSnapshot, now: datetime) -> list[StartRun | Plan | Hold]:
    """Return what is to be done about an association at *now*: at most one run, and then its plan.

    Instants of the schedule that passed while no server ran, or while a calendar was closed, are made up for by one run.
    """
    if snapshot.closed_until is not None:
        return [Hold(min(snapshot.closed_until, now + LOOK_EVERY))]
    run = _run(snapshot, now)
    next_run_at = snapshot.next_run_at
    if next_run_at is not None and next_run_at <= now:
        next_run_at = None if snapshot.timing is None else snapshot.timing.next_opening(now)
    looks = snapshot.runs_at_once and (snapshot.has_run or run is not None)
    instants = [at for at in (next_run_at, now + LOOK_EVERY if looks else None) if at is not None]
    plan = Plan(next_run_at, min(instants, default=None))
    return [plan] if run is None else [run, plan]


def _run(snapshot: AssociationSnapshot, now: datetime) -> StartRun | None:
    if snapshot.next_run_at is not None and snapshot.next_run_at <= now:
        # What was asked for besides is done by this run as well.
        return StartRun(scheduled_at=snapshot.next_run_at)
    if snapshot.is_wanted:
        return StartRun()
    if snapshot.lacking and snapshot.has_run and snapshot.runs_at_once:
        return StartRun(node_ids=snapshot.lacking)
    return None


def decide_run(snapshot: RunSnapshot, now: datetime) -> list[RunEffect]:
    """Return what is to be done about a run at *now*."""
    return [] if snapshot.state in TERMINAL else [*_effects(snapshot, now)]


def _effects(snapshot: RunSnapshot, now: datetime) -> Iterator[RunEffect]:
    event = EVENT_OF.get(snapshot.status)
    if snapshot.has_news or event is not None:
        yield TellNodes()
    if event is not None:
        yield EndRun(advance(snapshot.state, event), snapshot.details)
    else:
        yield LookAgain(now + min(max((now - snapshot.created_at) / _PAUSES, _PAUSE_MIN), _PAUSE_MAX))
