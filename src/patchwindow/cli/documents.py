"""`patchwindow documents`: what commands run on nodes."""

import click

from patchwindow.cli import show
from patchwindow.cli.options import client_command, json_option
from patchwindow.client import SsmClient, call, pages

COLUMNS: show.Columns = {
    "NAME": "Name",
    "TYPE": "DocumentType",
    "VERSION": "DocumentVersion",
    "OWNER": "Owner",
    "PLATFORMS": "PlatformTypes",
}
PARAMETERS: show.Columns = {"NAME": "Name", "TYPE": "Type", "DEFAULT": "DefaultValue", "ABOUT": "Description"}


@click.group()
def documents() -> None:
    """Show the command documents."""


@documents.command("list")
@click.option("--own", is_flag=True, help="Without those that came with the service")
@json_option
@client_command
def list_(client: SsmClient, *, own: bool, as_json: bool) -> None:
    """List the documents."""
    filters = [{"Key": "Owner", "Values": ["Self"]}] if own else []
    show.table(pages(client, "ListDocuments", "DocumentIdentifiers", Filters=filters), COLUMNS, as_json=as_json)


@documents.command("show")
@click.argument("name")
@click.option("--version", "version", default="$DEFAULT", show_default=True, help="A version's number, or $LATEST")
@json_option
@client_command
def show_(client: SsmClient, *, name: str, version: str, as_json: bool) -> None:
    """Show a document: what it is, its parameters, its content."""
    described = call(client, "DescribeDocument", Name=name, DocumentVersion=version)["Document"]
    content = call(client, "GetDocument", Name=name, DocumentVersion=version)["Content"]
    if as_json:
        show.document({"Document": described, "Content": content})
        return
    show.details({name: value for name, value in described.items() if name != "Parameters"})
    show.section("Parameters", described.get("Parameters", []), PARAMETERS)
    click.echo(f"\n{content}")
