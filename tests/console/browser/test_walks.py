"""Whole ways through the console in a real browser: by keyboard alone, without scripts, and live."""

import re
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect
from tests.console.serving import Served, served
from tests.engine.agent import STEP, step
from tests.fakes.chromium import guarded, sign_in
from tests.fakes.fleet import HOSTILE, Fleet

_TABS_MAX: Final = 60
_FOCUSED: Final = """() => {
  const one = document.activeElement;
  const label = one.labels?.[0]?.textContent ?? one.getAttribute("aria-label") ?? one.textContent;
  const style = getComputedStyle(one);
  if (one === document.body) return ["", true];
  return [label.trim(), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0];
}"""
"""What has the focus is called so, and can be seen to have it."""


def tab_to(page: Page, label: str) -> None:
    """Press Tab until something called *label* has the focus, which must be seen wherever it goes; it may have it already."""
    passed = []
    for _ in range(_TABS_MAX):
        name, is_seen = page.evaluate(_FOCUSED)
        assert is_seen, f"the focus on {name!r} cannot be seen"
        if name.startswith(label):
            return
        passed.append(name)
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {label!r}, but to {passed}")


def cells(page: Page, state: str) -> int:
    """Return how many nodes of the opening are drawn in a state."""
    return page.locator(f".cells a[aria-label$=': {state}']").count()


@pytest.fixture
def execution(site: Served) -> str:
    """Return the path of the opening that is under way."""
    fleet = site.fleet
    found = fleet.world.execution(fleet.windows["Web Server"])
    return f"/console/executions/{found['WindowExecutionId']}"


@pytest.fixture
def scriptless(chromium: Browser, site: Served, signed_in: StorageState) -> Iterator[Page]:
    """Return a window without scripts."""
    options = {"base_url": site.url, "storage_state": signed_in, "java_script_enabled": False}
    with guarded(chromium, site.url, **options) as (page, _):
        yield page


def finish(fleet: Fleet, count: int) -> None:
    """Let that many nodes that are at work be done, and the engine see it."""
    world = fleet.world
    (task,) = world.tasks(fleet.windows["Web Server"])
    (part,) = world.invocations(task)
    command = str(part["ExecutionId"])
    told = world.perform("GetCommandStates", CommandId=command, MaxResults=1000)["Instances"]
    at_work = [one["InstanceId"] for one in told if one["StatusDetails"] == "InProgress"]
    assert len(at_work) >= count
    for node_id in at_work[:count]:
        fleet.agents[node_id].say(command, "Success", {STEP: step("Success")})
    world.turn()


def test_cells_change_when_agents_reply(page: Page, site: Served, execution: str) -> None:
    page.goto(execution)
    before = cells(page, "Success")
    assert before
    finish(site.fleet, 3)
    expect(page.locator(".cells a[aria-label$=': Success']")).to_have_count(before + 3)


def test_the_focus_stays_where_it_is_when_a_live_part_changes(page: Page, site: Served, execution: str) -> None:
    page.goto(execution)
    button = page.get_by_role("button", name="Cancel this opening")
    button.focus()
    before = cells(page, "Success")
    finish(site.fleet, 1)
    expect(page.locator(".cells a[aria-label$=': Success']")).to_have_count(before + 1)
    expect(button).to_be_focused()


def test_a_lost_connection_is_said_and_then_goes_on(chromium: Browser, fleet: Fleet, execution: str) -> None:
    lost = "The connection to the server is lost"
    with served(fleet) as first:
        port, link = int(first.url.rpartition(":")[2]), first.link()
        opening = guarded(chromium, first.url, base_url=first.url)
        page, _ = opening.__enter__()
        sign_in(page, link)
        page.goto(execution)
        before = cells(page, "Success")
        expect(page.get_by_text(lost)).to_be_hidden()
    expect(page.get_by_text(lost)).to_be_visible()
    finish(fleet, 2)
    with served(fleet, port=port):
        expect(page.locator(".cells a[aria-label$=': Success']")).to_have_count(before + 2)
        expect(page.get_by_text(lost)).to_be_hidden()
        opening.__exit__(None, None, None)


def test_without_scripts_a_list_can_be_narrowed(scriptless: Page) -> None:
    scriptless.goto("/console/nodes")
    scriptless.get_by_label("Patch group").select_option("Database Server")
    scriptless.get_by_role("button", name="Show").click()
    assert "PatchGroup=Database" in scriptless.url
    groups = scriptless.locator("tbody td:nth-child(3)").all_inner_texts()
    assert set(groups) == {"Database Server"}


def test_with_scripts_a_list_is_narrowed_as_it_is_chosen(page: Page) -> None:
    page.goto("/console/nodes")
    page.get_by_label("Patch group").select_option("Database Server")
    expect(page.locator("tbody tr:first-child td:nth-child(3)")).to_have_text("Database Server")
    page.go_back()
    expect(page.get_by_label("Patch group")).to_have_value("")


def test_a_hostile_name_is_seen_as_it_is(page: Page, fleet: Fleet) -> None:
    page.goto(f"/console/nodes/{next(one.node_id for one in fleet.members if one.name == HOSTILE)}")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)


def test_output_streams_in_and_stays_text(page: Page, fleet: Fleet) -> None:
    node_id = next(one.node_id for one in fleet.members if not one.group)
    agent, world = fleet.agents[node_id], fleet.world
    sent = world.perform(
        "SendCommand", DocumentName="AWS-RunShellScript", InstanceIds=[node_id], Parameters={"commands": ["true"]}
    )
    command = str(sent["Command"]["CommandId"])
    world.turn()
    assert command in agent.take()
    page.goto(f"/console/commands/{command}/nodes/{node_id}")
    expect(page.get_by_text("Nothing was written yet.")).to_be_visible()
    wrote = "</pre><img src=x onerror=alert(1)><script>alert(2)</script>"
    agent.say(command, "InProgress", {STEP: step("InProgress", ended_at=None, standardOutput=f"{wrote}\n")})
    expect(page.locator("pre").first).to_contain_text(wrote)
    agent.say(command, "Success", {STEP: step("Success", standardOutput=f"{wrote}\nthe end\n")})
    world.turn()
    expect(page.locator("pre").first).to_contain_text("the end")
    expect(page.locator("dl.facts").first).to_contain_text("Success")


def test_a_keyboard_is_enough_to_sign_in_find_a_node_explain_a_patch_and_cancel_an_opening(
    chromium: Browser, site: Served, fleet: Fleet
) -> None:
    name = next(one.name for one in fleet.members if one.group == "Web Server" and one.number > 20)
    with guarded(chromium, site.url, base_url=site.url) as (page, guard):
        page.goto(site.link())
        tab_to(page, "Sign in")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Tonight")

        tab_to(page, "To the content")
        tab_to(page, "Search for")
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Search: {name}")
        tab_to(page, name)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        tab_to(page, "Patches")
        tab_to(page, page.locator("#patches tbody a").first.inner_text())
        page.keyboard.press("Enter")
        expect(page.get_by_text("Why this one")).to_be_visible()

        tab_to(page, "Tonight")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Tonight")
        tab_to(page, "Web Server patching")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Web Server patching")
        tab_to(page, "Cancel this opening")
        page.keyboard.press("Enter")
        expect(page.get_by_text("The opening and its commands are being cancelled")).to_be_visible()
        assert guard.asked == ["Cancel this opening? No further task begins in it."]
    fleet.world.turn()
    assert fleet.world.execution(fleet.windows["Web Server"])["Status"] in ("CANCELLING", "CANCELLED")


def test_without_scripts_a_person_gets_in_and_cancels_a_command(chromium: Browser, site: Served) -> None:
    world = site.fleet.world
    command = world.perform(
        "SendCommand",
        DocumentName="AWS-RunShellScript",
        InstanceIds=[site.fleet.members[0].node_id],
        Parameters={"commands": ["true"]},
    )["Command"]["CommandId"]
    with guarded(chromium, site.url, base_url=site.url, java_script_enabled=False) as (page, _):
        sign_in(page, site.link())
        page.goto(f"/console/commands/{command}")
        page.get_by_role("button", name="Cancel this command").click()
        expect(page.get_by_text("The command is being cancelled")).to_be_visible()
        assert re.fullmatch(r".*/console/commands/[\w-]+", page.url)
    world.turn()
    (told,) = world.perform("ListCommands", CommandId=command)["Commands"]
    assert told["Status"] in ("Cancelling", "Cancelled")
