"""`patchwindow resource-groups`: named sets of nodes, which windows and commands can target."""

import json
from collections.abc import Mapping
from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.options import grouped, groups_client_command, json_option, tag_option
from patchwindow.client import SsmClient, call, pages
from patchwindow.domain.resource_group import ANY_TYPE, QueryType

COLUMNS: show.Columns = {"GROUP": "GroupName", "OWNER": "Owner", "DESCRIPTION": "Description"}
NODES: show.Columns = {
    "NODE": lambda resource: resource["Identifier"]["ResourceArn"].rpartition("/")[2],
    "TYPE": lambda resource: resource["Identifier"]["ResourceType"],
}
TAGS: show.Columns = {"KEY": "Key", "VALUE": "Value"}
FILTERS: show.Columns = {"KEY": "Key", "VALUES": lambda one: one.get("Values") or "any"}


@click.group()
def resource_groups() -> None:
    """Name sets of nodes by their tags."""


@resource_groups.command("list")
@json_option
@groups_client_command
def list_(client: SsmClient, *, as_json: bool) -> None:
    """List the resource groups."""
    show.table(pages(client, "ListGroups", "GroupIdentifiers"), COLUMNS, as_json=as_json)


@resource_groups.command("show")
@click.argument("group")
@json_option
@groups_client_command
def show_(client: SsmClient, *, group: str, as_json: bool) -> None:
    """Show a group, its query and its tags."""
    found = call(client, "GetGroup", Group=group)["Group"]
    query = call(client, "GetGroupQuery", Group=group)["GroupQuery"]["ResourceQuery"]
    tags = call(client, "GetTags", Arn=found["GroupArn"])["Tags"]
    if as_json:
        show.document({"Group": found, "ResourceQuery": query, "Tags": tags})
        return
    _show(found, query)
    show.section("Tags of the group", [{"Key": key, "Value": value} for key, value in tags.items()], TAGS)


@resource_groups.command()
@click.argument("group")
@tag_option
@click.option(
    "--tag-key",
    "tag_keys",
    multiple=True,
    metavar="KEY",
    help="Nodes with this tag, whatever its value; may be repeated",
)
@click.option(
    "--type", "types", multiple=True, metavar="TYPE", help=f"Resources of this type; may be repeated; else {ANY_TYPE}"
)
@click.option("--description", metavar="TEXT", help="What the group is for")
@json_option
@groups_client_command
def create(
    client: SsmClient,
    *,
    group: str,
    tags: list[tuple[str, str]],
    tag_keys: tuple[str, ...],
    types: tuple[str, ...],
    description: str | None,
    as_json: bool,
) -> None:
    """Make a group of the nodes that have all these tags.

    Nodes come into the group and leave it as their tags change.
    """
    filters = [{"Key": key, "Values": values} for key, values in grouped(tags).items()]
    filters += [{"Key": key, "Values": []} for key in tag_keys]
    if not filters:
        raise click.UsageError("no tags given; say which nodes the group has with --tag or --tag-key")
    query = {"ResourceTypeFilters": list(types) or [ANY_TYPE], "TagFilters": filters}
    members: dict[str, Any] = {} if description is None else {"Description": description}
    members["ResourceQuery"] = {"Type": QueryType.TAG_FILTERS.value, "Query": json.dumps(query)}
    made = show.members(call(client, "CreateGroup", Name=group, **members))
    if as_json:
        show.document(made)
        return
    _show(made["Group"], made["ResourceQuery"])


@resource_groups.command()
@click.argument("group")
@groups_client_command
def delete(client: SsmClient, *, group: str) -> None:
    """Delete a group.

    Its nodes stay. A window's task that still targets the group fails and says so.
    """
    call(client, "DeleteGroup", Group=group)
    show.note(f"{group}: deleted")


@resource_groups.command()
@click.argument("group")
@json_option
@groups_client_command
def nodes(client: SsmClient, *, group: str, as_json: bool) -> None:
    """List the nodes that a group has now."""
    show.table(pages(client, "ListGroupResources", "Resources", Group=group), NODES, as_json=as_json)


def _show(group: Mapping[str, Any], query: Mapping[str, Any]) -> None:
    """Print a group and its query, which of AWS may be one of another type than is made here."""
    if query["Type"] != QueryType.TAG_FILTERS:
        show.details({**group, **query})
        return
    asked = json.loads(query["Query"])
    show.details({**group, "ResourceTypeFilters": asked.get("ResourceTypeFilters")})
    show.section("Nodes with these tags", asked.get("TagFilters", ()), FILTERS)
