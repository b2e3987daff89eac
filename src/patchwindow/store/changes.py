"""The record of changes, the newest first."""

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.change import Change
from patchwindow.protocol.records import from_ms
from patchwindow.store.change_tables import change
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, ms

Place = tuple[int, int, str]
"""Where a change stands: its instant, its number in that instant, and its id."""

_LAST: Final = prepared(
    sa.select(sa.func.max(change.c.number).label("number")).where(change.c.at_ms == sa.bindparam("at_ms"))
)
_OLD: Final = sa.select(change.c.change_id).where(change.c.at_ms < sa.bindparam("before"))
_PRUNE: Final = prepared(
    sa.delete(change).where(
        change.c.change_id.in_(
            _OLD.order_by(change.c.at_ms).limit(sa.bindparam("limit")).with_for_update(skip_locked=True)
        )
    )
)


class Changes(Rows):
    """What was changed, by time."""

    def add(self, one: Change) -> None:
        """Keep a change; of those of one instant the last is the newest."""
        at_ms = ms(one.changed_at)
        last: int | None = self._scalar(_LAST, {"at_ms": at_ms})
        self._insert_if_new(
            change,
            change_id=one.change_id,
            at_ms=at_ms,
            number=0 if last is None else last + 1,
            caller=one.caller,
            comment=one.comment,
            address=one.address,
            operation=one.operation,
            resource=one.resource,
            before=one.before,
            after=one.after,
        )

    def page(
        self,
        *,
        beyond: Place | None,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
        **equal: str,
    ) -> list[tuple[Change, Place]]:
        """Return up to *limit* changes beyond a place, each with its own, the newest first.

        They are of *since* or later and before *until*; *equal* are columns with the value that they must have.
        """
        query = sa.select(change).order_by(change.c.at_ms.desc(), change.c.number.desc(), change.c.change_id.desc())
        if beyond is not None:
            query = query.where(sa.tuple_(change.c.at_ms, change.c.number, change.c.change_id) < sa.tuple_(*beyond))
        if since is not None:
            query = query.where(change.c.at_ms >= ms(since))
        if until is not None:
            query = query.where(change.c.at_ms < ms(until))
        for column, value in equal.items():
            query = query.where(change.c[column] == value)
        return [(_change(row), (row.at_ms, row.number, row.change_id)) for row in self._rows(query.limit(limit))]

    def prune(self, before: datetime, limit: int) -> int:
        """Forget up to *limit* changes from before; return how many."""
        return self._change(_PRUNE, {"before": ms(before), "limit": limit})


def _change(row: Any) -> Change:
    return Change(
        change_id=row.change_id,
        changed_at=from_ms(row.at_ms),
        caller=row.caller,
        comment=row.comment,
        address=row.address,
        operation=row.operation,
        resource=row.resource,
        before=row.before,
        after=row.after,
    )
