"""`patchwindow nodes`."""

import json
from datetime import UTC, datetime

from tests.unit.cli.fake import Answers, Members, refusal, run

from patchwindow.cli.exits import Exit

NODE = "mi-0123456789abcdef0"
INFORMATION = {
    "InstanceId": NODE,
    "PingStatus": "Online",
    "LastPingDateTime": datetime(2026, 7, 1, 2, 3, 4, tzinfo=UTC),
    "PlatformName": "Debian GNU/Linux",
    "PlatformVersion": "12",
    "ComputerName": "web-1.example",
}
STATE = {
    "InstanceId": NODE,
    "PatchGroup": "Web Server",
    "BaselineId": "pb-0123456789abcdef0",
    "MissingCount": 2,
    "OperationStartTime": datetime(2026, 7, 1, 2, 0, tzinfo=UTC),
    "OperationEndTime": datetime(2026, 7, 1, 2, 1, tzinfo=UTC),
    "Operation": "Scan",
}
TAGS = [{"Key": "Patch Group", "Value": "Web Server"}]


def page_by_page(members: Members) -> Members:
    """Answer the first node and a token, then the second node."""
    if "NextToken" not in members:
        return {"InstanceInformationList": [INFORMATION], "NextToken": "more"}
    return {"InstanceInformationList": [{**INFORMATION, "InstanceId": "mi-0123456789abcdef1", "Name": "db"}]}


def test_list_prints_a_table_of_all_pages() -> None:
    outcome = run("nodes", "list", answers={"DescribeInstanceInformation": page_by_page})
    assert outcome.exit_code == Exit.DONE
    assert outcome.stdout.splitlines() == [
        "NODE                  STATUS  LAST PING             PLATFORM             NAME",
        "mi-0123456789abcdef0  Online  2026-07-01T02:03:04Z  Debian GNU/Linux 12  web-1.example",
        "mi-0123456789abcdef1  Online  2026-07-01T02:03:04Z  Debian GNU/Linux 12  db",
    ]


def test_list_asks_for_the_nodes_with_given_tags_in_a_given_state() -> None:
    tags = ["--tag", "Environment=Test", "--tag", "Environment=Sandbox", "--tag", "Patch Group=RHEL"]
    outcome = run("nodes", "list", *tags, "--status", "Online")
    filters = [
        {"Key": "tag:Environment", "Values": ["Test", "Sandbox"]},
        {"Key": "tag:Patch Group", "Values": ["RHEL"]},
        {"Key": "PingStatus", "Values": ["Online"]},
    ]
    assert outcome.asked == [("DescribeInstanceInformation", {"Filters": filters})]


def test_show_prints_what_is_known_of_a_node() -> None:
    answers: Answers = {
        "DescribeInstanceInformation": {"InstanceInformationList": [INFORMATION]},
        "ListTagsForResource": {"TagList": TAGS},
        "DescribeInstancePatchStates": {"InstancePatchStates": [STATE]},
    }
    lines = run("nodes", "show", NODE, answers=answers).stdout.splitlines()
    assert "PlatformName      Debian GNU/Linux" in lines
    assert "Patch Group  Web Server" in lines
    assert "MissingCount        2" in lines
    as_json = json.loads(run("nodes", "show", NODE, "--json", answers=answers).stdout)
    assert as_json["Tags"] == TAGS
    assert as_json["PatchState"]["OperationEndTime"] == "2026-07-01T02:01:00Z"


def test_show_of_a_node_without_a_scan_says_so_on_standard_error() -> None:
    answers: Answers = {
        "DescribeInstanceInformation": {"InstanceInformationList": [INFORMATION]},
        "ListTagsForResource": {"TagList": []},
    }
    outcome = run("nodes", "show", NODE, answers=answers)
    assert outcome.exit_code == Exit.DONE
    assert "not scanned yet" in outcome.stderr


def test_show_of_a_node_that_does_not_exist_fails() -> None:
    outcome = run("nodes", "show", NODE)
    assert outcome.exit_code == Exit.FAILED
    assert outcome.stderr == f"patchwindow: no managed node '{NODE}'; `patchwindow nodes list` shows those there are\n"


def test_tag_sets_every_tag_in_one_request() -> None:
    outcome = run("nodes", "tag", NODE, "Patch Group=Web Server", "Owner=a=b")
    written = [{"Key": "Patch Group", "Value": "Web Server"}, {"Key": "Owner", "Value": "a=b"}]
    members = {"ResourceType": "ManagedInstance", "ResourceId": NODE, "Tags": written}
    assert outcome.asked == [("AddTagsToResource", members)]
    assert outcome.stderr == f"{NODE}: Patch Group=Web Server, Owner=a=b\n"


def test_untag_removes_the_keys() -> None:
    outcome = run("nodes", "untag", NODE, "Owner", "Patch Group")
    members = {"ResourceType": "ManagedInstance", "ResourceId": NODE, "TagKeys": ["Owner", "Patch Group"]}
    assert outcome.asked == [("RemoveTagsFromResource", members)]


def test_deregister_names_the_node_that_is_unknown() -> None:
    error = refusal("InvalidInstanceId", f"Instance {NODE} does not exist")
    outcome = run("nodes", "deregister", NODE, answers={"DeregisterManagedInstance": error})
    assert outcome.exit_code == Exit.FAILED
    assert NODE in outcome.stderr


def entries_page_by_page(members: Members) -> Members:
    """Answer one entry and a token, then another."""
    if "NextToken" not in members:
        return {"Entries": [{"Name": "eth0", "IPV4": "192.0.2.1"}], "NextToken": "more"}
    return {"Entries": [{"Name": "lo", "Gateway": "192.0.2.254"}]}


def test_inventory_prints_every_entry_with_the_attributes_of_all() -> None:
    outcome = run("nodes", "inventory", NODE, "Network", answers={"ListInventoryEntries": entries_page_by_page})
    assert outcome.exit_code == Exit.DONE
    assert [line.split() for line in outcome.stdout.splitlines()] == [
        ["NAME", "IPV4", "GATEWAY"],
        ["eth0", "192.0.2.1", "-"],
        ["lo", "-", "192.0.2.254"],
    ]
    asked = {"InstanceId": NODE, "TypeName": "AWS:Network"}
    assert outcome.asked == [
        ("ListInventoryEntries", asked),
        ("ListInventoryEntries", {**asked, "NextToken": "more"}),
    ]


def test_inventory_shows_applications_unless_another_type_is_named() -> None:
    answers: Answers = {"ListInventoryEntries": {"Entries": [{"Name": "bash", "Version": "5.2"}]}}
    outcome = run("nodes", "inventory", NODE, "--json", answers=answers)
    assert json.loads(outcome.stdout) == [{"Name": "bash", "Version": "5.2"}]
    assert outcome.asked == [("ListInventoryEntries", {"InstanceId": NODE, "TypeName": "AWS:Application"})]


def test_inventory_of_what_a_node_has_not_says_so_on_standard_error() -> None:
    outcome = run("nodes", "inventory", NODE, "Custom:Rack", answers={"ListInventoryEntries": {"Entries": []}})
    assert outcome.exit_code == Exit.DONE
    assert f"{NODE} has nothing of Custom:Rack" in outcome.stderr


def test_inventory_lists_the_types_there_are() -> None:
    attributes = [{"Name": name, "DataType": "string"} for name in ("Key", "Value")]
    schema = {"TypeName": "AWS:Tag", "Version": "1.0", "Attributes": attributes}
    outcome = run("nodes", "inventory", NODE, "types", answers={"GetInventorySchema": {"Schemas": [schema]}})
    assert [line.split(maxsplit=2) for line in outcome.stdout.splitlines()] == [
        ["TYPE", "VERSION", "ATTRIBUTES"],
        ["AWS:Tag", "1.0", "Key, Value"],
    ]


def test_duplicates_prints_which_nodes_may_be_one_machine() -> None:
    twice = {
        "InstanceId": NODE,
        "PingStatus": "ConnectionLost",
        "RegistrationDate": datetime(2026, 7, 1, tzinfo=UTC),
        "LastPingDateTime": datetime(2026, 7, 1, 2, 3, 4, tzinfo=UTC),
        "Name": "web-1",
        "SameMachineAs": ["mi-0123456789abcdef1"],
    }
    outcome = run("nodes", "duplicates", answers={"ListSameMachineInstances": {"Instances": [twice]}})
    assert outcome.stdout.splitlines()[1].split() == [
        NODE,
        "ConnectionLost",
        "2026-07-01T00:00:00Z",
        "2026-07-01T02:03:04Z",
        "web-1",
        "mi-0123456789abcdef1",
    ]


def test_replace_says_what_went_from_one_node_to_the_other() -> None:
    done = {"TagCount": 2, "WindowCount": 1, "AssociationCount": 0}
    outcome = run("nodes", "replace", NODE, "mi-0123456789abcdef1", answers={"ReplaceInstance": done})
    assert outcome.asked == [("ReplaceInstance", {"InstanceId": NODE, "ReplacementId": "mi-0123456789abcdef1"})]
    assert outcome.stderr == (
        f"mi-0123456789abcdef1: in the place of {NODE}, with 2 of its tags, in 1 windows and 0 associations; "
        f"{NODE} is deregistered\n"
    )
