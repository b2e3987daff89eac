"""`patchwindow calendar`: when windows open, on a page, in a file, or as a feed."""

from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

import click

from patchwindow.cli import show
from patchwindow.cli.calendar_feed import feed
from patchwindow.cli.calendar_page import member, months, row
from patchwindow.cli.options import Connect, connect_command, json_option
from patchwindow.cli.plan_files import overlay_option
from patchwindow.cli.zones import zone_option
from patchwindow.domain.freeze import Freeze
from patchwindow.domain.window_calendar import Occurrence, occurrences
from patchwindow.system import SystemClock

COLUMNS: Final[show.Columns] = {"OPENS": "Opens", "ENDS": "Ends", "WINDOW": "Window", "REMARK": "Remark"}
_SHOW: Final = "show"


class _ShowsByDefault(click.Group):
    """A group whose first word may be a file: what is no command of it is meant for `show`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `show` before what names no command and asks for no help."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args.insert(0, _SHOW)
        return super().parse_args(ctx, args)


@click.group(cls=_ShowsByDefault)
def calendar() -> None:
    """Show when windows open, with freezes and overlaps.

    Without a further command this is `calendar show`.
    """


calendar.add_command(feed)


@calendar.command(_SHOW)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@overlay_option
@click.option(
    "--days", type=click.IntRange(1, 800), default=31, show_default=True, metavar="N", help="How far to look ahead"
)
@zone_option
@click.option(
    "--ics",
    type=click.Path(path_type=Path, allow_dash=True, dir_okay=False),
    metavar="FILE",
    help="Write an iCalendar file instead; - is standard output",
)
@json_option
@connect_command
def show_(
    connect: Connect,
    *,
    file: Path | None,
    overlays: tuple[Path, ...],
    days: int,
    zone: tzinfo,
    ics: Path | None,
    as_json: bool,
) -> None:
    """Show the coming openings of a plan, a server or AWS.

    Of a plan file they are worked out offline. Without one the service is asked.
    """
    from patchwindow.cli.calendar_sources import of_api, of_plan

    since = SystemClock().now().replace(microsecond=0)
    until = since + timedelta(days=days)
    windows = of_api(connect(), since, until) if file is None else of_plan(file, overlays, since, until)
    found = occurrences(windows)
    freezes = sorted({freeze for window in windows for freeze in window.freezes if _touches(freeze, since, until)})
    if ics is not None:
        _write(ics, "patchwindow" if file is None else file.stem, found, freezes)
    elif as_json:
        show.document([member(each) for each in found])
    else:
        for line in months(found, freezes, zone, since, until):
            click.echo(line)
        show.table([row(each, zone) for each in found], COLUMNS)


def _write(path: Path, name: str, found: list[Occurrence], freezes: list[Freeze]) -> None:
    from patchwindow.ical.writing import write

    with click.open_file(str(path), "w", encoding="utf-8") as file:
        # The line ends of the format are those of no system.
        file.write(write(name, found, freezes))


def _touches(freeze: Freeze, since: datetime, until: datetime) -> bool:
    return freeze.starts_at < until and freeze.ends_at > since
