"""The calendar of all windows, as a feed: whoever has its URL may read when windows open, and nothing else."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.freeze import TAG, Freeze, names
from patchwindow.domain.schedule_zone import parse_zone
from patchwindow.domain.window import Window
from patchwindow.domain.window_calendar import PlannedWindow, asked_for, occurrences
from patchwindow.ical.writing import write
from patchwindow.operations.freezes import freezes_of
from patchwindow.ports import Ids
from patchwindow.store.calendar_feeds import Feed
from patchwindow.store.tags import WINDOW_TAGS
from patchwindow.store.work import Work

AHEAD: Final = timedelta(days=366)
"""So far ahead a feed tells, from the beginning of the day in UTC."""

_TOKEN_LENGTH: Final = 43
_NAME: Final = "patchwindow"
_PAGE: Final = 500


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
    windows = list(_windows(work, since, since + AHEAD))
    freezes = {freeze for window in windows for freeze in window.freezes}
    return write(_NAME, occurrences(windows), freezes)


def _windows(work: Work, since: datetime, until: datetime) -> Iterator[PlannedWindow]:
    heeding = work.tags.with_key(WINDOW_TAGS, TAG)
    nodes: dict[str, set[str]] = {}
    for target in work.window_targets.all():
        asked = [(one.key, one.values) for one in target.targets]
        nodes.setdefault(target.window_id, set()).update(asked_for(asked))
    after = ""
    while page := work.windows.page(after=after, limit=_PAGE, is_enabled=True):
        for stored in page:
            window = stored.window
            freezes, problem = _freezes(work, window, heeding.get(window.window_id, ""), since, until)
            yield PlannedWindow(
                id=window.window_id,
                name=window.name,
                openings=tuple(takewhile(until.__gt__, window.timing().openings(since))),
                duration_hours=window.duration,
                cutoff_hours=window.cutoff,
                zone=window.schedule_timezone or "UTC",
                changed_at=window.modified_date,
                nodes=frozenset(nodes.get(window.window_id, ())),
                freezes=freezes,
                problem=problem,
            )
        after = page[-1].window.window_id


def _freezes(
    work: Work, window: Window, value: str, since: datetime, until: datetime
) -> tuple[tuple[Freeze, ...], str]:
    zone, ends_at = parse_zone(window.schedule_timezone or "UTC"), until + timedelta(hours=window.duration)
    try:
        return freezes_of(work, names(value), since, ends_at, zone), ""
    except (Invalid, NotFound) as problem:
        return (), str(problem)


def _digest(token: str) -> str:
    # Tokens are long and random: nothing is gained by a slow hash.
    return hashlib.sha256(token.encode()).hexdigest()
