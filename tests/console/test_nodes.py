"""The list of nodes: counted, narrowed and paged by the server."""

import re
from typing import Any

import pytest
from tests.console.reading import table, words
from tests.fakes.browser import Browser
from tests.fakes.fleet import Fleet

from patchwindow.console.pages.nodes import PAGE_SIZE, WITHOUT

URL = "/console/nodes"


def told(fleet: Fleet, **values: str) -> Any:
    filters = [{"Key": key, "Values": [value]} for key, value in values.items()]
    return fleet.world.perform("GetFleetCompliance", Filters=filters, MaxResults=1)["Counts"]


@pytest.mark.parametrize(
    "values",
    [
        {"State": "Missing"},
        {"PatchGroup": "Database Server"},
        {"Environment": "Production", "OperatingSystem": "UBUNTU"},
        {"State": "NeverScanned", "PatchGroup": "Application Server"},
    ],
)
def test_a_filter_leaves_just_the_nodes_that_the_api_counts(
    console: Browser, fleet: Fleet, values: dict[str, str]
) -> None:
    rows = table(console, URL, **values)
    assert len(rows) == told(fleet, **values)["Total"] > 0
    assert all(row[key] == value for row in rows for key, value in values.items())


def test_nodes_of_no_group_can_be_asked_for(console: Browser, fleet: Fleet) -> None:
    rows = table(console, URL, PatchGroup=WITHOUT)
    assert {row["InstanceId"] for row in rows} == {one.node_id for one in fleet.members if not one.group}


def test_pages_follow_one_another_and_have_every_node_once(console: Browser, fleet: Fleet) -> None:
    seen: list[str] = []
    query: dict[str, str] = {"PatchGroup": "Management Server"}
    while True:
        body = console.get(URL, **query).body
        page = re.findall(r'<td><a href="/console/nodes/([\w-]+)">', body)
        assert 0 < len(page) <= PAGE_SIZE
        seen += page
        following = re.search(r'rel="next" href="[^"]*after=([^"&]+)', body)
        if following is None:
            break
        query["after"] = following[1].replace("%3D", "=").replace("%2B", "+").replace("%2F", "/")
    assert sorted(seen) == sorted(one.node_id for one in fleet.members if one.group == "Management Server")


def test_every_count_leads_to_the_nodes_it_counts(console: Browser, fleet: Fleet) -> None:
    body = console.get(URL).body
    found = re.findall(r'href="/console/nodes\?State=(\w+)">\s*<span class="number">([\d,]+)</span>', body)
    counts = told(fleet)
    assert {state: int(count.replace(",", "")) for state, count in found} == {
        state: count for state, count in counts.items() if state != "Total"
    }


@pytest.mark.parametrize("query", [{"State": "Purple"}, {"after": "<b>"}])
def test_what_cannot_be_asked_is_refused_in_words(console: Browser, query: dict[str, str]) -> None:
    answer = console.get(URL, **query)
    assert answer.status == 400
    assert next(iter(query.values())) not in answer.body or "<b>" not in answer.body
    assert "To the console" in answer.body


def test_filters_that_nothing_passes_say_so(console: Browser) -> None:
    query = {"State": "NeverScanned", "PatchGroup": "Web Server"}
    assert "No node passes these filters." in words(console.get(URL, **query).body)
    assert table(console, URL, **query) == []


def test_an_empty_fleet_says_what_to_do(browser: Browser) -> None:
    assert "No node is registered yet. Create an activation" in words(browser.get(URL).body)
