"""`patchwindow forecast`: what the coming openings of windows will do, from a server or from a file of facts."""

from datetime import tzinfo
from pathlib import Path
from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.options import Connect, connect_command, json_option
from patchwindow.cli.zones import zone_option
from patchwindow.client import call, pages

_OWN = "patchwindow"


@click.command()
@click.option(
    "--weeks", type=click.IntRange(1, 26), default=8, show_default=True, metavar="N", help="How far to look ahead"
)
@click.option("--window", "window_id", metavar="WINDOW", help="The openings of one window, with what they do to nodes")
@click.option("--node", "node_id", metavar="NODE", help="The openings that have one node, with what they do to it")
@click.option("--patch", metavar="NAME", help="When a title, KBId, name, CVE or advisory is installed, and where never")
@click.option(
    "--facts",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Forecast from this file, without a server; - is standard input",
)
@click.option(
    "--export",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Write what forecasts rest on into a file for --facts, and forecast nothing",
)
@zone_option
@json_option
@connect_command
def forecast(
    connect: Connect,
    *,
    weeks: int,
    window_id: str | None,
    node_id: str | None,
    patch: str | None,
    facts: Path | None,
    export: Path | None,
    zone: tzinfo,
    as_json: bool,
) -> None:
    """Say what the coming openings of windows will install.

    That is: if nothing changes, which patches on which nodes, how long it takes, which nodes reboot, and what is missing
    afterwards.
    """
    _check(window_id, node_id, patch, facts, export)
    if export is not None:
        _export(connect, export)
        return
    asked = {"WindowId": window_id, "InstanceId": node_id, "Patch": patch}
    if facts is None:
        given = {name: value for name, value in asked.items() if value is not None}
        answer = show.members(call(connect(service=_OWN), "ForecastPatches", Weeks=weeks, **given))
    else:
        answer = _offline(facts, weeks, window_id, node_id, patch)
    if as_json:
        show.document(answer)
        return
    from patchwindow.cli.forecast_page import lines

    for line in lines(answer, zone, patch=patch):
        click.echo(line)


def _check(
    window_id: str | None, node_id: str | None, patch: str | None, facts: Path | None, export: Path | None
) -> None:
    if patch is not None and (window_id is not None or node_id is not None):
        raise click.UsageError("--patch is about all nodes and windows; leave out --window and --node")
    if facts is not None and export is not None:
        raise click.UsageError("--export asks the server, and --facts does without it; give one of the two")


def _export(connect: Connect, path: Path) -> None:
    parts = pages(connect(service=_OWN), "ExportForecastFacts", "Parts")
    count = 0
    with click.open_file(str(path), "w", encoding="utf-8", atomic=str(path) != "-") as file:
        for part in parts:
            count += part.count("\n") + 1
            file.write(f"{part}\n")
    show.note(f"{count} lines written")


def _offline(path: Path, weeks: int, window_id: str | None, node_id: str | None, patch: str | None) -> dict[str, Any]:
    # Imported here: only a forecast without a server needs it, and it is most of the domain.
    from patchwindow.protocol.forecast_answers import answer, until_after
    from patchwindow.protocol.forecast_file import read

    with click.open_file(str(path), encoding="utf-8") as file:
        fleet = read(file, name=str(path))
    return answer(fleet, until_after(fleet.as_of, weeks), window_id=window_id, node_id=node_id, patch=patch)
