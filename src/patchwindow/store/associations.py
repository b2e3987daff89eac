"""Associations in all their versions, and when the engine looks at each."""

from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from patchwindow.domain.association import Association
from patchwindow.protocol.records import dumps, loads
from patchwindow.store.association_tables import association, association_version
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms

_ONE: Final = sa.select(association).where(association.c.association_id == sa.bindparam("id"))
_GET: Final = prepared(_ONE)
_LOCK: Final = prepared(_ONE.with_for_update())
_DELETE: Final = prepared(sa.delete(association).where(association.c.association_id == sa.bindparam("id")))
_OF_NODE: Final = prepared(
    sa.select(association)
    .where(association.c.instance_id == sa.bindparam("node_id"), association.c.name == sa.bindparam("name"))
    .order_by(association.c.association_id)
)
_PAGE: Final = prepared(
    sa.select(association)
    .where(association.c.association_id > sa.bindparam("after"))
    .order_by(association.c.association_id)
    .limit(sa.bindparam("limit"))
)
_COUNT: Final = prepared(sa.select(sa.func.count()).select_from(association))
_DUE: Final = prepared(
    sa.select(association.c.association_id)
    .where(association.c.wake_at_ms <= sa.bindparam("now_ms"))
    .order_by(association.c.wake_at_ms, association.c.association_id)
    .limit(sa.bindparam("limit"))
)
_NEXT: Final = prepared(sa.select(sa.func.min(association.c.wake_at_ms)))
_WANT: Final = prepared(
    sa.update(association)
    .where(association.c.association_id == sa.bindparam("id"))
    .values(is_wanted=1, wake_at_ms=sa.bindparam("now_ms"))
)
_PLAN: Final = prepared(
    sa.update(association)
    .where(association.c.association_id == sa.bindparam("id"))
    .values(is_wanted=0, next_run_at_ms=sa.bindparam("next_ms"), wake_at_ms=sa.bindparam("wake_ms"))
)
_LOOK_AGAIN: Final = prepared(
    sa.update(association)
    .where(association.c.association_id == sa.bindparam("id"))
    .values(wake_at_ms=sa.bindparam("wake_ms"))
)
_REWRITE: Final = prepared(
    sa.update(association)
    .where(association.c.association_id == sa.bindparam("id"))
    .values(body=sa.bindparam("to_body"))
)
_VERSION: Final = prepared(
    sa.select(association_version.c.body).where(
        association_version.c.association_id == sa.bindparam("id"),
        association_version.c.version == sa.bindparam("version"),
    )
)
_VERSIONS: Final = prepared(
    sa.select(association_version.c.body)
    .where(
        association_version.c.association_id == sa.bindparam("id"),
        association_version.c.version > sa.bindparam("after"),
    )
    .order_by(association_version.c.version)
    .limit(sa.bindparam("limit"))
)


class StoredAssociation(NamedTuple):
    """An association in its latest version, whether a run of it was asked for, and when its schedule has the next."""

    association: Association
    is_wanted: bool
    next_run_at: datetime | None


class Associations(Rows):
    """Associations; the caller that changes one holds it (`lock`)."""

    def get(self, association_id: str) -> StoredAssociation | None:
        """Return the association."""
        return _stored(self._row(_GET, {"id": association_id}))

    def lock(self, association_id: str) -> StoredAssociation | None:
        """Return the association, and keep other writers from it until the transaction ends."""
        return _stored(self._row(_LOCK, {"id": association_id}))

    def of_node(self, node_id: str, name: str) -> Association | None:
        """Return the association that was made for this one node and document; the first, should there be more."""
        found = self._rows(_OF_NODE, {"node_id": node_id, "name": name})
        return loads(Association, found[0].body) if found else None

    def put(self, value: Association, *, is_wanted: bool, next_run_at: datetime | None, wake_at: datetime) -> None:
        """Keep a new association, or one that was changed, and let the engine look at it at *wake_at*."""
        body = dumps(value)
        self._upsert(
            association,
            association_id=value.association_id,
            name=value.name,
            instance_id=value.instance_id,
            is_wanted=int(is_wanted),
            next_run_at_ms=ms(next_run_at),
            wake_at_ms=ms(wake_at),
            body=body,
        )
        self._upsert(
            association_version,
            association_id=value.association_id,
            version=int(value.association_version),
            body=body,
        )

    def rewrite(self, value: Association) -> None:
        """Keep what is new about the association in its latest version; when it runs stays as it was."""
        body = dumps(value)
        self._change(_REWRITE, {"id": value.association_id, "to_body": body})
        self._upsert(
            association_version,
            association_id=value.association_id,
            version=int(value.association_version),
            body=body,
        )

    def delete(self, association_id: str) -> None:
        """Delete the association with its versions and runs; the commands that it sent stay."""
        self._change(_DELETE, {"id": association_id})

    def want(self, association_id: str, now: datetime) -> bool:
        """Ask for a run of the association, and return whether there is one of this id."""
        return self._change(_WANT, {"id": association_id, "now_ms": ms(now)}) == 1

    def plan(self, association_id: str, *, next_run_at: datetime | None, wake_at: datetime | None) -> None:
        """Note that what was asked for has begun, when the schedule has the next run, and when to look again."""
        self._change(_PLAN, {"id": association_id, "next_ms": ms(next_run_at), "wake_ms": ms(wake_at)})

    def look_again(self, association_id: str, at: datetime) -> None:
        """Note when to look at it again; what was asked for, and the next run, stay as they are."""
        self._change(_LOOK_AGAIN, {"id": association_id, "wake_ms": ms(at)})

    def version(self, association_id: str, version: int) -> Association | None:
        """Return the association in an earlier version, or its latest."""
        body = self._scalar(_VERSION, {"id": association_id, "version": version})
        return None if body is None else loads(Association, body)

    def versions(self, association_id: str, *, after: int, limit: int) -> list[Association]:
        """Return up to *limit* versions of the association beyond the one of number *after*, in order."""
        bodies = self._scalars(_VERSIONS, {"id": association_id, "after": after, "limit": limit})
        return [loads(Association, body) for body in bodies]

    def page(self, *, after: str, limit: int) -> list[Association]:
        """Return up to *limit* associations whose ids come after *after*, in order of id."""
        return [loads(Association, row.body) for row in self._rows(_PAGE, {"after": after, "limit": limit})]

    def count(self) -> int:
        """Return how many associations there are."""
        found: int = self._scalar(_COUNT)
        return found

    def due(self, now: datetime, limit: int) -> list[str]:
        """Return the ids of up to *limit* associations that are to be looked at, the longest due first."""
        return self._scalars(_DUE, {"now_ms": ms(now), "limit": limit})

    def next_wake_at(self) -> datetime | None:
        """Return the earliest instant at which any association is to be looked at."""
        return instant(self._scalar(_NEXT))


def _stored(row: Any) -> StoredAssociation | None:
    if row is None:
        return None
    return StoredAssociation(loads(Association, row.body), bool(row.is_wanted), instant(row.next_run_at_ms))
