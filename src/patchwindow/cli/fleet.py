"""`patchwindow compliance fleet`, `node` and `history`: the server's own views, in which an old scan is not compliance."""

from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.options import json_option, limit_option, own_client_command
from patchwindow.client import SsmClient, call, pages

STATES: Final = ("Compliant", "Missing", "Failed", "PendingReboot", "Stale", "NeverScanned", "Offline")
GROUPINGS: Final = {"group": "PatchGroup", "environment": "Environment", "os": "OperatingSystem"}
_HEADERS: Final = {"PatchGroup": "GROUP", "Environment": "ENVIRONMENT", "OperatingSystem": "OPERATING SYSTEM"}
_TIMES: Final = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S"])


def _of(name: str) -> Any:
    return lambda record: record["Counts"].get(name, 0)


COUNTS: Final[show.Columns] = {
    "COMPLIANT": _of("Compliant"),
    "MISSING": _of("Missing"),
    "FAILED": _of("Failed"),
    "REBOOT": _of("PendingReboot"),
    "STALE": _of("Stale"),
    "NEVER SCANNED": _of("NeverScanned"),
    "OFFLINE": _of("Offline"),
    "TOTAL": _of("Total"),
}
NODES: Final[show.Columns] = {
    "NODE": "InstanceId",
    "STATE": "State",
    "SCANNED": "FactsTime",
    "OPERATING SYSTEM": "OperatingSystem",
    "ENVIRONMENT": "Environment",
    "GROUP": "PatchGroup",
}
SCANS: Final[show.Columns] = {
    "SCANNED": "Time",
    "OPERATION": "Operation",
    "STATUS": "Status",
    "MISSING": "MissingCount",
    "FAILED": "FailedCount",
    "REBOOT": "InstalledPendingRebootCount",
    "INSTALLED": "InstalledCount",
    "BASELINE": lambda scan: f"{scan.get('BaselineId', show.UNKNOWN)} version {scan.get('BaselineRevision', 0)}",
}
WHOLE_DAYS: Final[show.Columns] = {"DAY": "Day", **COUNTS}
DAYS: Final[show.Columns] = {
    **WHOLE_DAYS,
    "OPERATING SYSTEM": "OperatingSystem",
    "GROUP": "PatchGroup",
}

environment_option = click.option(
    "--environment-tag", metavar="KEY", help="The tag that names a node's environment; otherwise Environment"
)


@click.command()
@click.option(
    "--by",
    "groupings",
    type=click.Choice(list(GROUPINGS)),
    multiple=True,
    help="Tell the counts apart by this; may be repeated",
)
@environment_option
@click.option(
    "--state", "states", type=click.Choice(STATES), multiple=True, help="Only nodes in this state; may be repeated"
)
@click.option("--nodes", "lists_nodes", is_flag=True, help="List the nodes instead of counting them")
@json_option
@own_client_command
def fleet(
    client: SsmClient,
    *,
    groupings: tuple[str, ...],
    environment_tag: str | None,
    states: tuple[str, ...],
    lists_nodes: bool,
    as_json: bool,
) -> None:
    """Count the nodes in each of seven states.

    A node is never shown as compliant by a scan that is too old, nor while nothing is heard of it.
    """
    asked = _asked(environment_tag)
    if states:
        asked["Filters"] = [{"Key": "State", "Values": list(states)}]
    if lists_nodes:
        show.table(pages(client, "GetFleetCompliance", "Nodes", **asked), NODES, as_json=as_json)
        return
    names = [GROUPINGS[one] for one in dict.fromkeys(groupings)]
    told = show.members(call(client, "GetFleetCompliance", GroupBy=names, MaxResults=1, **asked))
    counts = {name: told.get(name) for name in ("Counts", "Groups")}
    if as_json:
        show.document(counts)
        return
    columns = {_HEADERS[name]: name for name in names}
    show.table(told["Groups"] if names else [counts], {**columns, **COUNTS})


@click.command()
@click.argument("node")
@environment_option
@json_option
@own_client_command
def node(client: SsmClient, *, node: str, environment_tag: str | None, as_json: bool) -> None:
    """Show in which state a node is, and by what.

    The states are those of `patchwindow compliance fleet`.
    """
    found = show.members(call(client, "GetNodeCompliance", InstanceId=node, **_asked(environment_tag)))
    if as_json:
        show.document(found)
        return
    show.details(found)


@click.command()
@click.argument("node", required=False)
@click.option("--together", is_flag=True, help="Of all nodes: each day once, over all groups and systems")
@click.option("--after", type=_TIMES, metavar="TIME", help="From then on, in UTC: 2026-03-01 or 2026-03-01T22:00:00Z")
@click.option("--before", type=_TIMES, metavar="TIME", help="Before then, in UTC")
@limit_option(50)
@json_option
@own_client_command
def history(
    client: SsmClient,
    *,
    node: str | None,
    together: bool,
    after: datetime | None,
    before: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show how compliance was: of a node, or of all.

    Of a node scan by scan, the last one first; of all nodes day by day.
    """
    asked: dict[str, Any] = {
        name: at.replace(tzinfo=UTC) for name, at in (("After", after), ("Before", before)) if at is not None
    }
    if node is not None and together:
        raise click.UsageError("--together counts all nodes; leave it out, or NODE")
    member, columns = ("Days", WHOLE_DAYS if together else DAYS) if node is None else ("Scans", SCANS)
    if node is not None:
        asked["InstanceId"] = node
    elif together:
        asked["Together"] = True
    show.table(islice(pages(client, "GetComplianceHistory", member, **asked), limit), columns, as_json=as_json)


def _asked(environment_tag: str | None) -> dict[str, Any]:
    return {} if environment_tag is None else {"EnvironmentTagKey": environment_tag}
