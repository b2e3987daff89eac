"""Playing a forecast in time: openings, tasks by priority, targets one after another, nodes as MaxConcurrency lets them.

It is the engine's own order, with nodes that answer at once and operations that last as long as is typical.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count, groupby, takewhile
from typing import Final

from patchwindow.domain.forecast import Fate, Forecast, OpeningForecast, TaskForecast
from patchwindow.domain.forecast_durations import Durations
from patchwindow.domain.forecast_facts import FleetFacts, ForecastTask, ForecastWindow, Work
from patchwindow.domain.forecast_nodes import Days, ForecastedNode, ForecastedNodes, Groups, Outcome, shown
from patchwindow.domain.freeze import Heeded, heeded
from patchwindow.domain.limit import Concurrency
from patchwindow.domain.list_scheduling import Spread

_NO_TIME: Final = timedelta(0)


def forecast(fleet: FleetFacts, until: datetime) -> Forecast:
    """Return what the openings after `fleet.as_of` and until *until* do, both in UTC."""
    return _Run(fleet, until).forecast()


@dataclass(slots=True)
class _Task:
    """A task of an opening, and how far it is: the targets that are to come, and its nodes so far."""

    task: ForecastTask
    opening: "_Opening"
    begins_at: datetime
    ended_at: datetime
    problem: str = ""
    p95: timedelta = _NO_TIME
    next_target: int = 0
    groups: Groups = field(default_factory=Groups)


@dataclass(slots=True)
class _Opening:
    """An opening, and how far it is: the groups of tasks that are to come, and how many tasks run."""

    each: ForecastWindow
    opens_at: datetime
    kept: Heeded
    given_up: str = ""
    waiting: deque[tuple[ForecastTask, ...]] = field(default_factory=deque)
    running_count: int = 0
    tasks: list[_Task] = field(default_factory=list)
    days: Days = field(default_factory=dict)
    p95: timedelta = _NO_TIME
    ended_at: datetime | None = None


@dataclass(slots=True)
class _Sending:
    """A target whose nodes have their turns: until when they get them, and why no longer, and when all is ended."""

    task: _Task
    nodes: deque[ForecastedNode]
    slots: int
    starts_until: datetime
    over: str
    ends_by: datetime
    running_count: int = 0


class _Run:
    """One forecast under way: a heap of things to come, and who is at work."""

    def __init__(self, fleet: FleetFacts, until: datetime) -> None:
        self._fleet: Final = fleet
        self._until: Final = until
        self._nodes: Final = ForecastedNodes(fleet)
        self._durations: Final = Durations(fleet.durations)
        self._now = fleet.as_of
        self._sequence: Final = count()
        self._to_come: Final[list[tuple[datetime, int, Callable[[], None]]]] = []
        self._openings: Final[list[_Opening]] = []
        self._last: Final[dict[str, _Opening]] = {}
        self._queues: Final[dict[str, deque[_Sending]]] = {}
        """Of each node that is at work, those that wait for it: a node does one thing at a time."""

    def forecast(self) -> Forecast:
        """Let everything happen, and return what happened."""
        for opens_at, each in _openings(self._fleet, self._until):
            self._come(opens_at, partial(self._open, each))
        while self._to_come:
            self._now, _, happen = heappop(self._to_come)
            happen()
        return Forecast(
            as_of=self._fleet.as_of,
            until=self._until,
            openings=tuple(map(_told, self._openings)),
            left=tuple(self._nodes.left(self._until)),
            never_scanned=tuple(node.node_id for node in self._fleet.nodes if not node.cohort_id),
            silent=tuple(node.node_id for node in self._fleet.nodes if not node.is_heard),
        )

    def _come(self, at: datetime, happen: Callable[[], None]) -> None:
        heappush(self._to_come, (at, next(self._sequence), happen))

    def _open(self, each: ForecastWindow) -> None:
        window = each.window
        kept = heeded(each.freezes, self._now, window.cutoff_at(self._now))
        opening = _Opening(each, self._now, kept, given_up=self._given_up(each, kept))
        self._openings.append(opening)
        if opening.given_up:
            for task in each.tasks:
                opening.tasks.append(_Task(task, opening, self._now, self._now, problem=opening.given_up))
                self._miss_rest(opening.tasks[-1], f"window {window.name} did not open at {shown(self._now)}")
            return
        self._last[window.window_id] = opening
        ordered = sorted(each.tasks, key=lambda task: (task.priority, task.task_id))
        opening.waiting.extend(tuple(several) for _, several in groupby(ordered, key=lambda task: task.priority))
        self._go_on(opening)

    def _given_up(self, each: ForecastWindow, kept: Heeded) -> str:
        before = self._last.get(each.window.window_id)
        if before is not None and before.ended_at is None:
            return "the opening before it is still running"
        if each.freezes_problem:
            return f"the calendars that it heeds cannot be read: {each.freezes_problem}"
        if not kept.opens and kept.freeze is not None:
            return f"frozen by calendar {kept.freeze.calendar}"
        return ""

    def _go_on(self, opening: _Opening) -> None:
        """Start the tasks whose turn it is, once all before them have ended."""
        while not opening.running_count and opening.waiting:
            begun = [_Task(task, opening, self._now, self._now) for task in opening.waiting.popleft()]
            opening.tasks += begun
            if self._now >= opening.kept.cutoff_at:
                for task in begun:
                    task.problem = f"the cutoff at {shown(opening.kept.cutoff_at)} comes before it"
                    self._miss_rest(task, task.problem)
                continue
            opening.running_count = len(begun)
            for task in begun:
                self._send_next(task)
        if not opening.running_count and opening.ended_at is None:
            opening.ended_at = self._now

    def _send_next(self, task: _Task) -> None:
        """Send the command to the next target that has nodes; without any the task has ended."""
        targets = task.task.targets
        while task.next_target < len(targets):
            target = targets[task.next_target]
            task.next_target += 1
            if target.problem:
                task.problem = f"the task stops at a target that selects no nodes: {target.problem}"
                self._miss_rest(task, task.problem)
                break
            if target.node_ids:
                nodes = deque(self._nodes.of(target))
                slots = Concurrency.parse(task.task.max_concurrency).of(len(nodes) + target.absent_count)
                groups = tuple(dict.fromkeys(node.patch_group for node in nodes))
                task.p95 += self._durations.spread(task.task.work, groups, len(nodes), slots).p95
                self._fill(_Sending(task, nodes, slots, *_bounds(task.task, self._now, task.opening.kept)))
                return
        task.ended_at = self._now
        task.opening.running_count -= 1
        if not task.opening.running_count:
            task.opening.p95 += max(one.p95 for one in task.opening.tasks if one.begins_at == task.begins_at)
            self._go_on(task.opening)

    def _fill(self, sending: _Sending) -> None:
        """Give the next nodes their turns, as far as there is room and time; where none is left, go on."""
        while sending.nodes and self._now >= sending.starts_until:
            self._add(sending, sending.nodes.popleft(), Outcome(Fate.NO_TURN, None, sending.over), self._now)
        while sending.nodes and sending.running_count < sending.slots:
            node = sending.nodes.popleft()
            sending.running_count += 1
            waiting = self._queues.get(node.known.node_id)
            if waiting is None:
                self._queues[node.known.node_id] = deque()
                self._begin(sending, node)
            else:
                waiting.append(sending)
        if not sending.running_count:
            self._send_next(sending.task)

    def _begin(self, sending: _Sending, node: ForecastedNode) -> None:
        """Let a node that is free work on the command."""
        begun_at, task = self._now, sending.task.task
        if begun_at >= sending.ends_by:
            outcome, ends_at = Outcome(Fate.NO_TURN, None, sending.over), begun_at
        else:
            outcome = self._nodes.turn(task, node, begun_at, sending.task.opening.days)
            # An installation that finds nothing to do has taken no longer than a scan.
            work = Work.SCAN if outcome.step is not None and outcome.step.is_idle else task.work
            ends_at = begun_at + self._durations.typical(work, node.patch_group)
        if ends_at > sending.ends_by:
            ends_at = sending.ends_by
            reason = f"it is still at work at {shown(ends_at)}, when the command is ended"
            outcome = Outcome(Fate.CUT_OFF, None, reason)
        self._nodes.ended(node, outcome)
        self._come(ends_at, partial(self._end, sending, node, outcome, begun_at))

    def _end(self, sending: _Sending, node: ForecastedNode, outcome: Outcome, begun_at: datetime) -> None:
        self._add(sending, node, outcome, begun_at)
        waiting = self._queues[node.known.node_id]
        if waiting:
            self._begin(waiting.popleft(), node)
        else:
            del self._queues[node.known.node_id]
        sending.running_count -= 1
        self._fill(sending)

    def _add(self, sending: _Sending, node: ForecastedNode, outcome: Outcome, begun_at: datetime) -> None:
        if outcome.fate in (Fate.NO_TURN, Fate.CUT_OFF):
            self._nodes.miss(sending.task.task, (node,), outcome.reason)
        left = () if outcome.fate is Fate.RAN else self._nodes.left_on(node, self._now)
        sending.task.groups.add(node, outcome, left, begun_at, self._now)

    def _miss_rest(self, task: _Task, why: str) -> None:
        for target in task.task.targets[task.next_target :]:
            self._nodes.miss(task.task, self._nodes.of(target), why)


def _openings(fleet: FleetFacts, until: datetime) -> Sequence[tuple[datetime, ForecastWindow]]:
    """Return the openings of all windows in order, those of one instant by the id of the window."""

    def of(each: ForecastWindow) -> Iterator[tuple[datetime, ForecastWindow]]:
        coming = each.window.timing().openings(fleet.as_of)
        return ((at, each) for at in takewhile(lambda at: at <= until, coming))

    found = (opening for each in fleet.windows for opening in of(each))
    return sorted(found, key=lambda pair: (pair[0], pair[1].window.window_id))


def _bounds(task: ForecastTask, at: datetime, kept: Heeded) -> tuple[datetime, str, datetime]:
    """Return until when nodes of a command that is sent at *at* get their turn, why no longer, and when it is ended."""
    ends_by = at + timedelta(seconds=task.lasts_s)
    over = f"the command that is sent at {shown(at)} is over at {shown(ends_by)}, before its turn"
    if task.is_cancelled_at_cutoff and kept.cutoff_at <= ends_by:
        ends_by = kept.cutoff_at
        over = f"the cutoff at {shown(ends_by)} comes before its turn"
    if kept.freeze is not None and kept.freeze.starts_at < ends_by:
        starts_until = kept.freeze.starts_at
        over = f"calendar {kept.freeze.calendar} lets nothing start from {shown(starts_until)} on, before its turn"
        return starts_until, over, ends_by
    return ends_by, over, ends_by


def _told(opening: _Opening) -> OpeningForecast:
    window, opens_at = opening.each.window, opening.opens_at
    p50 = (opening.ended_at or opens_at) - opens_at
    return OpeningForecast(
        window=window,
        opens_at=opens_at,
        cutoff_at=opening.kept.cutoff_at,
        ends_at=window.ends_at(opens_at),
        takes=Spread(p50=p50, p95=max(p50, opening.p95)),
        tasks=tuple(_told_of_task(task) for task in opening.tasks),
        given_up=opening.given_up,
    )


def _told_of_task(task: _Task) -> TaskForecast:
    p50 = task.ended_at - task.begins_at
    return TaskForecast(
        task=task.task,
        begins_at=task.begins_at,
        takes=Spread(p50=p50, p95=max(p50, task.p95)),
        nodes=tuple(task.groups.all()),
        problem=task.problem,
    )
