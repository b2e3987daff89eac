"""`patchwindow groups`: which baseline decides for which patch group."""

import click

from patchwindow.cli import show
from patchwindow.cli.baselines import baseline_id, short
from patchwindow.cli.options import client_command, json_option
from patchwindow.cli.patchstates import COUNTS
from patchwindow.client import SsmClient, call, pages

COLUMNS: show.Columns = {
    "OPERATING SYSTEM": lambda mapping: mapping["BaselineIdentity"].get("OperatingSystem"),
    "BASELINE": lambda mapping: short(mapping["BaselineIdentity"]["BaselineId"]),
    "GROUP": "PatchGroup",
}


@click.group()
def groups() -> None:
    """Join patch groups and baselines.

    A node is in the group that its tag `Patch Group` names.
    """


@groups.command("list")
@json_option
@client_command
def list_(client: SsmClient, *, as_json: bool) -> None:
    """List the patch groups that have a baseline."""
    show.table(pages(client, "DescribePatchGroups", "Mappings"), COLUMNS, as_json=as_json)


@groups.command("show")
@click.argument("group")
@json_option
@client_command
def show_(client: SsmClient, *, group: str, as_json: bool) -> None:
    """Show the baselines and the nodes of a group."""
    mappings = [found for found in pages(client, "DescribePatchGroups", "Mappings") if found["PatchGroup"] == group]
    state = show.members(call(client, "DescribePatchGroupState", PatchGroup=group))
    states = list(pages(client, "DescribeInstancePatchStatesForPatchGroup", "InstancePatchStates", PatchGroup=group))
    if as_json:
        show.document({"Mappings": mappings, "State": state, "InstancePatchStates": states})
        return
    show.details(state)
    show.section("Baselines", mappings, COLUMNS)
    show.section("Nodes", states, {"NODE": "InstanceId", **COUNTS})


@groups.command()
@click.argument("group")
@click.argument("baseline")
@client_command
def register(client: SsmClient, *, group: str, baseline: str) -> None:
    """Let a baseline decide for a group.

    A group may have one for each operating system.
    """
    id = baseline_id(client, baseline)
    call(client, "RegisterPatchBaselineForPatchGroup", PatchGroup=group, BaselineId=id)
    show.note(f"{group}: {id} decides")


@groups.command()
@click.argument("group")
@click.argument("baseline")
@client_command
def deregister(client: SsmClient, *, group: str, baseline: str) -> None:
    """Part a baseline from a group."""
    id = baseline_id(client, baseline)
    call(client, "DeregisterPatchBaselineForPatchGroup", PatchGroup=group, BaselineId=id)
    show.note(f"{group}: {id} decides no longer")
