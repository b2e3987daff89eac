"""The fleet as a forecast rests on it, read from the store in one transaction."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from patchwindow.documents.library import Document
from patchwindow.domain import command
from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.facts import Facts
from patchwindow.domain.facts_patches import Sighting, patches_of
from patchwindow.domain.forecast_facts import (
    FleetFacts,
    ForecastCohort,
    ForecastNode,
    ForecastTarget,
    ForecastTask,
    ForecastWindow,
    RecordedDurations,
)
from patchwindow.domain.forecast_facts import Work as Kind
from patchwindow.domain.freeze import TAG, Freeze, names
from patchwindow.domain.node import CONNECTION_LOST_AFTER
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch_parts import WITH_HOOKS
from patchwindow.domain.schedule_zone import parse_zone
from patchwindow.domain.window import CutoffBehavior, Target, TaskType, Window, WindowTask
from patchwindow.operations.association_items import REPORTING
from patchwindow.operations.call import bare_id
from patchwindow.operations.catalog_join import known_of
from patchwindow.operations.cohorts import baseline_of
from patchwindow.operations.documents_found import find
from patchwindow.operations.evaluations import facts_of
from patchwindow.operations.first_sight import first_seen
from patchwindow.operations.freezes import HORIZON, freezes_of
from patchwindow.operations.sending import DELIVERY_TIMEOUT_S, MAX_CONCURRENCY
from patchwindow.operations.targeting import IDS, selection
from patchwindow.operations.targets import TARGET_IDS
from patchwindow.store.cohorts import Cohort
from patchwindow.store.tags import NODE_TAGS, WINDOW_TAGS
from patchwindow.store.work import Work

_PAGE: Final = 500
_TIMES_MAX: Final = 20_000
_TIMES_OF_GROUP_MAX: Final = 200
"""So many of the last operations of a group count."""
_PATCH_DOCUMENTS: Final = frozenset({"AWS-RunPatchBaseline", WITH_HOOKS, REPORTING})
_LISTS: Final = ("BaselineOverride", "InstallOverrideList")
_REBOOTS: Final = "RebootIfNeeded"
_ANY_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedFacts:
    """Facts, with what is known beside them of the patches that they offer."""

    facts: Facts
    first_seen: Mapping[Sighting, date]
    references: Mapping[str, tuple[str, ...]]


def fleet_facts(work: Work, now: datetime, until: datetime, *, with_references: bool) -> FleetFacts:
    """Return what forecasts from *now* until *until* rest on; references only where patches are looked for by them."""
    fleet = frame(work, now, until)
    offered = {
        digest: offered_facts(work, fleet, digest, with_references=with_references)
        for digest in dict.fromkeys(cohort.facts_digest for cohort in fleet.cohorts)
    }
    return replace(
        fleet,
        facts={digest: each.facts for digest, each in offered.items()},
        first_seen={digest: each.first_seen for digest, each in offered.items()},
        references={digest: each.references for digest, each in offered.items()},
    )


def frame(work: Work, now: datetime, until: datetime, *, with_tags: bool = False) -> FleetFacts:
    """Return the same without any facts; with the tags of nodes where others are to read it."""
    tags = work.tags.of_all(NODE_TAGS) if with_tags else {}
    found = [(cohort, _system(work, cohort)) for cohort in work.cohorts.with_nodes()]
    followed = {
        cohort.cohort_id: baseline_of(work, system, cohort.key.patch_group).baseline
        for cohort, system in found
        if system
    }
    lost_before = now - CONNECTION_LOST_AFTER
    return FleetFacts(
        as_of=now,
        cohorts=tuple(
            ForecastCohort(
                cohort_id=cohort.cohort_id,
                facts_digest=cohort.key.facts_digest,
                operating_system=OperatingSystem(system),
                patch_group=cohort.key.patch_group,
                baseline_id=followed[cohort.cohort_id].baseline_id,
                pending_reboot=cohort.key.overlay.pending_reboot,
            )
            for cohort, system in found
            if system
        ),
        nodes=tuple(
            ForecastNode(
                node_id=node.node_id,
                cohort_id=node.cohort_id if node.cohort_id in followed else "",
                is_heard=node.pinged_at >= lost_before,
                tags=tags.get(node.node_id, {}) if with_tags else None,
            )
            for node in work.forecasts.nodes()
        ),
        windows=tuple(_windows(work, now, until)),
        durations=tuple(_durations(work)),
        baselines={baseline.baseline_id: baseline for baseline in followed.values()},
    )


def offered_facts(work: Work, fleet: FleetFacts, digest: str, *, with_references: bool) -> OfferedFacts:
    """Return the facts that are kept under *digest*, for the cohorts of *fleet* that have them."""
    facts = facts_of(work, digest)
    seen: dict[Sighting, date] = {}
    for baseline_id in {cohort.baseline_id for cohort in fleet.cohorts if cohort.facts_digest == digest}:
        seen |= first_seen(work, fleet.baselines[baseline_id], facts)
    return OfferedFacts(facts=facts, first_seen=seen, references=_references(work, facts) if with_references else {})


def _system(work: Work, cohort: Cohort) -> str:
    """Return the operating system of a cohort; empty where nobody knows it."""
    return cohort.key.operating_system or facts_of(work, cohort.key.facts_digest).operating_system or ""


def _references(work: Work, facts: Facts) -> dict[str, tuple[str, ...]]:
    """Return the CVEs and advisories that the catalogue joins with what is offered, by title."""
    patches = patches_of(facts)
    system = facts.operating_system or ""
    wanted = {(system, each[0].title, each[0].product) for each in (*patches.offered, *patches.windows)}
    return {
        title: (*known.cve_ids, *known.advisory_ids)
        for (_, title, _), known in known_of(work, wanted).items()
        if known.cve_ids or known.advisory_ids
    }


def _durations(work: Work) -> Iterator[RecordedDurations]:
    found: defaultdict[tuple[Kind, str], list[int]] = defaultdict(list)
    for one in work.forecasts.times(_TIMES_MAX):
        times = found[Kind(one.operation), one.patch_group]
        if len(times) < _TIMES_OF_GROUP_MAX:
            times.append(one.seconds)
    for (kind, group), seconds in sorted(found.items()):
        yield RecordedDurations(work=kind, patch_group=group, seconds=tuple(seconds))


def _windows(work: Work, now: datetime, until: datetime) -> Iterator[ForecastWindow]:
    """Yield all windows that open again, with what they do to whom."""
    heeding = work.tags.with_key(WINDOW_TAGS, TAG)
    tasks: defaultdict[str, list[WindowTask]] = defaultdict(list)
    for task in work.window_tasks.all():
        tasks[task.window_id].append(task)
    selecting = _Selecting(work)
    after: tuple[datetime, str] | None = None
    while page := work.windows.page_by_opening(after=after, limit=_PAGE):
        for _, window in page:
            freezes, problem = _freezes(work, window, heeding.get(window.window_id, ""), now, until)
            yield ForecastWindow(
                window=window,
                tasks=tuple(_task(work, selecting, task) for task in tasks[window.window_id]),
                freezes=freezes,
                freezes_problem=problem,
            )
        after = (page[-1][0], page[-1][1].window_id)


def _freezes(work: Work, window: Window, value: str, now: datetime, until: datetime) -> tuple[tuple[Freeze, ...], str]:
    try:
        zone = parse_zone(window.schedule_timezone or "UTC")
        return freezes_of(work, names(value), now, until + timedelta(hours=window.duration) + HORIZON, zone), ""
    except (Invalid, NotFound) as problem:
        return (), str(problem)


class _Selecting:
    """The nodes that targets select; many tasks have the same targets."""

    def __init__(self, work: Work) -> None:
        self._work: Final = work
        self._registered: Final = {target.window_target_id: target for target in work.window_targets.all()}
        self._known: Final[dict[tuple[Target, ...], ForecastTarget]] = {}

    def of(self, task: WindowTask) -> Iterator[ForecastTarget]:
        """Yield what each target of *task* selects; one that was deregistered selects nothing and is left out."""
        for target in task.targets:
            if target.key != TARGET_IDS:
                yield self._selected((target,))
                continue
            for id in target.values:
                if id in self._registered:
                    yield self._selected(self._registered[id].targets)

    def _selected(self, targets: tuple[Target, ...]) -> ForecastTarget:
        if targets not in self._known:
            self._known[targets] = self._select(targets)
        return self._known[targets]

    def _select(self, targets: Sequence[Target]) -> ForecastTarget:
        try:
            wanted = selection(self._work, targets)
        except (Invalid, NotFound) as problem:
            return ForecastTarget(problem=str(problem))
        found = () if wanted is None else tuple(self._work.nodes.selected_ids(ids=wanted.ids, tags=wanted.tags))
        by_id = all(target.key == IDS for target in targets)
        absent_count = len(wanted.ids or ()) - len(found) if by_id and wanted is not None else 0
        return ForecastTarget(node_ids=found, absent_count=absent_count)


def _task(work: Work, selecting: _Selecting, task: WindowTask) -> ForecastTask:
    found = ForecastTask(
        task_id=task.window_task_id,
        name=task.name or "",
        priority=task.priority,
        document=bare_id(task.task_arn),
        lasts_s=int(HORIZON.total_seconds()),
        max_concurrency=task.max_concurrency or MAX_CONCURRENCY,
        is_cancelled_at_cutoff=task.cutoff_behavior is CutoffBehavior.CANCEL_TASK,
        targets=tuple(selecting.of(task)),
    )
    return found if task.task_type is not TaskType.RUN_COMMAND else _with_command(work, task, found)


def _with_command(work: Work, task: WindowTask, found: ForecastTask) -> ForecastTask:
    """Return *found* with what the command that it sends does, and for how long it may."""
    run = (task.task_invocation_parameters or {}).get("RunCommand") or {}
    given: Mapping[str, Any] = run.get("Parameters") or {}
    if not run:
        given = {name: value.get("Values") or [] for name, value in (task.task_parameters or {}).items()}
    try:
        document = find(work, task.task_arn, run.get("DocumentVersion"))
    except (Invalid, NotFound) as problem:
        return replace(found, targets=tuple(replace(target, problem=str(problem)) for target in found.targets))
    timeout_s = run.get("TimeoutSeconds", DELIVERY_TIMEOUT_S)
    expires = command.expires_after(document.content, given, requested_at=_ANY_TIME, timeout_seconds=timeout_s)
    found = replace(found, document=document.name, lasts_s=int((expires - _ANY_TIME).total_seconds()))
    if document.name not in _PATCH_DOCUMENTS:
        return found
    kind = Kind(_value(document, given, "Operation"))
    lists = (name for name in _LISTS if _value(document, given, name))
    # Its baseline is chosen by tags, and not by the group.
    named = next(lists, "BaselineTags" if document.name == REPORTING else "")
    return replace(
        found,
        work=kind,
        may_reboot=kind is Kind.INSTALL and _value(document, given, "RebootOption") == _REBOOTS,
        list_name=named if kind is Kind.INSTALL else "",
    )


def _value(document: Document, given: Mapping[str, Any], name: str) -> str:
    """Return the value of a parameter: as it is given, else the default of the document."""
    values = given.get(name) or [document.parameters.get(name, {}).get("default", "")]
    return str(values[0])
