"""Question 8: one patch on all nodes, and the search that finds it, a node or a window."""

import pytest
from tests.console.reading import table, words
from tests.fakes.browser import Browser
from tests.fakes.fleet import HOSTILE, Fleet

from patchwindow.console.pages.search import SHOWN_MAX


def listed(fleet: Fleet, state: str) -> list[tuple[str, str]]:
    filters = [{"Key": "State", "Values": [state]}]
    told = fleet.world.perform("ListPatches", Filters=filters, MaxResults=500)["Patches"]
    return [(one["Title"], one["Product"]) for one in told]


def test_those_that_some_node_lacks_come_first(console: Browser, fleet: Fleet) -> None:
    shown = [(row["Title"], row["Product"]) for row in table(console, "/console/patches")]
    assert shown == listed(fleet, "Missing")
    assert shown


@pytest.mark.parametrize("state", ["Failed", "InstalledPendingReboot", "InstalledOther"])
def test_another_state_lists_what_is_in_it(console: Browser, fleet: Fleet, state: str) -> None:
    rows = table(console, "/console/patches", State=state)
    assert [(row["Title"], row["Product"]) for row in rows] == listed(fleet, state)


def test_a_patch_has_the_nodes_that_the_api_tells(console: Browser, fleet: Fleet) -> None:
    title, _ = listed(fleet, "Missing")[0]
    told = fleet.world.perform("ListPatchInstances", Title=title, MaxResults=500)["Instances"]
    rows = table(console, f"/console/patches/{title}")
    assert sorted((row["InstanceId"], row["State"]) for row in rows) == sorted(
        (one["InstanceId"], one["State"]) for one in told
    )


def test_a_patch_that_failed_says_why_on_how_many_nodes(console: Browser, fleet: Fleet) -> None:
    title, _ = listed(fleet, "Failed")[0]
    told = fleet.world.perform("ListPatchInstances", Title=title, States=["Failed"], MaxResults=500)
    assert sum(one["InstanceCount"] for one in told["Failures"]) == len(told["Instances"]) > 1
    assert {one["Reason"] for one in told["Instances"]} == {"dpkg ended with status 1"}
    said = words(console.get(f"/console/patches/{title}", state="Failed").body)
    assert f"{len(told['Instances'])} nodes dpkg ended with status 1" in said
    assert "Why it failed" not in words(console.get(f"/console/patches/{title}", state="Missing").body)


def test_nodes_that_lack_it_say_when_it_could_be_installed(console: Browser, fleet: Fleet) -> None:
    title, _ = listed(fleet, "Missing")[0]
    (first, *_) = fleet.world.perform("ListPatchInstances", Title=title, States=["Missing"])["Instances"]
    told = fleet.world.perform("ExplainPatch", InstanceId=first["InstanceId"], Patch=title)["Patches"]
    opening = next(one["NextInstall"] for one in told if one["Title"] == title)
    assert opening["WindowName"] in words(console.get(f"/console/patches/{title}", state="Missing").body)


def test_a_title_that_nobody_has_is_said_not_to_be_there(console: Browser) -> None:
    answer = console.get("/console/patches/<b>nothing")
    assert answer.status == 404
    assert "<b>nothing" not in answer.body


@pytest.mark.parametrize(
    ("asked", "link"),
    [
        ("web-0004", "/console/nodes/"),
        ("WEB-0004", "/console/nodes/"),
        ("10.0.0.5", "/console/nodes/"),
        (HOSTILE[:7], "/console/nodes/"),
        ("openssl", "/console/patches/openssl"),
        ("database server", "/console/windows/"),
    ],
)
def test_the_search_finds_what_is_called_so(console: Browser, asked: str, link: str) -> None:
    body = console.get("/console/search", q=asked).body
    assert f'<li><a href="{link}' in body
    assert "<script>alert" not in body


def test_the_search_finds_a_node_by_its_id(console: Browser, fleet: Fleet) -> None:
    one = fleet.members[123]
    assert f'href="/console/nodes/{one.node_id}">{one.name}' in console.get("/console/search", q=one.node_id).body


def test_the_search_finds_the_patches_of_a_cve(console: Browser, fleet: Fleet) -> None:
    told = fleet.world.perform("ListPatches", MaxResults=500)["Patches"]
    cve = next(one["CVEIds"][0] for one in told if one["CVEIds"])
    titles = {one["Title"] for one in told if cve in one["CVEIds"]}
    body = console.get("/console/search", q=cve.lower()).body
    assert all(f">{title}</a>" in body for title in titles)


def test_the_search_finds_the_patches_of_an_advisory(console: Browser, fleet: Fleet) -> None:
    told = fleet.world.perform("ListPatches", MaxResults=500)["Patches"]
    advisory = next(one["AdvisoryIds"][0] for one in told if one["AdvisoryIds"])
    titles = {one["Title"] for one in told if advisory in one["AdvisoryIds"]}
    body = console.get("/console/search", q=advisory.lower()).body
    assert all(f">{title}</a>" in body for title in titles)
    assert f"patchwindow patches list --all --advisory &#39;{advisory.lower()}&#39;" in body


def test_the_search_says_where_there_are_more_than_it_shows(console: Browser) -> None:
    assert f"The first {SHOWN_MAX};" in words(console.get("/console/search", q="web-").body)
    assert f"The first {SHOWN_MAX};" not in words(console.get("/console/search", q="web-0004").body)


@pytest.mark.parametrize("asked", ["nothing is called so", "%", "'; --", "\0", "🦊", "CVE-1-1", "x" * 5000])
def test_what_is_not_there_is_said_not_to_be(console: Browser, asked: str) -> None:
    answer = console.get("/console/search", q=asked)
    assert answer.status == 200, answer.body
    assert "Nothing is called so." in words(answer.body)


def test_nothing_asked_is_nothing_found(console: Browser) -> None:
    assert "Nothing is called so." not in words(console.get("/console/search").body)
