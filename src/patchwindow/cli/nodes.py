"""`patchwindow nodes`: the computers under management."""

from itertools import chain

import click

from patchwindow.cli import show
from patchwindow.cli.options import client_command, grouped, json_option, own_client_command, pair, tag_option
from patchwindow.cli.patchstates import patch_states
from patchwindow.client import SsmClient, call, pages
from patchwindow.domain.errors import UnknownNode

COLUMNS: show.Columns = {
    "NODE": "InstanceId",
    "STATUS": "PingStatus",
    "LAST PING": "LastPingDateTime",
    "PLATFORM": lambda node: f"{node.get('PlatformName', '')} {node.get('PlatformVersion', '')}".strip(),
    "NAME": lambda node: node.get("Name") or node.get("ComputerName"),
}
TYPES: show.Columns = {
    "TYPE": "TypeName",
    "VERSION": "Version",
    "ATTRIBUTES": lambda schema: [attribute["Name"] for attribute in schema["Attributes"]],
}
DUPLICATES: show.Columns = {
    "NODE": "InstanceId",
    "STATUS": "PingStatus",
    "REGISTERED": "RegistrationDate",
    "LAST PING": "LastPingDateTime",
    "NAME": "Name",
    "SAME MACHINE AS": "SameMachineAs",
}
APPLICATION = "AWS:Application"


@click.group()
def nodes() -> None:
    """List, show, tag and deregister managed nodes."""


@nodes.command("list")
@tag_option
@click.option("--status", type=click.Choice(["Online", "ConnectionLost"]), help="Only nodes in this state")
@json_option
@client_command
def list_(client: SsmClient, *, tags: list[tuple[str, str]], status: str | None, as_json: bool) -> None:
    """List the managed nodes."""
    filters = [{"Key": f"tag:{key}", "Values": values} for key, values in grouped(tags).items()]
    if status:
        filters.append({"Key": "PingStatus", "Values": [status]})
    found = pages(client, "DescribeInstanceInformation", "InstanceInformationList", Filters=filters)
    show.table(found, COLUMNS, as_json=as_json)


@nodes.command("show")
@click.argument("node")
@json_option
@client_command
def show_(client: SsmClient, *, node: str, as_json: bool) -> None:
    """Show a node, its tags, and what its last scan found."""
    only = [{"Key": "InstanceIds", "Values": [node]}]
    found = next(pages(client, "DescribeInstanceInformation", "InstanceInformationList", Filters=only), None)
    if found is None:
        raise UnknownNode(f"no managed node {node!r}; `patchwindow nodes list` shows those there are")
    tags = call(client, "ListTagsForResource", ResourceType="ManagedInstance", ResourceId=node)["TagList"]
    state = next(patch_states(client, [node]), None)
    if as_json:
        show.document({"Node": found, "Tags": tags, "PatchState": state})
        return
    show.details(found)
    show.section("Tags", tags, {"KEY": "Key", "VALUE": "Value"})
    if state is None:
        show.note("not scanned yet; `patchwindow scan --node` does it now")
        return
    click.echo("\nPatches")
    show.details(state)


@nodes.command()
@click.argument("node")
@click.argument("type_name", metavar="[TYPE]", default=APPLICATION)
@json_option
@client_command
def inventory(client: SsmClient, *, node: str, type_name: str, as_json: bool) -> None:
    """Show what a node has of a type of inventory.

    TYPE is such as AWS:Network, or Network for short; without it, the applications. With `types` it lists the types.
    """
    if type_name == "types":
        show.table(pages(client, "GetInventorySchema", "Schemas"), TYPES, as_json=as_json)
        return
    name = type_name if ":" in type_name else f"AWS:{type_name}"
    entries = list(pages(client, "ListInventoryEntries", "Entries", InstanceId=node, TypeName=name))
    if not entries and not as_json:
        show.note(f"{node} has nothing of {name}; `patchwindow nodes inventory {node} types` lists the types")
        return
    # In the order in which the first entry has them, with what only others have after it.
    columns = dict.fromkeys(chain.from_iterable(entries))
    show.table(entries, {column.upper(): column for column in columns}, as_json=as_json)


@nodes.command()
@click.argument("node")
@click.argument("tags", type=pair, nargs=-1, required=True, metavar="KEY=VALUE...")
@client_command
def tag(client: SsmClient, *, node: str, tags: list[tuple[str, str]]) -> None:
    """Set tags of a node.

    A tag of the same key is overwritten. The tag `Patch Group` puts a node into a patch group.
    """
    written = [{"Key": key, "Value": value} for key, value in tags]
    call(client, "AddTagsToResource", ResourceType="ManagedInstance", ResourceId=node, Tags=written)
    show.note(f"{node}: {', '.join(f'{key}={value}' for key, value in tags)}")


@nodes.command()
@click.argument("node")
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@client_command
def untag(client: SsmClient, *, node: str, keys: tuple[str, ...]) -> None:
    """Remove tags of a node.

    A key that it does not have is fine.
    """
    call(client, "RemoveTagsFromResource", ResourceType="ManagedInstance", ResourceId=node, TagKeys=list(keys))
    show.note(f"{node}: without {', '.join(keys)}")


@nodes.command()
@json_option
@own_client_command
def duplicates(client: SsmClient, *, as_json: bool) -> None:
    """List the nodes that may be one machine.

    A machine that was registered again, or a copy. With `nodes replace`, one of them takes the place of another.
    """
    show.table(pages(client, "ListSameMachineInstances", "Instances"), DUPLICATES, as_json=as_json)


@nodes.command()
@click.argument("node")
@click.argument("replacement")
@own_client_command
def replace(client: SsmClient, *, node: str, replacement: str) -> None:
    """Let a node take the place of another, which is deregistered.

    REPLACEMENT gets the tags of NODE, and stands wherever windows and associations named NODE by its id.
    """
    done = call(client, "ReplaceInstance", InstanceId=node, ReplacementId=replacement)
    show.note(
        f"{replacement}: in the place of {node}, with {done['TagCount']} of its tags, "
        f"in {done['WindowCount']} windows and {done['AssociationCount']} associations; {node} is deregistered"
    )


@nodes.command()
@click.argument("node")
@client_command
def deregister(client: SsmClient, *, node: str) -> None:
    """Remove a node from management.

    It comes back only with an activation, and as a new node.
    """
    call(client, "DeregisterManagedInstance", InstanceId=node)
    show.note(f"{node}: deregistered")
