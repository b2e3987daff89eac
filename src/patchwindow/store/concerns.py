"""What somebody has to look at, in few rows: nodes that are lost or wait, openings and commands that went wrong."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.fleet_state import FleetState
from patchwindow.protocol.records import from_ms, loads
from patchwindow.store.patch_states import Operation
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, ms
from patchwindow.store.tables import cohort, command, command_tally, evaluation, invocation, node, patch_state, standing
from patchwindow.store.tally import Stage
from patchwindow.store.window_tables import window_execution

_UNWANTED: Final = ("FAILED", "TIMED_OUT", "SKIPPED_OVERLAPPING")
_IS_LOST: Final = node.c.pinged_at_ms < sa.bindparam("lost_before")

_LONGEST_LOST: Final = prepared(
    sa.select(node.c.node_id, node.c.pinged_at_ms)
    .join(standing, standing.c.node_id == node.c.node_id)
    .where(_IS_LOST)
    .order_by(node.c.pinged_at_ms, node.c.node_id)
    .limit(sa.bindparam("limit"))
)
_OLDEST_SCANS: Final = prepared(
    sa.select(standing.c.node_id, standing.c.scanned_at_ms)
    .join(node, node.c.node_id == standing.c.node_id)
    .where(standing.c.scanned_at_ms < sa.bindparam("stale_before"), node.c.pinged_at_ms >= sa.bindparam("lost_before"))
    .order_by(standing.c.scanned_at_ms, standing.c.node_id)
    .limit(sa.bindparam("limit"))
)
# What was sent and is awaited no more was taken, or will expire; what was never acknowledged has not begun.
_LOST_AT_WORK: Final = prepared(
    sa.select(node.c.node_id, node.c.pinged_at_ms, sa.func.max(invocation.c.command_id).label("command_id"))
    .join(invocation, invocation.c.node_id == node.c.node_id)
    .where(
        _IS_LOST,
        invocation.c.stage >= Stage.AWAITED,
        invocation.c.stage < Stage.ENDED,
        invocation.c.acknowledged_at_ms.is_not(None),
    )
    .group_by(node.c.node_id, node.c.pinged_at_ms)
    .order_by(node.c.pinged_at_ms, node.c.node_id)
)
_AWAITING_REBOOT: Final = prepared(
    sa.select(standing.c.node_id, node.c.pinged_at_ms, patch_state.c.body)
    .join(cohort, cohort.c.cohort_id == standing.c.cohort_id)
    .join(evaluation, evaluation.c.evaluation_id == cohort.c.evaluation_id)
    .join(patch_state, patch_state.c.node_id == standing.c.node_id)
    .join(node, node.c.node_id == standing.c.node_id)
    .where(evaluation.c.standing == FleetState.PENDING_REBOOT)
)
_EXECUTIONS: Final = prepared(
    sa.select(
        window_execution.c.window_execution_id,
        window_execution.c.window_id,
        window_execution.c.opens_at_ms,
        window_execution.c.status,
        window_execution.c.status_details,
    )
    .where(
        window_execution.c.opens_at_ms >= sa.bindparam("since"),
        sa.or_(*(window_execution.c.status == status for status in _UNWANTED)),
    )
    .order_by(window_execution.c.opens_at_ms.desc(), window_execution.c.window_execution_id)
)
_STOPPED: Final = (
    sa.select(sa.func.coalesce(sa.func.sum(command_tally.c.invocation_count), 0))
    .where(command_tally.c.command_id == command.c.command_id, command_tally.c.details == "Terminated")
    .scalar_subquery()
)
_ERRORS: Final = command.c.error_count + command.c.delivery_timed_out_count
_COMMANDS: Final = prepared(
    sa.select(
        command.c.command_id,
        command.c.document_name,
        command.c.requested_at_ms,
        command.c.status_details,
        _ERRORS.label("error_count"),
        _STOPPED.label("stopped_count"),
    )
    .where(command.c.requested_at_ms >= sa.bindparam("since"), _ERRORS > 0)
    .order_by(_ERRORS.desc(), command.c.requested_at_ms.desc(), command.c.command_id)
)


@dataclasses.dataclass(frozen=True, slots=True)
class SilentNode:
    """A node, when it was heard of or scanned last, and the command that it had not done by then."""

    node_id: str
    at: datetime
    command_id: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class WaitingNode:
    """A node on which nothing but a reboot is left to do, when it was heard of last, and its last operation."""

    node_id: str
    pinged_at: datetime
    operation: Operation


@dataclasses.dataclass(frozen=True, slots=True)
class BadOpening:
    """An opening in which not all was done."""

    execution_id: str
    window_id: str
    opens_at: datetime
    status: str
    details: str


@dataclasses.dataclass(frozen=True, slots=True)
class BadCommand:
    """A command that failed on nodes; *stopped_count* nodes did not get it any more, as too many had failed."""

    command_id: str
    document_name: str
    requested_at: datetime
    details: str
    error_count: int
    stopped_count: int


class Concerns(Rows):
    """What is not as it should be, beside the states that `Fleet` counts."""

    def longest_lost(self, lost_before: datetime, limit: int) -> list[SilentNode]:
        """Return up to *limit* scanned nodes not heard of since *lost_before*, the longest silent first."""
        return _silent(self._rows(_LONGEST_LOST, {"lost_before": ms(lost_before), "limit": limit}))

    def oldest_scans(self, *, stale_before: datetime, lost_before: datetime, limit: int) -> list[SilentNode]:
        """Return up to *limit* nodes that are heard of and were not scanned since *stale_before*, the oldest scan first."""
        given = {"stale_before": ms(stale_before), "lost_before": ms(lost_before), "limit": limit}
        return _silent(self._rows(_OLDEST_SCANS, given))

    def lost_at_work(self, lost_before: datetime) -> list[SilentNode]:
        """Return the nodes not heard of since *lost_before* that had begun a command and not ended it."""
        rows = self._rows(_LOST_AT_WORK, {"lost_before": ms(lost_before)})
        return [SilentNode(row.node_id, from_ms(row.pinged_at_ms), row.command_id) for row in rows]

    def awaiting_reboot(self) -> list[WaitingNode]:
        """Return the nodes on which nothing but a reboot is left to do."""
        return [
            WaitingNode(row.node_id, from_ms(row.pinged_at_ms), loads(Operation, row.body))
            for row in self._rows(_AWAITING_REBOOT)
        ]

    def openings(self, since: datetime) -> list[BadOpening]:
        """Return the openings since *since* that failed, timed out, were missed or skipped, the latest first."""
        return [
            BadOpening(row.window_execution_id, row.window_id, from_ms(row.opens_at_ms), row.status, row.status_details)
            for row in self._rows(_EXECUTIONS, {"since": ms(since)})
        ]

    def commands(self, since: datetime) -> list[BadCommand]:
        """Return the commands sent since *since* that failed on nodes, those with the most failures first."""
        return [
            BadCommand(
                row.command_id,
                row.document_name,
                from_ms(row.requested_at_ms),
                row.status_details,
                int(row.error_count),
                int(row.stopped_count),
            )
            for row in self._rows(_COMMANDS, {"since": ms(since)})
        ]


def _silent(rows: Sequence[Any]) -> list[SilentNode]:
    return [SilentNode(row[0], from_ms(row[1])) for row in rows]
