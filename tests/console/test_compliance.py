"""Question 3: how compliant the fleet is, honestly."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.browser import Browser
from tests.fakes.fleet import DAYS, NOW, Fleet

from patchwindow.console.charts import columns
from patchwindow.console.pages.nodes import WITHOUT

BY = ("PatchGroup", "Environment", "OperatingSystem")


def table(console: Browser, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(console.get("/console/compliance", format="csv", **query).body)))


def told(fleet: Fleet, **request: Any) -> Any:
    return fleet.world.perform("GetFleetCompliance", MaxResults=1, **request)


def test_it_counts_the_seven_states_as_the_api_does(console: Browser, fleet: Fleet) -> None:
    counts = told(fleet)["Counts"]
    body = console.get("/console/compliance").body
    shown = re.findall(r'href="/console/nodes\?State=(\w+)">\s*<span class="number">([\d,]+)</span>', body)
    assert {state: int(count.replace(",", "")) for state, count in shown} | {"Total": 1000} == counts
    assert len(shown) == 7


def test_what_is_not_known_is_not_called_compliant(console: Browser, fleet: Fleet) -> None:
    counts = told(fleet)["Counts"]
    assert counts["NeverScanned"]
    assert counts["Stale"]
    assert counts["Offline"]
    share = counts["Compliant"] * 100 // counts["Total"]
    assert f"<strong>{share} %</strong> are known to be compliant" in console.get("/console/compliance").body


@pytest.mark.parametrize("by", BY)
def test_each_table_has_the_counts_of_the_api(console: Browser, fleet: Fleet, by: str) -> None:
    groups = {one[by]: one["Counts"] for one in told(fleet, GroupBy=[by])["Groups"]}
    shown = {row.pop(by): {state: int(count) for state, count in row.items()} for row in table(console, by=by)}
    assert shown == groups


@pytest.mark.parametrize("by", BY)
def test_the_group_with_most_left_to_do_comes_first(console: Browser, by: str) -> None:
    left = [int(row["Total"]) - int(row["Compliant"]) for row in table(console, by=by)]
    assert left == sorted(left, reverse=True)


def test_every_count_leads_to_just_those_nodes(console: Browser) -> None:
    body = console.get("/console/compliance", by="PatchGroup").body
    links = re.findall(r'href="/console/nodes\?PatchGroup=([^&"]+)&amp;State=(\w+)">([\d,]+)</a>', body)
    assert any(group == "%28none%29" for group, _, _ in links)
    for group, state, count in links[:8]:
        query = {"PatchGroup": WITHOUT if group == "%28none%29" else group.replace("+", " "), "State": state}
        listed = console.get("/console/nodes", format="csv", **query).body
        assert len(listed.splitlines()) - 1 == int(count.replace(",", "")), (group, state)


def test_the_trend_has_each_day_as_the_history_does(console: Browser, fleet: Fleet) -> None:
    since = NOW - timedelta(days=DAYS - 1, hours=22)
    days = fleet.world.perform("GetComplianceHistory", Together=True, After=since, MaxResults=500)["Days"]
    shown = table(console, by="Day")
    assert [row["Day"] for row in shown] == [one["Day"] for one in reversed(days)]
    assert [int(row["Missing"]) for row in shown] == [one["Counts"]["Missing"] for one in reversed(days)]
    assert len(shown) == DAYS
    assert console.get("/console/compliance").body.count('<path class="fill-') == 7


def test_a_day_of_which_nothing_is_kept_leaves_a_gap() -> None:
    (layer,) = columns([{"Compliant": 5}, {}, {"Compliant": 10}], ["Compliant", "Missing"], height=100)
    assert layer.path == "M0.0 50.0h286.7v50.0h-286.7zM666.7 0.0h286.7v100.0h-286.7z"


def test_a_table_that_does_not_exist_is_refused_with_those_that_do(console: Browser) -> None:
    answer = console.get("/console/compliance", by="<b>Colour")
    assert answer.status == 400
    assert "use one of PatchGroup, Environment, OperatingSystem, Day" in answer.body
    assert "<b>Colour" not in answer.body


def test_without_nodes_it_claims_nothing(browser: Browser) -> None:
    body = browser.get("/console/compliance").body
    assert "nothing is known" in body
    assert "%</strong>" not in body
    assert "/console/activations/new" in body
