"""The option that says in which time zone times are shown."""

from datetime import tzinfo

import click

from patchwindow.domain.errors import Invalid
from patchwindow.domain.schedule_zone import parse_zone


def _zone(_: click.Context, __: click.Parameter, name: str) -> tzinfo:
    try:
        return parse_zone(name)
    except Invalid:
        raise click.BadParameter(f"{name!r} is no time zone; use an IANA name such as Europe/Berlin") from None


zone_option = click.option(
    "--zone", default="UTC", show_default=True, callback=_zone, metavar="NAME", help="The time zone to show times in"
)
