"""`patchwindow check`: what is wrong with a service as it is."""

from datetime import timedelta

import click

from patchwindow.checks import check as checked
from patchwindow.checks import collect
from patchwindow.cli.findings import findings_options, report
from patchwindow.cli.options import Connect, connect_command
from patchwindow.system import SystemClock


@click.command()
@click.option(
    "--stale-days",
    type=click.IntRange(1),
    default=7,
    show_default=True,
    metavar="DAYS",
    help="From which age on a scan is old",
)
@findings_options
@connect_command
def check(connect: Connect, *, stale_days: int, form: str, fail_on: str) -> None:
    """Search a server or an AWS account for what is forgotten.

    Finds nodes in no window or in two at once, without a group or a scan, or that missed their last windows; windows that
    do nothing, never open or are too short; baselines and approvals that come to nothing.  It only reads.
    """
    client = connect()
    snapshot = collect(
        client,
        connect(service="resource-groups"),
        now=SystemClock().now(),
        stale_after=timedelta(days=stale_days),
    )
    report(checked(snapshot), client.meta.endpoint_url, form=form, fail_on=fail_on)
