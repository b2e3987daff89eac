"""Calendar feeds: who may read when windows open, by a secret URL."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from patchwindow.protocol.records import from_ms
from patchwindow.store.calendar_tables import calendar_feed
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, ms

_ALL: Final = prepared(sa.select(calendar_feed).order_by(calendar_feed.c.created_at_ms, calendar_feed.c.feed_id))
_KNOWN: Final = prepared(
    sa.select(calendar_feed.c.feed_id).where(calendar_feed.c.token_digest == sa.bindparam("digest"))
)
_DELETE: Final = prepared(sa.delete(calendar_feed).where(calendar_feed.c.feed_id == sa.bindparam("id")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed; its token is kept as a digest alone."""

    feed_id: str
    comment: str
    created_at: datetime


class CalendarFeeds(Rows):
    """The feeds of an installation."""

    def add(self, feed: Feed, token_digest: str) -> None:
        """Keep a new feed."""
        self._upsert(
            calendar_feed,
            token_digest=token_digest,
            feed_id=feed.feed_id,
            comment=feed.comment,
            created_at_ms=ms(feed.created_at),
        )

    def knows(self, token_digest: str) -> bool:
        """Return whether there is a feed with this token."""
        return self._scalar(_KNOWN, {"digest": token_digest}) is not None

    def all(self) -> list[Feed]:
        """Return all feeds, the oldest first."""
        return [
            Feed(feed_id=row.feed_id, comment=row.comment, created_at=from_ms(row.created_at_ms))
            for row in self._rows(_ALL)
        ]

    def delete(self, feed_id: str) -> bool:
        """Forget a feed, and return whether there was one."""
        return self._change(_DELETE, {"id": feed_id}) == 1
