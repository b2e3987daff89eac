"""Baselines: what they say, who follows them, and editing them with the consequences shown first."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from tests.console.forms import fill, save, weigh
from tests.fakes.browser import Browser
from tests.fakes.fleet import HOSTILE, Fleet
from tests.fakes.site import Installation

DEBIAN = "pb-09a5f8eb62bde80b1"
RULE: dict[str, Any] = {
    "PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["Required", "Important", "Optional"]}]}
}
OTHER_RULE: dict[str, Any] = {"PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["Extra"]}]}}


@pytest.fixture
def own(fleet: Fleet) -> Iterator[str]:
    """Return a baseline of our own that the web servers with Debian follow."""
    made = fleet.world.perform(
        "CreatePatchBaseline", Name="ours", OperatingSystem="DEBIAN", ApprovalRules={"PatchRules": [RULE]}
    )["BaselineId"]
    fleet.world.perform("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup="Web Server")
    fleet.world.turn()
    yield made
    fleet.world.perform("RegisterDefaultPatchBaseline", BaselineId=DEBIAN)
    for group in fleet.world.perform("GetPatchBaseline", BaselineId=made)["PatchGroups"]:
        fleet.world.perform("DeregisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup=group)
    fleet.world.perform("DeletePatchBaseline", BaselineId=made)


def read(fleet: Fleet, baseline_id: str) -> dict[str, Any]:
    return fleet.world.perform("GetPatchBaseline", BaselineId=baseline_id)


def count(fleet: Fleet, **by: str) -> int:
    filters = [{"Key": key, "Values": [value]} for key, value in by.items()]
    total: int = fleet.world.perform("GetFleetCompliance", Filters=filters, MaxResults=1)["Counts"]["Total"]
    return total


def test_the_list_says_how_many_nodes_follow_each(console: Browser, fleet: Fleet, own: str) -> None:
    rows = {
        row["BaselineId"]: row
        for row in csv.DictReader(io.StringIO(console.get("/console/baselines", format="csv").body))
    }
    web = count(fleet, PatchGroup="Web Server", OperatingSystem="DEBIAN")
    assert int(rows[own]["InstanceCount"]) == web > 0
    assert int(rows[DEBIAN]["InstanceCount"]) == count(fleet, OperatingSystem="DEBIAN") - web
    assert rows[own]["PatchGroupCount"] == "1"


@pytest.mark.parametrize(
    ("query", "names"),
    [({"owner": "Self"}, {"ours"}), ({"system": "DEBIAN", "owner": "AWS"}, {"AWS-DebianDefaultPatchBaseline"})],
)
@pytest.mark.usefixtures("own")
def test_the_list_is_narrowed(console: Browser, query: dict[str, str], names: set[str]) -> None:
    body = console.get("/console/baselines", format="csv", **query).body
    assert {row["Name"] for row in csv.DictReader(io.StringIO(body))} == names


def test_a_baseline_is_told_in_words(console: Browser, own: str) -> None:
    body = console.get(f"/console/baselines/{own}").body
    assert "Approves PRIORITY Required or Important or Optional" in body
    assert 'href="/console/groups/Web%20Server"' in body


def test_a_predefined_one_is_copied_and_not_edited(console: Browser) -> None:
    body = console.get(f"/console/baselines/{DEBIAN}").body
    assert f"/console/baselines/{DEBIAN}/edit" not in body
    assert f"/console/baselines/new?copy={DEBIAN}" in body
    refused = console.get(f"/console/baselines/{DEBIAN}/edit")
    assert refused.status == 400
    assert "is predefined and cannot be changed; copy it" in refused.body


def test_an_edit_shows_its_consequences_and_saves_nothing(console: Browser, fleet: Fleet, own: str) -> None:
    before = read(fleet, own)
    shown = weigh(console, f"/console/baselines/{own}/edit", {"Rule.0.PRIORITY": ["Extra"]})
    assert shown.status == 200
    assert "No longer approved" in shown.body
    proposed = {"OperatingSystem": "DEBIAN", "ApprovalRules": {"PatchRules": [OTHER_RULE]}}
    (group,) = fleet.world.perform("PreviewBaseline", BaselineId=own, Baseline=proposed)["Groups"]
    assert group["NoLongerApprovedCount"] > 1
    assert f"{group['NoLongerApprovedCount']} patches</summary>" in shown.body
    assert f"{group['NoLongerApproved'][0]['Title']} <span" in shown.body
    assert read(fleet, own) == before


def test_the_consequences_say_when_they_first_take_effect(console: Browser, fleet: Fleet, own: str) -> None:
    shown = weigh(console, f"/console/baselines/{own}/edit", {"Rule.0.PRIORITY": ["Extra"]})
    # The first Thursday of January, as the nightly scan installs nothing.
    assert re.search(
        rf'The next opening that installs by it is that of <a href="/console/windows/{fleet.windows["Web Server"]}">Web Server patching</a> on '
        r'<time datetime="2027-01-07T22:00:00Z"', shown.body,
    )  # fmt: skip


def test_saving_after_that_saves_just_that(console: Browser, fleet: Fleet, own: str) -> None:
    path = f"/console/baselines/{own}/edit"
    changes: dict[str, str | list[str]] = {
        "Rule.0.PRIORITY": ["Extra"],
        "Description": "",
        "RejectedPatches": "bash\n\nvim\n",
    }
    saved = save(console, path, weigh(console, path, changes))
    assert saved.location == f"/console/baselines/{own}"
    now = read(fleet, own)
    assert [rule["PatchFilterGroup"] for rule in now["ApprovalRules"]["PatchRules"]] == [OTHER_RULE["PatchFilterGroup"]]
    assert now["RejectedPatches"] == ["bash", "vim"]
    assert now["Name"] == "ours"
    assert "ours is saved" in console.follow(saved).body


def test_what_was_changed_after_its_consequences_is_not_saved(console: Browser, fleet: Fleet, own: str) -> None:
    path = f"/console/baselines/{own}/edit"
    answer = save(console, path, weigh(console, path, {"Rule.0.PRIORITY": ["Extra"]}), {"Name": "another"})
    assert "Not saved yet" in answer.body
    assert 'value="another"' in answer.body
    assert read(fleet, own)["Name"] == "ours"
    assert save(console, path, answer).status == 303
    assert read(fleet, own)["Name"] == "another"


def test_saving_at_once_shows_the_consequences_first(console: Browser, fleet: Fleet, own: str) -> None:
    path = f"/console/baselines/{own}/edit"
    answer = console.post(path, fill(console.get(path).body, {"Name": "another"}, Step="save"))
    assert "What changes" in answer.body
    assert read(fleet, own)["Name"] == "ours"


def test_the_second_of_two_is_told_what_the_first_changed(console: Browser, fleet: Fleet, own: str) -> None:
    path = f"/console/baselines/{own}/edit"
    shown = weigh(console, path, {"Name": "second"})
    fleet.world.perform("UpdatePatchBaseline", BaselineId=own, Name="first", RejectedPatches=["vim"])
    answer = save(console, path, shown)
    assert "Somebody else has changed it meanwhile" in answer.body
    assert '<td>Name</td><td class="old">ours</td><td class="new">first</td>' in answer.body
    assert '<td>Rejected by name</td><td class="old">—</td><td class="new">vim</td>' in answer.body
    assert 'value="second"' in answer.body, "what was typed is kept"
    assert 'value="save"' not in answer.body
    assert read(fleet, own)["Name"] == "first"
    again = console.post(path, fill(answer.body, Step="show"))
    assert save(console, path, again).status == 303
    assert read(fleet, own)["Name"] == "second"


def test_every_wrong_value_is_said_at_its_field_and_input_is_kept(console: Browser, own: str) -> None:
    wrong: dict[str, str | list[str]] = {
        "Name": "a b", "Rule.0.PRIORITY": ["Nope"], "Rule.0.Days": "soon", "Rule.0.Until": "2026-02-30",
        "ApprovedPatches": "ba*h", "RejectedPatches": "?? ??",
    }  # fmt: skip
    answer = weigh(console, f"/console/baselines/{own}/edit", wrong)
    assert answer.status == 400
    told = dict(re.findall(r'id="problem-([^"]+)">.*?</svg>(.*?)</p>', answer.body, re.DOTALL))
    assert {name for name in wrong if name in told} == set(wrong)
    assert told["Name"] == "must have 3 to 128 letters, digits, _, - and ., and no blanks"
    assert "soon" in unescape(told["Rule.0.Days"])
    assert 'value="soon"' in answer.body
    assert 'value="a b"' in answer.body
    assert 'value="save"' not in answer.body


def test_rules_are_added_and_left_out(console: Browser, fleet: Fleet, own: str) -> None:
    path = f"/console/baselines/{own}/edit"
    added = console.post(path, fill(console.get(path).body, {"Name": "kept"}, Step="add"))
    assert 'name="Rule.1.Days"' in added.body
    assert 'value="kept"' in added.body
    shown = console.post(path, fill(added.body, {"Rule.0.Remove": "true", "Rule.1.PRIORITY": ["Extra"]}, Step="show"))
    assert save(console, path, shown).status == 303
    (rule,) = read(fleet, own)["ApprovalRules"]["PatchRules"]
    assert rule["PatchFilterGroup"] == OTHER_RULE["PatchFilterGroup"]


def test_a_copy_begins_with_what_is_copied(console: Browser, fleet: Fleet) -> None:
    path = f"/console/baselines/new?copy={DEBIAN}"
    shown = weigh(console, path, {"Name": "copied"})
    assert "No node that was scanned follows it" in shown.body
    made = save(console, path, shown).location.rpartition("/")[2]
    now, predefined = read(fleet, made), read(fleet, DEBIAN)
    for member in ("OperatingSystem", "GlobalFilters", "ApprovalRules", "ApprovedPatches", "RejectedPatchesAction"):
        assert now[member] == predefined[member], member
    fleet.world.perform("DeletePatchBaseline", BaselineId=made)


def test_a_new_one_begins_with_a_system(console: Browser) -> None:
    assert "Copy another one" in console.get("/console/baselines/new").body
    body = console.get("/console/baselines/new", system="WINDOWS").body
    assert "MSRC_SEVERITY" in body
    assert "A security update that is offered" in body
    assert console.get("/console/baselines/new", system="PLAN9").status == 400


def test_another_default_is_shown_first_and_made_then(console: Browser, fleet: Fleet, own: str) -> None:
    path = f"/console/baselines/{own}"
    asked = {"Do": "default", "Step": "show"}
    shown = console.post(path, {**fill(console.get(path).body), **{name: [value] for name, value in asked.items()}})
    # All nodes of Debian then follow it; those that were never scanned cannot be looked at.
    preview = fleet.world.perform(
        "PreviewBaseline",
        Baseline={"OperatingSystem": "DEBIAN", "ApprovalRules": {"PatchRules": [RULE]}},
        IsDefault=True,
    )
    assert f"{preview['InstanceCount']} nodes" in shown.body
    assert fleet.world.perform("GetDefaultPatchBaseline", OperatingSystem="DEBIAN")["BaselineId"].endswith(DEBIAN)
    assert save(console, path, shown).location == path
    assert fleet.world.perform("GetDefaultPatchBaseline", OperatingSystem="DEBIAN")["BaselineId"] == own


def test_one_that_is_followed_is_not_deleted(console: Browser, fleet: Fleet, own: str) -> None:
    path = f"/console/baselines/{own}"
    refused = console.post(path, fill(console.get(path).body, Do="delete", Step="show"))
    assert refused.status == 400
    assert "is used for Patch Group: Web Server; deregister it there first" in refused.body
    assert read(fleet, own)["Name"]


def test_one_that_nobody_follows_is_deleted(console: Browser, fleet: Fleet) -> None:
    made = fleet.world.perform("CreatePatchBaseline", Name="spare", OperatingSystem="DEBIAN")["BaselineId"]
    path = f"/console/baselines/{made}"
    shown = console.post(path, fill(console.get(path).body, Do="delete", Step="show"))
    assert "It cannot be brought back" in shown.body
    assert save(console, path, shown).location == "/console/baselines"
    assert console.get(path).status == 404


def test_one_that_a_plan_made_points_to_the_plan(console: Browser, fleet: Fleet, own: str) -> None:
    tags = [{"Key": "patchwindow:plan", "Value": "fleet"}, {"Key": "patchwindow:name", "Value": "linux"}]
    fleet.world.perform("AddTagsToResource", ResourceType="PatchBaseline", ResourceId=own, Tags=tags)
    for path in (f"/console/baselines/{own}", f"/console/baselines/{own}/edit"):
        assert "Made by the plan <strong>fleet</strong>, there called <strong>linux</strong>" in console.get(path).body


def test_hostile_words_stay_words(console: Browser, fleet: Fleet, own: str) -> None:
    fleet.world.perform("UpdatePatchBaseline", BaselineId=own, Description=HOSTILE)
    for path in (f"/console/baselines/{own}", f"/console/baselines/{own}/edit"):
        assert HOSTILE not in console.get(path).body
    shown = weigh(console, f"/console/baselines/{own}/edit", {"Description": HOSTILE + "2"})
    assert HOSTILE not in shown.body
    assert "&lt;script&gt;" in shown.body


def test_a_viewer_sees_no_buttons_and_changes_nothing(viewer: Browser, fleet: Fleet, own: str) -> None:
    body = viewer.get(f"/console/baselines/{own}").body
    assert "/edit" not in body
    assert 'value="default"' not in body
    assert "/console/baselines/new" not in viewer.get("/console/baselines").body
    assert viewer.get(f"/console/baselines/{own}/edit").status == 403
    assert viewer.get("/console/baselines/new").status == 403
    sent = viewer.post(f"/console/baselines/{own}/edit", {"Name": "mine", "RuleCount": "0", "Step": "show"})
    assert sent.status == 403
    assert read(fleet, own)["Name"] == "ours"


def test_an_empty_fleet_has_the_predefined_ones(here: Installation, browser: Browser) -> None:
    body = browser.get("/console/baselines", format="csv").body
    rows = list(csv.DictReader(io.StringIO(body)))
    assert len(rows) == len(here.perform("DescribePatchBaselines", MaxResults=100)["BaselineIdentities"])
    assert {row["InstanceCount"] for row in rows} == {"0"}
