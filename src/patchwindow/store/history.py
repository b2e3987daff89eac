"""Every scan and installation, the trend per day, and the chores of the engine."""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.patch_state import Counts
from patchwindow.protocol.records import from_ms, loads
from patchwindow.store.evaluations import day_number, day_of
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms
from patchwindow.store.tables import chore, compliance_day, evaluation, scan


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PastScan:
    """One operation on a node, and what the baseline of that time made of what it found."""

    node_id: str
    ended_at: datetime
    operation: str
    command_id: str
    patch_group: str
    baseline_id: str
    baseline_revision: int
    facts_digest: str
    counts: Counts


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """How many nodes of a group and system were in a state on a day."""

    day: date
    patch_group: str
    operating_system: str
    state: str
    node_count: int


_SCANS: Final = prepared(
    sa.select(
        scan.c.node_id,
        scan.c.ended_at_ms,
        scan.c.operation,
        scan.c.command_id,
        scan.c.patch_group,
        evaluation.c.baseline_id,
        evaluation.c.baseline_revision,
        evaluation.c.facts_digest,
        evaluation.c.body,
    )
    .join(evaluation, evaluation.c.evaluation_id == scan.c.evaluation_id)
    .where(
        scan.c.node_id == sa.bindparam("id"),
        scan.c.ended_at_ms >= sa.bindparam("since"),
        scan.c.ended_at_ms < sa.bindparam("before"),
    )
    .order_by(scan.c.ended_at_ms.desc())
    .limit(sa.bindparam("limit"))
)
_OLD: Final = sa.select(scan.c.node_id, scan.c.ended_at_ms).where(scan.c.ended_at_ms < sa.bindparam("before"))
_PRUNE: Final = prepared(
    sa.delete(scan).where(
        sa.tuple_(scan.c.node_id, scan.c.ended_at_ms).in_(
            _OLD.order_by(scan.c.ended_at_ms).limit(sa.bindparam("limit")).with_for_update(skip_locked=True)
        )
    )
)
_PLACE: Final = sa.tuple_(compliance_day.c.day, compliance_day.c.patch_group, compliance_day.c.operating_system)
_TOTALS: Final = (
    sa.select(
        compliance_day.c.day, compliance_day.c.state, sa.func.sum(compliance_day.c.node_count).label("node_count")
    )
    .where(compliance_day.c.day >= sa.bindparam("first"), compliance_day.c.day <= sa.bindparam("last"))
    .group_by(compliance_day.c.day, compliance_day.c.state)
    .order_by(compliance_day.c.day, compliance_day.c.state)
    .limit(sa.bindparam("limit"))
)
_CLEAR_DAY: Final = prepared(sa.delete(compliance_day).where(compliance_day.c.day == sa.bindparam("number")))
_PRUNE_DAYS: Final = prepared(sa.delete(compliance_day).where(compliance_day.c.day < sa.bindparam("number")))
_DUE: Final = prepared(
    sa.select(chore.c.name)
    .where(chore.c.due_at_ms <= sa.bindparam("now"))
    .order_by(chore.c.name)
    .limit(sa.bindparam("limit"))
)
_NEXT: Final = prepared(sa.select(sa.func.min(chore.c.due_at_ms).label("at")))
_LOCK: Final = prepared(sa.select(chore.c.due_at_ms).where(chore.c.name == sa.bindparam("name")).with_for_update())


class Scans(Rows):
    """The history of scans, by node and time."""

    def of_node(self, node_id: str, *, since: datetime, before: datetime, limit: int) -> list[PastScan]:
        """Return up to *limit* operations on the node that ended in that time, the last one first."""
        given = {"id": node_id, "since": ms(since), "before": ms(before), "limit": limit}
        return [_past(row) for row in self._rows(_SCANS, given)]

    def prune(self, before: datetime, limit: int) -> int:
        """Forget up to *limit* operations that ended before; return how many."""
        return self._change(_PRUNE, {"before": ms(before), "limit": limit})


class Trend(Rows):
    """How many nodes were in which state, per day, patch group and operating system."""

    def put(self, day: date, counts: Iterable[tuple[str, str, str, int]]) -> None:
        """Keep the *counts* of a day, as (group, operating system, state, nodes), in place of earlier ones."""
        number = day_number(day)
        self._change(_CLEAR_DAY, {"number": number})
        rows = [
            {
                "day": number,
                "patch_group": group,
                "operating_system": system,
                "state": state,
                "node_count": count,
            }
            for group, system, state, count in counts
        ]
        self._upsert_all(compliance_day, rows)

    def page(self, *, first: date, last: date, after: Sequence[str | int] | None, limit: int) -> list[DayCount]:
        """Return up to *limit* counts of the days from *first* to *last*, in order.

        They are beyond *after*: a day as text, a group and a system.
        """
        statement = sa.select(compliance_day).where(
            compliance_day.c.day >= day_number(first), compliance_day.c.day <= day_number(last)
        )
        if after is not None:
            day, group, system = map(str, after)
            place = (day_number(date.fromisoformat(day)), group, system)
            statement = statement.where(sa.tuple_(*map(sa.literal, place)) < _PLACE)
        rows = self._rows(statement.order_by(*_PLACE.clauses, compliance_day.c.state).limit(limit))
        return [
            DayCount(
                day=day_of(row.day),
                patch_group=row.patch_group,
                operating_system=row.operating_system,
                state=row.state,
                node_count=row.node_count,
            )
            for row in rows
        ]

    def totals(self, *, first: date, last: date, limit: int) -> list[DayCount]:
        """Return up to *limit* counts of the days from *first* to *last*, in order, over all groups and systems."""
        given = {"first": day_number(first), "last": day_number(last), "limit": limit}
        return [
            DayCount(
                day=day_of(row.day),
                patch_group="",
                operating_system="",
                state=row.state,
                node_count=int(row.node_count),
            )
            for row in self._rows(_TOTALS, given)
        ]

    def prune(self, before: date) -> None:
        """Forget the days before."""
        self._change(_PRUNE_DAYS, {"number": day_number(before)})


PRUNE: Final = "prune"
TREND: Final = "trend"
CATALOG: Final = "catalog"
CHORES: Final = (CATALOG, PRUNE, TREND)
"""What the engine does again and again once a node has reported."""


class Chores(Rows):
    """What is done again and again, by name."""

    def due(self, now: datetime, limit: int) -> list[str]:
        """Return the names of up to *limit* chores that are due."""
        return self._scalars(_DUE, {"now": ms(now), "limit": limit})

    def next_due_at(self) -> datetime | None:
        """Return when one is due next."""
        return instant(self._scalar(_NEXT, {}))

    def lock(self, name: str) -> datetime | None:
        """Return when the chore is due, and keep others from it until the transaction ends."""
        return instant(self._scalar(_LOCK, {"name": name}))

    def plan(self, name: str, due_at: datetime) -> None:
        """Let the chore be due at that instant, unless it is planned already."""
        self._insert_if_new(chore, name=name, due_at_ms=ms(due_at))

    def put(self, name: str, due_at: datetime) -> None:
        """Let the chore be due at that instant."""
        self._upsert(chore, name=name, due_at_ms=ms(due_at))


def _past(row: Any) -> PastScan:
    return PastScan(
        node_id=row.node_id,
        ended_at=from_ms(row.ended_at_ms),
        operation=row.operation,
        command_id=row.command_id,
        patch_group=row.patch_group,
        baseline_id=row.baseline_id,
        baseline_revision=row.baseline_revision,
        facts_digest=row.facts_digest,
        counts=loads(Counts, row.body),
    )
