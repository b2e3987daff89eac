"""`patchwindow keys`: the access keys of the control plane whose data directory is given."""

import json
from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.options import json_option
from patchwindow.cli.serving import data_option, database_of, perform_at

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
    made = perform_at(where, "CreateAccessKey", Role=role, Comment=comment)
    if as_json:
        click.echo(json.dumps(made))
        return
    click.echo(f"export AWS_ACCESS_KEY_ID={made['AccessKeyId']}")
    click.echo(f"export AWS_SECRET_ACCESS_KEY={made['SecretAccessKey']}")


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
    perform_at(where, "UpdateAccessKey", AccessKeyId=access_key_id, Enabled=False)


@keys.command("enable")
@click.argument("access_key_id")
@data_option
def enable(*, access_key_id: str, **where: Any) -> None:
    """Accept a key again that was disabled."""
    perform_at(where, "UpdateAccessKey", AccessKeyId=access_key_id, Enabled=True)


@keys.command("delete")
@click.argument("access_key_id")
@data_option
def delete(*, access_key_id: str, **where: Any) -> None:
    """Forget a key."""
    perform_at(where, "DeleteAccessKey", AccessKeyId=access_key_id)
