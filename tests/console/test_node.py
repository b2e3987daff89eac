"""Question 7: one node, and why a patch is in its state on it."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.console.reading import table, words
from tests.fakes.browser import Browser
from tests.fakes.databases import migrated_url
from tests.fakes.fleet import HOSTILE, NOW, Fleet, Member


def one_of(fleet: Fleet, group: str) -> Member:
    return next(one for one in fleet.members if one.group == group and one.number > 20)


def test_it_has_the_patches_that_the_api_tells(console: Browser, fleet: Fleet) -> None:
    member = one_of(fleet, "Database Server")
    told = fleet.world.perform("DescribeInstancePatches", InstanceId=member.node_id, MaxResults=100)["Patches"]
    rows = table(console, f"/console/nodes/{member.node_id}")
    assert [(row["Title"], row["State"]) for row in rows] == [(one["Title"], one["State"]) for one in told]
    assert len(rows) > 5


def test_what_was_never_installed_has_no_date(console: Browser, fleet: Fleet) -> None:
    for member in fleet.members[20:40]:
        if member.number % 40 == 39:
            continue
        for row in table(console, f"/console/nodes/{member.node_id}"):
            assert not row["InstalledTime"].startswith("1970")
            assert bool(row["InstalledTime"]) == row["State"].startswith("Installed"), row


def test_its_state_is_that_of_the_fleet_s_view(console: Browser, fleet: Fleet) -> None:
    for member in fleet.members[:60:7]:
        told = fleet.world.perform("GetNodeCompliance", InstanceId=member.node_id)["State"]
        listed = table(console, "/console/nodes", State=told, PatchGroup=member.group or "(none)")
        assert member.node_id in {row["InstanceId"] for row in listed}


def test_it_says_which_window_comes_and_that_a_freeze_or_nothing_does(console: Browser, fleet: Fleet) -> None:
    said = words(console.get(f"/console/nodes/{one_of(fleet, 'Database Server').node_id}").body)
    assert "Database Server patching" in said
    assert "Nightly scan" in said
    alone = next(one for one in fleet.members if not one.group)
    said = words(console.get(f"/console/nodes/{alone.node_id}").body)
    assert "No window reaches this node" in said
    assert "none: no tag Patch Group" in said


def test_an_opening_that_a_freeze_keeps_shut_and_a_window_that_is_disabled_promise_nothing(tmp_path: Path) -> None:
    with migrated_url("sqlite", tmp_path) as there:
        fleet = Fleet(there, count=20)
        browser = Browser(fleet.world)
        browser.sign_in()
        member = next(one for one in fleet.members if one.group == "Database Server")
        window = fleet.windows["Database Server"]
        fleet.world.perform("UpdateMaintenanceWindow", WindowId=window, Schedule="at(2026-12-20T22:00:00)")
        said = words(browser.get(f"/console/nodes/{member.node_id}").body)
        assert "Sun 20 Dec 2026, 22:00" in said
        assert "Kept shut by year-end" in said
        fleet.world.perform("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
        said = words(browser.get(f"/console/nodes/{member.node_id}").body)
        assert "20 Dec 2026" not in said
        assert "Database Server patching opens no more, or is disabled" in said
        browser.close()
        fleet.close()


def test_the_timeline_says_since_when_it_runs_and_leads_to_the_output_on_this_node(
    console: Browser, fleet: Fleet
) -> None:
    member = one_of(fleet, "Database Server")
    path = f"/console/nodes/{member.node_id}"
    assert "since it booted" not in words(console.get(path).body)
    with fleet.world.database.write() as work:
        node = work.nodes.get(member.node_id)
        assert node is not None, "it was registered"
        booted = replace(node, boot_id="another", boot_seen_at=NOW - timedelta(minutes=30))
        work.nodes.put(booted, operating_system=member.system, patch_group=member.group)
    body = console.get(path).body
    assert "First heard of since it booted" in words(body)
    links = re.findall(r'href="(/console/commands/[^"]+)"', body)
    assert links
    assert all(link.endswith(f"/nodes/{member.node_id}") for link in links)


def test_a_node_that_was_never_scanned_claims_nothing(console: Browser, fleet: Fleet) -> None:
    member = next(one for one in fleet.members if one.number == 39)
    said = words(console.get(f"/console/nodes/{member.node_id}").body)
    assert "Never scanned" in said
    assert "Not scanned yet, so nothing was judged" in said
    assert "Compliant" not in said.partition("What happened")[0]


def test_an_installation_that_failed_is_not_called_otherwise(console: Browser, fleet: Fleet) -> None:
    member = next(one for one in fleet.members if one.number % 37 == 4)
    said = words(console.get(f"/console/nodes/{member.node_id}").body).partition("What happened")[2]
    assert "Installed patches Failed" in said


def test_a_hostile_machine_is_shown_as_text(console: Browser, fleet: Fleet) -> None:
    member = next(one for one in fleet.members if one.name == HOSTILE)
    body = console.get(f"/console/nodes/{member.node_id}").body
    assert HOSTILE in words(body)
    assert "<script>alert" not in body


def test_every_patch_of_a_node_is_explained_as_the_api_does(console: Browser, fleet: Fleet) -> None:
    member = one_of(fleet, "Database Server")
    body = console.get(f"/console/nodes/{member.node_id}").body
    links = re.findall(r'<td><a href="(/console/nodes/[\w-]+/patches/[^"]+)">([^<]+)</a>', body)
    assert links
    for _, title in links[:5]:
        told = fleet.world.perform("ExplainPatch", InstanceId=member.node_id, Patch=title)
        said = words(console.get(f"/console/nodes/{member.node_id}/patches/{title}").body)
        assert told["Baseline"]["Name"] in said
        assert all(one["Reason"] in said and one["Title"] in said for one in told["Patches"])


def test_a_missing_patch_says_when_it_could_be_installed(console: Browser, fleet: Fleet) -> None:
    found = table(console, "/console/nodes", State="Missing", PatchGroup="Application Server")
    node_id = found[0]["InstanceId"]
    title = next(row["Title"] for row in table(console, f"/console/nodes/{node_id}") if row["State"] == "Missing")
    (told,) = fleet.world.perform("ExplainPatch", InstanceId=node_id, Patch=title)["Patches"]
    said = words(console.get(f"/console/nodes/{node_id}/patches/{title}").body)
    assert told["NextInstall"]["WindowName"] == "Application Server patching"
    assert "Application Server patching opens" in said


def test_a_viewer_gets_no_buttons(viewer: Browser, fleet: Fleet) -> None:
    path = f"/console/nodes/{fleet.members[0].node_id}"
    assert "Patch now" not in words(viewer.get(path).body)


@pytest.mark.parametrize(
    "path", ["/console/nodes/mi-00000000000000bad", "/console/nodes/mi-00000000000000bad/patches/x"]
)
def test_a_node_that_is_not_there_is_said_not_to_be(console: Browser, path: str) -> None:
    answer = console.get(path)
    assert answer.status == 404
    assert "mi-00000000000000bad" in answer.body
