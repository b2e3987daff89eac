"""`patchwindow people`: who signs in to the console of the control plane whose data directory is given."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from patchwindow.cli import show
from patchwindow.cli.keys import ROLES
from patchwindow.cli.options import json_option
from patchwindow.cli.serving import data_option, database_of

if TYPE_CHECKING:
    from patchwindow.store.people import Person


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
    from patchwindow.operations.sign_in import add_person
    from patchwindow.store.settings import Role
    from patchwindow.system import SystemClock

    with database_of(**where) as database, database.write() as work:
        add_person(work, name, Role(role), now=SystemClock().now())


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
    from patchwindow.operations.sign_in import make_link
    from patchwindow.system import SystemClock, SystemIds

    with database_of(**where) as database, database.write() as work:
        if work.people.get(name) is None:
            raise _unknown(name)
        url = work.settings.get(PUBLIC_URL)
        if url is None:
            raise click.ClickException("this server has never run, so its address is not known; start it first")
        secret = make_link(work, name, now=SystemClock().now(), ids=SystemIds())
    click.echo(f"{url}/console/link/{secret}")


@people.command("disable")
@click.argument("name")
@data_option
def disable(*, name: str, **where: Any) -> None:
    """Sign somebody out everywhere, and let nobody in by that name."""
    _change(name, lambda person: replace(person, is_enabled=False), where)


@people.command("enable")
@click.argument("name")
@data_option
def enable(*, name: str, **where: Any) -> None:
    """Let somebody in again who was disabled."""
    _change(name, lambda person: replace(person, is_enabled=True), where)


@people.command("delete")
@click.argument("name")
@data_option
def delete(*, name: str, **where: Any) -> None:
    """Forget somebody, and sign that person out everywhere."""
    with database_of(**where) as database, database.write() as work:
        if not work.people.delete(name):
            raise _unknown(name)


def _change(name: str, change: "Callable[[Person], Person]", where: dict[str, Any]) -> None:
    with database_of(**where) as database, database.write() as work:
        person = work.people.get(name)
        if person is None:
            raise _unknown(name)
        work.people.change(change(person))
        work.people.end_sessions(name)


def _unknown(name: str) -> click.ClickException:
    return click.ClickException(f"there is nobody called {name!r}; `patchwindow people list` shows who there is")
