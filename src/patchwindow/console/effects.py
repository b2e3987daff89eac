"""Where a change takes effect: the windows that reach nodes, and when each opens next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from patchwindow.console.view import View

NODES_MAX: Final = 50
"""So many nodes stand for all of their groups: as many as one question may name."""
PATCH_DOCUMENTS: Final = frozenset(
    {"AWS-RunPatchBaseline", "AWS-RunPatchBaselineAssociation", "AWS-RunPatchBaselineWithHooks"}
)
_AHEAD: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A window that reaches nodes."""

    window_id: str
    name: str
    zone: str
    installs: bool
    """Whether one of its tasks installs patches."""
    opens_at: datetime | None
    """Its next opening that no freeze keeps shut, within a year."""
    is_enabled: bool


def some_nodes(view: View, groups: Sequence[str], system: str = "") -> list[str]:
    """Return nodes of each group, and of one operating system if one is named, of all together at most `NODES_MAX`."""
    found: list[str] = []
    each = max(NODES_MAX // max(len(groups), 1), 1)
    for group in groups[:NODES_MAX]:
        filters = [{"Key": "PatchGroup", "Values": [group]}]
        if system:
            filters.append({"Key": "OperatingSystem", "Values": [system]})
        nodes = view.ask("GetFleetCompliance", Filters=filters, MaxResults=each)["Nodes"]
        found += [node["InstanceId"] for node in nodes]
    return found


def windows_reaching(view: View, node_ids: Sequence[str]) -> list[Reach]:
    """Return the windows of which a target selects any of these nodes, the one that opens first first."""
    if not node_ids:
        return []
    targets = [{"Key": "InstanceIds", "Values": list(node_ids)}]
    found = view.each(
        "DescribeMaintenanceWindowsForTarget",
        "WindowIdentities",
        Targets=targets,
        ResourceType="INSTANCE",
        MaxResults=50,
    )
    reaches = [_reach(view, one["WindowId"]) for one in found]
    return sorted(reaches, key=lambda one: (one.opens_at is None, one.opens_at, one.name))


def first_install(view: View, groups: Sequence[str], system: str) -> Reach | None:
    """Return the window that installs patches first on nodes of these groups."""
    reaches = windows_reaching(view, some_nodes(view, groups, system))
    return next((one for one in reaches if one.installs and one.opens_at is not None), None)


def next_openings(view: View, window_id: str, count: int) -> list[Mapping[str, Any]]:
    """Return the next openings of a window, also those that a freeze will keep shut."""
    span = {"After": view.now, "Before": view.now + _AHEAD}
    found = view.ask("ListOpenings", WindowId=window_id, **span, MaxResults=count)["Openings"]
    return [one for one in found if one["Status"] in ("SCHEDULED", "FROZEN")]


def next_open(view: View, window_id: str) -> datetime | None:
    """Return when a window opens next; what a freeze keeps shut does not."""
    return next((one["OpensTime"] for one in next_openings(view, window_id, 50) if one["Status"] == "SCHEDULED"), None)


def installs(task: Mapping[str, Any]) -> bool:
    """Return whether a task, as GetMaintenanceWindowTask tells it, installs patches."""
    parameters = task.get("TaskInvocationParameters", {}).get("RunCommand", {}).get("Parameters", {})
    is_patching = task["TaskArn"].rpartition("/")[2] in PATCH_DOCUMENTS
    return is_patching and [value.lower() for value in parameters.get("Operation", ())] == ["install"]


def _reach(view: View, window_id: str) -> Reach:
    window = view.ask("GetMaintenanceWindow", WindowId=window_id)
    tasks = view.each("DescribeMaintenanceWindowTasks", "Tasks", WindowId=window_id)
    whole = (
        view.ask("GetMaintenanceWindowTask", WindowId=window_id, WindowTaskId=task["WindowTaskId"]) for task in tasks
    )
    return Reach(
        window_id=window_id,
        name=window["Name"],
        zone=window.get("ScheduleTimezone") or "UTC",
        installs=any(map(installs, whole)),
        opens_at=next_open(view, window_id) if window["Enabled"] else None,
        is_enabled=window["Enabled"],
    )
