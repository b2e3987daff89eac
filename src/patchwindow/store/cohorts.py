"""Cohorts: nodes with equal facts, operating system, patch group and overlay, and which evaluation is theirs.

Whatever changes the baseline of nodes marks their cohorts as due in the same transaction (`Baselines`, `PatchGroups`);
the engine evaluates what is due. Who chooses a baseline for a cohort holds the choices of its operating system, and who
changes them takes them for himself: so nobody chooses by what another is just changing.
"""

import dataclasses
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.overlay import NOTHING, Overlay
from patchwindow.store.evaluations import digest_of, overlay_of, overlay_text
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms
from patchwindow.store.tables import cohort, default_baseline, patch_group, standing

AT_ONCE_MS: Final = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CohortKey:
    """What the nodes of a cohort have in common."""

    facts_digest: str
    operating_system: str
    patch_group: str
    overlay: Overlay = NOTHING

    @property
    def cohort_id(self) -> str:
        """Return the id of the cohort."""
        return digest_of(self.facts_digest, self.operating_system, self.patch_group, overlay_text(self.overlay))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """A cohort, the evaluation that is true of its nodes, and when it is to be looked at again."""

    cohort_id: str
    key: CohortKey
    baseline_id: str
    evaluation_id: str
    computed_at: datetime
    due_at: datetime | None


_LOCK: Final = prepared(sa.select(cohort).where(cohort.c.cohort_id == sa.bindparam("id")).with_for_update())
_DUE: Final = prepared(
    sa.select(cohort.c.facts_digest)
    .where(cohort.c.due_at_ms <= sa.bindparam("now"))
    .distinct()
    .limit(sa.bindparam("limit"))
)
_NEXT_DUE: Final = prepared(sa.select(sa.func.min(cohort.c.due_at_ms).label("at")))
_SYSTEMS_DUE: Final = prepared(
    sa.select(cohort.c.operating_system)
    .where(cohort.c.facts_digest == sa.bindparam("digest"), cohort.c.due_at_ms <= sa.bindparam("now"))
    .distinct()
    .order_by(cohort.c.operating_system)
)
_LOCK_DUE: Final = prepared(
    sa.select(cohort)
    .where(cohort.c.facts_digest == sa.bindparam("digest"), cohort.c.due_at_ms <= sa.bindparam("now"))
    .order_by(cohort.c.cohort_id)
    .limit(sa.bindparam("limit"))
    .with_for_update()
)
_PEOPLED: Final = (
    sa.select(cohort.c.cohort_id)
    .where(
        cohort.c.cohort_id.in_(sa.bindparam("ids", expanding=True)),
        sa.exists().where(standing.c.cohort_id == cohort.c.cohort_id),
    )
    .order_by(cohort.c.cohort_id)
)
_WITH_NODES: Final = prepared(
    sa.select(cohort).where(sa.exists().where(standing.c.cohort_id == cohort.c.cohort_id)).order_by(cohort.c.cohort_id)
)
_EMPTY: Final = prepared(
    sa.select(cohort.c.cohort_id)
    .where(~sa.exists().where(standing.c.cohort_id == cohort.c.cohort_id))
    .order_by(cohort.c.cohort_id)
    .limit(sa.bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_DELETE: Final = sa.delete(cohort).where(
    cohort.c.cohort_id.in_(sa.bindparam("ids", expanding=True)),
    ~sa.exists().where(standing.c.cohort_id == cohort.c.cohort_id),
)
_BY_BASELINE: Final = prepared(
    sa.update(cohort).where(cohort.c.baseline_id == sa.bindparam("id")).values(due_at_ms=AT_ONCE_MS)
)
_BY_SYSTEM: Final = prepared(
    sa.update(cohort).where(cohort.c.operating_system == sa.bindparam("os")).values(due_at_ms=AT_ONCE_MS)
)
_BY_GROUP: Final = prepared(
    sa.update(cohort)
    .where(cohort.c.operating_system == sa.bindparam("os"), cohort.c.patch_group == sa.bindparam("name"))
    .values(due_at_ms=AT_ONCE_MS)
)
_POSTPONE: Final = prepared(
    sa.update(cohort).where(cohort.c.cohort_id == sa.bindparam("id")).values(due_at_ms=sa.bindparam("due_at"))
)
_OF_SYSTEM: Final = sa.select(default_baseline.c.baseline_id).where(
    default_baseline.c.operating_system == sa.bindparam("os")
)
_HOLD: Final = prepared(_OF_SYSTEM.with_for_update(read=True))
_TAKE: Final = prepared(_OF_SYSTEM.with_for_update())
_SYSTEM_OF_GROUP: Final = prepared(
    sa.select(patch_group.c.operating_system).where(
        patch_group.c.patch_group == sa.bindparam("name"), patch_group.c.baseline_id == sa.bindparam("id")
    )
)
_OF_NODE: Final = prepared(
    sa.select(cohort)
    .where(cohort.c.cohort_id == standing.c.cohort_id, standing.c.node_id == sa.bindparam("id"))
    .with_for_update()
)
_MOVE: Final = prepared(
    sa.update(standing).where(standing.c.node_id == sa.bindparam("id")).values(cohort_id=sa.bindparam("to"))
)


class Cohorts(Rows):
    """Cohorts, by id."""

    def lock(self, key: CohortKey) -> Cohort | None:
        """Return the cohort with this *key*, and keep others from it until the transaction ends."""
        row = self._row(_LOCK, {"id": key.cohort_id})
        return None if row is None else _cohort(row)

    def put(self, value: Cohort) -> None:
        """Keep a new or changed cohort."""
        self._upsert(
            cohort,
            cohort_id=value.cohort_id,
            facts_digest=value.key.facts_digest,
            operating_system=value.key.operating_system,
            patch_group=value.key.patch_group,
            overlay=overlay_text(value.key.overlay),
            baseline_id=value.baseline_id,
            evaluation_id=value.evaluation_id,
            computed_at_ms=ms(value.computed_at),
            due_at_ms=ms(value.due_at),
        )

    def postpone(self, cohort_id: str, due_at: datetime | None) -> None:
        """Let the cohort be due at that instant; None where it cannot be evaluated until its nodes report."""
        self._change(_POSTPONE, {"id": cohort_id, "due_at": ms(due_at)})

    def hold_choices(self, operating_system: str) -> str | None:
        """Keep others from changing which baselines nodes of the system follow, until the transaction ends.

        It comes before any lock of a cohort, as it does where choices are changed. Return the id of the default.
        """
        found: str | None = self._scalar(_HOLD, {"os": operating_system})
        return found

    def due(self, now: datetime, limit: int) -> list[str]:
        """Return up to *limit* digests of facts with cohorts that are due."""
        return self._scalars(_DUE, {"now": ms(now), "limit": limit})

    def next_due_at(self) -> datetime | None:
        """Return when a cohort is due next."""
        return instant(self._scalar(_NEXT_DUE, {}))

    def systems_due(self, facts_digest: str, now: datetime) -> list[str]:
        """Return the operating systems of the cohorts with these facts that are due, in order."""
        return self._scalars(_SYSTEMS_DUE, {"digest": facts_digest, "now": ms(now)})

    def lock_due(self, facts_digest: str, now: datetime, limit: int) -> list[Cohort]:
        """Return up to *limit* cohorts with these facts that are due, and keep others from them."""
        given = {"digest": facts_digest, "now": ms(now), "limit": limit}
        return [_cohort(row) for row in self._rows(_LOCK_DUE, given)]

    def peopled(self, ids: Collection[str]) -> set[str]:
        """Return those of the cohorts that have nodes."""
        return set(self._scalars(_PEOPLED, {"ids": list(ids)}))

    def with_nodes(self) -> list[Cohort]:
        """Return all cohorts that have nodes, in order of id."""
        return [_cohort(row) for row in self._rows(_WITH_NODES)]

    def delete(self, ids: Collection[str]) -> int:
        """Delete those of the cohorts that have no nodes; return how many."""
        return self._change(_DELETE, {"ids": list(ids)}) if ids else 0

    def prune(self, limit: int) -> int:
        """Delete up to *limit* cohorts that have no nodes; return how many."""
        return self.delete(self._scalars(_EMPTY, {"limit": limit}))

    def regroup(self, node_id: str, patch_group: str) -> None:
        """Move a scanned node into the cohort of its new group; what was true of it is shown until that is evaluated."""
        row = self._row(_OF_NODE, {"id": node_id})
        if row is None or row.patch_group == patch_group:
            return
        before = _cohort(row)
        key = dataclasses.replace(before.key, patch_group=patch_group)
        self._insert_if_new(
            cohort,
            cohort_id=key.cohort_id,
            facts_digest=key.facts_digest,
            operating_system=key.operating_system,
            patch_group=patch_group,
            overlay=overlay_text(key.overlay),
            baseline_id=before.baseline_id,
            evaluation_id=before.evaluation_id,
            computed_at_ms=ms(before.computed_at),
            due_at_ms=AT_ONCE_MS,
        )
        self._change(_MOVE, {"id": node_id, "to": key.cohort_id})


class Choices(Rows):
    """What marks the cohorts whose baseline changes; whoever changes one, or what leads to it, says so here first."""

    def take(self, operating_system: str) -> None:
        """Keep others from choosing baselines for nodes of the system until the transaction ends."""
        self._scalar(_TAKE, {"os": operating_system})

    def system_of_group(self, name: str, baseline_id: str) -> str | None:
        """Return the operating system for which the group is registered with the baseline."""
        found: str | None = self._scalar(_SYSTEM_OF_GROUP, {"name": name, "id": baseline_id})
        return found

    def mark_baseline(self, baseline_id: str) -> None:
        """Mark the cohorts that the baseline evaluates."""
        self._change(_BY_BASELINE, {"id": baseline_id})

    def mark_system(self, operating_system: str) -> None:
        """Mark all cohorts of the system, for its default is another."""
        self._change(_BY_SYSTEM, {"os": operating_system})

    def mark_group(self, name: str, operating_system: str) -> None:
        """Mark the cohorts of the group, for it follows another baseline."""
        self._change(_BY_GROUP, {"name": name, "os": operating_system})


def _cohort(row: Any) -> Cohort:
    computed_at = instant(row.computed_at_ms)
    assert computed_at is not None
    return Cohort(
        cohort_id=row.cohort_id,
        key=CohortKey(
            facts_digest=row.facts_digest,
            operating_system=row.operating_system,
            patch_group=row.patch_group,
            overlay=overlay_of(row.overlay),
        ),
        baseline_id=row.baseline_id,
        evaluation_id=row.evaluation_id,
        computed_at=computed_at,
        due_at=instant(row.due_at_ms),
    )
