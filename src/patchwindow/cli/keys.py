"""`patchwindow keys`: the access keys of the control plane whose data directory is given."""

import json
from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.options import json_option
from patchwindow.cli.serving import data_option, database_of

ROLES = ("admin", "operator", "viewer")


@click.group()
def keys() -> None:
    """Make and revoke the access keys of a control plane.

    They work on its data directory, also while it runs.
    """


@keys.command("create")
@click.option("--role", type=click.Choice(ROLES), default="operator", show_default=True, help="What the key may do")
@click.option("--comment", default="", metavar="TEXT", help="Whose it is, or what for")
@json_option
@data_option
def create(*, role: str, comment: str, as_json: bool, **where: Any) -> None:
    """Make an access key; its secret is shown this once."""
    from patchwindow.bootstrap import create_access_key
    from patchwindow.store.settings import Role
    from patchwindow.system import SystemClock, SystemIds

    with database_of(**where) as database:
        key = create_access_key(database, role=Role(role), comment=comment, clock=SystemClock(), ids=SystemIds())
    if as_json:
        click.echo(json.dumps({"AccessKeyId": key.access_key_id, "SecretAccessKey": key.secret_access_key}))
        return
    click.echo(f"export AWS_ACCESS_KEY_ID={key.access_key_id}")
    click.echo(f"export AWS_SECRET_ACCESS_KEY={key.secret_access_key}")


@keys.command("list")
@json_option
@data_option
def list_(*, as_json: bool, **where: Any) -> None:
    """List the access keys, without their secrets."""
    with database_of(**where) as database, database.read() as work:
        rows = [
            {
                "AccessKeyId": key.access_key_id,
                "Role": str(key.role),
                "Status": "Active" if key.is_enabled else "Inactive",
                "Comment": key.comment,
            }
            for key in work.access_keys.all()
        ]
    columns = {"ACCESS KEY": "AccessKeyId", "ROLE": "Role", "STATUS": "Status", "COMMENT": "Comment"}
    show.table(rows, columns, as_json=as_json)


@keys.command("disable")
@click.argument("access_key_id")
@data_option
def disable(*, access_key_id: str, **where: Any) -> None:
    """Refuse everything that the key signs from now on."""
    _enable(access_key_id, to=False, where=where)


@keys.command("enable")
@click.argument("access_key_id")
@data_option
def enable(*, access_key_id: str, **where: Any) -> None:
    """Accept a key again that was disabled."""
    _enable(access_key_id, to=True, where=where)


@keys.command("delete")
@click.argument("access_key_id")
@data_option
def delete(*, access_key_id: str, **where: Any) -> None:
    """Forget a key."""
    with database_of(**where) as database, database.write() as work:
        if not work.access_keys.delete(access_key_id):
            raise _unknown(access_key_id)


def _enable(access_key_id: str, *, to: bool, where: dict[str, Any]) -> None:
    with database_of(**where) as database, database.write() as work:
        if not work.access_keys.enable(access_key_id, to=to):
            raise _unknown(access_key_id)


def _unknown(access_key_id: str) -> click.ClickException:
    return click.ClickException(
        f"there is no access key {access_key_id}; `patchwindow keys list` shows those there are"
    )
