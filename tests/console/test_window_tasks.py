"""Registering, changing and deregistering tasks of windows: what they do and where, before it is done."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from tests.console.forms import fill, save, weigh
from tests.fakes.browser import Browser
from tests.fakes.fleet import HOSTILE, Fleet

PATCH: dict[str, Any] = {"Parameters": {"Operation": ["Install"], "RebootOption": ["RebootIfNeeded"]}}


@pytest.fixture
def window(fleet: Fleet) -> Iterator[str]:
    """Return a window that opens daily at 15:00 UTC."""
    made = fleet.world.window(Name="Daily")
    yield made
    fleet.world.perform("DeleteMaintenanceWindow", WindowId=made)


@pytest.fixture
def target(fleet: Fleet, window: str) -> str:
    """Return its target: the database servers."""
    return fleet.world.target(window, "tag:Patch Group", "Database Server", Name="databases")


@pytest.fixture
def task(fleet: Fleet, window: str, target: str) -> str:
    """Return its task: it installs on them."""
    return fleet.world.task(
        window,
        target,
        TaskArn="AWS-RunPatchBaseline",
        parameters={**PATCH, "OutputS3BucketName": "results"},
        Name="install",
        Description="monthly",
        MaxConcurrency="10%",
        MaxErrors="2",
    )


def tasks(fleet: Fleet, window: str) -> list[dict[str, Any]]:
    found = fleet.world.perform("DescribeMaintenanceWindowTasks", WindowId=window)["Tasks"]
    return [
        fleet.world.perform("GetMaintenanceWindowTask", WindowId=window, WindowTaskId=one["WindowTaskId"])
        for one in found
    ]


def count(fleet: Fleet, group: str) -> int:
    asked = [{"Key": "tag:Patch Group", "Values": [group]}]
    total: int = fleet.world.perform("PreviewTargets", Targets=asked)["InstanceCount"]
    return total


def parameters(task: dict[str, Any]) -> Any:
    return task["TaskInvocationParameters"]["RunCommand"]["Parameters"]


@pytest.mark.usefixtures("target")
def test_a_new_task_scans_and_reboots_nothing_until_that_is_chosen(console: Browser, fleet: Fleet, window: str) -> None:
    path = f"/console/windows/{window}/tasks/new"
    shown = weigh(console, path, {"Name": "look"})
    nodes = count(fleet, "Database Server")
    assert "It scans: nothing is installed and nothing reboots." in shown.body
    assert f"On {nodes} nodes as targets are now, at most {-(-nodes // 10)} at once" in shown.body
    assert f"after more than {nodes * 5 // 100} error" in shown.body
    assert re.search(r'takes effect first at the opening on <time datetime="2026-12-04T15:00:00Z"', shown.body)
    assert tasks(fleet, window) == []
    assert save(console, path, shown).location == f"/console/windows/{window}"
    (made,) = tasks(fleet, window)
    assert (made["Name"], made["TaskArn"], made["MaxErrors"]) == ("look", "AWS-RunPatchBaseline", "5%")
    assert parameters(made) == {"Operation": ["Scan"], "RebootOption": ["NoReboot"]}


@pytest.mark.parametrize(
    ("reboot", "said"),
    [
        ("RebootIfNeeded", "It installs what is approved, and reboots a node where a patch needs that."),
        ("NoReboot", "It reboots nothing: what needs a reboot stays pending."),
        ("", "and reboots a node where a patch needs that."),
    ],
)
@pytest.mark.usefixtures("target")
def test_it_says_whether_nodes_reboot(console: Browser, window: str, reboot: str, said: str) -> None:
    changes = {"Operation": "Install", "RebootOption": reboot}
    assert said in weigh(console, f"/console/windows/{window}/tasks/new", changes).body


def test_a_change_saves_just_that_and_keeps_what_has_no_field(
    console: Browser, fleet: Fleet, window: str, task: str
) -> None:
    path = f"/console/windows/{window}/tasks/{task}/edit"
    before = tasks(fleet, window)
    shown = weigh(console, path, {"RebootOption": "NoReboot", "MaxConcurrency": "7", "Description": ""})
    assert (
        '<td>Parameters: RebootOption</td><td class="old">RebootIfNeeded</td><td class="new">NoReboot</td>'
        in shown.body
    )
    assert "at most 7 at once; after more than 2 errors nothing further starts" in shown.body
    assert tasks(fleet, window) == before
    assert save(console, path, shown).status == 303
    (now,) = tasks(fleet, window)
    assert parameters(now) == {"Operation": ["Install"], "RebootOption": ["NoReboot"]}
    assert now["TaskInvocationParameters"]["RunCommand"]["OutputS3BucketName"] == "results"
    assert (now["MaxConcurrency"], now["Name"]) == ("7", "install")
    assert "Description" not in now


def test_other_targets_say_how_many_nodes_are_new_and_gone(
    console: Browser, fleet: Fleet, window: str, task: str
) -> None:
    other = fleet.world.target(window, "tag:Patch Group", "Web Server", Name="web")
    path = f"/console/windows/{window}/tasks/{task}/edit"
    shown = weigh(console, path, {"WindowTargetIds": [other]})
    gained, lost = count(fleet, "Web Server"), count(fleet, "Database Server")
    assert f"It runs newly on {gained}, and no longer on {lost}." in shown.body
    assert '<td>Runs on</td><td class="old">databases</td><td class="new">web</td>' in shown.body
    assert save(console, path, shown).status == 303
    assert tasks(fleet, window)[0]["Targets"] == [{"Key": "WindowTargetIds", "Values": [other]}]


def test_a_script_has_its_parameters_as_json(console: Browser, fleet: Fleet, window: str, target: str) -> None:
    path = f"/console/windows/{window}/tasks/new"
    script = {"commands": ["uptime", "echo \"<b>\" & 'c'"]}
    changes = {"TaskArn": "AWS-RunShellScript", "Operation": "", "RebootOption": "", "Parameters": json.dumps(script)}
    shown = weigh(console, path, changes)
    assert "It runs AWS-RunShellScript." in shown.body
    assert save(console, path, shown).status == 303
    (made,) = tasks(fleet, window)
    assert parameters(made) == script
    assert made["Targets"][0]["Values"] == [target]
    # Opened and saved again it is the same.
    path = f"/console/windows/{window}/tasks/{made['WindowTaskId']}/edit"
    shown = weigh(console, path)
    assert "Nothing: it is like that already" in shown.body
    assert save(console, path, shown).status == 303
    assert tasks(fleet, window) == [made]


def test_a_task_for_a_webhook_keeps_its_parameters(console: Browser, fleet: Fleet, window: str) -> None:
    payload = {"Lambda": {"Payload": b"{}", "ClientContext": "eyJhIjoxfQ=="}}
    made = fleet.world.perform(
        "RegisterTaskWithMaintenanceWindow", WindowId=window, TaskType="LAMBDA", TaskArn="notify",
        TaskInvocationParameters=payload,
    )["WindowTaskId"]  # fmt: skip
    path = f"/console/windows/{window}/tasks/{made}/edit"
    fields = {"Priority": "3", "MaxConcurrency": [], "MaxErrors": []}
    shown = weigh(console, path, fields)
    assert shown.status == 200, shown.body
    assert save(console, path, shown).status == 303
    (now,) = tasks(fleet, window)
    assert now["Priority"] == 3
    assert now["TaskInvocationParameters"] == payload


def test_deregistering_says_on_how_many_nodes_it_runs_no_more(
    console: Browser, fleet: Fleet, window: str, task: str
) -> None:
    path = f"/console/windows/{window}/tasks/{task}/edit"
    shown = console.post(path, fill(console.get(path).body, Do="deregister", Step="show"))
    assert f"It does not run any more on {count(fleet, 'Database Server')} nodes." in shown.body
    assert len(tasks(fleet, window)) == 1
    assert save(console, path, shown).status == 303
    assert tasks(fleet, window) == []


def test_the_second_of_two_is_told_what_the_first_changed(
    console: Browser, fleet: Fleet, window: str, task: str
) -> None:
    path = f"/console/windows/{window}/tasks/{task}/edit"
    shown = weigh(console, path, {"Name": "second"})
    fleet.world.perform("UpdateMaintenanceWindowTask", WindowId=window, WindowTaskId=task, MaxErrors="0")
    answer = save(console, path, shown)
    assert '<td>Stops after errors</td><td class="old">2</td><td class="new">0</td>' in answer.body
    assert 'value="second"' in answer.body
    assert tasks(fleet, window)[0]["Name"] == "install"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Name", "x"),
        ("MaxConcurrency", "0"),
        ("MaxConcurrency", "most"),
        ("MaxErrors", "101%"),
        ("Priority", "first"),
        ("Priority", "-1"),
        ("WindowTargetIds", []),
        ("WindowTargetIds", "00000000-0000-4000-8000-0000000000bad"),
        ("InstanceIds", "web-1"),
        ("Parameters", "commands"),
        ("Parameters", '["a"]'),
        ("Parameters", '{"commands": 1}'),
        ("Parameters", '{"Operation": "Install"}'),
        ("TimeoutSeconds", "1"),
        ("TaskArn", ""),
        ("CutoffBehavior", "WAIT"),
    ],
)
@pytest.mark.usefixtures("fleet")
def test_each_wrong_value_is_said_at_its_field_and_kept(
    console: Browser, window: str, task: str, field: str, value: str | list[str]
) -> None:
    answer = weigh(console, f"/console/windows/{window}/tasks/{task}/edit", {"Description": "kept", field: value})
    assert answer.status == 400
    told = dict(re.findall(r'id="problem-([^"]+)">.*?</svg>(.*?)</p>', answer.body, re.DOTALL))
    assert list(told) == [field], unescape(str(told))
    assert 'value="kept"' in answer.body
    assert 'value="save"' not in answer.body


def test_hostile_words_stay_words(console: Browser, window: str, task: str) -> None:
    shown = weigh(console, f"/console/windows/{window}/tasks/{task}/edit", {"Description": HOSTILE})
    assert HOSTILE not in shown.body
    assert "&lt;script&gt;" in shown.body


@pytest.mark.parametrize("form", ["new", "{}/edit"])
def test_a_viewer_is_refused(viewer: Browser, fleet: Fleet, window: str, task: str, form: str) -> None:
    path = f"/console/windows/{window}/tasks/{form.format(task)}"
    before = tasks(fleet, window)
    assert viewer.get(path).status == 403
    assert viewer.post(path, {"Name": "mine", "Step": "show"}).status == 403
    assert tasks(fleet, window) == before
