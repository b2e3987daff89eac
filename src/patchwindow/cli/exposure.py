"""`patchwindow compliance exposure`: how long nodes have lacked security patches, and which."""

from collections.abc import Mapping
from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.options import json_option, limit_option, own_client_command
from patchwindow.client import SsmClient, call

AGES: Final[show.Columns] = {"OLDEST LACKED PATCH": "Age", "NODES": "InstanceCount"}
PATCHES: Final[show.Columns] = {
    "SINCE": "Since",
    "NODES": "InstanceCount",
    "EXPLOITED": "ExploitedCVEIds",
    "DUE": "DueOn",
    "SEVERITY": "Severity",
    "PRODUCT": "Product",
    "PATCH": "Title",
}


@click.command()
@limit_option(50)
@json_option
@own_client_command
def exposure(client: SsmClient, *, limit: int, as_json: bool) -> None:
    """Count nodes by the age of the oldest security patch they lack.

    The patches follow: those known to be exploited, then those that most nodes lack.
    """
    found = show.members(call(client, "GetExposure", MaxResults=limit))
    if as_json:
        show.document(found)
        return
    ages = [
        {"Age": "none", "InstanceCount": found["NoneMissingCount"]},
        *({"Age": _age(one), "InstanceCount": one["InstanceCount"]} for one in found["Ages"]),
        {"Age": "not known", "InstanceCount": found["UnknownCount"]},
    ]
    show.table(ages, AGES)
    if found["Patches"]:
        click.echo()
        show.table(found["Patches"], PATCHES)


def _age(one: Mapping[str, Any]) -> str:
    least, beyond = one["FromDays"], one.get("BelowDays")
    return f"{least} days and more" if beyond is None else f"{least} to {beyond - 1} days"
