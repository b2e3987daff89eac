"""Facts that nodes reported, kept once for equal nodes, and the latest patch state of each node."""

import dataclasses
import zlib
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.patch_state import PatchSummary
from patchwindow.protocol.records import dumps, loads
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, ms
from patchwindow.store.tables import facts, node, patch_state


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PatchState:
    """What the latest operation found on a node, and from what: facts, and the baseline in one revision."""

    summary: PatchSummary
    baseline_revision: int
    facts_digest: str
    installed_at: tuple[int, ...]
    command_id: str
    status: str
    overall_severity: str


_FACTS: Final = prepared(sa.select(facts.c.body).where(facts.c.digest == sa.bindparam("digest")))
_STATE: Final = prepared(sa.select(patch_state).where(patch_state.c.node_id == sa.bindparam("id")))
_STATES: Final = (
    sa.select(patch_state)
    .where(patch_state.c.node_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(patch_state.c.node_id)
)
_ALL: Final = (
    sa.select(patch_state)
    .where(patch_state.c.node_id > sa.bindparam("after"))
    .order_by(patch_state.c.node_id)
    .limit(sa.bindparam("limit"))
)
_PAGE: Final = prepared(_ALL)
_PAGE_OF_GROUP: Final = prepared(
    _ALL.where(patch_state.c.node_id.in_(sa.select(node.c.node_id).where(node.c.patch_group == sa.bindparam("group"))))
)
_BATCH: Final = 1000


class Facts(Rows):
    """Facts as canonical JSON, compressed, by digest."""

    def put(self, digest: str, canonical: bytes, now: datetime) -> None:
        """Keep facts, unless they are kept already."""
        self._insert_if_new(facts, digest=digest, first_seen_at_ms=ms(now), body=zlib.compress(canonical))

    def get(self, digest: str) -> bytes | None:
        """Return the canonical JSON of the facts."""
        body = self._scalar(_FACTS, {"digest": digest})
        return None if body is None else zlib.decompress(body)


class PatchStates(Rows):
    """The latest patch state of each node; a node that was never scanned has none."""

    def put(self, value: PatchState) -> None:
        """Keep the state of a node; it takes the place of the former."""
        summary = value.summary
        self._upsert(
            patch_state,
            node_id=summary.instance_id,
            patch_group=summary.patch_group,
            baseline_id=summary.baseline_id,
            baseline_revision=value.baseline_revision,
            facts_digest=value.facts_digest,
            installed_at=zlib.compress(",".join(map(str, value.installed_at)).encode()),
            command_id=value.command_id,
            status=value.status,
            overall_severity=value.overall_severity,
            ended_at_ms=ms(summary.operation_end_time),
            body=dumps(summary),
        )

    def get(self, node_id: str) -> PatchState | None:
        """Return the state of a node."""
        row = self._row(_STATE, {"id": node_id})
        return None if row is None else _state(row)

    def many(self, node_ids: Collection[str]) -> list[PatchState]:
        """Return the states of those nodes that have one, in order of id."""
        return [_state(row) for row in self._rows(_STATES, {"ids": list(node_ids)})]

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


def _state(row: Any) -> PatchState:
    times = zlib.decompress(row.installed_at).decode()
    return PatchState(
        summary=loads(PatchSummary, row.body),
        baseline_revision=row.baseline_revision,
        facts_digest=row.facts_digest,
        installed_at=tuple(map(int, times.split(","))) if times else (),
        command_id=row.command_id,
        status=row.status,
        overall_severity=row.overall_severity,
    )
