"""The table of calendar feeds, beside those of `tables.py` and in its form."""

from typing import Final

from patchwindow.store.columns import number, table, text

calendar_feed: Final = table(
    "calendar_feed",
    text("token_digest", key=True),
    text("feed_id"),
    text("comment"),
    number("created_at_ms"),
)
