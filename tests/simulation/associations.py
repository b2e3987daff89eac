"""What must hold of associations: what the law knows of them, and asserts of their runs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tests.simulation.records import Command
from tests.simulation.rules import Checks, Rule
from tests.simulation.selection import Nodes
from tests.simulation.witness import Change

from patchwindow.domain import association_execution
from patchwindow.domain.association import Association
from patchwindow.domain.association_execution import SUPERSEDED
from patchwindow.domain.opening import Timing
from patchwindow.protocol.records import from_ms, loads, to_members


@dataclass(slots=True)
class _Known:
    """An association that is there; *planned_at* is when a server last looked for its next instant."""

    value: Association
    timing: Timing | None
    planned_at: datetime
    open_runs: set[str] = field(default_factory=set)
    """Those of its runs for all targets that have not ended."""

    def next_at(self) -> datetime | None:
        return None if self.timing is None else self.timing.next_opening(self.planned_at)


class Associations:
    """Hears of every change of an association and of its runs."""

    def __init__(self, checks: Checks, nodes: Nodes, commands: Mapping[str, Command]) -> None:
        self._hold: Final[Callable[[Rule, object, str], None]] = checks.hold
        self._nodes = nodes
        self._commands = commands
        self._known: dict[str, _Known] = {}

    @property
    def ids(self) -> list[str]:
        """The associations that are there."""
        return list(self._known)

    def become(self, change: Change, now: datetime) -> None:
        """Note an association that was made, or deleted; none is changed in these worlds."""
        if not change.after:
            del self._known[change.id]
            return
        value = loads(Association, change.after)
        self._known[change.id] = _Known(value, value.timing(), now)

    def run(self, change: Change, now: datetime) -> None:
        """Check a run that begins, is sent, or ends."""
        known = self._known[change.part_of]
        scheduled_at_ms, command_id, is_whole, details = json.loads(change.body)
        if change.before is None:
            self._begin(known, None if scheduled_at_ms is None else from_ms(scheduled_at_ms), now)
            if is_whole:
                known.open_runs.add(change.id)
        elif command_id is not None and not is_whole:
            # Which nodes came later, or had missed a run, is asked of the store; here, that it is for them at all.
            sent = self._commands[command_id]
            selected = self._nodes.selected({"InstanceIds": [], **to_members(known.value)})
            sent.wanted = sent.nodes.keys() & selected
        if association_execution.State(change.after) in association_execution.TERMINAL:
            known.open_runs.discard(change.id)
            ended = details == SUPERSEDED or command_id is None or self._commands[command_id].has_ended
            self._hold(Rule.PARTS_END_FIRST, ended, f"run {change.id} ended before {command_id}")

    def _begin(self, known: _Known, scheduled_at: datetime | None, now: datetime) -> None:
        if scheduled_at is None:
            return
        due_at = known.next_at()
        what = f"{known.value.association_id} ran at {now} for {scheduled_at}, and {due_at} was next"
        self._hold(Rule.RUNS_AS_SCHEDULED, scheduled_at == due_at and due_at <= now, what)
        known.planned_at = now

    def settled(self) -> None:
        """Check, at the end of a step, that no association has two runs for all targets."""
        for id, known in self._known.items():
            runs = known.open_runs
            self._hold(Rule.NEWER_RUN_ENDS_OLDER, len(runs) <= 1, f"the runs {sorted(runs)} of {id} are open at once")

    def looked(self, now: datetime) -> None:
        """Check that nothing was due at *now*, when an engine found nothing more to do."""
        for id, known in self._known.items():
            due_at = known.next_at()
            self._hold(
                Rule.RUNS_AS_SCHEDULED, due_at is None or due_at > now, f"{id} did not run for {due_at} at {now}"
            )
