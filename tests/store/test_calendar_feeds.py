"""Calendar feeds, on both kinds of database."""

from datetime import UTC, datetime, timedelta

from patchwindow.store.calendar_feeds import Feed
from patchwindow.store.database import Database

NOW = datetime(2026, 1, 15, 14, tzinfo=UTC)


def test_feeds_are_known_by_the_digest_of_their_token_until_they_are_deleted(database: Database) -> None:
    first, second = (
        Feed(feed_id=f"feed-{number}", comment=f"phone {number}", created_at=NOW + timedelta(hours=number))
        for number in (1, 2)
    )
    with database.write() as work:
        work.calendar_feeds.add(second, "two")
        work.calendar_feeds.add(first, "one")
    with database.write() as work:
        assert work.calendar_feeds.all() == [first, second]
        assert work.calendar_feeds.knows("one")
        assert work.calendar_feeds.delete("feed-1")
        assert not work.calendar_feeds.delete("feed-1")
    with database.read() as work:
        assert not work.calendar_feeds.knows("one")
        assert work.calendar_feeds.knows("two")
