"""Patch groups: whose baseline is which and why, the windows that reach them, and giving one another baseline."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from tests.console.forms import fill, save
from tests.fakes.browser import Browser, Loaded
from tests.fakes.fleet import SCHEDULES, Fleet
from tests.fakes.site import Installation

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import default_for

PATH = "/console/groups/Web%20Server"
WEB = "/console/groups/Web Server"
DEBIAN = default_for(OperatingSystem.DEBIAN).baseline_id
RULE: dict[str, Any] = {"PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["Extra"]}]}}


@pytest.fixture
def own(fleet: Fleet) -> Iterator[str]:
    """Return a baseline of our own that nobody follows."""
    made = fleet.world.perform(
        "CreatePatchBaseline", Name="ours", OperatingSystem="DEBIAN", ApprovalRules={"PatchRules": [RULE]}
    )["BaselineId"]
    yield made
    for group in fleet.world.perform("GetPatchBaseline", BaselineId=made)["PatchGroups"]:
        fleet.world.perform("DeregisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup=group)
    fleet.world.perform("DeletePatchBaseline", BaselineId=made)


def follows(fleet: Fleet, group: str = "Web Server") -> str:
    answer = fleet.world.perform("GetPatchBaselineForPatchGroup", PatchGroup=group, OperatingSystem="DEBIAN")
    return str(answer["BaselineId"]).rpartition("/")[2]


def choose(console: Browser, baseline_id: str, system: str = "DEBIAN", path: str = WEB) -> Loaded:
    return console.post(path, fill(console.get(path).body, System=system, BaselineId=baseline_id, Step="show"))


def table(console: Browser, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(console.get(path, format="csv").body)))


def test_the_list_has_every_group_with_its_baselines(console: Browser, fleet: Fleet) -> None:
    rows = table(console, "/console/groups")
    assert {row["PatchGroup"] for row in rows} == set(SCHEDULES)
    told = fleet.world.perform("GetFleetCompliance", GroupBy=["PatchGroup", "OperatingSystem"], MaxResults=1)["Groups"]
    counts = {(one["PatchGroup"], one["OperatingSystem"]): one["Counts"]["Total"] for one in told if one["PatchGroup"]}
    assert {(row["PatchGroup"], row["OperatingSystem"]): int(row["InstanceCount"]) for row in rows} == counts
    assert "20 nodes have no patch group" in console.get("/console/groups").body


def test_a_group_says_which_windows_reach_it(console: Browser, fleet: Fleet) -> None:
    body = console.get(WEB).body
    assert f'/console/windows/{fleet.windows["Web Server"]}">Web Server patching</a>' in body
    assert "Nightly scan" in body, "it selects whoever has the tag"
    assert "Database Server patching" not in body


def test_another_baseline_is_shown_first_and_registered_then(console: Browser, fleet: Fleet, own: str) -> None:
    shown = choose(console, own)
    assert shown.status == 200
    (group,) = fleet.world.perform(
        "PreviewBaseline",
        Baseline={"OperatingSystem": "DEBIAN", "ApprovalRules": {"PatchRules": [RULE]}},
        PatchGroups=["Web Server"],
    )["Groups"]
    assert group["NoLongerApprovedCount"] > 1
    assert f"{group['NoLongerApprovedCount']} patches</summary>" in shown.body
    assert '<td class="old">the default, AWS-DebianDefaultPatchBaseline</td><td class="new">ours</td>' in shown.body
    assert follows(fleet) == DEBIAN
    assert save(console, WEB, shown).location == PATH
    assert follows(fleet) == own


def test_the_default_is_gone_back_to(console: Browser, fleet: Fleet, own: str) -> None:
    fleet.world.perform("RegisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="Web Server")
    assert "registered for the group" in console.get(WEB).body
    assert save(console, WEB, choose(console, "")).location == PATH
    assert follows(fleet) == DEBIAN


def test_one_registered_baseline_takes_the_place_of_another(console: Browser, fleet: Fleet, own: str) -> None:
    fleet.world.perform("RegisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="Web Server")
    assert save(console, WEB, choose(console, DEBIAN)).status == 303
    registered = fleet.world.perform("DescribePatchGroups")["Mappings"]
    assert [one["BaselineIdentity"]["BaselineName"] for one in registered] == ["AWS-DebianDefaultPatchBaseline"]
    assert save(console, WEB, choose(console, "")).status == 303
    assert fleet.world.perform("DescribePatchGroups")["Mappings"] == []


def test_what_is_followed_already_changes_nothing(console: Browser, fleet: Fleet) -> None:
    shown = choose(console, "")
    assert "Nothing: it is like that already" in shown.body
    assert save(console, WEB, shown).status == 303
    assert follows(fleet) == DEBIAN


def test_the_second_of_two_is_told_what_the_first_changed(console: Browser, fleet: Fleet, own: str) -> None:
    shown = choose(console, DEBIAN)
    fleet.world.perform("RegisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="Web Server")
    answer = save(console, WEB, shown)
    assert "Somebody else has changed it meanwhile" in answer.body
    assert follows(fleet) == own


def test_a_group_with_a_slash_in_its_name_has_its_page(console: Browser, fleet: Fleet, own: str) -> None:
    fleet.world.perform("RegisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="web/eu")
    assert "web%2Feu" in console.get("/console/groups").body
    assert "<h1>web/eu</h1>" in console.get("/console/groups/web/eu").body


@pytest.mark.parametrize("baseline_id", ["pb-00000000000000bad", "none"])
def test_a_baseline_that_is_not_there_is_refused(console: Browser, fleet: Fleet, baseline_id: str) -> None:
    assert choose(console, baseline_id).status == 400
    assert follows(fleet) == DEBIAN


def test_a_viewer_sees_no_forms_and_changes_nothing(viewer: Browser, fleet: Fleet, own: str) -> None:
    body = viewer.get(WEB).body
    assert "Show what changes" not in body
    assert viewer.post(WEB, {"BaselineId": own, "Step": "show"}).status == 400
    assert follows(fleet) == DEBIAN


def test_an_empty_fleet_has_no_group(here: Installation, browser: Browser) -> None:
    assert "There is no patch group" in browser.get("/console/groups").body
    assert browser.get("/console/groups/any").status == 404
    assert here.perform("DescribePatchGroups")["Mappings"] == []
