"""`patchwindow changes`: who changed what."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.options import json_option, limit_option, own_client_command
from patchwindow.client import SsmClient, pages
from patchwindow.domain.change import differences


def _who(change: Mapping[str, Any]) -> str:
    return " ".join(text for text in (change["Caller"], change["Comment"] and f"({change['Comment']})") if text)


def _what(change: Mapping[str, Any]) -> str:
    before, after = (json.loads(change[name] or "null") for name in ("Before", "After"))
    if after is None:
        return "gone"
    return "; ".join(
        f"{one.place}: {one.after}" if before is None else f"{one.place}: {_value(one.before)} → {_value(one.after)}"
        for one in differences(before, after)
    )


def _value(text: str | None) -> str:
    return show.UNKNOWN if text is None else text


COLUMNS: Final[show.Columns] = {
    "TIME": "ChangedTime",
    "WHO": _who,
    "FROM": "Address",
    "OPERATION": "Operation",
    "OF": "Resource",
    "WHAT": _what,
}


@click.command()
@click.option("--by", metavar="WHO", help="By person/NAME, the id of an access key, or server")
@click.option("--operation", metavar="NAME", help="By this operation, such as UpdateMaintenanceWindow")
@click.option("--of", metavar="ID", help="Of this window, baseline, node or whatever else, by its id or name")
@click.option(
    "--after",
    type=click.DateTime(),
    metavar="TIME",
    help="From then on, in UTC, such as 2026-12-03 or 2026-12-03T22:00:00",
)
@click.option("--before", type=click.DateTime(), metavar="TIME", help="Before then, in UTC")
@limit_option(100)
@json_option
@own_client_command
def changes(
    client: SsmClient,
    *,
    by: str | None,
    operation: str | None,
    of: str | None,
    after: datetime | None,
    before: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show who changed what.

    With when and from where, the newest first.
    """
    asked: dict[str, Any] = {
        "Caller": by,
        "Operation": operation,
        "Resource": of,
        "After": after and after.replace(tzinfo=UTC),
        "Before": before and before.replace(tzinfo=UTC),
    }
    found = pages(client, "ListChanges", "Changes", **{name: value for name, value in asked.items() if value})
    show.table(islice(found, limit), COLUMNS, as_json=as_json)
