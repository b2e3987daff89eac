"""A patch operation now: `scan` and `patch` differ in one word; this is what they share."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.choice import chosen
from patchwindow.cli.exits import Exit
from patchwindow.cli.options import Command, both_client_command, decorated, json_option, tag_option
from patchwindow.cli.patch_phases import Phases
from patchwindow.cli.patchstates import COUNTS, is_compliant, patch_states
from patchwindow.cli.progress import Watch
from patchwindow.client import SsmClient, call, pages, wait_for_command
from patchwindow.domain.errors import NotFound

DOCUMENT = "AWS-RunPatchBaseline"


def _count(count: str | Callable[[Any], object], result: Mapping[str, Any]) -> object:
    state = result["PatchState"] or {}
    return state.get(count) if isinstance(count, str) else count(state)


RESULTS: show.Columns = {
    "NODE": "InstanceId",
    "STATUS": "Status",
    **{header: partial(_count, count) for header, count in COUNTS.items()},
}

OPTIONS = (
    click.option("--node", "nodes", multiple=True, metavar="ID", help="A node; may be repeated"),
    tag_option,
    click.option(
        "--group", "groups", multiple=True, metavar="NAME", help="The nodes of a patch group; may be repeated"
    ),
    click.option("--max-concurrency", metavar="N|N%", help="How many nodes at a time; otherwise 50"),
    click.option("--max-errors", metavar="N|N%", help="After how many failed nodes no further one starts; otherwise 0"),
    click.option(
        "--reboot-option",
        type=click.Choice(["RebootIfNeeded", "NoReboot"]),
        default="RebootIfNeeded",
        show_default=True,
        help="Whether an installation may reboot the node; a scan never does",
    ),
    click.option("--comment", help="What the command is for"),
    click.option(
        "--timeout",
        "timeout_s",
        type=click.IntRange(30, 2_592_000),
        metavar="SECONDS",
        help="Leave out nodes that have not begun by then; otherwise 3600",
    ),
    click.option("--no-wait", is_flag=True, help="Only send the command, and print it"),
    json_option,
)


def operation_command(command: Command) -> Command:
    """Give *command* the clients and the options of a patch operation."""
    return decorated(both_client_command(command), OPTIONS)


def operate(
    client: SsmClient,
    own: Callable[[], SsmClient],
    operation: str,
    where: Mapping[str, Any],
    *,
    reboot_option: str,
    max_concurrency: str | None,
    max_errors: str | None,
    comment: str | None,
    timeout_s: int | None,
    no_wait: bool,
    as_json: bool,
) -> Exit:
    """Send *operation* to the nodes *where*, show how it goes and what it found; fail when a node failed.

    *own* connects a client of the control plane's own operations, which tell how far each node is.

    Raises: ClientProblem; NotFound, where no node fits.
    """
    rates = {
        "MaxConcurrency": max_concurrency,
        "MaxErrors": max_errors,
        "Comment": comment,
        "TimeoutSeconds": timeout_s,
    }
    command = call(
        client,
        "SendCommand",
        DocumentName=DOCUMENT,
        Parameters={"Operation": [operation], "RebootOption": [reboot_option]},
        **where,
        **{member: value for member, value in rates.items() if value is not None},
    )["Command"]
    if no_wait:
        _show_command(command, as_json=as_json)
        return Exit.DONE
    show.note(f"{operation}: command {command['CommandId']} is sent; it goes on if this program is stopped")
    phases = Phases(own, command["CommandId"])
    with Watch(note=phases.note) as watch:
        wait_for_command(client, command["CommandId"], watch, tells_always=True)
    results = list(_results(client, command["CommandId"]))
    if not results:
        raise NotFound(
            f"no node to {operation.lower()}: {chosen(where)} is none; `patchwindow nodes list` shows all nodes"
        )
    show.table(results, RESULTS, as_json=as_json)
    return _ended(command["CommandId"], results)


def _show_command(command: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        show.document(command)
    else:
        show.details({"CommandId": command["CommandId"], "Status": command["Status"]})


def _results(client: SsmClient, command: str) -> Iterator[dict[str, Any]]:
    invocations = list(pages(client, "ListCommandInvocations", "CommandInvocations", CommandId=command))
    # A node that failed keeps the state of an earlier operation, which says nothing about this one.
    succeeded = [invocation["InstanceId"] for invocation in invocations if invocation["Status"] == "Success"]
    states = {state["InstanceId"]: state for state in patch_states(client, succeeded)}
    for invocation in invocations:
        state = states.get(invocation["InstanceId"])
        yield {
            "InstanceId": invocation["InstanceId"],
            "Status": invocation.get("StatusDetails", invocation["Status"]),
            "IsSuccess": invocation["Status"] == "Success",
            "IsCompliant": is_compliant(state) if state else None,
            "PatchState": state,
        }


def _ended(command: str, results: list[dict[str, Any]]) -> Exit:
    failed_count = sum(not result["IsSuccess"] for result in results)
    if not failed_count:
        return Exit.DONE
    show.note(
        f"{failed_count} of {len(results)} nodes did not succeed; `patchwindow commands logs {command}` shows what they wrote"
    )
    return Exit.FAILED
