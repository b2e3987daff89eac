"""Which evaluations the nodes of a fleet have, and which nodes have an evaluation."""

import dataclasses
import zlib
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final

import sqlalchemy as sa

from patchwindow.domain.fleet_patches import FleetPatch, load
from patchwindow.domain.overlay import Overlay
from patchwindow.store.evaluations import day_of, overlay_of
from patchwindow.store.nodes import tagged
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, ms
from patchwindow.store.tables import (
    cohort,
    cve,
    evaluation,
    facts,
    known_patch,
    listing,
    node,
    patch_reference,
    standing,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedNodes:
    """So many nodes have this evaluation, and when their facts were first reported.

    Its listing is the patches under a digest, with their *places*; both are None where an older version made it.
    """

    evaluation_id: str
    facts_digest: str
    baseline_id: str
    baseline_revision: int
    overlay: Overlay
    evaluated_on: date
    listing_digest: str | None
    places: bytes | None
    first_seen_ms: int
    node_count: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StandingNodes:
    """So many nodes have this evaluation and stand so by it, or were never scanned; of so many nothing is heard."""

    evaluation_id: str | None
    standing: str | None
    node_count: int
    lost_count: int


_COUNTED: Final = (
    sa.select(standing.c.cohort_id, sa.func.count().label("node_count")).group_by(standing.c.cohort_id).subquery()
)
_EVALUATED: Final = prepared(
    sa.select(
        evaluation.c.evaluation_id,
        evaluation.c.facts_digest,
        evaluation.c.baseline_id,
        evaluation.c.baseline_revision,
        evaluation.c.overlay,
        evaluation.c.day,
        evaluation.c.listing_digest,
        evaluation.c.places,
        facts.c.first_seen_at_ms,
        sa.func.sum(_COUNTED.c.node_count).label("node_count"),
    )
    .join(cohort, cohort.c.evaluation_id == evaluation.c.evaluation_id)
    .join(_COUNTED, _COUNTED.c.cohort_id == cohort.c.cohort_id)
    .join(facts, facts.c.digest == evaluation.c.facts_digest)
    .group_by(evaluation.c.evaluation_id, facts.c.first_seen_at_ms)
    .order_by(evaluation.c.facts_digest, evaluation.c.evaluation_id)
)
_LISTED: Final = prepared(sa.select(listing.c.body).where(listing.c.digest == sa.bindparam("digest")))
_NODES: Final = (
    sa.select(standing.c.node_id, cohort.c.evaluation_id)
    .join(cohort, cohort.c.cohort_id == standing.c.cohort_id)
    .where(
        standing.c.node_id > sa.bindparam("after"),
        cohort.c.evaluation_id.in_(sa.bindparam("ids", expanding=True)),
    )
    .order_by(standing.c.node_id)
    .limit(sa.bindparam("limit"))
)
# That of which no node has told is in no fleet.
_SIGHTS: Final = prepared(
    sa.select(
        known_patch.c.operating_system,
        known_patch.c.title,
        known_patch.c.product,
        sa.func.min(known_patch.c.first_seen_at_ms).label("at_ms"),
    )
    .where(known_patch.c.first_seen_at_ms.is_not(None))
    .group_by(known_patch.c.operating_system, known_patch.c.title, known_patch.c.product)
)
_EXPLOITED: Final = prepared(
    sa.select(patch_reference.c.name)
    .join(cve, cve.c.cve_id == patch_reference.c.reference)
    .where(cve.c.is_known_exploited == 1)
    .distinct()
)


class FleetPatches(Rows):
    """Evaluations by their nodes."""

    def evaluated(self) -> list[EvaluatedNodes]:
        """Return every evaluation that nodes have now, those of the same facts one after another."""
        return [
            EvaluatedNodes(
                evaluation_id=row.evaluation_id,
                facts_digest=row.facts_digest,
                baseline_id=row.baseline_id,
                baseline_revision=row.baseline_revision,
                overlay=overlay_of(row.overlay),
                evaluated_on=day_of(row.day),
                listing_digest=row.listing_digest,
                places=None if row.places is None else zlib.decompress(row.places),
                first_seen_ms=row.first_seen_at_ms,
                node_count=int(row.node_count),
            )
            for row in self._rows(_EVALUATED)
        ]

    def listed(self, digest: str) -> tuple[FleetPatch, ...]:
        """Return the patches that are kept under *digest*."""
        body = self._scalar(_LISTED, {"digest": digest})
        assert body is not None, "a foreign key keeps listings that are referred to"
        return load(zlib.decompress(body).decode())

    def nodes(self, evaluation_ids: Collection[str], *, after: str, limit: int) -> list[tuple[str, str]]:
        """Return up to *limit* nodes after *after* that have one of the evaluations, each with that, in order of id."""
        given = {"after": after, "limit": limit, "ids": list(evaluation_ids)}
        return [(row.node_id, row.evaluation_id) for row in self._rows(_NODES, given)]

    def standings(
        self, ids: Collection[str] | None, tags: Sequence[tuple[str, Collection[str]]], *, lost_before: datetime
    ) -> list[StandingNodes]:
        """Return how the nodes stand that `Nodes.selected` returns."""
        is_lost = sa.case((node.c.pinged_at_ms < ms(lost_before), 1), else_=0)
        query = (
            sa.select(
                cohort.c.evaluation_id,
                evaluation.c.standing,
                sa.func.count().label("node_count"),
                sa.func.sum(is_lost).label("lost_count"),
            )
            .select_from(
                node.outerjoin(standing, standing.c.node_id == node.c.node_id)
                .outerjoin(cohort, cohort.c.cohort_id == standing.c.cohort_id)
                .outerjoin(evaluation, evaluation.c.evaluation_id == cohort.c.evaluation_id)
            )
            .where(*(tagged(key, values) for key, values in tags))
            .group_by(cohort.c.evaluation_id, evaluation.c.standing)
        )
        if ids is not None:
            query = query.where(node.c.node_id.in_(ids))
        return [
            StandingNodes(
                evaluation_id=row.evaluation_id,
                standing=row.standing,
                node_count=row.node_count,
                lost_count=int(row.lost_count),
            )
            for row in self._rows(query)
        ]

    def first_sights(self) -> dict[tuple[str, str, str], int]:
        """Return when each patch was first reported by any node, by operating system, title and product."""
        return {(row.operating_system, row.title, row.product): row.at_ms for row in self._rows(_SIGHTS)}

    def exploited_names(self) -> set[str]:
        """Return under which names patches are to be looked for that close CVEs which are known to be exploited."""
        return set(self._scalars(_EXPLOITED))
