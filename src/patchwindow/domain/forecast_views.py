"""A forecast seen from one node, and from one patch."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

from patchwindow.domain.facts_patches import Readings
from patchwindow.domain.forecast import Forecast, NodesLeft, TaskForecast
from patchwindow.domain.forecast_facts import FleetFacts, ForecastCohort
from patchwindow.domain.forecast_patches import Prospects


@dataclass(frozen=True, slots=True, kw_only=True)
class Installing:
    """Nodes that have all of a patch's titles after an opening, at the latest at *by*."""

    node_ids: tuple[str, ...]
    window_name: str
    opens_at: datetime
    by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Excepted:
    """Nodes that do not have a patch at the end of the forecast, and why."""

    node_ids: tuple[str, ...]
    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchForecast:
    """What becomes of the patches that one name is about: *titles*, on all nodes to which any of them is offered.

    *by* is when the last of the nodes has them that get them all; None where none does.
    """

    titles: tuple[str, ...]
    node_count: int
    by: datetime | None
    installed: tuple[Installing, ...]
    excepted: tuple[Excepted, ...]


def of_node(forecast: Forecast, node_id: str) -> Forecast:
    """Return what *forecast* says of one node: the openings that have it, and in them the node alone."""
    openings = (replace(opening, tasks=tuple(_tasks_of(opening.tasks, node_id))) for opening in forecast.openings)
    return replace(
        forecast,
        openings=tuple(opening for opening in openings if opening.tasks),
        left=tuple(NodesLeft(node_ids=(node_id,), left=one.left) for one in forecast.left if node_id in one.node_ids),
        never_scanned=tuple(id for id in forecast.never_scanned if id == node_id),
        silent=tuple(id for id in forecast.silent if id == node_id),
    )


def of_window(forecast: Forecast, window_id: str) -> Forecast:
    """Return what *forecast* says of one window; what is left is of all nodes."""
    openings = tuple(one for one in forecast.openings if one.window.window_id == window_id)
    return replace(forecast, openings=openings)


def of_patch(fleet: FleetFacts, forecast: Forecast, term: str) -> PatchForecast:
    """Return what becomes of what *term* names, a title, KBId, name, CVE or advisory, on nodes to which it is offered."""
    sought = _Sought(fleet, term)
    nodes = {node.node_id: node.cohort_id for node in fleet.nodes if node.cohort_id in sought.indexes}
    waiting = dict(nodes)
    installed: list[Installing] = []
    for opening in forecast.openings:
        for group in (group for task in opening.tasks for group in task.nodes if group.step is not None):
            assert group.step is not None, "it was asked for"
            wanted = sought.indexes.get(nodes.get(group.node_ids[0], ""))
            if not wanted or not wanted <= group.step.after.gone:
                continue
            node_ids = tuple(id for id in group.node_ids if waiting.pop(id, None) is not None)
            if node_ids:
                name, opens_at = opening.window.name, opening.opens_at
                installed.append(Installing(node_ids=node_ids, window_name=name, opens_at=opens_at, by=group.ends_at))
    return PatchForecast(
        titles=sought.titles,
        node_count=len(nodes),
        by=max((one.by for one in installed), default=None),
        installed=tuple(installed),
        excepted=tuple(_excepted(forecast, sought, waiting)),
    )


def _tasks_of(tasks: Iterable[TaskForecast], node_id: str) -> Iterator[TaskForecast]:
    for task in tasks:
        nodes = tuple(replace(one, node_ids=(node_id,)) for one in task.nodes if node_id in one.node_ids)
        if nodes or (task.problem and any(node_id in target.node_ids for target in task.task.targets)):
            yield replace(task, nodes=nodes)


class _Sought:
    """What a name is about, by cohort: the indexes of what is offered."""

    def __init__(self, fleet: FleetFacts, term: str) -> None:
        self._wanted: Final = term.strip().casefold()
        self._prospects: Final = Prospects(fleet)
        self.cohorts: Final = {cohort.cohort_id: cohort for cohort in fleet.cohorts}
        found = {id: self._matching(fleet, cohort) for id, cohort in self.cohorts.items()}
        self.indexes: Final = {id: indexes for id, indexes in found.items() if indexes}
        self.titles: Final = tuple(
            sorted({self._title(self.cohorts[id], index) for id, indexes in self.indexes.items() for index in indexes})
        )

    def reasons(self, cohort_id: str, day: date) -> Mapping[str, str]:
        """Return what the baseline of a cohort decides on *day* about what is sought, by title."""
        cohort = self.cohorts[cohort_id]
        prospect = self._prospects.of(cohort)
        return {
            self._title(cohort, index): prospect.decision(index, day).reason
            for index in sorted(self.indexes[cohort_id])
            if not prospect.decision(index, day).is_approved
        }

    def _matching(self, fleet: FleetFacts, cohort: ForecastCohort) -> frozenset[int]:
        references = fleet.references.get(cohort.facts_digest, {})

        def is_named(readings: Readings) -> bool:
            patch = readings[0]
            told = (name for one in readings for name in (*one.cve_ids, *one.advisory_ids))
            known = references.get(patch.title, ())
            return self._wanted in map(str.casefold, (patch.title, patch.kb_id, patch.name, *told, *known))

        return self._prospects.of(cohort).matching(is_named)

    def _title(self, cohort: ForecastCohort, index: int) -> str:
        return self._prospects.of(cohort).offered[index][0].title


def _excepted(forecast: Forecast, sought: _Sought, waiting: Mapping[str, str]) -> Iterator[Excepted]:
    """Yield the nodes that still wait, by what keeps the patch from them."""
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    titles = frozenset(sought.titles)
    told = set[str]()
    for one in forecast.left:
        nodes = [id for id in one.node_ids if id in waiting]
        for left in one.left:
            if nodes and left.title in titles:
                groups[left.title, left.reason] += nodes
                told.update(nodes)
    day = forecast.until.astimezone(UTC).date()
    for node_id in (id for id in waiting if id not in told):
        for title, reason in sought.reasons(waiting[node_id], day).items():
            groups[title, reason].append(node_id)
    for (title, reason), node_ids in sorted(groups.items()):
        yield Excepted(node_ids=tuple(sorted(node_ids)), title=title, reason=reason)
