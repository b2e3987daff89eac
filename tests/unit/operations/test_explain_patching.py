"""ExplainPatch: when a node is scanned and patched next."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.api import Api
from tests.fakes.site import Installation
from tests.unit.operations.explaining import WINDOW, associated, explained, scanned, window

from patchwindow.domain.window import Target


def test_the_next_window_that_installs_it_and_the_next_that_scans_are_named(here: Installation, api: Api) -> None:
    node = scanned(here)
    assert not {"NextScan", "NextInstall"} & explained(api, node, "zlib").keys()
    scans, installs = window(api, "Scan", node, Schedule="rate(1 day)"), window(api, "Install", node)
    answer = explained(api, node, "zlib")
    assert answer["NextScan"]["WindowId"] == scans
    assert answer["NextInstall"]["WindowId"] == installs
    opens_at = datetime.fromtimestamp(answer["NextInstall"]["OpensAt"], UTC)
    assert (opens_at.isoweekday(), opens_at.hour) == (4, 23)
    missing, installed = answer["Patches"]
    assert missing["NextInstall"] == answer["NextInstall"]
    assert "NextInstall" not in installed
    assert "NextInstall" not in explained(api, node, "bash")["Patches"][0], "no baseline approves it"


@pytest.mark.parametrize(
    "says",
    [
        {"TaskInvocationParameters": {"RunCommand": {"Parameters": {"Operation": ["Install"]}}}},
        {"TaskParameters": {"Operation": {"Values": ["Install"]}}},
    ],
)
def test_a_task_may_name_the_node_itself_and_say_what_it_does_in_the_deprecated_way(
    here: Installation, api: Api, says: dict[str, Any]
) -> None:
    node = scanned(here)
    made = api("CreateMaintenanceWindow", **{**WINDOW, "AllowUnassociatedTargets": True})["WindowId"]
    task = {"WindowId": made, "TaskType": "RUN_COMMAND", "MaxConcurrency": "1", "MaxErrors": "1"}
    named = [{"Key": "InstanceIds", "Values": [node]}]
    api("RegisterTaskWithMaintenanceWindow", **task, **says, Targets=named, TaskArn="AWS-RunShellScript")
    assert "NextInstall" not in explained(api, node, "zlib")
    api("RegisterTaskWithMaintenanceWindow", **task, **says, Targets=named, TaskArn="AWS-RunPatchBaseline")
    assert explained(api, node, "zlib")["NextInstall"]["WindowId"] == made


def test_of_two_tasks_of_one_window_the_one_with_its_turn_first_is_named(here: Installation, api: Api) -> None:
    node = scanned(here)
    made = api("CreateMaintenanceWindow", **{**WINDOW, "AllowUnassociatedTargets": True})["WindowId"]
    says = {"RunCommand": {"Parameters": {"Operation": ["Install"]}}}
    task = {"WindowId": made, "TaskType": "RUN_COMMAND", "MaxConcurrency": "1", "MaxErrors": "1"}
    tasks = {
        priority: api(
            "RegisterTaskWithMaintenanceWindow",
            **task,
            Targets=[{"Key": "InstanceIds", "Values": [node]}],
            TaskArn="AWS-RunPatchBaseline",
            TaskInvocationParameters=says,
            Priority=priority,
        )["WindowTaskId"]
        for priority in (5, 1, 3)
    }
    assert explained(api, node, "zlib")["NextInstall"]["WindowTaskId"] == tasks[1]


def test_an_association_that_scans_is_the_next_scan_where_it_comes_first(here: Installation, api: Api) -> None:
    node = scanned(here)
    window(api, "Scan", node)
    associated(here, "AWS-RunPatchBaselineAssociation", "rate(1 day)", parameters={"Operation": ["Scan"]})
    others: tuple[dict[str, Any], ...] = (
        {"parameters": {"Operation": ["Install"]}},
        {"parameters": {"Operation": ["Scan"]}, "targets": (Target(key="tag:Patch Group", values=("db",)),)},
        {"parameters": {}},
    )
    for other in others:
        associated(here, "AWS-RunPatchBaseline", "rate(30 minutes)", **other)
    associated(here, "AWS-RunShellScript", "rate(30 minutes)", parameters={"Operation": ["Scan"]})
    answer = explained(api, node, "zlib")
    assert answer["NextScan"]["AssociationName"] == "AWS-RunPatchBaselineAssociation"
    assert answer["NextScan"]["OpensAt"] == (here.clock.now() + timedelta(days=1)).timestamp()
    assert answer["NextInstall"]["OpensAt"] == (here.clock.now() + timedelta(minutes=30)).timestamp()
    assert not {"WindowId", "WindowName"} & answer["NextScan"].keys()


@pytest.mark.parametrize("change", [{"Enabled": False}, {"EndDate": "2026-03-15T00:00:00Z"}])
def test_a_window_that_does_not_open_patches_nothing(here: Installation, api: Api, change: dict[str, Any]) -> None:
    node = scanned(here)
    made = window(api, "Install", node)
    api("UpdateMaintenanceWindow", WindowId=made, **change)
    assert "NextInstall" not in explained(api, node, "zlib")


def test_a_window_for_other_nodes_patches_none_of_this(here: Installation, api: Api) -> None:
    node, other = scanned(here), here.node()
    window(api, "Install", other)
    assert "NextInstall" not in explained(api, node, "zlib")
