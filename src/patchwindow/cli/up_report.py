"""What `up` shows: what the scan found, and when windows open."""

from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.exits import Exit
from patchwindow.cli.progress import Watch
from patchwindow.cli.up_node import RunningNode
from patchwindow.client import SsmClient, call, pages, wait_for_command

_STEP: Final = "PatchLinux"
_UNSUPPORTED: Final = 3
"""The exit code by which the agent says that it knows no package manager of this machine."""


def scan_and_report(client: SsmClient, node: RunningNode) -> Exit:
    """Scan the node, show how it goes and what it found; fail where the scan failed."""
    command = call(
        client,
        "SendCommand",
        DocumentName="AWS-RunPatchBaseline",
        InstanceIds=[node.node_id],
        Parameters={"Operation": ["Scan"]},
        Comment="patchwindow up",
    )["Command"]["CommandId"]
    show.note(f"4. Scanning {node.node_id}: command {command}")
    with Watch() as watch:
        wait_for_command(client, command, watch, pause_s=0.2)
    result = call(client, "GetCommandInvocation", CommandId=command, InstanceId=node.node_id, PluginName=_STEP)
    if result["Status"] == "Success":
        # What the patch operation itself says: the verdict, the baseline, the counts, the first missing patches.
        click.echo()
        click.echo(result["StandardOutputContent"].rstrip())
        return Exit.DONE
    reason = (result["StandardErrorContent"] or result["StandardOutputContent"]).strip() or result["StatusDetails"]
    if result["ResponseCode"] == _UNSUPPORTED:
        show.note(f"This machine cannot be scanned, everything else works: {reason}")
        return Exit.DONE
    show.note(f"The scan failed ({result['StatusDetails']}): {reason}")
    return Exit.FAILED


def print_openings(client: SsmClient) -> None:
    """Print when each window opens next."""
    windows = list(pages(client, "DescribeMaintenanceWindows", "WindowIdentities"))
    windows.sort(key=lambda window: (show.instant(window.get("NextExecutionTime")) is None, _opening(window)))
    show.section(
        "Next openings",
        windows,
        {"OPENS": _opening, "FOR": lambda window: f"{window['Duration']} h", "WINDOW": "Name", "SCHEDULE": "Schedule"},
    )


def _opening(window: dict[str, Any]) -> str:
    return show.text(show.instant(window.get("NextExecutionTime")))
