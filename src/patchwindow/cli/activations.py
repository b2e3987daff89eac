"""`patchwindow activations`: the codes with which new nodes register."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.options import both_client_command, client_command, json_option, pair
from patchwindow.client import ClientProblem, SsmClient, call, pages
from patchwindow.domain.installation import Installation, powershell_line, shell_line

COLUMNS: show.Columns = {
    "ACTIVATION": "ActivationId",
    "USED": lambda activation: f"{activation.get('RegistrationsCount', 0)}/{activation.get('RegistrationLimit', 1)}",
    "EXPIRES": "ExpirationDate",
    "EXPIRED": "Expired",
    "NAME": lambda activation: activation.get("DefaultInstanceName") or activation.get("Description"),
}


_TITLES: Final = {
    "shell": "On Linux or macOS, in a shell:",
    "powershell": "On Windows with an amazon-ssm-agent, in an elevated PowerShell:",
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
@click.option(
    "--line",
    "system",
    type=click.Choice(["shell", "powershell"]),
    help="Print only the line that installs an agent: in a shell of Linux or macOS, or in PowerShell",
)
@json_option
@both_client_command
def create(
    client: SsmClient,
    connect_own: Callable[[], SsmClient],
    *,
    limit: int,
    expires_at: datetime | None,
    name: str | None,
    description: str | None,
    tags: list[tuple[str, str]],
    iam_role: str,
    system: str | None,
    as_json: bool,
) -> None:
    """Create an activation, and print what a machine needs.

    That is its id and its code, which is not shown again, and of a patchwindow server the lines that install an agent.
    """
    # Before the activation: what goes wrong here must not cost its code.
    server = None if as_json else _server(connect_own, is_needed=system is not None)
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
    lines = {} if server is None else _lines(server, made)
    if system is not None:
        click.echo(lines[system])
        return
    show.details(made)
    for each, title in _TITLES.items():
        if each in lines:
            click.echo(f"\n{title}\n\n{lines[each]}")
    show.note(
        "keep the code, it is not shown again; the lines hold it, too"
        if lines
        else "keep the code, it is not shown again"
    )


def _server(connect_own: Callable[[], SsmClient], *, is_needed: bool) -> Mapping[str, Any] | None:
    """Return what a server says of installations; None where it is AWS, unless that will not do."""
    try:
        return call(connect_own(), "GetAgentInstallation")
    except ClientProblem:
        if is_needed:
            raise
        return None


def _lines(server: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, str]:
    installation = Installation(
        url=server["Url"],
        region=server["Region"],
        ca_fingerprint=server.get("CaFingerprint", ""),
        activation_id=made["ActivationId"],
        activation_code=made["ActivationCode"],
    )
    return {"shell": shell_line(installation), "powershell": powershell_line(installation)}


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
