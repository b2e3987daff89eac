"""How whole fleets stand, by counts: what a statement returns grows with variety, not with nodes.

Nodes are counted by cohort, of which all is known that makes a state, but for two things that are the node's own: how
old its scan is, and whether it is heard of. Most nodes are, so those that are not are counted apart.
"""

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.fleet_state import FleetState
from patchwindow.domain.patch_state import Counts
from patchwindow.protocol.records import from_ms, loads
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms
from patchwindow.store.tables import cohort, evaluation, node, standing, tag
from patchwindow.store.tags import ENVIRONMENT, NODE_TAGS


@dataclasses.dataclass(frozen=True, slots=True)
class CohortFacts:
    """What is true of all nodes of a cohort."""

    patch_group: str
    operating_system: str
    standing: FleetState
    evaluation_id: str


@dataclasses.dataclass(frozen=True, slots=True)
class CohortCount:
    """So many nodes of a cohort have this value of a tag; of them, so many have an old scan."""

    cohort_id: str
    value: str
    node_count: int
    stale_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class UnscannedCount:
    """So many nodes of a group, system and value of a tag were never scanned."""

    patch_group: str
    operating_system: str
    value: str
    node_count: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """One node, and what its state follows from; what a scan says is None where there was none."""

    node_id: str
    patch_group: str
    operating_system: str
    pinged_at: datetime
    value: str
    scanned_at: datetime | None
    computed_at: datetime | None
    baseline_id: str | None
    baseline_revision: int | None
    facts_digest: str | None
    standing: FleetState | None
    status: str | None


_SCAN_IS_OLD: Final = standing.c.scanned_at_ms < sa.bindparam("stale_before")
_IS_LOST: Final = node.c.pinged_at_ms < sa.bindparam("lost_before")
_STALE: Final = sa.func.sum(sa.case((_SCAN_IS_OLD, 1), else_=0)).label("stale_count")
_NODES: Final = sa.func.count().label("node_count")
_NO_VALUE: Final = sa.literal("", tag.c.value.type).label("value")
_TAGGED: Final = (tag.c.resource_type == NODE_TAGS, tag.c.key == sa.bindparam("key"))
_VALUE: Final = sa.func.coalesce(tag.c.value, "").label("value")

_COHORTS: Final = prepared(
    sa.select(
        cohort.c.cohort_id,
        cohort.c.patch_group,
        cohort.c.operating_system,
        evaluation.c.standing,
        evaluation.c.evaluation_id,
    ).join(evaluation, evaluation.c.evaluation_id == cohort.c.evaluation_id)
)
_OF_GROUP: Final = prepared(
    sa.select(evaluation.c.evaluation_id, evaluation.c.body, _NODES)
    .join(cohort, cohort.c.evaluation_id == evaluation.c.evaluation_id)
    .join(standing, standing.c.cohort_id == cohort.c.cohort_id)
    .where(cohort.c.patch_group == sa.bindparam("group"))
    .group_by(evaluation.c.evaluation_id, evaluation.c.body)
)
_SCANNED: Final = prepared(sa.select(standing.c.cohort_id, _NO_VALUE, _NODES, _STALE).group_by(standing.c.cohort_id))
# The environment is kept beside the cohort; of any other tag the value is looked up, which costs several times as much.
_SCANNED_ENVIRONMENT: Final = prepared(
    sa.select(standing.c.cohort_id, standing.c.environment.label("value"), _NODES, _STALE).group_by(
        standing.c.cohort_id, standing.c.environment
    )
)
# Of most nodes the scan is not old: to look for those that are costs less than to ask each.
_SCANNED_TAGGED: Final = prepared(
    sa.select(standing.c.cohort_id, tag.c.value, _NODES)
    .join(tag, tag.c.resource_id == standing.c.node_id)
    .where(*_TAGGED)
    .group_by(standing.c.cohort_id, tag.c.value)
)
_STALE_TAGGED: Final = prepared(
    sa.select(standing.c.cohort_id, _VALUE, _NODES)
    .select_from(standing.outerjoin(tag, sa.and_(tag.c.resource_id == standing.c.node_id, *_TAGGED)))
    .where(_SCAN_IS_OLD)
    .group_by(standing.c.cohort_id, tag.c.value)
)
_LOST: Final = sa.select(standing.c.cohort_id).join(node, node.c.node_id == standing.c.node_id).where(_IS_LOST)
# Also by the age of the scan: by cohort alone, SQLite goes through all nodes in that order, and not through the few that
# are lost.
_LOST_SCANNED: Final = prepared(
    _LOST.add_columns(_NO_VALUE, _NODES, _STALE).group_by(standing.c.cohort_id, sa.case((_SCAN_IS_OLD, 1), else_=0))
)
_WITH_TAG: Final = sa.and_(tag.c.resource_id == node.c.node_id, *_TAGGED)
_LOST_SCANNED_TAGGED: Final = prepared(
    _LOST.add_columns(_VALUE, _NODES, _STALE).outerjoin(tag, _WITH_TAG).group_by(standing.c.cohort_id, tag.c.value)
)
_UNSCANNED: Final = sa.select(node.c.patch_group, node.c.operating_system).where(
    ~sa.exists().where(standing.c.node_id == node.c.node_id)
)
_UNSCANNED_COUNT: Final = prepared(
    sa.select(
        (
            sa.select(sa.func.count()).select_from(node).scalar_subquery()
            - sa.select(sa.func.count()).select_from(standing).scalar_subquery()
        ).label("count")
    )
)
_NEVER: Final = prepared(
    _UNSCANNED.add_columns(_NO_VALUE, _NODES).group_by(node.c.patch_group, node.c.operating_system)
)
_NEVER_TAGGED: Final = prepared(
    _UNSCANNED.add_columns(_VALUE, _NODES)
    .select_from(node.outerjoin(tag, _WITH_TAG))
    .group_by(node.c.patch_group, node.c.operating_system, tag.c.value)
)
_PAGE: Final = (
    sa.select(
        node.c.node_id,
        node.c.patch_group,
        sa.func.coalesce(cohort.c.operating_system, node.c.operating_system).label("operating_system"),
        node.c.pinged_at_ms,
        _VALUE,
        standing.c.scanned_at_ms,
        cohort.c.computed_at_ms,
        evaluation.c.baseline_id,
        evaluation.c.baseline_revision,
        evaluation.c.facts_digest,
        evaluation.c.standing,
        evaluation.c.status,
    )
    .select_from(
        node.outerjoin(standing, standing.c.node_id == node.c.node_id)
        .outerjoin(cohort, cohort.c.cohort_id == standing.c.cohort_id)
        .outerjoin(evaluation, evaluation.c.evaluation_id == cohort.c.evaluation_id)
        .outerjoin(tag, _WITH_TAG)
    )
    .where(node.c.node_id > sa.bindparam("after"))
    .order_by(node.c.node_id)
    .limit(sa.bindparam("limit"))
)
# What must be true of a node in that state; what takes it away again is left to `domain/fleet_state.py`.
_NECESSARY: Final[Mapping[FleetState, sa.ColumnElement[bool]]] = {
    FleetState.NEVER_SCANNED: standing.c.node_id.is_(None),
    FleetState.OFFLINE: _IS_LOST,
    FleetState.STALE: _SCAN_IS_OLD,
}
_COLUMNS: Final[Mapping[str, sa.ColumnElement[str]]] = {
    "PatchGroup": node.c.patch_group,
    "OperatingSystem": sa.func.coalesce(cohort.c.operating_system, node.c.operating_system),
    "Environment": sa.func.coalesce(tag.c.value, ""),
}
FILTERS: Final = tuple(_COLUMNS)
"""What a list of nodes can be filtered by, besides their states."""


class Fleet(Rows):
    """Counts over all nodes, and lists of them."""

    def cohorts(self) -> dict[str, CohortFacts]:
        """Return what is true of each cohort, by id."""
        return {
            row.cohort_id: CohortFacts(
                patch_group=row.patch_group,
                operating_system=row.operating_system,
                standing=FleetState(row.standing),
                evaluation_id=row.evaluation_id,
            )
            for row in self._rows(_COHORTS)
        }

    def scanned(self, *, stale_before: datetime, tag_key: str | None = None) -> list[CohortCount]:
        """Return how many nodes are in each cohort, by the value of the tag where a key is given.

        Nodes without the tag are counted with an empty value.
        """
        stale_before_ms = ms(stale_before)
        if tag_key == ENVIRONMENT:
            return _counts(self._rows(_SCANNED_ENVIRONMENT, {"stale_before": stale_before_ms}))
        every = self._rows(_SCANNED, {"stale_before": stale_before_ms})
        if tag_key is None:
            return _counts(every)
        tagged = {(row.cohort_id, row.value): row.node_count for row in self._rows(_SCANNED_TAGGED, {"key": tag_key})}
        nodes = _with_rest({row.cohort_id: row.node_count for row in every}, tagged)
        stale: Counter[tuple[str, str]] = Counter()
        for row in self._rows(_STALE_TAGGED, {"key": tag_key, "stale_before": stale_before_ms}):
            stale[row.cohort_id, row.value] += row.node_count
        return [CohortCount(id, value, count, stale[id, value]) for (id, value), count in nodes.items()]

    def counts_of_group(self, patch_group: str) -> list[tuple[Counts, int]]:
        """Return what is counted of the patches of the group's scanned nodes, and of how many nodes that is true."""
        rows = self._rows(_OF_GROUP, {"group": patch_group})
        return [(loads(Counts, row.body), row.node_count) for row in rows]

    def scanned_but_lost(
        self, *, stale_before: datetime, lost_before: datetime, tag_key: str | None = None
    ) -> list[CohortCount]:
        """Return the same of those nodes alone that were not heard of since *lost_before*."""
        given = {"stale_before": ms(stale_before), "lost_before": ms(lost_before)}
        if tag_key is None:
            return _counts(self._rows(_LOST_SCANNED, given))
        return _counts(self._rows(_LOST_SCANNED_TAGGED, {**given, "key": tag_key}))

    def never_scanned(self, *, tag_key: str | None = None) -> list[UnscannedCount]:
        """Return how many nodes have no scan, by group and system, and by the value of the tag where a key is given."""
        if self._scalar(_UNSCANNED_COUNT) == 0:
            return []
        rows = self._rows(_NEVER) if tag_key is None else self._rows(_NEVER_TAGGED, {"key": tag_key})
        return [UnscannedCount(row.patch_group, row.operating_system, row.value, row.node_count) for row in rows]

    def page(
        self,
        *,
        after: str,
        limit: int,
        tag_key: str,
        stale_before: datetime,
        lost_before: datetime,
        states: Collection[FleetState] = (),
        filters: Mapping[str, Collection[str]],
    ) -> list[NodeRow]:
        """Return up to *limit* nodes whose ids come after *after*, in order of id.

        *filters* are named as in `FILTERS`, and ANDed. Of *states*, if any are given, all nodes in one of them are
        among those that are returned; the caller leaves out the others.
        """
        given: dict[str, Any] = {"after": after, "limit": limit, "key": tag_key}
        statement = _PAGE
        if states:
            statement = statement.where(
                sa.or_(*(_NECESSARY.get(state, evaluation.c.standing == state) for state in states))
            )
            given |= {
                name: ms(at)
                for name, at, state in (
                    ("stale_before", stale_before, FleetState.STALE),
                    ("lost_before", lost_before, FleetState.OFFLINE),
                )
                if state in states
            }
        for name, values in filters.items():
            statement = statement.where(_COLUMNS[name].in_(values))
        return [_node(row) for row in self._rows(statement, given)]


def _counts(rows: Any) -> list[CohortCount]:
    return [CohortCount(row.cohort_id, row.value, int(row.node_count), int(row.stale_count)) for row in rows]


def _with_rest(every: Mapping[str, int], tagged: Mapping[tuple[str, str], int]) -> Counter[tuple[str, str]]:
    """Return *tagged* counts of nodes, and with the empty value those of *every* cohort that do not have the tag."""
    nodes = Counter(tagged)
    rest = Counter(every)
    for (id, _), count in tagged.items():
        rest[id] -= count
    for id, count in rest.items():
        nodes[id, ""] += count
    return +nodes


def _node(row: Any) -> NodeRow:
    return NodeRow(
        node_id=row.node_id,
        patch_group=row.patch_group,
        operating_system=row.operating_system,
        pinged_at=from_ms(row.pinged_at_ms),
        value=row.value,
        scanned_at=instant(row.scanned_at_ms),
        computed_at=instant(row.computed_at_ms),
        baseline_id=row.baseline_id,
        baseline_revision=row.baseline_revision,
        facts_digest=row.facts_digest,
        standing=None if row.standing is None else FleetState(row.standing),
        status=row.status,
    )
