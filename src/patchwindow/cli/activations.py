"""`patchwindow activations`: the codes with which new nodes register."""

from datetime import UTC, datetime

import click

from patchwindow.cli import show
from patchwindow.cli.options import client_command, json_option, pair
from patchwindow.client import SsmClient, call, pages

COLUMNS: show.Columns = {
    "ACTIVATION": "ActivationId",
    "USED": lambda activation: f"{activation.get('RegistrationsCount', 0)}/{activation.get('RegistrationLimit', 1)}",
    "EXPIRES": "ExpirationDate",
    "EXPIRED": "Expired",
    "NAME": lambda activation: activation.get("DefaultInstanceName") or activation.get("Description"),
}


@click.group()
def activations() -> None:
    """Let new nodes register."""


@activations.command()
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="COUNT",
    help="How many nodes may register",
)
@click.option(
    "--expires-at",
    type=click.DateTime(),
    metavar="TIME",
    help="When it ends, in UTC, such as 2026-07-01 or 2026-07-01T18:00:00; otherwise in 24 hours",
)
@click.option("--name", help="The name that the nodes are shown under")
@click.option("--description", help="What it is for")
@click.option(
    "--tag", "tags", type=pair, metavar="KEY=VALUE", multiple=True, help="A tag for every node that registers with it"
)
@click.option(
    "--iam-role",
    default="AmazonEC2RunCommandRoleForManagedInstances",
    show_default=True,
    help="The role of the nodes in AWS; a patchwindow server only keeps the name",
)
@json_option
@client_command
def create(
    client: SsmClient,
    *,
    limit: int,
    expires_at: datetime | None,
    name: str | None,
    description: str | None,
    tags: list[tuple[str, str]],
    iam_role: str,
    as_json: bool,
) -> None:
    """Create an activation, and print its id and its code.

    The code is not shown again.
    """
    optional = {
        "ExpirationDate": expires_at and expires_at.replace(tzinfo=UTC),
        "DefaultInstanceName": name,
        "Description": description,
        "Tags": [{"Key": key, "Value": value} for key, value in tags],
    }
    given = {member: value for member, value in optional.items() if value}
    made = show.members(call(client, "CreateActivation", IamRole=iam_role, RegistrationLimit=limit, **given))
    if as_json:
        show.document(made)
        return
    show.details(made)
    show.note("keep the code, it is not shown again; a node registers with `patchwindow agent register`")


@activations.command("list")
@json_option
@client_command
def list_(client: SsmClient, *, as_json: bool) -> None:
    """List the activations, ended ones included."""
    show.table(pages(client, "DescribeActivations", "ActivationList"), COLUMNS, as_json=as_json)


@activations.command()
@click.argument("activation")
@client_command
def delete(client: SsmClient, *, activation: str) -> None:
    """Delete an activation.

    Nodes that registered with it stay.
    """
    call(client, "DeleteActivation", ActivationId=activation)
    show.note(f"{activation}: deleted")
