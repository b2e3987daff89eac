"""`patchwindow plan export`: a plan file of what there is."""

from pathlib import Path

import click

from patchwindow.cli import show
from patchwindow.cli.options import client_command, confirm, json_option, yes_option
from patchwindow.client import SsmClient
from patchwindow.plans import Export, adopt, export


@click.command("export")
@click.option("--name", default="exported", show_default=True, metavar="NAME", help="The plan's name")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the plan there")
@click.option("--adopt", "adopts", is_flag=True, help="Tag what no plan has made, so that an apply takes it over")
@yes_option
@json_option
@client_command
def export_(client: SsmClient, *, name: str, output: Path | None, adopts: bool, yes: bool, as_json: bool) -> None:
    """Write a plan file of what there is.

    It has what no plan has made, and what the plan of this name has made. An apply of it makes the former again, unless
    they are adopted. Whatever a plan has no words for is named.
    """
    exported = export(client, name)
    count = len(exported.adoptable)
    what = f"{count} resource{' is' if count == 1 else 's are'} of no plan"
    if adopts and exported.adoptable and not yes:
        for each in exported.adoptable:
            show.note(f"will tag {each.address} ({each.id})")
        confirm(f"{what}, and will be plan {name!r}'s, which an apply of it changes")
    if output is not None:
        _write(output, exported.text)
    if as_json:
        _show(exported)
    elif output is None:
        click.echo(exported.text, nl=False)
    for note in exported.notes:
        show.note(note)
    if adopts:
        adopt(client, exported)
    elif exported.adoptable:
        show.note(
            f"{what}: an apply here makes {'it' if count == 1 else 'them'} again; --adopt takes over what is there"
        )


def _show(exported: Export) -> None:
    adoptable = [
        {"Kind": each.address.kind.value, "Path": each.address.path, "Id": each.id} for each in exported.adoptable
    ]
    show.document({"Plan": exported.sections, "Notes": exported.notes, "Adoptable": adoptable})


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
