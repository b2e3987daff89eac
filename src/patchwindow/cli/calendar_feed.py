"""`patchwindow calendar feed`: the secret URLs of a control plane by which calendar programs read when windows open."""

from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.options import json_option
from patchwindow.cli.serving import data_option, database_of


@click.group()
def feed() -> None:
    """Make and revoke URLs that calendar programs subscribe to.

    They work on a control plane's data directory, also while it runs.
    """


@feed.command("create")
@click.option("--comment", default="", metavar="TEXT", help="Whose it is, or what for")
@json_option
@data_option
def create(*, comment: str, as_json: bool, **where: Any) -> None:
    """Make a feed; its URL is shown this once.

    Whoever has the URL may read when windows open, and nothing else.
    """
    from patchwindow.bootstrap import PUBLIC_URL
    from patchwindow.operations.calendar_feeds import create as create_feed
    from patchwindow.operations.calendar_feeds import url_of
    from patchwindow.system import SystemClock, SystemIds

    with database_of(**where) as database, database.write() as work:
        public_url = work.settings.get(PUBLIC_URL)
        if public_url is None:
            raise click.ClickException("no server has run on this data yet, so its address is not known; start one")
        made, token = create_feed(work, SystemIds(), comment, SystemClock().now())
    url = url_of(public_url, token)
    if as_json:
        show.document({"FeedId": made.feed_id, "Url": url})
        return
    show.note(f"{made.feed_id}: `patchwindow calendar feed revoke {made.feed_id}` ends it")
    click.echo(url)


@feed.command("list")
@json_option
@data_option
def list_(*, as_json: bool, **where: Any) -> None:
    """List the feeds, without their URLs."""
    with database_of(**where) as database, database.read() as work:
        rows = [
            {"FeedId": one.feed_id, "Created": one.created_at, "Comment": one.comment}
            for one in work.calendar_feeds.all()
        ]
    show.table(rows, {"FEED": "FeedId", "CREATED": "Created", "COMMENT": "Comment"}, as_json=as_json)


@feed.command("revoke")
@click.argument("feed_id")
@data_option
def revoke(*, feed_id: str, **where: Any) -> None:
    """Let a feed's URL answer nobody any more."""
    with database_of(**where) as database, database.write() as work:
        if not work.calendar_feeds.delete(feed_id):
            raise click.ClickException(
                f"there is no feed {feed_id}; `patchwindow calendar feed list` shows those there are"
            )
    show.note(f"{feed_id}: revoked")
