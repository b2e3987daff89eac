"""What `server`, `ca`, `keys`, `webhooks` and `up` share: where the control plane's data is."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from patchwindow.cli.options import Command, decorated

if TYPE_CHECKING:
    from patchwindow.store.database import Database

directory_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The data directory; otherwise patchwindow/ in the user's state directory",
)

data_options = [
    directory_option,
    click.option(
        "--database-url",
        envvar="PATCHWINDOW_DATABASE_URL",
        metavar="URL",
        help="postgresql://… ; otherwise SQLite in the data directory",
    ),
]


def data_option(command: Command) -> Command:
    """Let *command* say where the control plane's data is, as `data` and `database_url`."""
    return decorated(command, data_options)


def data_directory(given: Path | None) -> Path:
    """Return the data directory, absolute."""
    from patchwindow.bootstrap import default_data

    return (given or default_data(os.environ)).absolute()


@contextmanager
def database_of(*, data: Path | None, database_url: str | None) -> "Iterator[Database]":
    """Open the control plane's database; it may be in use by the running server."""
    from patchwindow.bootstrap import Config, open_database

    database = open_database(Config(data=data_directory(data), database_url=database_url))
    try:
        yield database
    finally:
        database.close()


def perform_at(where: Mapping[str, Any], name: str, **members: object) -> Mapping[str, Any]:
    """Return what an operation of a control plane's own answers, asked on its data directory, as `database_of` finds it.

    Raises: PatchwindowError, whatever the operation refuses.
    """
    from patchwindow.bootstrap import at_hand
    from patchwindow.system import SystemClock, SystemIds

    with database_of(**where) as database:
        return at_hand(database, SystemClock(), SystemIds())(name, **members)
