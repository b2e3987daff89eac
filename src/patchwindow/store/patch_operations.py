"""Patch operations that are under way: how far they are, by what their orders were made, and lists that they install."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.override import InstallList, Listed
from patchwindow.protocol.records import dumps, from_ms, loads
from patchwindow.store.patching_tables import install_list, patch_order, patch_progress
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, ms


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchProgress:
    """What a node last said of its operation: the phase, *done* of *total*, and what is at hand, if anything."""

    node_id: str
    phase: str
    done: int = 0
    total: int = 0
    what: str = ""
    told_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchOrder:
    """By what an order was made; *baseline_revision* is None where a baseline override was used."""

    node_id: str
    baseline_id: str
    baseline_revision: int | None
    made_at: datetime


@dataclass(frozen=True, slots=True)
class _List:
    """An install override list, as it is stored."""

    patches: tuple[Listed, ...]


_PAGE: Final = prepared(
    sa.select(patch_progress)
    .where(patch_progress.c.command_id == sa.bindparam("id"), patch_progress.c.node_id > sa.bindparam("after"))
    .order_by(patch_progress.c.node_id)
    .limit(sa.bindparam("limit"))
)
_END: Final = prepared(
    sa.update(patch_progress)
    .where(patch_progress.c.command_id == sa.bindparam("id"), patch_progress.c.node_id == sa.bindparam("b_node_id"))
    .values(phase=sa.bindparam("to"), done=0, total=0, what="", told_at_ms=sa.bindparam("now_ms"))
)
_ORDERS: Final = sa.select(patch_order).where(
    patch_order.c.command_id == sa.bindparam("id"), patch_order.c.node_id.in_(sa.bindparam("node_ids", expanding=True))
)
_LIST: Final = prepared(sa.select(install_list.c.body).where(install_list.c.command_id == sa.bindparam("id")))


class PatchOperations(Rows):
    """What is kept of patch operations beside their invocations; it goes with their commands."""

    def put_progress(self, command_id: str, progress: PatchProgress) -> None:
        """Keep what a node says, in place of what it said before."""
        self._upsert(
            patch_progress,
            command_id=command_id,
            node_id=progress.node_id,
            phase=progress.phase,
            done=progress.done,
            total=progress.total,
            what=progress.what,
            told_at_ms=ms(progress.told_at),
        )

    def end_progress(self, command_id: str, node_id: str, *, phase: str, now: datetime) -> None:
        """Note that the operation is at *phase*, its last, where its node ever said how far it was."""
        self._change(_END, {"id": command_id, "b_node_id": node_id, "to": phase, "now_ms": ms(now)})

    def progress(self, command_id: str, *, after: str = "", limit: int) -> list[PatchProgress]:
        """Return what up to *limit* nodes said, whose ids come after *after*, in order of id."""
        return [_progress(row) for row in self._rows(_PAGE, {"id": command_id, "after": after, "limit": limit})]

    def put_order(self, command_id: str, order: PatchOrder) -> None:
        """Keep by what the node's order was made, in place of one before."""
        self._upsert(
            patch_order,
            command_id=command_id,
            node_id=order.node_id,
            baseline_id=order.baseline_id,
            baseline_revision=order.baseline_revision,
            made_at_ms=ms(order.made_at),
        )

    def orders(self, command_id: str, node_ids: Collection[str]) -> dict[str, PatchOrder]:
        """Return by what the orders of those nodes were made that have any, by node."""
        rows = self._rows(_ORDERS, {"id": command_id, "node_ids": list(node_ids)})
        return {
            row.node_id: PatchOrder(
                node_id=row.node_id,
                baseline_id=row.baseline_id,
                baseline_revision=row.baseline_revision,
                made_at=from_ms(row.made_at_ms),
            )
            for row in rows
        }

    def put_list(self, command_id: str, patches: InstallList) -> None:
        """Keep the list that a command installs; the first one stays."""
        self._insert_if_new(install_list, command_id=command_id, body=dumps(_List(patches)))

    def list_of(self, command_id: str) -> InstallList | None:
        """Return the list that a command installs; None where there is none yet."""
        body = self._scalar(_LIST, {"id": command_id})
        return None if body is None else loads(_List, body).patches


def _progress(row: Any) -> PatchProgress:
    return PatchProgress(
        node_id=row.node_id,
        phase=row.phase,
        done=row.done,
        total=row.total,
        what=row.what,
        told_at=from_ms(row.told_at_ms),
    )
