"""Question 6: how one opening goes."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.console.reading import table, words
from tests.engine.agent import STEP, step
from tests.engine.test_webhooks import opened
from tests.engine.world import World
from tests.fakes.browser import Browser
from tests.fakes.databases import migrated_url
from tests.fakes.fleet import Fleet
from tests.fakes.hooks import FAILED, SUCCESS, ScriptedHooks

from patchwindow.domain.webhook import Answer


@pytest.fixture
def url(fleet: Fleet) -> str:
    return f"/console/executions/{fleet.world.execution(fleet.windows['Web Server'])['WindowExecutionId']}"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Fleet]:
    """Return a small fleet that a test may change."""
    with migrated_url("sqlite", tmp_path) as there:
        fleet = Fleet(there, count=60)
        yield fleet
        fleet.close()


def states(fleet: Fleet) -> Any:
    (task,) = fleet.world.tasks(fleet.windows["Web Server"])
    (part,) = fleet.world.invocations(task)
    return fleet.world.perform("GetCommandStates", CommandId=part["ExecutionId"], MaxResults=1000)


def test_every_node_is_a_cell_in_the_state_that_the_api_tells(console: Browser, fleet: Fleet, url: str) -> None:
    told = {one["InstanceId"]: one["StatusDetails"] for one in states(fleet)["Instances"]}
    assert {row["InstanceId"]: row["StatusDetails"] for row in table(console, url)} == told
    cells = re.findall(r'<a href="/console/nodes/([\w-]+)" aria-label="[^"]*: ([^":]+)">', console.get(url).body)
    assert len(cells) == len(told)
    assert Counter(label for _, label in cells)["In progress"] == Counter(told.values())["InProgress"]


def test_the_rate_control_is_told_in_numbers(console: Browser, fleet: Fleet, url: str) -> None:
    told = states(fleet)
    counts = {one["StatusDetails"]: one["InstanceCount"] for one in told["Counts"]}
    said = words(console.get(url).body)
    assert f"at work {counts['InProgress']} of {told['Concurrency']} allowed" in said
    assert f"errors {counts['Failed']} of {told['ErrorsTolerated']} allowed" in said


def test_the_cutoff_counts_down(console: Browser, url: str) -> None:
    assert "in 4 h 20 min" in words(console.get(url).body)


def cancelled(fleet: Fleet, form: dict[str, str]) -> tuple[Browser, str]:
    """Cancel the opening that is under way, and return a browser and its page's path."""
    browser = Browser(fleet.world)
    browser.sign_in()
    path = f"/console/executions/{fleet.world.execution(fleet.windows['Web Server'])['WindowExecutionId']}"
    assert "data-live=" in browser.get(path).body
    done = browser.post(path, form)
    assert (done.status, done.location) == (303, path)
    said = words(browser.follow(done).body)
    assert ("its commands are being cancelled" if form else "its commands under way go on") in said
    fleet.world.turn()
    return browser, path


def test_it_can_be_cancelled_with_its_commands_and_then_is_its_record(small: Fleet) -> None:
    browser, path = cancelled(small, {"Commands": "true"})
    assert "Cancel this opening" not in browser.get(path).body
    (task,) = small.world.tasks(small.windows["Web Server"])
    (part,) = small.world.invocations(task)
    left = [one for one in states(small)["Instances"] if one["StatusDetails"] in ("InProgress", "Cancelling")]
    assert not [one for one in states(small)["Instances"] if one["StatusDetails"] == "Pending"]
    for one in left:
        small.agents[one["InstanceId"]].say(part["ExecutionId"], "Cancelled", {STEP: step("Cancelled")})
    small.world.turn()
    assert small.world.execution(small.windows["Web Server"])["Status"] == "CANCELLED"
    record = browser.get(path).body
    assert "Cancelled" in words(record)
    assert "data-live=" not in record
    browser.close()


def test_without_its_commands_those_go_on_and_it_says_so(small: Fleet) -> None:
    before = states(small)
    browser, path = cancelled(small, {})
    assert states(small)["StatusDetails"] == before["StatusDetails"] == "InProgress"
    assert "data-live=" in browser.get(path).body
    browser.close()


@pytest.mark.parametrize(("answer", "state"), [(SUCCESS, "Success"), (FAILED, "Failed")])
def test_a_task_that_calls_a_webhook_tells_each_call_and_what_came_of_it(
    tmp_path: Path, answer: Answer, state: str
) -> None:
    with migrated_url("sqlite", tmp_path) as there:
        world = World(there)
        task = opened(world, ScriptedHooks(answer))
        browser = Browser(world)
        browser.sign_in()
        (call,) = world.invocations(task)
        said = words(browser.get(f"/console/executions/{task['WindowExecutionId']}").body)
        assert f"1. {task['TaskArn']} {state}" in said
        assert f"{state} {call.get('StatusDetails') or ''}".strip() in said.partition(task["TaskArn"])[2]
        assert "began Thu 15 Jan 2026, 15:00" in said
        browser.close()
        world.close()


def test_a_viewer_sees_no_button_and_is_refused(viewer: Browser, fleet: Fleet, url: str) -> None:
    assert "Cancel this opening" not in viewer.get(url).body
    assert viewer.post(url).status in (400, 403)
    assert fleet.world.execution(fleet.windows["Web Server"])["Status"] == "IN_PROGRESS"


def test_a_form_without_its_proof_does_nothing(console: Browser, fleet: Fleet, url: str) -> None:
    assert console.post(url, {"csrf": "0" * 64}).status == 403
    assert fleet.world.execution(fleet.windows["Web Server"])["Status"] == "IN_PROGRESS"
