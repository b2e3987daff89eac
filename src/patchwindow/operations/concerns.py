"""ListConcerns: what needs somebody, worst first: how many of each kind, and the few worst of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from patchwindow.domain.fleet_state import FleetState
from patchwindow.domain.node import CONNECTION_LOST_AFTER
from patchwindow.domain.window import Window
from patchwindow.operations import retention
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.fleet import count_states, find_nodes
from patchwindow.operations.node_patching import patched_nodes
from patchwindow.operations.openings import all_windows
from patchwindow.operations.targeting import IDS
from patchwindow.store.concerns import BadCommand, SilentNode, WaitingNode
from patchwindow.store.patch_states import Operation
from patchwindow.store.tags import ENVIRONMENT
from patchwindow.store.work import Work

LOOKED_BACK: Final = timedelta(days=7)
"""Openings and commands are of concern for so long."""
REBOOT_AFTER: Final = timedelta(days=2)
"""So long a node may wait for its reboot."""
SHOWN_MAX: Final = 5


class Kind(StrEnum):
    """What can be wrong, the worst first."""

    LOST_DURING_PATCH = "LostDuringPatch"
    FAILED_NODES = "FailedNodes"
    ERROR_BUDGET_REACHED = "ErrorBudgetReached"
    FAILED_COMMANDS = "FailedCommands"
    MISSED_WINDOWS = "MissedWindows"
    PENDING_REBOOTS = "PendingReboots"
    OFFLINE = "Offline"
    NEVER_SCANNED = "NeverScanned"
    STALE_SCANS = "StaleScans"
    UNPATCHED_NODES = "UnpatchedNodes"
    NODES_WITHOUT_GROUP = "NodesWithoutGroup"
    IDLE_WINDOWS = "IdleWindows"


@dataclass(frozen=True, slots=True)
class _Found:
    count: int
    shown: Sequence[Mapping[str, Any]]


def list_concerns(call: Call, _: Request) -> Answer:
    """ListConcerns: those that there are."""
    concerns = dict(_all(call))
    names = _names(call.work, concerns.values())
    return {
        "Concerns": [
            {
                "Kind": str(kind),
                "Count": concerns[kind].count,
                "Worst": [
                    {**one, "Name": names[one["InstanceId"]]} if one.get("InstanceId") in names else dict(one)
                    for one in concerns[kind].shown
                ],
            }
            for kind in Kind
            if kind in concerns and concerns[kind].count
        ]
    }


def _all(call: Call) -> Iterator[tuple[Kind, _Found]]:
    yield from _nodes_by_state(call)
    waiting = call.work.concerns.awaiting_reboot()
    yield Kind.LOST_DURING_PATCH, _lost_during_patch(call, waiting)
    yield Kind.PENDING_REBOOTS, _pending_reboots(call, waiting)
    yield from _commands(call)
    yield Kind.MISSED_WINDOWS, _openings(call)
    windows = [window for _, window in all_windows(call)]
    yield Kind.UNPATCHED_NODES, _unpatched(call.work, windows)
    yield Kind.IDLE_WINDOWS, _idle_windows(call.work, windows)


def _nodes_by_state(call: Call) -> Iterator[tuple[Kind, _Found]]:
    """Yield what the counts of the fleet say; where there is something, the nodes are looked up."""
    counts: dict[FleetState, int] = dict.fromkeys(FleetState, 0)
    ungrouped_count = 0
    for cell, count in count_states(call.work, call.now).items():
        counts[cell.state] += count
        if not cell.patch_group:
            ungrouped_count += count
    stale_before = call.now - retention.of(call.work).stale_after
    lost_before = call.now - CONNECTION_LOST_AFTER
    if counts[FleetState.OFFLINE]:
        lost = call.work.concerns.longest_lost(lost_before, SHOWN_MAX)
        yield Kind.OFFLINE, _Found(counts[FleetState.OFFLINE], _silent(lost))
    if counts[FleetState.STALE]:
        old = call.work.concerns.oldest_scans(stale_before=stale_before, lost_before=lost_before, limit=SHOWN_MAX)
        yield Kind.STALE_SCANS, _Found(counts[FleetState.STALE], _silent(old))
    for kind, state in ((Kind.FAILED_NODES, FleetState.FAILED), (Kind.NEVER_SCANNED, FleetState.NEVER_SCANNED)):
        if counts[state]:
            yield kind, _Found(counts[state], _some(call, "State", state))
    if ungrouped_count:
        yield Kind.NODES_WITHOUT_GROUP, _Found(ungrouped_count, _some(call, "PatchGroup", ""))


def _some(call: Call, filter: str, value: str) -> list[dict[str, Any]]:
    found = find_nodes(call, {filter: (value,)}, ENVIRONMENT, "", SHOWN_MAX)
    return [{"InstanceId": row.node_id, "Since": row.scanned_at} for row, _ in found]


def _silent(nodes: Iterable[SilentNode]) -> list[dict[str, Any]]:
    return [
        {"InstanceId": one.node_id, "Since": one.at, **({"CommandId": one.command_id} if one.command_id else {})}
        for one in nodes
    ]


def _lost_during_patch(call: Call, waiting: Iterable[WaitingNode]) -> _Found:
    """Return the nodes that went silent with a command begun, or while they waited for a reboot."""
    lost_before = call.now - CONNECTION_LOST_AFTER
    found = {one.node_id: one for one in call.work.concerns.lost_at_work(lost_before)}
    for node in waiting:
        if node.pinged_at < lost_before:
            found.setdefault(node.node_id, SilentNode(node.node_id, node.pinged_at))
    ordered = sorted(found.values(), key=lambda one: (one.at, one.node_id))
    return _Found(len(ordered), _silent(ordered[:SHOWN_MAX]))


def _pending_reboots(call: Call, waiting: Iterable[WaitingNode]) -> _Found:
    """Return the nodes that have waited too long; of those that are not heard of, nobody knows whether they still do."""
    lost_before, too_long = call.now - CONNECTION_LOST_AFTER, call.now - REBOOT_AFTER
    found = sorted(
        (since, node.node_id)
        for node in waiting
        if node.pinged_at >= lost_before and (since := _waits_since(node.operation)) < too_long
    )
    return _Found(len(found), [{"InstanceId": node_id, "Since": since} for since, node_id in found[:SHOWN_MAX]])


def _waits_since(operation: Operation) -> datetime:
    """Return since when the reboot is waited for, as far as it is known: scans keep the time of such an installation."""
    return operation.last_no_reboot_install_operation_time or operation.operation_end_time


def _commands(call: Call) -> Iterator[tuple[Kind, _Found]]:
    """Yield the commands that were stopped as too much failed, and those that went on though something did."""
    commands = call.work.concerns.commands(call.now - LOOKED_BACK)
    for kind, is_stopped in ((Kind.ERROR_BUDGET_REACHED, True), (Kind.FAILED_COMMANDS, False)):
        found = [one for one in commands if bool(one.stopped_count) is is_stopped]
        yield kind, _Found(len(found), [_command(one) for one in found[:SHOWN_MAX]])


def _command(one: BadCommand) -> dict[str, Any]:
    return {
        "CommandId": one.command_id,
        "Name": one.document_name,
        "Since": one.requested_at,
        "Status": one.details,
        "ErrorCount": one.error_count,
        "StoppedCount": one.stopped_count,
    }


def _openings(call: Call) -> _Found:
    found = call.work.concerns.openings(call.now - LOOKED_BACK)
    shown = []
    for one in found[:SHOWN_MAX]:
        window = call.work.windows.get(one.window_id)
        shown.append(
            {
                "WindowExecutionId": one.execution_id,
                "WindowId": one.window_id,
                "Name": one.window_id if window is None else window.name,
                "Since": one.opens_at,
                "Status": one.status,
                "StatusDetails": one.details,
            }
        )
    return _Found(len(found), shown)


def _unpatched(work: Work, windows: Iterable[Window]) -> _Found:
    ids = sorted(set(work.nodes.selected_ids(ids=None, tags=())) - patched_nodes(work, windows))
    return _Found(len(ids), [{"InstanceId": id} for id in ids[:SHOWN_MAX]])


def _idle_windows(work: Work, windows: Iterable[Window]) -> _Found:
    """Return the windows that open for nobody, or with nothing to do."""
    with_targets = {target.window_id for target in work.window_targets.all()}
    with_tasks: set[str] = set()
    for task in work.window_tasks.all():
        with_tasks.add(task.window_id)
        # Tasks may name nodes by themselves.
        if any(target.key == IDS for target in task.targets):
            with_targets.add(task.window_id)
    found = []
    for window in windows:
        lacks = [
            what for what, ids in (("targets", with_targets), ("tasks", with_tasks)) if window.window_id not in ids
        ]
        if lacks:
            found.append({"WindowId": window.window_id, "Name": window.name, "Lacks": lacks})
    return _Found(len(found), found[:SHOWN_MAX])


def _names(work: Work, found: Iterable[_Found]) -> dict[str, str]:
    """Return the names of the nodes that are shown, by id."""
    ids = {one["InstanceId"] for each in found for one in each.shown if "InstanceId" in one}
    return {node.instance_id: node.computer_name or node.name or "" for node in work.nodes.many(ids)}
