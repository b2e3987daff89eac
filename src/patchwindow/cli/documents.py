"""`patchwindow documents`: what commands run on nodes."""

from pathlib import Path
from typing import Any, Final

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
VERSIONS: show.Columns = {
    "VERSION": "DocumentVersion",
    "NAME": "VersionName",
    "DEFAULT": lambda version: "yes" if version["IsDefaultVersion"] else "",
    "FORMAT": "DocumentFormat",
    "CREATED": "CreatedDate",
}
PARAMETERS: show.Columns = {"NAME": "Name", "TYPE": "Type", "DEFAULT": "DefaultValue", "ABOUT": "Description"}


@click.group()
def documents() -> None:
    """Show the documents, and write some of your own."""


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


_CALENDAR: Final = ".ics"
_FORMATS: Final = {".json": "JSON", _CALENDAR: "TEXT"}
_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_version_name = click.option("--version-name", metavar="NAME", help="What to call this version")


@documents.command()
@click.argument("name")
@_file
@_version_name
@json_option
@client_command
def create(client: SsmClient, *, name: str, file: Path, version_name: str | None, as_json: bool) -> None:
    """Make a document of what a file says.

    A JSON or YAML file is a command, an .ics file a change calendar.
    """
    kind = {"DocumentType": "ChangeCalendar"} if file.suffix == _CALENDAR else {}
    made = call(client, "CreateDocument", Name=name, **kind, **_content(file, version_name))
    _show_made(made, as_json=as_json)


@documents.command()
@click.argument("name")
@_file
@_version_name
@click.option("--make-default", is_flag=True, help="Let commands that name no version run this one from now on")
@json_option
@client_command
def update(
    client: SsmClient, *, name: str, file: Path, version_name: str | None, make_default: bool, as_json: bool
) -> None:
    """Give a document a new version.

    What is run by default stays, unless you say otherwise.
    """
    made = call(client, "UpdateDocument", Name=name, **_content(file, version_name), DocumentVersion="$LATEST")
    if make_default:
        version = made["DocumentDescription"]["DocumentVersion"]
        call(client, "UpdateDocumentDefaultVersion", Name=name, DocumentVersion=version)
        made["DocumentDescription"]["DefaultVersion"] = version
    _show_made(made, as_json=as_json)


@documents.command()
@click.argument("name")
@click.argument("version")
@json_option
@client_command
def default(client: SsmClient, *, name: str, version: str, as_json: bool) -> None:
    """Make a version the one that is run by default."""
    changed = call(client, "UpdateDocumentDefaultVersion", Name=name, DocumentVersion=version)["Description"]
    if as_json:
        show.document(changed)
        return
    show.details(changed)


@documents.command()
@click.argument("name")
@json_option
@client_command
def versions(client: SsmClient, *, name: str, as_json: bool) -> None:
    """List the versions of a document."""
    show.table(pages(client, "ListDocumentVersions", "DocumentVersions", Name=name), VERSIONS, as_json=as_json)


@documents.command()
@click.argument("name")
@click.option("--version", metavar="NUMBER", help="This version alone")
@client_command
def delete(client: SsmClient, *, name: str, version: str | None) -> None:
    """Delete a document, or one of its versions.

    Commands that were sent go on. A window's task that names it fails when it runs, and says so.
    """
    call(client, "DeleteDocument", Name=name, **({} if version is None else {"DocumentVersion": version}))
    show.note(f"{name}: deleted" if version is None else f"{name}: version {version} deleted")


def _content(file: Path, version_name: str | None) -> dict[str, Any]:
    """Return the members that the content of *file* is given as; what is named neither JSON nor calendar is YAML."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise click.ClickException(f"{file} cannot be read as text in UTF-8: {problem}") from problem
    members = {"Content": text, "DocumentFormat": _FORMATS.get(file.suffix, "YAML")}
    return members if version_name is None else {**members, "VersionName": version_name}


def _show_made(answer: dict[str, Any], *, as_json: bool) -> None:
    described = show.members(answer)["DocumentDescription"]
    if as_json:
        show.document(described)
        return
    show.details({name: value for name, value in described.items() if name != "Parameters"})
