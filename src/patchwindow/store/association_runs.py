"""Runs of associations, and how the latest run of each stands on its nodes."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from patchwindow.domain.association_execution import NEVER_REACHED, OPEN, NodeStatus, State
from patchwindow.domain.association_run import NodeStanding, Run
from patchwindow.protocol.records import from_ms
from patchwindow.store.association_tables import association_node, association_run
from patchwindow.store.nodes import tagged
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms
from patchwindow.store.tables import invocation, node
from patchwindow.store.tally import Stage

_ONE: Final = sa.select(association_run).where(association_run.c.execution_id == sa.bindparam("id"))
_GET: Final = prepared(_ONE)
_LOCK: Final = prepared(_ONE.with_for_update())
_OF_ASSOCIATION: Final = association_run.c.association_id == sa.bindparam("association_id")
_OPEN: Final = prepared(
    sa.select(association_run)
    .where(_OF_ASSOCIATION, association_run.c.ended_at_ms.is_(None))
    .order_by(association_run.c.created_at_ms, association_run.c.execution_id)
    .with_for_update()
)
_NEWEST_FIRST: Final = (association_run.c.created_at_ms.desc(), association_run.c.execution_id.desc())
_LATEST: Final = prepared(sa.select(association_run).where(_OF_ASSOCIATION).order_by(*_NEWEST_FIRST).limit(1))
_LAST_SUCCESS: Final = prepared(
    sa.select(sa.func.max(association_run.c.created_at_ms)).where(
        _OF_ASSOCIATION, association_run.c.status == State.SUCCESS
    )
)
_DUE: Final = prepared(
    sa.select(association_run.c.execution_id)
    .where(association_run.c.wake_at_ms <= sa.bindparam("now_ms"))
    .order_by(association_run.c.wake_at_ms, association_run.c.execution_id)
    .limit(sa.bindparam("limit"))
)
_NEXT: Final = prepared(sa.select(sa.func.min(association_run.c.wake_at_ms)))
# Not by a list, which has no constant text.
_IS_OPEN: Final = sa.or_(*(association_node.c.status == sa.literal_column(f"'{status}'") for status in sorted(OPEN)))
_OF_RUN: Final = association_node.c.execution_id == sa.bindparam("id")
_OPEN_COUNT: Final = prepared(sa.select(sa.func.count()).select_from(association_node).where(_OF_RUN, _IS_OPEN))
_ENDED: Final = prepared(
    sa.select(association_node.c.node_id, invocation.c.details, invocation.c.ended_at_ms)
    .join(
        invocation,
        (invocation.c.node_id == association_node.c.node_id) & (invocation.c.command_id == sa.bindparam("command_id")),
    )
    .where(_OF_RUN, _IS_OPEN, invocation.c.stage == Stage.ENDED)
    .order_by(association_node.c.node_id)
)
_CLOSE: Final = prepared(
    sa.update(association_node)
    .where(_OF_RUN, _IS_OPEN)
    .values(status=sa.bindparam("to_status"), details=sa.bindparam("to_details"), at_ms=sa.bindparam("now_ms"))
)
_FORGET: Final = prepared(
    sa.delete(association_node).where(association_node.c.association_id == sa.bindparam("association_id"))
)
_NODES: Final = prepared(
    sa.select(association_node.c.node_id).where(association_node.c.association_id == sa.bindparam("association_id"))
)
_COUNTS: Final = prepared(
    sa.select(association_node.c.status, sa.func.count().label("count_"))
    .where(association_node.c.association_id == sa.bindparam("association_id"))
    .group_by(association_node.c.status)
)
_EXECUTED: Final = prepared(
    sa.select(
        sa.func.max(association_run.c.created_at_ms).label("last"),
        sa.func.max(sa.case((invocation.c.details == NodeStatus.SUCCESS.value, association_run.c.created_at_ms))).label(
            "last_success"
        ),
    )
    .join(invocation, invocation.c.command_id == association_run.c.command_id)
    .where(invocation.c.node_id == sa.bindparam("node_id"))
)
_ON_NODE: Final = prepared(sa.select(association_node).where(association_node.c.node_id == sa.bindparam("node_id")))


class Ended(NamedTuple):
    """What became of a node's invocation, where the run has not been told of it yet."""

    node_id: str
    details: str
    at: datetime


class AssociationRuns(Rows):
    """Runs of associations; the caller that changes one holds it (`lock`, `lock_open`)."""

    def get(self, execution_id: str) -> Run | None:
        """Return the run."""
        row = self._row(_GET, {"id": execution_id})
        return None if row is None else _run(row)

    def lock(self, execution_id: str) -> Run | None:
        """Return the run, and keep other writers from it until the transaction ends."""
        row = self._row(_LOCK, {"id": execution_id})
        return None if row is None else _run(row)

    def lock_open(self, association_id: str) -> list[Run]:
        """Return the runs of the association that have not ended, the first first, as `lock` does."""
        return [_run(row) for row in self._rows(_OPEN, {"association_id": association_id})]

    def start(self, value: Run, *, wake_at: datetime | None) -> bool:
        """Keep a new run, and return False where the association has one for that instant of its schedule."""
        return self._insert_if_new(association_run, **_row(value, wake_at))

    def put(self, value: Run, *, wake_at: datetime | None) -> None:
        """Keep a run that was changed, and let the engine look at it at *wake_at*."""
        self._upsert(association_run, **_row(value, wake_at))

    def latest(self, association_id: str) -> Run | None:
        """Return the run of the association that began last."""
        row = self._row(_LATEST, {"association_id": association_id})
        return None if row is None else _run(row)

    def last_success(self, association_id: str) -> datetime | None:
        """Return when the last run of the association began that succeeded."""
        return instant(self._scalar(_LAST_SUCCESS, {"association_id": association_id}))

    def page(
        self,
        association_id: str,
        *,
        before: tuple[int, str] | None,
        limit: int,
        execution_ids: Collection[str] | None = None,
        statuses: Collection[str] | None = None,
        created: Sequence[tuple[str, datetime]] = (),
    ) -> list[Run]:
        """Return up to *limit* runs of the association, the newest first, beyond the key *before*.

        *created* has comparisons with the instant at which a run began: ``=``, ``<`` or ``>``.
        """
        statement = sa.select(association_run).where(association_run.c.association_id == association_id)
        if before is not None:
            key = sa.tuple_(association_run.c.created_at_ms, association_run.c.execution_id)
            statement = statement.where(key < sa.tuple_(*map(sa.literal, before)))
        if execution_ids is not None:
            statement = statement.where(association_run.c.execution_id.in_(execution_ids))
        if statuses is not None:
            statement = statement.where(association_run.c.status.in_(statuses))
        for sign, at in created:
            statement = statement.where(association_run.c.created_at_ms.op(sign, is_comparison=True)(ms(at)))
        return [_run(row) for row in self._rows(statement.order_by(*_NEWEST_FIRST).limit(limit))]

    def due(self, now: datetime, limit: int) -> list[str]:
        """Return the ids of up to *limit* runs that are to be looked at, the longest due first."""
        return self._scalars(_DUE, {"now_ms": ms(now), "limit": limit})

    def next_wake_at(self) -> datetime | None:
        """Return the earliest instant at which any run is to be looked at."""
        return instant(self._scalar(_NEXT))

    # Nodes

    def begin_on(self, run: Run, node_ids: Iterable[str]) -> None:
        """Note that the run begins on these nodes; what is said of it counts for them from now on."""
        self.stand(run, ((node_id, NodeStatus.PENDING, NodeStatus.PENDING, run.created_at) for node_id in node_ids))

    def stand(self, run: Run, standings: Iterable[tuple[str, NodeStatus, str, datetime]]) -> None:
        """Note how the run stands on nodes, each given with its status, the details and since when."""
        self._upsert_all(
            association_node,
            (
                {
                    "association_id": run.association_id,
                    "node_id": node_id,
                    "execution_id": run.execution_id,
                    "status": status,
                    "details": details,
                    "at_ms": ms(at),
                }
                for node_id, status, details, at in standings
            ),
        )

    def open_count(self, execution_id: str) -> int:
        """Return on how many nodes the run has not ended, as far as it was told."""
        found: int = self._scalar(_OPEN_COUNT, {"id": execution_id})
        return found

    def ended(self, execution_id: str, command_id: str) -> list[Ended]:
        """Return where the command of the run has ended since it was last told, in order of node."""
        rows = self._rows(_ENDED, {"id": execution_id, "command_id": command_id})
        return [Ended(row.node_id, row.details, from_ms(row.ended_at_ms)) for row in rows]

    def close(self, execution_id: str, status: NodeStatus, details: str, now: datetime) -> None:
        """Let the run end as *status* on all nodes on which it has not."""
        self._change(_CLOSE, {"id": execution_id, "to_status": status, "to_details": details, "now_ms": ms(now)})

    def nodes_of(self, association_id: str) -> set[str]:
        """Return the nodes on which something is said of the association."""
        return set(self._scalars(_NODES, {"association_id": association_id}))

    def forget_nodes(self, association_id: str) -> None:
        """Forget how the association stands on all nodes, of which a new run will tell."""
        self._change(_FORGET, {"association_id": association_id})

    def counts(self, association_id: str) -> dict[NodeStatus, int]:
        """Return on how many nodes the association's latest run stands how."""
        rows = self._rows(_COUNTS, {"association_id": association_id})
        return {NodeStatus(row.status): row.count_ for row in rows}

    def on_node(self, node_id: str) -> dict[str, NodeStanding]:
        """Return how the latest run of each association stands on the node, by association."""
        return {
            row.association_id: NodeStanding(row.execution_id, NodeStatus(row.status), row.details, from_ms(row.at_ms))
            for row in self._rows(_ON_NODE, {"node_id": node_id})
        }

    def executed(self, node_id: str) -> tuple[datetime | None, datetime | None]:
        """Return when the last run began that was for the node, and the last that succeeded there."""
        row = self._row(_EXECUTED, {"node_id": node_id})
        assert row is not None, "an aggregate without groups is one row"
        return instant(row.last), instant(row.last_success)

    def lacking(
        self,
        association_id: str,
        *,
        ids: Collection[str] | None,
        tags: Sequence[tuple[str, Collection[str]]],
        limit: int,
    ) -> list[str]:
        """Return up to *limit* of the nodes that targets select and the association never ran for, in order of id.

        So are those that a run did not reach and that were heard of since.
        """
        has_run = sa.exists().where(
            association_node.c.association_id == association_id,
            association_node.c.node_id == node.c.node_id,
            association_node.c.details.not_in(sorted(NEVER_REACHED))
            | (node.c.pinged_at_ms <= association_node.c.at_ms),
        )
        statement = sa.select(node.c.node_id).where(~has_run, *(tagged(key, values) for key, values in tags))
        if ids is not None:
            statement = statement.where(node.c.node_id.in_(ids))
        return self._scalars(statement.order_by(node.c.node_id).limit(limit))


def _row(value: Run, wake_at: datetime | None) -> dict[str, Any]:
    return {
        "execution_id": value.execution_id,
        "association_id": value.association_id,
        "version": int(value.association_version),
        "scheduled_at_ms": ms(value.scheduled_at),
        "is_whole": int(value.is_whole),
        "created_at_ms": ms(value.created_at),
        "ended_at_ms": ms(value.ended_at),
        "status": value.status,
        "details": value.details,
        "command_id": value.command_id,
        "wake_at_ms": ms(wake_at),
    }


def _run(row: Any) -> Run:
    return Run(
        execution_id=row.execution_id,
        association_id=row.association_id,
        association_version=str(row.version),
        scheduled_at=instant(row.scheduled_at_ms),
        is_whole=bool(row.is_whole),
        created_at=from_ms(row.created_at_ms),
        ended_at=instant(row.ended_at_ms),
        status=State(row.status),
        details=row.details,
        command_id=row.command_id,
    )
