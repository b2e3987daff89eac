"""`patchwindow commands`: what was sent to nodes, and what they answered."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.logs import logs
from patchwindow.cli.options import client_command, json_option, limit_option
from patchwindow.cli.windows import targets
from patchwindow.client import SsmClient, call, pages
from patchwindow.domain.errors import UnknownCommand

STATUSES = ("Pending", "InProgress", "Success", "Cancelled", "Failed", "TimedOut", "Cancelling")

COLUMNS: show.Columns = {
    "COMMAND": "CommandId",
    "REQUESTED": "RequestedDateTime",
    "STATUS": "StatusDetails",
    "DONE": lambda command: f"{command.get('CompletedCount', 0)}/{command.get('TargetCount', 0)}",
    "DOCUMENT": "DocumentName",
}
INVOCATIONS: show.Columns = {
    "NODE": "InstanceId",
    "STATUS": "StatusDetails",
    "STEPS": lambda invocation: [f"{one['Name']} {one['Status']}" for one in invocation.get("CommandPlugins", [])],
}


@click.group()
def commands() -> None:
    """Show, cancel and read the commands sent to nodes."""


@commands.command("list")
@click.option("--node", metavar="ID", help="Only those sent to a node")
@click.option("--status", type=click.Choice(STATUSES), help="Only those in this state")
@limit_option(20)
@json_option
@client_command
def list_(client: SsmClient, *, node: str | None, status: str | None, limit: int, as_json: bool) -> None:
    """List the commands, the latest first."""
    chosen: dict[str, Any] = {"InstanceId": node} if node else {}
    if status:
        chosen["Filters"] = [{"key": "Status", "value": status}]
    show.table(islice(pages(client, "ListCommands", "Commands", **chosen), limit), COLUMNS, as_json=as_json)


@commands.command("show")
@click.argument("command")
@json_option
@client_command
def show_(client: SsmClient, *, command: str, as_json: bool) -> None:
    """Show how a command stands on each node."""
    found = next(iter(pages(client, "ListCommands", "Commands", CommandId=command)), None)
    if found is None:
        raise UnknownCommand(f"no command {command!r}; `patchwindow commands list` shows the latest ones")
    invocations = list(_invocations(client, command))
    if as_json:
        show.document({"Command": found, "Invocations": invocations})
        return
    plain = {name: value for name, value in found.items() if not isinstance(value, dict)}
    show.details({**plain, "Targets": targets(found.get("Targets", [])), "Parameters": found.get("Parameters")})
    show.section("Nodes", invocations, INVOCATIONS)


@commands.command()
@click.argument("command")
@click.option("--node", "nodes", multiple=True, metavar="ID", help="Cancel it on this node only; may be repeated")
@client_command
def cancel(client: SsmClient, *, command: str, nodes: tuple[str, ...]) -> None:
    """Cancel a command where it has not ended."""
    call(client, "CancelCommand", CommandId=command, **({"InstanceIds": list(nodes)} if nodes else {}))
    show.note(f"{command}: cancellation requested; `patchwindow commands show {command}` tells how it ends")


def _invocations(client: SsmClient, command: str) -> Iterator[Mapping[str, Any]]:
    return iter(pages(client, "ListCommandInvocations", "CommandInvocations", CommandId=command, Details=True))


commands.add_command(logs)
