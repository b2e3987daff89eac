"""Something that there is, for each name that the URL of a page has in it."""

from typing import Final

from tests.fakes.fleet import Fleet

from patchwindow.console.site import FORMS, PAGES

PATHS: Final = sorted({one.path.replace(":path}", "}") for one in (*PAGES, *FORMS)})
"""Every page, with the names in its URL."""


def places(fleet: Fleet) -> dict[str, str]:
    """Return a value for every name."""
    window = fleet.windows["Web Server"]
    execution = fleet.world.execution(window)
    (task,) = fleet.world.tasks(window)
    (invocation,) = fleet.world.invocations(task)
    return {
        "baseline_id": _baseline(fleet),
        "group": "Web Server",
        "window_id": window,
        "target_id": fleet.world.perform("DescribeMaintenanceWindowTargets", WindowId=window)["Targets"][0][
            "WindowTargetId"
        ],
        "task_id": fleet.world.perform("DescribeMaintenanceWindowTasks", WindowId=window)["Tasks"][0]["WindowTaskId"],
        "execution_id": execution["WindowExecutionId"],
        "at": "2027-01-07T22:00:00Z",
        "command_id": invocation["ExecutionId"],
        "title": "bash.amd64:1",
        "node_id": next(one.node_id for one in fleet.members if one.group == "Web Server"),
    }


def _baseline(fleet: Fleet) -> str:
    """Return a baseline of our own, as the predefined ones cannot be edited."""
    wanted = [{"Key": "OWNER", "Values": ["Self"]}]
    found = fleet.world.perform("DescribePatchBaselines", Filters=wanted)["BaselineIdentities"]
    rule = {"PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["Required", "Important"]}]}}
    made = {"Name": "linux", "OperatingSystem": "DEBIAN", "ApprovalRules": {"PatchRules": [rule]}}
    return str((found[0] if found else fleet.world.perform("CreatePatchBaseline", **made))["BaselineId"])
