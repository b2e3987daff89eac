"""Items of compliance that were told of nodes, by type."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.baseline import ComplianceLevel, ComplianceStatus
from patchwindow.domain.compliance_filters import TIME, Condition
from patchwindow.domain.compliance_item import ComplianceItem, severity_of, status_of
from patchwindow.protocol.records import dumps, from_members, from_ms
from patchwindow.store.conditions import NODE_PLACES, Place, all_hold
from patchwindow.store.inventory_tables import compliance_set
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, ms
from patchwindow.store.tables import node
from patchwindow.store.tags import NODE_TAGS


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceSet:
    """The items of one type of a node, and the execution that the last of them came from."""

    node_id: str
    compliance_type: str
    execution_time: datetime
    execution_id: str = ""
    execution_type: str = ""
    content_hash: str = ""
    status: ComplianceStatus
    overall_severity: ComplianceLevel
    packed: bytes

    @property
    def items(self) -> tuple[ComplianceItem, ...]:
        """The items, in the order in which they came."""
        return tuple(from_members(ComplianceItem, one) for one in json.loads(zlib.decompress(self.packed)))


_OF_NODE: Final = compliance_set.c.node_id == sa.bindparam("node")
_ONE: Final = (_OF_NODE, compliance_set.c.compliance_type == sa.bindparam("type"))
_GET: Final = prepared(sa.select(compliance_set).where(*_ONE))
_DELETE: Final = prepared(sa.delete(compliance_set).where(*_ONE))
_ALL_OF_NODE: Final = prepared(sa.select(compliance_set).where(_OF_NODE).order_by(compliance_set.c.compliance_type))
_SIZE: Final = prepared(sa.select(sa.func.coalesce(sa.func.sum(compliance_set.c.size), 0)).where(_OF_NODE))
_PAGE: Final = (
    sa.select(compliance_set)
    .where(
        sa.or_(
            compliance_set.c.node_id > sa.bindparam("node"),
            sa.and_(
                compliance_set.c.node_id == sa.bindparam("node"),
                compliance_set.c.compliance_type > sa.bindparam("type"),
            ),
        )
    )
    .order_by(compliance_set.c.node_id, compliance_set.c.compliance_type)
    .limit(sa.bindparam("limit"))
)
_TALLY: Final = (
    sa.select(
        compliance_set.c.compliance_type,
        compliance_set.c.status,
        compliance_set.c.overall_severity,
        sa.func.count().label("node_count"),
    )
    .group_by(compliance_set.c.compliance_type, compliance_set.c.status, compliance_set.c.overall_severity)
    .order_by(compliance_set.c.compliance_type)
)
_TYPES: Final = prepared(sa.select(compliance_set.c.compliance_type).distinct())
_ANY: Final = prepared(
    sa.select(compliance_set.c.node_id).where(compliance_set.c.compliance_type == sa.bindparam("type")).limit(1)
)

_PLACES: Final[Mapping[str, Place]] = {
    "ComplianceType": compliance_set.c.compliance_type,
    "OverallSeverity": compliance_set.c.overall_severity,
    "Status": compliance_set.c.status,
    "InstanceId": compliance_set.c.node_id,
    "ResourceId": compliance_set.c.node_id,
    "ResourceType": NODE_TAGS,
    # Nothing but a scan goes by a baseline.
    "PatchGroup": "",
    "PatchBaselineId": "",
    "ExecutionType": compliance_set.c.execution_type,
    "ExecutionId": compliance_set.c.execution_id,
    TIME: compliance_set.c.executed_at_ms,
    **NODE_PLACES,
}


@dataclass(frozen=True, slots=True)
class SetCount:
    """So many nodes have items of the type that make this of them."""

    compliance_type: str
    status: str
    overall_severity: str
    node_count: int


class ComplianceItems(Rows):
    """Items that were told, by node and type."""

    def put(
        self,
        node_id: str,
        compliance_type: str,
        items: tuple[ComplianceItem, ...],
        *,
        latest: ComplianceItem,
        content_hash: str,
    ) -> None:
        """Keep the items of a type, in place of what the node had; *latest* is one of those that came last."""
        text = f"[{','.join(map(dumps, items))}]"
        self._upsert(
            compliance_set,
            node_id=node_id,
            compliance_type=compliance_type,
            status=status_of(items),
            overall_severity=severity_of(items),
            execution_id=latest.execution_id,
            execution_type=latest.execution_type,
            executed_at_ms=ms(latest.execution_time),
            content_hash=content_hash,
            size=len(text),
            items=zlib.compress(text.encode()),
        )

    def delete(self, node_id: str, compliance_type: str) -> None:
        """Forget the items of a type."""
        self._change(_DELETE, {"node": node_id, "type": compliance_type})

    def get(self, node_id: str, compliance_type: str) -> ComplianceSet | None:
        """Return the items of a type."""
        row = self._row(_GET, {"node": node_id, "type": compliance_type})
        return None if row is None else _set(row)

    def of(self, node_id: str) -> list[ComplianceSet]:
        """Return the items of a node, in order of type."""
        return [_set(row) for row in self._rows(_ALL_OF_NODE, {"node": node_id})]

    def size_of(self, node_id: str) -> int:
        """Return how much is kept of the node, unpacked."""
        return int(self._scalar(_SIZE, {"node": node_id}))

    def page(self, *, after: tuple[str, str], limit: int, wanted: Sequence[Condition] = ()) -> list[ComplianceSet]:
        """Return up to *limit* sets beyond the node and type *after* that pass, in order of both."""
        node_id, compliance_type = after
        given = {"node": node_id, "type": compliance_type, "limit": limit}
        return [_set(row) for row in self._rows(_passing(_PAGE, wanted), given)]

    def tally(self, wanted: Sequence[Condition] = ()) -> list[SetCount]:
        """Return how many nodes that pass have items of which type, status and severity, in order of type."""
        return [
            SetCount(row.compliance_type, row.status, row.overall_severity, row.node_count)
            for row in self._rows(_passing(_TALLY, wanted))
        ]

    def has_type(self, compliance_type: str) -> bool:
        """Return whether any node has items of the type."""
        return self._scalar(_ANY, {"type": compliance_type}) is not None

    def types(self) -> set[str]:
        """Return the types of which there are items."""
        return set(self._scalars(_TYPES))


def _passing(statement: "sa.Select[Any]", wanted: Sequence[Condition]) -> "sa.Select[Any]":
    if any(condition.key in NODE_PLACES for condition in wanted):
        statement = statement.join(node, node.c.node_id == compliance_set.c.node_id)
    return statement.where(all_hold(wanted, _PLACES)) if wanted else statement


def _set(row: Any) -> ComplianceSet:
    return ComplianceSet(
        node_id=row.node_id,
        compliance_type=row.compliance_type,
        execution_time=from_ms(row.executed_at_ms),
        execution_id=row.execution_id,
        execution_type=row.execution_type,
        content_hash=row.content_hash,
        status=ComplianceStatus(row.status),
        overall_severity=ComplianceLevel(row.overall_severity),
        packed=row.items,
    )
