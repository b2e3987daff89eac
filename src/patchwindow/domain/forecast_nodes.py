"""The nodes in the course of a forecast: what their turns do to them, and what is left in the end, and why.

What an installation does is worked out once for nodes that are alike on one day; a node costs a few additions.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from patchwindow.domain.forecast import Fate, NodesForecast, NodesLeft
from patchwindow.domain.forecast_facts import (
    FleetFacts,
    ForecastCohort,
    ForecastNode,
    ForecastTarget,
    ForecastTask,
    Work,
)
from patchwindow.domain.forecast_patches import Left, NodeState, Prospects, Step, at_first

Days = dict[tuple[str, str], date]
"""The days of the snapshots of one opening, by operating system and patch group."""


@dataclass(slots=True)
class ForecastedNode:
    """A node: what is so of it, when it last had its turn to install, and why it missed the last that it missed."""

    known: ForecastNode
    cohort: ForecastCohort | None
    state: NodeState
    turn_at: datetime | None = None
    missed: str = ""

    @property
    def patch_group(self) -> str:
        """Return the patch group, as far as a scan has told it."""
        return "" if self.cohort is None else self.cohort.patch_group


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of a turn; *reason* says why it is no good one."""

    fate: Fate
    step: Step | None = None
    reason: str = ""


@dataclass(slots=True)
class _Group:
    """Nodes that have the same fate, as they are found."""

    outcome: Outcome
    begins_at: datetime
    ends_at: datetime
    left: tuple[Left, ...]
    node_ids: list[str] = field(default_factory=list)


class Groups:
    """The nodes of one task, those with the same fate together."""

    def __init__(self) -> None:
        self._groups: Final[dict[tuple[object, ...], _Group]] = {}

    def add(
        self, node: ForecastedNode, outcome: Outcome, left: tuple[Left, ...], begins_at: datetime, ends_at: datetime
    ) -> None:
        """Note what came of a node between the two instants; of what is *left*, equal ones are one object."""
        key = (outcome.fate, outcome.reason, node.known.cohort_id, id(outcome.step), id(left))
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(outcome, begins_at, ends_at, left)
        group.node_ids.append(node.known.node_id)
        group.begins_at = min(group.begins_at, begins_at)
        group.ends_at = max(group.ends_at, ends_at)

    def all(self) -> Iterator[NodesForecast]:
        """Yield the groups, those whose first node came first before others."""
        for group in self._groups.values():
            yield NodesForecast(
                node_ids=tuple(group.node_ids),
                fate=group.outcome.fate,
                begins_at=group.begins_at,
                ends_at=group.ends_at,
                step=group.outcome.step,
                left=group.left,
                reason=group.outcome.reason,
            )


class ForecastedNodes:
    """All nodes of a fleet, by id."""

    def __init__(self, fleet: FleetFacts) -> None:
        cohorts = {cohort.cohort_id: cohort for cohort in fleet.cohorts}
        begin = {
            id: at_first(fleet.facts[cohort.facts_digest], cohort.pending_reboot) for id, cohort in cohorts.items()
        }
        self._nodes: Final = {
            node.node_id: ForecastedNode(node, cohorts.get(node.cohort_id), begin.get(node.cohort_id, NodeState()))
            for node in fleet.nodes
        }
        self._prospects: Final = Prospects(fleet)
        self._steps: Final[dict[tuple[str, NodeState, date, bool], Step]] = {}
        self._left: Final[dict[tuple[str, NodeState, date], tuple[Left, ...]]] = {}

    def of(self, target: ForecastTarget) -> Iterator[ForecastedNode]:
        """Yield the nodes of *target*, in their order."""
        return map(self._nodes.__getitem__, target.node_ids)

    def turn(self, task: ForecastTask, node: ForecastedNode, at: datetime, days: Days) -> Outcome:
        """Return what comes of a node that does at *at* what *task* says, if it comes to its end (`ended`)."""
        if task.work is Work.OTHER:
            return Outcome(Fate.RAN)
        if node.cohort is None:
            return Outcome(Fate.NEVER_SCANNED, None, "it was never scanned, so nothing is known of its patches")
        # Operations of one opening work on one list: what is approved on the day of the first.
        key = (node.cohort.operating_system, node.cohort.patch_group)
        day = days.setdefault(key, at.astimezone(UTC).date())
        if task.work is Work.SCAN:
            return Outcome(Fate.SCANNED)
        node.turn_at = at
        if task.list_name:
            reason = f"{task.list_name} names by what is installed, and is read at the time"
            return Outcome(Fate.LIST_UNKNOWN, None, reason)
        return Outcome(Fate.INSTALLED, self._step(node.cohort, node.state, day, may_reboot=task.may_reboot))

    def ended(self, node: ForecastedNode, outcome: Outcome) -> None:
        """Let a node have done what it was to do."""
        if outcome.step is not None:
            node.state = outcome.step.after

    def miss(self, task: ForecastTask, nodes: Iterable[ForecastedNode], why: str) -> None:
        """Note of *nodes* that they do not get their turn in *task*."""
        if task.work is Work.INSTALL:
            for node in nodes:
                node.missed = why

    def left_on(self, node: ForecastedNode, at: datetime) -> tuple[Left, ...]:
        """Return what is offered to the node at *at*, and not installed."""
        if node.cohort is None:
            return ()
        key = (node.cohort.cohort_id, node.state, at.astimezone(UTC).date())
        found = self._left.get(key)
        if found is None:
            found = self._left[key] = self._prospects.of(node.cohort).left(node.state, key[2])
        return found

    def left(self, until: datetime) -> Iterator[NodesLeft]:
        """Yield what is left on which nodes at *until*, and why."""
        groups: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        known: dict[int, tuple[Left, ...]] = {}
        for node in self._nodes.values():
            found = self.left_on(node, until)
            if found:
                known[id(found)] = found
                groups[id(found), _chance(node, until)].append(node.known.node_id)
        for (key, chance), node_ids in groups.items():
            yield NodesLeft(node_ids=tuple(node_ids), left=tuple(_because(one, chance) for one in known[key]))

    def _step(self, cohort: ForecastCohort, state: NodeState, day: date, *, may_reboot: bool) -> Step:
        key = (cohort.cohort_id, state, day, may_reboot)
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = self._prospects.of(cohort).install(state, day, may_reboot=may_reboot)
        return found


def shown(at: datetime) -> str:
    """Return *at* as reasons have it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _chance(node: ForecastedNode, until: datetime) -> str:
    """Return why what is approved was not installed, as far as that is not the patch's own doing."""
    if node.turn_at is not None:
        return f"the last turn of the node to install begins at {shown(node.turn_at)}"
    return node.missed or f"no window installs on the node until {shown(until)}"


def _because(left: Left, chance: str) -> Left:
    if left.approved_on is not None or left.is_kept_out:
        return left
    return Left(title=left.title, reason=f"{left.reason}; {chance}")
