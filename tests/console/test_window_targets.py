"""Registering, changing and deregistering targets of windows: who gains and loses the window, before it is done."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from tests.console.forms import fill, save, weigh
from tests.fakes.browser import Browser
from tests.fakes.fleet import HOSTILE, Fleet

GROUPS: dict[str, Any] = {"Key": "tag:Patch Group", "Values": ["Database Server"]}


@pytest.fixture
def window(fleet: Fleet) -> Iterator[str]:
    """Return a window that opens daily at 15:00 UTC, for nobody yet."""
    made = fleet.world.window(Name="Daily")
    yield made
    fleet.world.perform("DeleteMaintenanceWindow", WindowId=made)


@pytest.fixture
def target(fleet: Fleet, window: str) -> str:
    """Return its target: the database servers."""
    return fleet.world.target(window, GROUPS["Key"], *GROUPS["Values"], Name="databases")


def targets(fleet: Fleet, window: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fleet.world.perform("DescribeMaintenanceWindowTargets", WindowId=window)["Targets"]
    return found


def count(fleet: Fleet, *values: str) -> int:
    asked = [{"Key": "tag:Patch Group", "Values": list(values)}]
    total: int = fleet.world.perform("PreviewTargets", Targets=asked)["InstanceCount"]
    return total


def test_a_new_target_says_who_gets_the_window_and_is_registered_then(
    console: Browser, fleet: Fleet, window: str
) -> None:
    path = f"/console/windows/{window}/targets/new"
    shown = weigh(console, path, {"Values.0": "Database Server\nWeb Server", "Name": "all"})
    assert f"{count(fleet, 'Database Server', 'Web Server')} nodes get this window" in shown.body
    assert "No node loses this window" in shown.body
    assert "No task runs on it yet" in shown.body
    assert re.search(r'takes effect first at the opening on <time datetime="2026-12-04T15:00:00Z"', shown.body)
    assert targets(fleet, window) == []
    assert save(console, path, shown).location == f"/console/windows/{window}"
    (made,) = targets(fleet, window)
    assert made["Targets"] == [{"Key": "tag:Patch Group", "Values": ["Database Server", "Web Server"]}]
    assert made["Name"] == "all"


def test_a_change_says_who_gains_and_who_loses_the_window(
    console: Browser, fleet: Fleet, window: str, target: str
) -> None:
    fleet.world.task(window, target, Name="install")
    path = f"/console/windows/{window}/targets/{target}/edit"
    shown = weigh(console, path, {"Values.0": "Web Server", "Name": ""})
    assert f"{count(fleet, 'Web Server')} nodes get this window" in shown.body
    assert f"{count(fleet, 'Database Server')} nodes lose this window" in shown.body
    assert "1 task runs on it: install" in shown.body
    assert "web-" in shown.body, "the first of them are named"
    assert targets(fleet, window)[0]["Targets"] == [GROUPS]
    assert save(console, path, shown).status == 303
    (now,) = targets(fleet, window)
    assert now["Targets"][0]["Values"] == ["Web Server"]
    assert "Name" not in now


def test_conditions_are_joined(console: Browser, fleet: Fleet, window: str, target: str) -> None:
    path = f"/console/windows/{window}/targets/{target}/edit"
    shown = weigh(console, path, {"Key.1": "tag:Environment", "Values.1": "Production"})
    asked = [GROUPS, {"Key": "tag:Environment", "Values": ["Production"]}]
    left = fleet.world.perform("PreviewTargets", Targets=asked)["InstanceCount"]
    assert f"{count(fleet, 'Database Server') - left} nodes lose this window" in shown.body
    assert 'name="Key.2"' in shown.body, "there is room for one more"
    assert save(console, path, shown).status == 303
    assert targets(fleet, window)[0]["Targets"] == asked


def test_nodes_that_another_target_has_lose_nothing(console: Browser, fleet: Fleet, window: str, target: str) -> None:
    fleet.world.target(window, "tag-key", "Patch Group")
    path = f"/console/windows/{window}/targets/{target}/edit"
    shown = console.post(path, fill(console.get(path).body, Do="deregister", Step="show"))
    assert "No node loses this window" in shown.body


def test_deregistering_says_who_loses_the_window(console: Browser, fleet: Fleet, window: str, target: str) -> None:
    path = f"/console/windows/{window}/targets/{target}/edit"
    shown = console.post(path, fill(console.get(path).body, Do="deregister", Step="show"))
    assert f"{count(fleet, 'Database Server')} nodes lose this window" in shown.body
    assert len(targets(fleet, window)) == 1
    assert save(console, path, shown).status == 303
    assert targets(fleet, window) == []


def test_one_that_a_task_runs_on_is_not_deregistered(console: Browser, fleet: Fleet, window: str, target: str) -> None:
    task = fleet.world.task(window, target)
    path = f"/console/windows/{window}/targets/{target}/edit"
    refused = console.post(path, fill(console.get(path).body, Do="deregister", Step="show"))
    assert refused.status == 400
    assert f"is used by task {task}; change that first" in refused.body
    assert len(targets(fleet, window)) == 1


def test_the_second_of_two_is_told_what_the_first_changed(
    console: Browser, fleet: Fleet, window: str, target: str
) -> None:
    path = f"/console/windows/{window}/targets/{target}/edit"
    shown = weigh(console, path, {"Name": "second"})
    fleet.world.perform(
        "UpdateMaintenanceWindowTarget", WindowId=window, WindowTargetId=target, OwnerInformation="team"
    )
    answer = save(console, path, shown)
    assert '<td>Owner</td><td class="old">—</td><td class="new">team</td>' in answer.body
    assert 'value="second"' in answer.body
    assert targets(fleet, window)[0]["Name"] == "databases"


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"Key.0": "Role"}, "Key.0"),
        ({"Values.0": ""}, "Values.0"),
        ({"Key.0": "InstanceIds", "Values.0": "web-1"}, "Values.0"),
        ({"Key.1": "resource-groups:Name", "Values.1": "web"}, "Key.1"),
        ({"Name": "x"}, "Name"),
    ],
)
def test_each_wrong_value_is_said_at_its_field_and_kept(
    console: Browser, window: str, target: str, fields: dict[str, str], at: str
) -> None:
    answer = weigh(console, f"/console/windows/{window}/targets/{target}/edit", {**fields, "Description": "kept"})
    assert answer.status == 400
    told = dict(re.findall(r'id="problem-([^"]+)">.*?</svg>(.*?)</p>', answer.body, re.DOTALL))
    assert list(told) == [at], unescape(str(told))
    assert 'value="kept"' in answer.body
    assert 'value="save"' not in answer.body


def test_a_hostile_name_among_the_nodes_stays_text(console: Browser, fleet: Fleet, window: str) -> None:
    node_id = next(one.node_id for one in fleet.members if one.name == HOSTILE)
    changes = {"Key.0": "InstanceIds", "Values.0": node_id}
    shown = weigh(console, f"/console/windows/{window}/targets/new", changes)
    assert "1 node gets this window" in shown.body
    assert HOSTILE not in shown.body
    assert "&lt;script&gt;" in shown.body


@pytest.mark.parametrize("form", ["new", "{}/edit"])
def test_a_viewer_is_refused(viewer: Browser, fleet: Fleet, window: str, target: str, form: str) -> None:
    path = f"/console/windows/{window}/targets/{form.format(target)}"
    assert viewer.get(path).status == 403
    assert viewer.post(path, {"Key.0": "tag-key", "Values.0": "x", "Step": "show"}).status == 403
    assert targets(fleet, window)[0]["Name"] == "databases"
