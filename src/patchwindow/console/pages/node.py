"""One node: who it is, which baseline it follows and why, windows to come, its patches, and what happened on it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from patchwindow.console.pages.windows import next_opening
from patchwindow.console.view import Cell, Shown, Table, View
from patchwindow.domain.errors import NotFound, UnknownNode

_WINDOWS_SHOWN: Final = 20
_EVENTS_SHOWN: Final = 12
_PATCHES_SHOWN: Final = 100
_NEVER: Final = 1970
ACTION_FIRST: Final = (
    "Failed",
    "Missing",
    "InstalledPendingReboot",
    "InstalledRejected",
    "AvailableSecurityUpdate",
    "Installed",
    "InstalledOther",
    "NotApplicable",
)
"""The states of patches, those first about which something is to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened on the node."""

    at: datetime
    what: str
    state: str
    link: str
    details: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePage:
    """The node."""

    node_id: str
    info: Mapping[str, Any]
    standing: Mapping[str, Any]
    """What GetNodeCompliance tells."""
    tags: Sequence[Mapping[str, str]]
    baseline_id: str
    baseline_name: str
    baseline_reason: str
    openings: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    """Patches, by state, those first about which something is to be done."""
    state: str
    """The state to which the list of patches is narrowed."""
    patches: Sequence[Mapping[str, Any]]
    next: str
    events: Sequence[Event]


def show(view: View) -> Shown:
    """Return the page of a node."""
    node_id = view.path["node_id"]
    info = _info(view, node_id)
    standing = view.ask("GetNodeCompliance", InstanceId=node_id)
    counts = {state: standing.get(f"{state}Count", 0) for state in ACTION_FIRST}
    state = view.first("state") or next((name for name in ACTION_FIRST if counts[name]), "")
    answer = _patches(view, node_id, state)
    baseline_id, name, reason = _baseline(view, standing)
    page = NodePage(
        node_id=node_id,
        info=info,
        standing=standing,
        tags=view.ask("ListTagsForResource", ResourceType="ManagedInstance", ResourceId=node_id)["TagList"],
        baseline_id=baseline_id,
        baseline_name=name,
        baseline_reason=reason,
        openings=_openings(view, node_id),
        counts=counts,
        state=state,
        patches=answer.get("Patches", ()),
        next=answer.get("NextToken", ""),
        events=_events(view, node_id, info, standing),
    )
    return Shown(
        title=info.get("ComputerName") or info.get("Name") or node_id,
        template="node.html",
        page=page,
        command=(
            f"patchwindow nodes show {node_id}",
            f"patchwindow compliance show {node_id}" + (f" --state {state}" if state else ""),
            f"patchwindow compliance history {node_id}",
        ),
        table=Table(("Title", "KBId", "Classification", "Severity", "State", "InstalledTime"), _cells(view, node_id)),
    )


def _info(view: View, node_id: str) -> Mapping[str, Any]:
    wanted = [{"Key": "InstanceIds", "Values": [node_id]}]
    found = view.ask("DescribeInstanceInformation", Filters=wanted)["InstanceInformationList"]
    if not found:
        raise UnknownNode(f"managed node {node_id} does not exist, or is not registered any more")
    node: Mapping[str, Any] = found[0]
    return node


def _patches(view: View, node_id: str, state: str) -> Mapping[str, Any]:
    if not state:
        return {}
    return view.ask(
        "DescribeInstancePatches",
        InstanceId=node_id,
        Filters=[{"Key": "State", "Values": [state]}],
        MaxResults=_PATCHES_SHOWN,
        NextToken=view.first("after") or None,
    )


def _baseline(view: View, standing: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the baseline that judges the node, its name, and in a sentence why it is this one."""
    baseline_id = standing.get("BaselineId", "")
    if not baseline_id:
        return "", "", "Not scanned yet, so nothing was judged"
    group, system = standing.get("PatchGroup", ""), standing.get("OperatingSystem", "")
    try:
        name = view.ask("GetPatchBaseline", BaselineId=baseline_id)["Name"]
    except NotFound:
        return baseline_id, baseline_id, "deleted since; the next scan is judged by another"
    groups = view.ask("GetPatchBaseline", BaselineId=baseline_id).get("PatchGroups", ())
    if group and group in groups:
        return baseline_id, name, f"registered for patch group {group} and {system}"
    because = f"patch group {group} has none of its own" if group else "the node has no tag Patch Group"
    return baseline_id, name, f"the default for {system}, as {because}"


def _openings(view: View, node_id: str) -> list[dict[str, Any]]:
    """Return the windows that reach the node, each with its next opening, the nearest first; those that open no more last."""
    wanted = [{"Key": "InstanceIds", "Values": [node_id]}]
    reaching = view.ask(
        "DescribeMaintenanceWindowsForTarget", ResourceType="INSTANCE", Targets=wanted, MaxResults=_WINDOWS_SHOWN
    )["WindowIdentities"]
    windows = [view.ask("GetMaintenanceWindow", WindowId=one["WindowId"]) for one in reaching]
    found: list[dict[str, Any]] = []
    for window in windows:
        at, opening = next_opening(view, window)
        found.append(
            {
                "WindowId": window["WindowId"],
                "Name": window["Name"],
                "Zone": window.get("ScheduleTimezone") or "UTC",
                "At": at,
                "Frozen": opening.calendar if opening is not None and opening.status == "FROZEN" else "",
            }
        )
    return sorted(found, key=lambda one: (one["At"] is None, one["At"] or view.now))


def _events(view: View, node_id: str, info: Mapping[str, Any], standing: Mapping[str, Any]) -> list[Event]:
    """Return what happened last: scans and installations, other commands, and since when it runs."""
    past = view.ask("GetComplianceHistory", InstanceId=node_id, MaxResults=_EVENTS_SHOWN)["Scans"]
    scans = (
        Event(
            at=one["Time"],
            what="Installed patches" if one["Operation"] == "Install" else "Scanned",
            state=_state(one),
            link=f"/console/commands/{one['CommandId']}/nodes/{node_id}",
            details=f"{one['MissingCount']} missing, {one['FailedCount']} failed, "
            f"{one['InstalledPendingRebootCount']} wait for a reboot",
        )
        for one in past
    )
    sent = view.ask("ListCommandInvocations", InstanceId=node_id, MaxResults=_EVENTS_SHOWN)["CommandInvocations"]
    commands = (
        Event(
            at=one["RequestedDateTime"],
            what=one["DocumentName"],
            state=one["StatusDetails"],
            link=f"/console/commands/{one['CommandId']}/nodes/{node_id}",
            details=one["TraceOutput"] or one["Comment"],
        )
        for one in sent
    )
    once = [Event(at=info["RegistrationDate"], what="Registered", state="", link="", details="")]
    if "BootSeenTime" in standing:
        told = "Earlier reboots are told by the output of the commands that made them"
        what = "First heard of since it booted"
        once.append(Event(at=standing["BootSeenTime"], what=what, state="", link="", details=told))
    events = sorted((*scans, *commands, *once), key=lambda event: event.at, reverse=True)
    return list(islice(events, _EVENTS_SHOWN))


def _state(scan: Mapping[str, Any]) -> str:
    """Return how the node stood after a scan or an installation: the worst of what was found."""
    if scan["Status"] == "COMPLIANT":
        return "Compliant"
    if scan["FailedCount"]:
        return "Failed"
    waits_alone = scan["InstalledPendingRebootCount"] and not scan["MissingCount"]
    return "PendingReboot" if waits_alone else "Missing"


def _cells(view: View, node_id: str) -> Iterable[Sequence[Cell]]:
    def rows() -> Iterator[Sequence[Cell]]:
        for patch in view.each("DescribeInstancePatches", "Patches", InstanceId=node_id, MaxResults=100):
            yield (
                patch["Title"], patch["KBId"], patch["Classification"], patch["Severity"], patch["State"],
                # What is not installed has the beginning of time there, as on AWS.
                patch["InstalledTime"] if patch["InstalledTime"].year > _NEVER else None,
            )  # fmt: skip

    return rows()
