"""Frozen baselines: what a patch operation goes by, whatever becomes of the baseline meanwhile."""

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.protocol.records import dumps, loads
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms
from patchwindow.store.tables import baseline_revision, snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotKey:
    """What a snapshot is of. Each override has one of its own, beside that of the configured baseline."""

    snapshot_id: str
    patch_group: str
    operating_system: OperatingSystem
    override: str = ""
    """What tells overrides apart; empty for the configured baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A baseline as it was when the snapshot was made; *revision* is None for one that overrides."""

    key: SnapshotKey
    made_at: datetime
    baseline: Baseline
    revision: int | None


_KEY: Final = (
    snapshot.c.snapshot_id == sa.bindparam("snapshot_id"),
    snapshot.c.patch_group == sa.bindparam("patch_group"),
    snapshot.c.operating_system == sa.bindparam("operating_system"),
    snapshot.c.override == sa.bindparam("override"),
)
_ROWS: Final = sa.select(
    snapshot.c.made_at_ms,
    snapshot.c.baseline_revision,
    sa.func.coalesce(snapshot.c.body, baseline_revision.c.body).label("body"),
).select_from(
    snapshot.outerjoin(
        baseline_revision,
        sa.and_(
            baseline_revision.c.baseline_id == snapshot.c.baseline_id,
            baseline_revision.c.revision == snapshot.c.baseline_revision,
        ),
    )
)
_FIND: Final = prepared(
    _ROWS.where(*_KEY, snapshot.c.made_at_ms > sa.bindparam("since")).order_by(snapshot.c.made_at_ms.desc()).limit(1)
)
_GET: Final = prepared(_ROWS.where(*_KEY, snapshot.c.made_at_ms == sa.bindparam("made_at")))
_IS_LISTED: Final = prepared(
    sa.select(snapshot.c.patches.is_not(None).label("is_listed")).where(
        *_KEY, snapshot.c.made_at_ms == sa.bindparam("made_at")
    )
)
_PATCHES: Final = prepared(sa.select(snapshot.c.patches).where(*_KEY, snapshot.c.made_at_ms == sa.bindparam("made_at")))
_LIST: Final = prepared(
    sa.update(snapshot)
    .where(
        snapshot.c.snapshot_id == sa.bindparam("of_snapshot_id"),
        snapshot.c.patch_group == sa.bindparam("of_patch_group"),
        snapshot.c.operating_system == sa.bindparam("of_operating_system"),
        snapshot.c.override == sa.bindparam("of_override"),
        snapshot.c.made_at_ms == sa.bindparam("of_made_at"),
        snapshot.c.patches.is_(None),
    )
    .values(patches=sa.bindparam("to_patches"))
)
_PRUNE: Final = prepared(sa.delete(snapshot).where(snapshot.c.made_at_ms < sa.bindparam("before")))


class Snapshots(Rows):
    """Snapshots, by what they are of and when they were made."""

    def find(self, key: SnapshotKey, since: datetime) -> Snapshot | None:
        """Return the latest snapshot of *key* that was made after *since*."""
        return _snapshot(key, self._row(_FIND, {**_given(key), "since": ms(since)}))

    def get(self, key: SnapshotKey, made_at: datetime) -> Snapshot | None:
        """Return the snapshot that was made at that instant."""
        return _snapshot(key, self._row(_GET, {**_given(key), "made_at": ms(made_at)}))

    def add(self, value: Snapshot) -> None:
        """Keep a new snapshot; of a configured baseline that is the number of its revision, which is never deleted."""
        is_configured = value.revision is not None
        self._upsert(
            snapshot,
            **_given(value.key),
            made_at_ms=ms(value.made_at),
            baseline_id=value.baseline.baseline_id if is_configured else None,
            baseline_revision=value.revision,
            body=None if is_configured else dumps(value.baseline),
            patches=None,
        )

    def is_listed(self, value: Snapshot) -> bool:
        """Return whether the snapshot has a list of evaluated patches."""
        return bool(self._scalar(_IS_LISTED, {**_given(value.key), "made_at": ms(value.made_at)}))

    def patches(self, value: Snapshot) -> str | None:
        """Return the list of evaluated patches, if the snapshot has one."""
        packed: bytes | None = self._scalar(_PATCHES, {**_given(value.key), "made_at": ms(value.made_at)})
        return None if packed is None else zlib.decompress(packed).decode()

    def put_patches(self, value: Snapshot, patches: str) -> None:
        """Keep the list of evaluated patches of a snapshot that has none yet; the first one stays."""
        where = {f"of_{name}": part for name, part in {**_given(value.key), "made_at": ms(value.made_at)}.items()}
        self._change(_LIST, {**where, "to_patches": zlib.compress(patches.encode())})

    def prune(self, before: datetime) -> int:
        """Delete the snapshots that were made before *before*, and return how many."""
        return self._change(_PRUNE, {"before": ms(before)})


def _given(key: SnapshotKey) -> dict[str, str]:
    return {
        "snapshot_id": key.snapshot_id,
        "patch_group": key.patch_group,
        "operating_system": key.operating_system,
        "override": key.override,
    }


def _snapshot(key: SnapshotKey, row: Any) -> Snapshot | None:
    if row is None:
        return None
    made_at = instant(row.made_at_ms)
    assert made_at is not None
    return Snapshot(key=key, made_at=made_at, baseline=loads(Baseline, row.body), revision=row.baseline_revision)
