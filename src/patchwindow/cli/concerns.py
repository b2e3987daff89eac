"""`patchwindow compliance concerns`: what needs somebody."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.options import json_option, own_client_command
from patchwindow.client import SsmClient, call

_IDS: Final = ("InstanceId", "CommandId", "WindowExecutionId", "WindowId")
COLUMNS: Final[show.Columns] = {
    "KIND": "Kind",
    "COUNT": "Count",
    "ID": lambda row: next((row[name] for name in _IDS if row.get(name)), show.UNKNOWN),
    "NAME": "Name",
    "SINCE": "Since",
    "STATUS": lambda row: row.get("StatusDetails") or row.get("Status") or _lacking(row),
}


@click.command()
@json_option
@own_client_command
def concerns(client: SsmClient, *, as_json: bool) -> None:
    """Show what needs somebody, the worst first.

    Of each kind the worst few, beside how many there are.
    """
    found = show.members(call(client, "ListConcerns"))["Concerns"]
    if as_json:
        show.document({"Concerns": found})
        return
    show.table(_rows(found), COLUMNS)


def _rows(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for concern in found:
        for one in concern["Worst"]:
            yield {"Kind": concern["Kind"], "Count": concern["Count"], **one}


def _lacking(row: Mapping[str, Any]) -> str:
    return f"no {', no '.join(row['Lacks'])}" if row.get("Lacks") else ""
