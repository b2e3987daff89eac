"""What `up` shows: what the scan found, and when windows open."""

from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.exits import Exit
from patchwindow.cli.patchstates import is_compliant
from patchwindow.cli.progress import Watch
from patchwindow.cli.up_node import RunningNode
from patchwindow.client import SsmClient, call, pages, wait_for_command

_STEP: Final = "PatchLinux"
_UNSUPPORTED: Final = 3
"""The exit code by which the agent says that it knows no package manager of this machine."""
_PATCHES_SHOWN: Final = 10


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
        _print_state(client, node.node_id)
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


def _print_state(client: SsmClient, node_id: str) -> None:
    states = call(client, "DescribeInstancePatchStates", InstanceIds=[node_id])["InstancePatchStates"]
    assert states, "a scan that succeeded has left a state"
    state = states[0]
    baseline = call(client, "GetPatchBaseline", BaselineId=state["BaselineId"])
    filters = [{"Key": "State", "Values": ["Missing"]}]
    missing = list(pages(client, "DescribeInstancePatches", "Patches", InstanceId=node_id, Filters=filters))
    click.echo()
    show.details(
        {
            "Node": node_id,
            "Compliant": is_compliant(state),
            "Baseline": f"{baseline['Name']} ({state['BaselineId']})",
            "Patch group": state["PatchGroup"],
            "Installed": state["InstalledCount"],
            "Installed, other": state["InstalledOtherCount"],
            "Pending reboot": state.get("InstalledPendingRebootCount"),
            "Missing": state["MissingCount"],
            "Scanned": state["OperationEndTime"],
        }
    )
    columns: show.Columns = {"PATCH": "Title", "CLASS": "Classification", "PRIORITY": "Severity"}
    show.section(f"Missing patches, {min(len(missing), _PATCHES_SHOWN)} of {len(missing)}", missing[:_PATCHES_SHOWN], columns)
