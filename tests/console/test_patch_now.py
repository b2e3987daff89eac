"""Scan or patch now: who and what is shown before anything is sent."""

import re
from collections.abc import Sequence

import pytest
from tests.console.forms import save, weigh
from tests.fakes.browser import Browser
from tests.fakes.fleet import HOSTILE, Fleet
from tests.fakes.site import Installation

PAGE = "/console/patch-now"


def sent(fleet: Fleet) -> list[str]:
    return [one["CommandId"] for one in fleet.world.perform("ListCommands")["Commands"]]


def size(fleet: Fleet, group: str) -> int:
    return sum(one.group == group for one in fleet.members)


def test_what_would_happen_is_shown_and_nothing_is_sent(console: Browser, fleet: Fleet) -> None:
    before = sent(fleet)
    asked = {"PatchGroups": "Web Server", "Operation": "Install", "MaxConcurrency": "10%", "MaxErrors": "2"}
    body = weigh(console, PAGE, asked).body
    count = size(fleet, "Web Server")
    told = fleet.world.perform("PreviewPatching", Targets=[{"Key": "tag:Patch Group", "Values": ["Web Server"]}])
    assert f"This installs patches on {count} nodes, now" in body
    assert "No window and no freeze is asked" in body
    assert "A node reboots where a patch needs it" in body
    assert f"{told['PatchCount']} approved patches are missing" in body
    assert f"At most {-(-count // 10)} nodes at a time" in body
    assert "When more than 2 nodes failed" in body
    assert all(one["InstanceId"] in body for one in told["Instances"][:10])
    assert f"Patch {count} nodes now" in body
    assert sent(fleet) == before


def test_once_that_was_seen_it_is_sent_just_so(console: Browser, fleet: Fleet) -> None:
    node = fleet.members[5].node_id
    weighed = weigh(
        console,
        PAGE,
        {"InstanceIds": node, "Operation": "Install", "RebootOption": "NoReboot", "Comment": "openssl tonight"},
    )
    assert "No node reboots" in weighed.body
    answer = save(console, PAGE, weighed)
    command_id = answer.location.rpartition("/")[2]
    (told,) = fleet.world.perform("ListCommands", CommandId=command_id)["Commands"]
    assert answer.location == f"/console/commands/{command_id}"
    assert told["DocumentName"] == "AWS-RunPatchBaseline"
    assert told["Parameters"] == {"Operation": ["Install"], "RebootOption": ["NoReboot"]}
    assert (told["InstanceIds"], told["Comment"], told["TargetCount"]) == ([node], "openssl tonight", 1)
    assert (told["MaxConcurrency"], told["MaxErrors"]) == ("50", "0")


def test_it_cannot_be_sent_unseen(console: Browser, fleet: Fleet) -> None:
    before = sent(fleet)
    fields = {"InstanceIds": fleet.members[5].node_id, "Operation": "Install", "RebootOption": "NoReboot"}
    answer = console.post(PAGE, {**fields, "Step": "save"})
    assert "Patch 1 node now" in answer.body or "changed" in answer.body
    assert sent(fleet) == before


def test_fields_that_were_changed_after_that_are_shown_anew(console: Browser, fleet: Fleet) -> None:
    before = sent(fleet)
    weighed = weigh(console, PAGE, {"InstanceIds": fleet.members[5].node_id, "Operation": "Scan"})
    answer = save(console, PAGE, weighed, {"Operation": "Install"})
    assert "This installs patches on 1 node, now" in answer.body
    assert sent(fleet) == before


def test_nodes_that_came_meanwhile_are_shown_before_they_are_patched(console: Browser, fleet: Fleet) -> None:
    before = sent(fleet)
    weighed = weigh(console, PAGE, {"PatchGroups": "Database Server", "Operation": "Install"})
    spare = next(one.node_id for one in fleet.members if not one.group)
    where = {"ResourceType": "ManagedInstance", "ResourceId": spare}
    fleet.world.perform("AddTagsToResource", **where, Tags=[{"Key": "Patch Group", "Value": "Database Server"}])
    try:
        answer = save(console, PAGE, weighed)
        assert answer.status == 200
        assert "meanwhile" in answer.body
        assert sent(fleet) == before
    finally:
        fleet.world.perform("RemoveTagsFromResource", **where, TagKeys=["Patch Group"])


def test_a_scan_says_that_it_installs_nothing(console: Browser) -> None:
    body = weigh(console, PAGE, {"PatchGroups": "Web Server\nDatabase Server", "Operation": "Scan"}).body
    assert "Nothing is installed, and no node reboots" in body
    assert "Missing patches" not in body


def test_groups_and_tags_must_both_fit(console: Browser, fleet: Fleet) -> None:
    body = weigh(console, PAGE, {"PatchGroups": "Web Server", "Tags": "Environment=Production"}).body
    count = sum(one.group == "Web Server" and one.environment == "Production" for one in fleet.members)
    assert f"This scans {count} nodes, now" in body


def test_nodes_of_which_nothing_is_heard_or_known_are_told(console: Browser, fleet: Fleet) -> None:
    some = [one.node_id for one in fleet.members if one.number in (8, 39)]
    body = weigh(console, PAGE, {"InstanceIds": "\n".join(some), "Operation": "Install"}).body
    assert "Of 1 node nothing is heard" in body
    assert "1 node was never scanned" in body


def test_a_hostile_name_stays_text_when_it_is_shown(console: Browser, fleet: Fleet) -> None:
    body = weigh(console, PAGE, {"InstanceIds": fleet.members[7].node_id, "Operation": "Install"}).body
    assert HOSTILE not in body
    assert "&lt;script&gt;" in body


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({}, "PatchGroups", "name the nodes"),
        ({"PatchGroups": "nobody"}, "PatchGroups", "no node is there"),
        ({"Tags": "Role"}, "Tags", "KEY=VALUE"),
        ({"InstanceIds": "mi-00000000000000001", "Tags": "Role=web"}, "InstanceIds", "not both"),
        ({"PatchGroups": "Web Server", "MaxConcurrency": "0"}, "MaxConcurrency", "percentage"),
        ({"PatchGroups": "Web Server", "MaxErrors": "many"}, "MaxErrors", "percentage"),
        ({"PatchGroups": "Web Server", "Comment": "x" * 101}, "Comment", "100"),
        ({"PatchGroups": "Web Server", "Operation": "Destroy"}, "Operation", "use one of Scan, Install"),
        ({"PatchGroups": "Web Server", "RebootOption": "Always"}, "RebootOption", "use one of RebootIfNeeded"),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    console: Browser, fields: dict[str, str | Sequence[str]], field: str, said: str
) -> None:
    answer = weigh(console, PAGE, fields)
    assert answer.status == 400
    problem = re.search(rf'id="problem-{field}">(.*?)</p>', answer.body)
    assert problem is not None, answer.body
    assert said in problem[1]
    assert "nodes now</button>" not in answer.body


def test_an_id_that_is_none_is_refused_where_it_stands(console: Browser) -> None:
    answer = weigh(console, PAGE, {"InstanceIds": "web-01"})
    assert answer.status == 400
    assert "web-01" in answer.body


def test_a_node_that_is_not_there_is_said_before_anything_is_sent(console: Browser, fleet: Fleet) -> None:
    answer = weigh(console, PAGE, {"InstanceIds": f"{fleet.members[5].node_id}\nmi-0000000000000dead"})
    assert answer.status == 400
    assert "mi-0000000000000dead" in answer.body
    assert "now</button>" not in answer.body


def test_a_link_fills_the_form(console: Browser, fleet: Fleet) -> None:
    node = fleet.members[5].node_id
    body = console.get(PAGE, node=node, Operation="Install", RebootOption="NoReboot").body
    assert f">{node}</textarea>" in body
    assert '<option value="Install" selected>' in body
    assert '<option value="NoReboot" selected>' in body


def test_without_nodes_nothing_can_be_sent(browser: Browser, here: Installation) -> None:
    assert browser.get(PAGE).status == 200
    assert weigh(browser, PAGE, {"PatchGroups": "web"}).status == 400
    assert here.perform("ListCommands")["Commands"] == []


def test_a_viewer_is_told_to_ask(viewer: Browser) -> None:
    answer = viewer.get(PAGE)
    assert answer.status == 403
    assert "operator" in answer.body
    assert viewer.post(PAGE, {"PatchGroups": "Web Server", "Operation": "Install", "Step": "save"}).status in (400, 403)
