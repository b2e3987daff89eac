"""`patchwindow people`: who signs in to the console of the control plane whose data directory is given."""

from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.keys import ROLES
from patchwindow.cli.options import json_option
from patchwindow.cli.serving import data_option, database_of, perform_at


@click.group()
def people() -> None:
    """Let people sign in to the console of a control plane.

    They work on its data directory, also while it runs.
    """


@people.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="operator", show_default=True, help="What the person may do")
@data_option
def create(*, name: str, role: str, **where: Any) -> None:
    """Let somebody sign in.

    The first way in is a link of `people link`; a password is chosen in the console.
    """
    perform_at(where, "CreatePerson", Name=name, Role=role)


@people.command("list")
@json_option
@data_option
def list_(*, as_json: bool, **where: Any) -> None:
    """List who may sign in."""
    with database_of(**where) as database, database.read() as work:
        rows = [
            {
                "Name": person.name,
                "Role": str(person.role),
                "Status": "Active" if person.is_enabled else "Inactive",
                "Password": "Set" if person.password_hash else "None",
            }
            for person in work.people.all()
        ]
    columns = {"NAME": "Name", "ROLE": "Role", "STATUS": "Status", "PASSWORD": "Password"}
    show.table(rows, columns, as_json=as_json)


@people.command("link")
@click.argument("name")
@data_option
def link(*, name: str, **where: Any) -> None:
    """Print a link that signs somebody in once, within half an hour."""
    from patchwindow.bootstrap import PUBLIC_URL

    with database_of(**where) as database, database.read() as work:
        if work.settings.get(PUBLIC_URL) is None:
            raise click.ClickException("this server has never run, so its address is not known; start it first")
    click.echo(perform_at(where, "CreateSignInLink", Name=name)["Link"])


@people.command("disable")
@click.argument("name")
@data_option
def disable(*, name: str, **where: Any) -> None:
    """Sign somebody out everywhere, and let nobody in by that name."""
    perform_at(where, "UpdatePerson", Name=name, Enabled=False)


@people.command("enable")
@click.argument("name")
@data_option
def enable(*, name: str, **where: Any) -> None:
    """Let somebody in again who was disabled."""
    perform_at(where, "UpdatePerson", Name=name, Enabled=True)


@people.command("delete")
@click.argument("name")
@data_option
def delete(*, name: str, **where: Any) -> None:
    """Forget somebody, and sign that person out everywhere."""
    perform_at(where, "DeletePerson", Name=name)
