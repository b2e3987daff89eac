"""What a forecast reads that nothing else does: all nodes with their cohorts, and how long former operations took."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from patchwindow.domain.invocation import State
from patchwindow.protocol.records import from_ms
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows
from patchwindow.store.tables import invocation, node, scan, standing


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlace:
    """A node, when it was last heard of, and its cohort; empty where it was never scanned."""

    node_id: str
    pinged_at: datetime
    cohort_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationTime:
    """How long an operation took on a node, from when it was sent until it had ended, its reboot included."""

    operation: str
    patch_group: str
    seconds: int


_NODES: Final = prepared(
    sa.select(node.c.node_id, node.c.pinged_at_ms, sa.func.coalesce(standing.c.cohort_id, "").label("cohort_id"))
    .select_from(node.outerjoin(standing, standing.c.node_id == node.c.node_id))
    .order_by(node.c.node_id)
)
_TIMES: Final = prepared(
    sa.select(
        scan.c.operation,
        scan.c.patch_group,
        (invocation.c.ended_at_ms - invocation.c.dispatched_at_ms).label("took_ms"),
    )
    .join(
        invocation,
        sa.and_(invocation.c.command_id == scan.c.command_id, invocation.c.node_id == scan.c.node_id),
    )
    .where(invocation.c.details == State.SUCCESS.value, invocation.c.ended_at_ms > invocation.c.dispatched_at_ms)
    .order_by(scan.c.ended_at_ms.desc(), scan.c.node_id)
    .limit(sa.bindparam("limit"))
)


class Forecasts(Rows):
    """The fleet as forecasts need it."""

    def nodes(self) -> list[NodePlace]:
        """Return every node, in order of id."""
        return [
            NodePlace(node_id=row.node_id, pinged_at=from_ms(row.pinged_at_ms), cohort_id=row.cohort_id)
            for row in self._rows(_NODES)
        ]

    def times(self, limit: int) -> list[OperationTime]:
        """Return how long up to *limit* operations took that succeeded, the last ones first."""
        return [
            OperationTime(
                operation=row.operation, patch_group=row.patch_group, seconds=max(1, round(row.took_ms / 1000))
            )
            for row in self._rows(_TIMES, {"limit": limit})
        ]
