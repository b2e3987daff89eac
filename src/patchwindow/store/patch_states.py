"""The latest patch state of each node: what is the node's own, joined with what its cohort has."""

import dataclasses
import functools
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.baseline import ComplianceStatus
from patchwindow.domain.compliance_filters import TIME, Condition
from patchwindow.domain.compliance_item import Tally
from patchwindow.domain.fleet_state import FleetState
from patchwindow.domain.overlay import Overlay
from patchwindow.domain.patch_state import Counts, PatchSummary, summarize
from patchwindow.protocol.records import dumps, from_ms, loads
from patchwindow.store.conditions import NODE_PLACES, Member, Place, all_hold
from patchwindow.store.evaluations import day_of, overlay_of
from patchwindow.store.prepared import Prepared, prepared
from patchwindow.store.rows import Insert, Rows, ms
from patchwindow.store.tables import cohort, evaluation, node, patch_state, scan, standing, tag
from patchwindow.store.tags import ENVIRONMENT, NODE_TAGS


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is a node's own about its latest patch operation."""

    patch_group: str
    snapshot_id: str | None = None
    install_override_list: str | None = None
    owner_information: str = ""
    operation: str
    operation_start_time: datetime
    operation_end_time: datetime
    last_no_reboot_install_operation_time: datetime | None = None
    reboot_option: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PatchState:
    """The state of a node: its latest operation, and what the baseline it follows now makes of what that found.

    *evaluated_on* is the first day on which the evaluation was true, and *computed_at* when it became the node's.
    """

    summary: PatchSummary
    baseline_revision: int
    facts_digest: str
    installed_at: tuple[int, ...]
    command_id: str
    status: ComplianceStatus
    overall_severity: str
    cohort_id: str
    evaluation_id: str
    evaluated_on: date
    overlay: Overlay
    standing: FleetState
    computed_at: datetime


_STATE: Final = (
    sa.select(
        patch_state.c.node_id,
        patch_state.c.installed_at,
        patch_state.c.command_id,
        patch_state.c.body.label("operation"),
        standing.c.cohort_id,
        cohort.c.computed_at_ms,
        evaluation.c.evaluation_id,
        evaluation.c.facts_digest,
        evaluation.c.baseline_id,
        evaluation.c.baseline_revision,
        evaluation.c.overlay,
        evaluation.c.day,
        evaluation.c.standing,
        evaluation.c.body.label("counts"),
    )
    .join(standing, standing.c.node_id == patch_state.c.node_id)
    .join(cohort, cohort.c.cohort_id == standing.c.cohort_id)
    .join(evaluation, evaluation.c.evaluation_id == cohort.c.evaluation_id)
)
_OPERATION: Final = prepared(sa.select(patch_state.c.body).where(patch_state.c.node_id == sa.bindparam("id")))
_ONE: Final = prepared(_STATE.where(patch_state.c.node_id == sa.bindparam("id")))
_MANY: Final = _STATE.where(patch_state.c.node_id.in_(sa.bindparam("ids", expanding=True))).order_by(
    patch_state.c.node_id
)
_ALL: Final = (
    _STATE.where(patch_state.c.node_id > sa.bindparam("after"))
    .order_by(patch_state.c.node_id)
    .limit(sa.bindparam("limit"))
)
_PAGE: Final = prepared(_ALL)
_PAGE_OF_GROUP: Final = prepared(
    _ALL.where(patch_state.c.node_id.in_(sa.select(node.c.node_id).where(node.c.patch_group == sa.bindparam("group"))))
)
_BATCH: Final = 1000

_PLACES: Final[Mapping[str, Place]] = {
    "ComplianceType": "Patch",
    "OverallSeverity": evaluation.c.overall_severity,
    "Status": evaluation.c.status,
    "InstanceId": standing.c.node_id,
    "ResourceId": standing.c.node_id,
    "ResourceType": NODE_TAGS,
    "PatchGroup": Member(patch_state.c.body, "PatchGroup"),
    "PatchBaselineId": evaluation.c.baseline_id,
    "ExecutionType": "Command",
    "ExecutionId": patch_state.c.command_id,
    TIME: standing.c.scanned_at_ms,
    **NODE_PLACES,
}
FILTERS: Final = tuple(_PLACES)
"""What compliance of patches, and of what else is told, is filtered by."""
# Whose value it is: of the evaluation all nodes of a cohort have the same.
_TABLES: Final = {key: place.table for key, place in _PLACES.items() if not isinstance(place, str)}
_COHORTS: Final = sa.select(cohort.c.cohort_id, evaluation.c.status, evaluation.c.overall_severity).join(
    evaluation, evaluation.c.evaluation_id == cohort.c.evaluation_id
)
_NODES_BY_COHORT: Final = sa.select(standing.c.cohort_id, sa.func.count().label("node_count")).group_by(
    standing.c.cohort_id
)


class PatchStates(Rows):
    """The latest patch state of each node; a node that was never scanned has none."""

    def put(
        self,
        node_id: str,
        operation: Operation,
        *,
        cohort_id: str,
        evaluation_id: str,
        installed_at: Collection[int],
        command_id: str,
    ) -> None:
        """Keep what an operation found: as the node's state, in place of the former, and in the history."""
        ended_at_ms = ms(operation.operation_end_time)
        self._upsert(
            patch_state,
            node_id=node_id,
            installed_at=zlib.compress(",".join(map(str, installed_at)).encode()),
            command_id=command_id,
            body=dumps(operation),
        )
        self._change(_stand(self._insert), {"node_id": node_id, "cohort_id": cohort_id, "scanned_at_ms": ended_at_ms})
        self._upsert(
            scan,
            node_id=node_id,
            ended_at_ms=ended_at_ms,
            operation=operation.operation,
            command_id=command_id,
            patch_group=operation.patch_group,
            evaluation_id=evaluation_id,
        )

    def last_no_reboot_install(self, node_id: str) -> datetime | None:
        """Return when the last installation without a reboot ended on the node."""
        body = self._scalar(_OPERATION, {"id": node_id})
        return None if body is None else loads(Operation, body).last_no_reboot_install_operation_time

    def get(self, node_id: str) -> PatchState | None:
        """Return the state of a node."""
        row = self._row(_ONE, {"id": node_id})
        return None if row is None else _state(row)

    def many(self, node_ids: Collection[str]) -> list[PatchState]:
        """Return the states of those nodes that have one, in order of id."""
        return [_state(row) for row in self._rows(_MANY, {"ids": list(node_ids)})]

    def passing(self, wanted: Sequence[Condition], *, after: str, limit: int) -> list[PatchState]:
        """Return up to *limit* states of nodes whose ids come after *after* that pass, in order of id."""
        statement = _ALL
        if any(condition.key in NODE_PLACES for condition in wanted):
            statement = statement.join(node, node.c.node_id == patch_state.c.node_id)
        statement = statement.where(all_hold(wanted, _PLACES))
        return [_state(row) for row in self._rows(statement, {"after": after, "limit": limit})]

    def tally(self, wanted: Sequence[Condition] = ()) -> Tally:
        """Return how many nodes that pass have which status and severity; nodes are counted, and not read."""
        own = [condition for condition in wanted if _TABLES.get(condition.key, evaluation) is not evaluation]
        nodes = self._by_cohort(own)
        found: Tally = Counter()
        for row in self._rows(_COHORTS.where(all_hold(set(wanted).difference(own), _PLACES))):
            found[row.status, row.overall_severity] += nodes[row.cohort_id]
        return +found

    def _by_cohort(self, own: Sequence[Condition]) -> Counter[str]:
        """Return how many nodes of each cohort pass what is asked of the nodes' *own*."""

        def counted(*holds: sa.ColumnElement[bool]) -> Counter[str]:
            rows = self._rows(_NODES_BY_COHORT.where(*holds))
            return Counter({row.cohort_id: row.node_count for row in rows})

        passes = {
            table: all_hold([one for one in own if _TABLES[one.key] is table], _PLACES)
            for table in dict.fromkeys(_TABLES[one.key] for one in own)
        }
        if len(passes) == 1:
            ((table, holds),) = passes.items()
            half = self._scalars(sa.select(sa.func.count()).select_from(table))[0] // 2
            # Counted no further than that: where most do not pass, this ends early.
            failing = sa.select(table.c.node_id).where(~holds).limit(half + 1).subquery()
            failing_count = self._scalars(sa.select(sa.func.count()).select_from(failing))[0]
            if failing_count == 0:
                return counted()
            # To look up nodes costs most, so those that do not pass are looked up where they are fewer.
            if failing_count <= half:
                return counted() - counted(_is_one(table, ~holds))
        return counted(*(_is_one(table, holds) for table, holds in passes.items()))

    def page(self, *, after: str, limit: int, patch_group: str | None = None) -> list[PatchState]:
        """Return up to *limit* states of nodes whose ids come after *after*, in order of id.

        Of a *patch_group*, those of the nodes that are in it now, whatever group they were in at their last operation.
        """
        given: dict[str, object] = {"after": after, "limit": limit}
        if patch_group is None:
            return [_state(row) for row in self._rows(_PAGE, given)]
        return [_state(row) for row in self._rows(_PAGE_OF_GROUP, {**given, "group": patch_group})]

    def each(self, *, after: str = "", patch_group: str | None = None) -> Iterator[PatchState]:
        """Yield every state of nodes whose ids come after *after*, in order of id, read in batches."""
        while batch := self.page(after=after, limit=_BATCH, patch_group=patch_group):
            yield from batch
            after = batch[-1].summary.instance_id


def _is_one(table: sa.FromClause, holds: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the condition that a node of `standing` is one of those of which *table* has a row that passes."""
    return holds if table is standing else standing.c.node_id.in_(sa.select(table.c.node_id).where(holds))


@functools.cache
def _stand(insert: Insert) -> Prepared:
    """Return what says in which cohort and environment a node is; the environment is that of its tag."""
    environment = sa.select(tag.c.value).where(
        tag.c.resource_type == NODE_TAGS, tag.c.resource_id == sa.bindparam("node_id"), tag.c.key == ENVIRONMENT
    )
    statement = insert(standing).values(
        node_id=sa.bindparam("node_id"),
        cohort_id=sa.bindparam("cohort_id"),
        scanned_at_ms=sa.bindparam("scanned_at_ms"),
        environment=sa.func.coalesce(environment.scalar_subquery(), ""),
    )
    values = {name: statement.excluded[name] for name in ("cohort_id", "scanned_at_ms", "environment")}
    return prepared(statement.on_conflict_do_update(index_elements=["node_id"], set_=values))


def _state(row: Any) -> PatchState:
    times = zlib.decompress(row.installed_at).decode()
    counts, own = loads(Counts, row.counts), loads(Operation, row.operation)
    summary = summarize(
        counts,
        instance_id=row.node_id,
        baseline_id=row.baseline_id,
        operation=own.operation,
        operation_start_time=own.operation_start_time,
        operation_end_time=own.operation_end_time,
        patch_group=own.patch_group,
        snapshot_id=own.snapshot_id,
        install_override_list=own.install_override_list,
        owner_information=own.owner_information,
        last_no_reboot_install_operation_time=own.last_no_reboot_install_operation_time,
        reboot_option=own.reboot_option,
    )
    return PatchState(
        summary=summary,
        baseline_revision=row.baseline_revision,
        facts_digest=row.facts_digest,
        installed_at=tuple(map(int, times.split(","))) if times else (),
        command_id=row.command_id,
        status=counts.status,
        overall_severity=counts.overall_severity,
        cohort_id=row.cohort_id,
        evaluation_id=row.evaluation_id,
        evaluated_on=day_of(row.day),
        overlay=overlay_of(row.overlay),
        standing=FleetState(row.standing),
        computed_at=from_ms(row.computed_at_ms),
    )
