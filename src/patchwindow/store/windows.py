"""Maintenance windows, their targets and their tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

import sqlalchemy as sa

from patchwindow.domain.window import Window, WindowTarget, WindowTask
from patchwindow.protocol.records import dumps, from_ms, loads
from patchwindow.store.prepared import Prepared, prepared
from patchwindow.store.rows import Rows, instant, like_prefix, ms
from patchwindow.store.window_tables import window, window_target, window_task

_ONE: Final = sa.select(window.c.body).where(window.c.window_id == sa.bindparam("id"))
_GET: Final = prepared(_ONE)
_LOCK: Final = prepared(_ONE.with_for_update())
_DELETE: Final = prepared(sa.delete(window).where(window.c.window_id == sa.bindparam("id")))
_OPENING: Final = prepared(sa.select(window.c.next_opening_at_ms).where(window.c.window_id == sa.bindparam("id")))
_DUE: Final = prepared(
    sa.select(window.c.window_id)
    .where(window.c.next_opening_at_ms <= sa.bindparam("now_ms"))
    .order_by(window.c.next_opening_at_ms, window.c.window_id)
    .limit(sa.bindparam("limit"))
)
_COUNT: Final = prepared(sa.select(sa.func.count()).select_from(window))
_NEXT: Final = prepared(sa.select(sa.func.min(window.c.next_opening_at_ms)))


_BY_OPENING: Final = prepared(
    sa.select(window.c.body, window.c.next_opening_at_ms)
    .where(
        sa.tuple_(window.c.next_opening_at_ms, window.c.window_id)
        > sa.tuple_(sa.bindparam("after_ms", type_=sa.BigInteger), sa.bindparam("after", type_=sa.Text))
    )
    .order_by(window.c.next_opening_at_ms, window.c.window_id)
    .limit(sa.bindparam("limit"))
)
_PAGE: Final = prepared(
    sa.select(window.c.body, window.c.next_opening_at_ms)
    .where(window.c.window_id > sa.bindparam("after"))
    .order_by(window.c.window_id)
    .limit(sa.bindparam("limit"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWindow:
    """A window, and the instant at which the engine opens it next."""

    window: Window
    next_opening_at: datetime | None


class Windows(Rows):
    """Maintenance windows, each with the instant at which it opens next."""

    def get(self, window_id: str) -> Window | None:
        """Return the window."""
        body = self._scalar(_GET, {"id": window_id})
        return None if body is None else loads(Window, body)

    def lock(self, window_id: str) -> Window | None:
        """Return the window, and keep other writers from it until the transaction ends."""
        body = self._scalar(_LOCK, {"id": window_id})
        return None if body is None else loads(Window, body)

    def put(self, value: Window, *, next_opening_at: datetime | None) -> None:
        """Keep a new or changed window."""
        self._upsert(
            window,
            window_id=value.window_id,
            name=value.name,
            is_enabled=int(value.enabled),
            next_opening_at_ms=ms(next_opening_at),
            body=dumps(value),
        )

    def delete(self, window_id: str) -> None:
        """Delete the window with its targets and tasks."""
        self._change(_DELETE, {"id": window_id})

    def opening_of(self, window_id: str) -> datetime | None:
        """Return the instant at which the engine opens the window next."""
        return instant(self._scalar(_OPENING, {"id": window_id}))

    def due(self, now: datetime, limit: int) -> list[str]:
        """Return the ids of up to *limit* windows whose instant has come, the earliest first."""
        return self._scalars(_DUE, {"now_ms": ms(now), "limit": limit})

    def next_opening_at(self) -> datetime | None:
        """Return the earliest instant at which any window opens."""
        return instant(self._scalar(_NEXT))

    def count(self) -> int:
        """Return how many windows there are."""
        found: int = self._scalar(_COUNT)
        return found

    def page(
        self, *, after: str, limit: int, name_prefixes: Sequence[str] = (), is_enabled: bool | None = None
    ) -> list[StoredWindow]:
        """Return up to *limit* windows whose ids come after *after*, in order of id."""
        if not name_prefixes and is_enabled is None:
            return [_stored(row) for row in self._rows(_PAGE, {"after": after, "limit": limit})]
        statement = sa.select(window.c.body, window.c.next_opening_at_ms).where(window.c.window_id > after)
        if name_prefixes:
            statement = statement.where(sa.or_(*(like_prefix(window.c.name, prefix) for prefix in name_prefixes)))
        if is_enabled is not None:
            statement = statement.where(window.c.is_enabled == int(is_enabled))
        return [_stored(row) for row in self._rows(statement.order_by(window.c.window_id).limit(limit))]

    def page_by_opening(self, *, after: tuple[datetime, str] | None, limit: int) -> list[tuple[datetime, Window]]:
        """Return up to *limit* windows that open again, each with its next opening, in order of that and of id."""
        opening, window_id = (from_ms(0), "") if after is None else after
        rows = self._rows(_BY_OPENING, {"after_ms": ms(opening), "after": window_id, "limit": limit})
        return [(from_ms(row.next_opening_at_ms), loads(Window, row.body)) for row in rows]


def _stored(row: Any) -> StoredWindow:
    return StoredWindow(window=loads(Window, row.body), next_opening_at=instant(row.next_opening_at_ms))


Part = TypeVar("Part", WindowTarget, WindowTask)


class Parts(Rows, Generic[Part]):
    """What is registered with windows: targets, or tasks."""

    _table: sa.Table
    _record: type[Part]
    _key: str
    _get: Prepared
    _of_window: Prepared
    _all: Prepared
    _delete: Prepared

    def __init_subclass__(cls, *, table: sa.Table, record: type[Part]) -> None:
        cls._table, cls._record = table, record
        key = table.c[f"{table.name}_id"]
        of_window = sa.select(table.c.body).where(table.c.window_id == sa.bindparam("window_id"))
        cls._key = key.name
        cls._get = prepared(of_window.where(key == sa.bindparam("id")))
        cls._of_window = prepared(of_window.order_by(key))
        cls._all = prepared(sa.select(table.c.body).order_by(table.c.window_id, key))
        cls._delete = prepared(sa.delete(table).where(key == sa.bindparam("id")))

    def get(self, window_id: str, part_id: str) -> Part | None:
        """Return the part of this id, if this window has it."""
        body = self._scalar(self._get, {"window_id": window_id, "id": part_id})
        return None if body is None else loads(self._record, body)

    def put(self, part_id: str, value: Part) -> None:
        """Keep a new or changed part."""
        self._upsert(self._table, **{self._key: part_id, "window_id": value.window_id, "body": dumps(value)})

    def delete(self, part_id: str) -> None:
        """Delete the part."""
        self._change(self._delete, {"id": part_id})

    def of_window(self, window_id: str) -> list[Part]:
        """Return all parts of the window, in order of id."""
        bodies = self._scalars(self._of_window, {"window_id": window_id})
        return [loads(self._record, body) for body in bodies]

    def all(self) -> list[Part]:
        """Return the parts of all windows, by window."""
        return [loads(self._record, body) for body in self._scalars(self._all)]


class WindowTargets(Parts[WindowTarget], table=window_target, record=WindowTarget):
    """Targets registered with windows."""


class WindowTasks(Parts[WindowTask], table=window_task, record=WindowTask):
    """Tasks registered with windows."""
