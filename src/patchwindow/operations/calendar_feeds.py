"""The calendar of all windows, as a feed: whoever has its URL may read when windows open, and nothing else."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from patchwindow.domain.errors import NotFound
from patchwindow.domain.window_calendar import occurrences
from patchwindow.ical.writing import write
from patchwindow.operations.call import Answer, Call, Request, slice_after
from patchwindow.operations.planned_windows import planned_windows
from patchwindow.ports import Ids
from patchwindow.store.calendar_feeds import Feed
from patchwindow.store.work import Work

AHEAD: Final = timedelta(days=366)
"""So far ahead a feed tells, from the beginning of the day in UTC."""

_TOKEN_LENGTH: Final = 43
_NAME: Final = "patchwindow"
_PAGE: Final = 50


def create(work: Work, ids: Ids, comment: str, now: datetime) -> tuple[Feed, str]:
    """Keep a new feed, and return it with its token, which nobody can be told again."""
    token = ids.secret(_TOKEN_LENGTH)
    feed = Feed(feed_id=f"feed-{ids.hex(8)}", comment=comment, created_at=now)
    work.calendar_feeds.add(feed, _digest(token))
    return feed, token


def url_of(public_url: str, token: str) -> str:
    """Return where a calendar program reads the feed with this token."""
    return f"{public_url}/calendar/{token}.ics"


def create_feed(call: Call, request: Request) -> Answer:
    """CreateCalendarFeed: its URL is in the answer, and nowhere else."""
    made, token = create(call.work, call.ids, request.get("Comment", ""), call.now)
    return {"FeedId": made.feed_id, "Url": url_of(call.site.public_url, token)}


def list_feeds(call: Call, request: Request) -> Answer:
    """ListCalendarFeeds: the oldest first, without their URLs."""
    feeds = call.work.calendar_feeds.all()
    return call.pages(
        request,
        "Feeds",
        default=_PAGE,
        fetch=lambda after, limit: slice_after([*enumerate(feeds)], after, limit),
        key=lambda one: (one[0],),
        shape=lambda one: {"FeedId": one[1].feed_id, "Comment": one[1].comment, "CreatedTime": one[1].created_at},
    )


def delete_feed(call: Call, request: Request) -> Answer:
    """DeleteCalendarFeed: its URL answers nobody any more.

    Raises:
        NotFound: there is no such feed.
    """
    if not call.work.calendar_feeds.delete(request["FeedId"]):
        raise NotFound(f"calendar feed {request['FeedId']} does not exist; ListCalendarFeeds has those there are")
    return {"FeedId": request["FeedId"]}


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
