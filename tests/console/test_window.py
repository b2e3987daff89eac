"""The page of a window, and what it says of it."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.browser import Browser
from tests.fakes.fleet import NOW, Fleet
from tests.fakes.site import Installation

from patchwindow.domain.opening import parse_instant


def page(console: Browser, window_id: str) -> str:
    answer = console.get(f"/console/windows/{window_id}")
    assert answer.status == 200, answer.body
    return answer.body


def table(console: Browser, window_id: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(console.get(f"/console/windows/{window_id}", format="csv").body)))


def make(here: Installation, **members: Any) -> str:
    given = {"Name": "night", "Schedule": "cron(0 3 * * ? *)", "Duration": 2, "Cutoff": 1, **members}
    return str(here.perform("CreateMaintenanceWindow", **{"AllowUnassociatedTargets": True, **given})["WindowId"])


def target(here: Installation, window: str, **members: Any) -> str:
    asked = {"ResourceType": "INSTANCE", "Targets": [{"Key": "tag:Role", "Values": ["web"]}], **members}
    made = here.perform("RegisterTargetWithMaintenanceWindow", WindowId=window, **asked)
    return str(made["WindowTargetId"])


def task(here: Installation, window: str, target_id: str, **members: Any) -> str:
    asked = {
        "TaskType": "RUN_COMMAND",
        "TaskArn": "AWS-RunPatchBaseline",
        "Targets": [{"Key": "WindowTargetIds", "Values": [target_id]}],
        "MaxConcurrency": "10%",
        "MaxErrors": "3",
        **members,
    }
    return str(here.perform("RegisterTaskWithMaintenanceWindow", WindowId=window, **asked)["WindowTaskId"])


def test_its_schedule_stands_there_in_words_and_as_it_is_written(console: Browser, fleet: Fleet) -> None:
    body = page(console, fleet.windows["Web Server"])
    assert "the first Thursday of each month at 23:00" in body
    assert "cron(0 23 ? * THU#1 *)" in body
    assert "Europe/Berlin" in body
    assert "6 h; nothing starts in the last 1 h" in body


def test_its_openings_are_those_of_the_api(console: Browser, fleet: Fleet) -> None:
    window = fleet.windows["Web Server"]
    rows = table(console, window)
    span = {"After": NOW - timedelta(days=2), "Before": NOW + timedelta(days=300)}
    told = fleet.world.perform("ListOpenings", WindowId=window, **span)["Openings"]
    assert [parse_instant("OpensTime", row["OpensTime"]) for row in rows] == [
        one["OpensTime"] for one in told[: len(rows)]
    ]
    assert rows[0]["Status"] == "IN_PROGRESS"
    assert (int(rows[0]["TargetCount"]), int(rows[0]["CompletedCount"])) == (
        told[0]["TargetCount"],
        told[0]["CompletedCount"],
    )


def test_an_opening_under_way_is_led_to(console: Browser, fleet: Fleet) -> None:
    window = fleet.windows["Web Server"]
    execution = fleet.world.execution(window)["WindowExecutionId"]
    assert f'It is open: <a href="/console/executions/{execution}">' in page(console, window)


def test_an_opening_that_a_freeze_keeps_shut_says_why(console: Browser, fleet: Fleet) -> None:
    body = page(console, fleet.windows["Database Server"])
    assert "does not open: year-end (end of the year)" in body


def test_a_target_has_the_nodes_that_it_selects(console: Browser, fleet: Fleet) -> None:
    count = sum(one.group == "Web Server" for one in fleet.members)
    body = page(console, fleet.windows["Web Server"])
    assert "Patch Group: Web Server" in body
    assert f'<td class="number">{count}</td>' in body


def test_a_task_has_its_rate_control_and_what_it_does(console: Browser, fleet: Fleet) -> None:
    body = page(console, fleet.windows["Web Server"])
    assert "<td>20%</td>" in body
    assert "more than 5% errors" in body
    assert "Install, RebootIfNeeded" in body
    assert "what runs goes on" in body


def test_a_window_that_nothing_is_wrong_with_warns_of_nothing(console: Browser, fleet: Fleet) -> None:
    assert "flash warn" not in page(console, fleet.windows["Application Server"])


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"Schedule": "cron(* 3 * * ? *)"}, "opens 60 times"),
        ({"Schedule": "cron(0 3 31 * ? *)"}, "31"),
        ({"Enabled": False}, "It is disabled, so it does not open: enable it"),
        ({}, "It has no tasks, so nothing happens when it opens: register a task"),
        ({}, "It has no targets, so it opens for no node: register a target"),
    ],
)
def test_what_is_likely_wrong_is_said_with_what_to_do(
    browser: Browser, here: Installation, members: dict[str, Any], said: str
) -> None:
    window = make(here, **members)
    warned = [part.partition("</p>")[0] for part in page(browser, window).split('class="flash warn"')[1:]]
    assert any(said in one for one in warned), warned


def test_a_target_without_nodes_or_task_is_said_to_be_so(browser: Browser, here: Installation) -> None:
    window = make(here)
    used = target(here, window, Name="used")
    target(here, window, Name="idle")
    task(here, window, used)
    body = page(browser, window)
    assert "No task runs on its target idle: name it in a task" in body
    assert "No task runs on its target used" not in body
    assert "Its target used selects no node: look at the nodes&#39; tags" in body


def test_a_group_that_is_gone_is_not_counted_as_empty(browser: Browser, here: Installation) -> None:
    window = make(here)
    asked = [{"Key": "resource-groups:Name", "Values": ["shops"]}]
    target(here, window, ResourceType="RESOURCE_GROUP", Targets=asked, Name="shops")
    body = page(browser, window)
    assert "resource group &#39;shops&#39; does not exist" in body
    assert "selects no node" not in body


def test_what_a_plan_made_says_so(browser: Browser, here: Installation) -> None:
    window = make(here)
    assert "Made by the plan" not in page(browser, window)
    tags = [{"Key": "patchwindow:plan", "Value": "shop"}]
    here.perform("AddTagsToResource", ResourceType="MaintenanceWindow", ResourceId=window, Tags=tags)
    body = page(browser, window)
    assert "Made by the plan <strong>shop</strong>" in body
    assert "undoes what is changed here" in body


def test_names_stay_text(browser: Browser, here: Installation) -> None:
    hostile = "<script>alert(1)</script>"
    window = make(here, Name=hostile, Description=hostile)
    task(here, window, target(here, window, Name="x", OwnerInformation=hostile))
    body = page(browser, window)
    assert hostile not in body
    assert body.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3


def test_a_viewer_is_offered_no_change(viewer: Browser, console: Browser, fleet: Fleet) -> None:
    window = fleet.windows["Web Server"]
    for link in ("/edit", "/delete", "/targets/new", "/tasks/new"):
        assert f"/console/windows/{window}{link}" in page(console, window)
        assert f"/console/windows/{window}{link}" not in page(viewer, window)


def test_a_window_that_there_is_not_is_said_not_to_exist(console: Browser) -> None:
    answer = console.get("/console/windows/mw-00000000000000fff")
    assert answer.status in (400, 404)
    assert "mw-00000000000000fff" in answer.body
