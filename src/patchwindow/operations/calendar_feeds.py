"""The calendar of all windows, as a feed: whoever has its URL may read when windows open, and nothing else."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from patchwindow.domain.window_calendar import occurrences
from patchwindow.ical.writing import write
from patchwindow.operations.planned_windows import planned_windows
from patchwindow.ports import Ids
from patchwindow.store.calendar_feeds import Feed
from patchwindow.store.work import Work

AHEAD: Final = timedelta(days=366)
"""So far ahead a feed tells, from the beginning of the day in UTC."""

_TOKEN_LENGTH: Final = 43
_NAME: Final = "patchwindow"


def create(work: Work, ids: Ids, comment: str, now: datetime) -> tuple[Feed, str]:
    """Keep a new feed, and return it with its token, which nobody can be told again."""
    token = ids.secret(_TOKEN_LENGTH)
    feed = Feed(feed_id=f"feed-{ids.hex(8)}", comment=comment, created_at=now)
    work.calendar_feeds.add(feed, _digest(token))
    return feed, token


def is_token(work: Work, token: str) -> bool:
    """Return whether there is a feed with this token."""
    return work.calendar_feeds.knows(_digest(token))


def text_of(work: Work, now: datetime) -> str:
    """Return the calendar: the same text for a whole day, as long as no window and no calendar changes."""
    since = now.replace(hour=0, minute=0, second=0, microsecond=0)
    windows = list(planned_windows(work, since, since + AHEAD))
    freezes = {freeze for window in windows for freeze in window.freezes}
    return write(_NAME, occurrences(windows), freezes)


def _digest(token: str) -> str:
    # Tokens are long and random: nothing is gained by a slow hash.
    return hashlib.sha256(token.encode()).hexdigest()
