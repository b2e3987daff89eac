"""Inventory as clients ask for it: drawn from scans, or reported."""

import json
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fakes.api import Api
from tests.fakes.scans import SECURITY, facts_of, package, scan, update
from tests.fakes.site import DEBIAN

from patchwindow.domain.inventory import TYPES

INFORMATION: Final = "AWS:InstanceInformation"
NETWORK: Final = "AWS:Network"
RACK: Final = "Custom:Rack"
BAD: Final = facts_of([package("bash"), package("openssl", origin=SECURITY)], [update("openssl")])
CAPTURED: Final = "2026-03-14T08:00:00Z"


def put(api: Api, node: str, type_name: str, *entries: dict[str, str], **item: Any) -> dict[str, Any]:
    version = TYPES[type_name].version if type_name in TYPES else "1.0"
    given = {"TypeName": type_name, "SchemaVersion": version, "CaptureTime": CAPTURED, "Content": entries, **item}
    return api("PutInventory", InstanceId=node, Items=[given])


def condition(key: str, *values: str, type: str = "Equal") -> dict[str, Any]:
    return {"Key": key, "Values": values, "Type": type}


def ids(api: Api, *filters: dict[str, Any]) -> list[str]:
    given = {"Filters": list(filters)} if filters else {}
    return [entity["Id"] for page in api.pages("GetInventory", "Entities", MaxResults=1, **given) for entity in page]


def content(api: Api, node: str, type_name: str) -> list[dict[str, str]]:
    """Return the entries by both ways to ask for them, which are the same."""
    listed = api("ListInventoryEntries", InstanceId=node, TypeName=type_name)
    only = [condition(f"{INFORMATION}.InstanceId", node)]
    (entity,) = api("GetInventory", ResultAttributes=[{"TypeName": type_name}], Filters=only)["Entities"]
    found = entity["Data"].get(type_name, {"Content": []})
    assert found["Content"] == listed["Entries"]
    assert found.get("SchemaVersion") == listed.get("SchemaVersion")
    assert found.get("CaptureTime") == listed.get("CaptureTime")
    entries: list[dict[str, str]] = listed["Entries"]
    return entries


def test_a_node_is_shown_by_what_its_agent_said_of_it(api: Api) -> None:
    node = api.here.node(ping={**DEBIAN, "ComputerName": "db-1", "IPAddress": "192.0.2.7", "AgentName": "agent"})
    (entity,) = api("GetInventory")["Entities"]
    assert entity == {
        "Id": node,
        "Data": {
            INFORMATION: {
                "TypeName": INFORMATION,
                "SchemaVersion": "1.0",
                "CaptureTime": "2026-03-14T09:00:00Z",
                "Content": [
                    {
                        "AgentType": "agent",
                        "ComputerName": "db-1",
                        "InstanceId": node,
                        "IpAddress": "192.0.2.7",
                        "PlatformName": "Debian GNU/Linux",
                        "PlatformType": "Linux",
                        "PlatformVersion": "12",
                        "ResourceType": "ManagedInstance",
                        "InstanceStatus": "Active",
                    }
                ],
            }
        },
    }
    api.here.clock.advance(timedelta(hours=1))
    assert content(api, node, INFORMATION)[0]["InstanceStatus"] == "ConnectionLost"


def test_the_summary_of_patches_is_the_patch_state(api: Api) -> None:
    node = api.here.node(tags={"Patch Group": "web"})
    scan(api.here, node, BAD)
    (state,) = api.here.perform("DescribeInstancePatchStates", InstanceIds=[node])["InstancePatchStates"]
    (entry,) = content(api, node, "AWS:PatchSummary")
    counts = {name for name in entry if name.endswith("Count")}
    assert {name: entry[name] for name in counts} == {name: str(state[name]) for name in counts}
    assert entry["MissingCount"] == "1"
    assert entry["PatchGroup"] == "web"
    assert entry["BaselineId"] == state["BaselineId"]
    assert entry["OperationType"] == "Scan"
    assert entry["OperationEndTime"] == "2026-03-14T09:00:00Z"
    assert entry["ExecutionId"] == api("ListCommands")["Commands"][0]["CommandId"]


def test_views_of_patches_agree_with_each_other_whatever_the_baseline(api: Api) -> None:
    node = api.here.node()
    scan(api.here, node, BAD, installedAt=[1700000000, 0])
    patches = api.here.perform("DescribeInstancePatches", InstanceId=node)["Patches"]
    entries = content(api, node, "AWS:PatchCompliance")
    assert [(one["Title"], one["KBId"], one["State"], one["Severity"]) for one in entries] == [
        (one["Title"], one["KBId"], one["State"], one["Severity"]) for one in patches
    ]
    assert entries[0]["InstalledTime"] == "2023-11-14T22:13:20Z"
    items = api("ListComplianceItems", ResourceIds=[node])["ComplianceItems"]
    assert [(one["Title"], one["Status"], one["PatchState"]) for one in content(api, node, "AWS:ComplianceItem")] == [
        (one["Title"], one["Status"], one["Details"]["PatchState"]) for one in items
    ]
    (resource,) = api("ListResourceComplianceSummaries")["ResourceComplianceSummaryItems"]
    (summary,) = content(api, node, "AWS:ComplianceSummary")
    assert summary["Status"] == resource["Status"] == "NON_COMPLIANT"
    for kind in ("Compliant", "NonCompliant"):
        for name, count in resource[f"{kind}Summary"]["SeveritySummary"].items():
            assert summary[f"{kind}{name}"] == str(count)


def test_applications_are_the_packages_of_the_last_scan(api: Api) -> None:
    node = api.here.node()
    put(api, node, "AWS:Application", {"Name": "reported"})
    assert content(api, node, "AWS:Application") == [{"Name": "reported"}]
    scan(api.here, node, BAD, installedAt=[1700000000, 0])
    bash, openssl = content(api, node, "AWS:Application")
    assert bash == {
        "Name": "bash",
        "ApplicationType": "utils",
        "Version": "1",
        "Release": "",
        "Epoch": "",
        "InstalledTime": "2023-11-14T22:13:20Z",
        "Architecture": "amd64",
    }
    assert (openssl["Name"], "InstalledTime" in openssl) == ("openssl", False)


def test_a_node_that_was_never_scanned_has_nothing_of_patches(api: Api) -> None:
    node = api.here.node()
    for type_name in ("AWS:PatchSummary", "AWS:PatchCompliance", "AWS:ComplianceItem", "AWS:ComplianceSummary"):
        assert content(api, node, type_name) == []


def test_tags_are_inventory(api: Api) -> None:
    node = api.here.node(tags={"Role": "web"})
    api.here.node()
    assert content(api, node, "AWS:Tag") == [{"Key": "Role", "Value": "web"}]
    assert ids(api, condition("AWS:Tag.Value", "web")) == [node]


def test_nodes_are_found_by_what_they_have(api: Api) -> None:
    bad, other = api.here.node(), api.here.node(ping={**DEBIAN, "PlatformVersion": "11"})
    scan(api.here, bad, BAD)
    put(api, other, NETWORK, {"Name": "eth0", "IPV4": "192.0.2.1"}, {"Name": "eth1", "IPV4": "192.0.2.2"})
    assert ids(api) == sorted([bad, other])
    assert ids(api, condition("AWS:PatchSummary.MissingCount", "0", type="GreaterThan")) == [bad]
    assert ids(api, condition(f"{INFORMATION}.PlatformVersion", "12", type="LessThan")) == [other]
    assert ids(api, condition(f"{INFORMATION}.PlatformVersion", "12", type="NotEqual")) == [other]
    assert ids(api, condition(f"{NETWORK}.Name", "eth", type="BeginWith")) == [other]
    same_entry = condition(f"{NETWORK}.Name", "eth0"), condition(f"{NETWORK}.IPV4", "192.0.2.1")
    assert ids(api, *same_entry) == [other]
    assert ids(api, condition(f"{NETWORK}.Name", "eth0"), condition(f"{NETWORK}.IPV4", "192.0.2.2")) == []
    assert ids(api, condition("TypeName", NETWORK, "AWS:File", type="Exists")) == [other]
    assert ids(api, condition(f"{NETWORK}.Gateway", "false", type="Exists")) == [other]


def test_nodes_are_counted_by_what_they_have(api: Api) -> None:
    for version in ("11", "12", "12"):
        api.here.node(ping={**DEBIAN, "PlatformVersion": version})
    put(api, ids(api)[0], NETWORK, {"Name": "eth0"}, {"Name": "lo"})
    versions = {"Expression": f"{INFORMATION}.PlatformVersion"}
    nested = {"Expression": f"{NETWORK}.Name", "Aggregators": [versions]}
    group = {"Name": "Wired", "Filters": [condition("TypeName", NETWORK, type="Exists")]}
    # Past the model, which wants a type where AWS answers with the name of a group.
    asked = [versions, nested, {"Groups": [group]}]
    (entity,) = api.here.perform("GetInventory", Aggregators=asked)["Entities"]
    assert {name: data["Content"] for name, data in entity["Data"].items()} == {
        INFORMATION: [{"Count": "1", "PlatformVersion": "11"}, {"Count": "2", "PlatformVersion": "12"}],
        NETWORK: [
            {"Count": "1", "Name": "eth0", "PlatformVersion": "11"},
            {"Count": "1", "Name": "lo", "PlatformVersion": "11"},
        ],
        "Wired": [{"notMatchingCount": "2"}, {"matchingCount": "1"}],
    }
    only = [condition(f"{INFORMATION}.PlatformVersion", "12")]
    (entity,) = api("GetInventory", Aggregators=[versions], Filters=only)["Entities"]
    assert entity["Data"][INFORMATION]["Content"] == [{"Count": "2", "PlatformVersion": "12"}]


def test_entries_of_one_node_come_in_pages_and_can_be_filtered(api: Api) -> None:
    node = api.here.node()
    names = [f"eth{number}" for number in range(5)]
    put(api, node, NETWORK, *({"Name": name} for name in names))

    def listed(**request: Any) -> list[str]:
        pages = api.pages("ListInventoryEntries", "Entries", InstanceId=node, TypeName=NETWORK, **request)
        return [entry["Name"] for page in pages for entry in page]

    assert listed(MaxResults=2) == names
    assert listed(Filters=[condition("Name", "eth3")]) == ["eth3"]
    assert listed(Filters=[condition(f"{NETWORK}.Name", "eth3", "eth4", type="NotEqual")]) == names[:3]


def test_every_type_has_a_schema(api: Api) -> None:
    found = {one["TypeName"]: one for one in api("GetInventorySchema")["Schemas"]}
    assert found.keys() == TYPES.keys()
    application = found["AWS:Application"]
    assert (application["Version"], application["DisplayName"]) == ("1.1", "Application")
    assert {"Name": "PackageId", "DataType": "string"} in application["Attributes"]
    assert {"Name": "MissingCount", "DataType": "number"} in found["AWS:PatchSummary"]["Attributes"]
    assert api("GetInventorySchema", TypeName=NETWORK)["Schemas"] == [found[NETWORK]]
    assert api("GetInventorySchema", Aggregator=True)["Schemas"] == list(found.values())
    assert api("GetInventorySchema", SubType=True)["Schemas"] == []


def test_a_type_of_ones_own_has_the_attributes_that_were_reported(api: Api) -> None:
    first, second = api.here.node(), api.here.node()
    put(api, first, RACK, {"Row": "A"})
    put(api, second, RACK, {"Row": "B", "Place": "7"})
    (schema,) = api("GetInventorySchema", TypeName=RACK)["Schemas"]
    assert [one["Name"] for one in schema["Attributes"]] == ["Row", "Place"]
    assert ids(api, condition(f"{RACK}.Place", "7")) == [second]


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("GetInventory", {"Filters": [condition("Colour", "red")]}, "InvalidFilter"),
        ("GetInventory", {"Filters": [condition(f"{NETWORK}.Colour", "red")]}, "InvalidFilter"),
        ("GetInventory", {"Filters": [condition("TypeName", NETWORK)]}, "InvalidFilter"),
        ("GetInventory", {"Filters": [condition("TypeName", "AWS:No", type="Exists")]}, "InvalidFilter"),
        ("GetInventory", {"Filters": [condition(f"{NETWORK}.Name", "maybe", type="Exists")]}, "InvalidFilter"),
        ("GetInventory", {"ResultAttributes": [{"TypeName": "AWS:No"}]}, "InvalidResultAttributeException"),
        ("GetInventory", {"Aggregators": [{"Expression": "AWS:No.Name"}]}, "InvalidAggregatorException"),
        ("GetInventory", {"Aggregators": [{}]}, "InvalidAggregatorException"),
        ("GetInventory", {"NextToken": "made-up"}, "InvalidNextToken"),
        ("GetInventorySchema", {"TypeName": "AWS:No"}, "InvalidTypeNameException"),
        ("ListInventoryEntries", {"TypeName": "AWS:No"}, "InvalidTypeNameException"),
        ("DeleteInventory", {"TypeName": NETWORK}, "InvalidTypeNameException"),
        ("DeleteInventory", {"TypeName": RACK}, "InvalidTypeNameException"),
        (
            "DescribeInventoryDeletions",
            {"DeletionId": "01234567-89ab-4def-8123-456789abcdef"},
            "InvalidDeletionIdException",
        ),
    ],
)
def test_a_question_that_means_nothing_is_refused(
    api: Api, operation: str, request_: dict[str, Any], code: str
) -> None:
    node = {"InstanceId": api.here.node()} if operation == "ListInventoryEntries" else {}
    assert api.code(operation, **node, **request_) == code


def test_two_groups_of_one_name_are_refused(api: Api) -> None:
    group = {"Name": "A", "Filters": [condition("TypeName", NETWORK, type="Exists")]}
    assert api.code("GetInventory", Aggregators=[{"Groups": [group, group]}]) == "InvalidInventoryGroupException"


def test_the_entries_of_a_node_that_is_not_there_are_refused(api: Api) -> None:
    assert api.code("ListInventoryEntries", InstanceId="mi-" + "0" * 17, TypeName=NETWORK) == "InvalidInstanceId"


def test_what_nodes_reported_of_a_type_can_be_deleted(api: Api) -> None:
    nodes = [api.here.node() for _ in range(2)]
    for node in nodes:
        put(api, node, RACK, {"Row": "A"})
    summary = {
        "TotalCount": 2,
        "RemainingCount": 0,
        "SummaryItems": [{"Version": "1.0", "Count": 2, "RemainingCount": 0}],
    }
    assert api("DeleteInventory", TypeName=RACK, DryRun=True) == {"TypeName": RACK, "DeletionSummary": summary}
    assert content(api, nodes[0], RACK) == [{"Row": "A"}]
    made = api("DeleteInventory", TypeName=RACK)
    assert made == {"DeletionId": made["DeletionId"], "TypeName": RACK, "DeletionSummary": summary}
    assert content(api, nodes[0], RACK) == []
    (deletion,) = api("DescribeInventoryDeletions", DeletionId=made["DeletionId"])["InventoryDeletions"]
    assert (deletion["LastStatus"], deletion["DeletionSummary"]) == ("Complete", summary)
    assert api("DescribeInventoryDeletions")["InventoryDeletions"] == [deletion]


def test_deletions_come_the_latest_first_and_in_pages(api: Api) -> None:
    node = api.here.node()
    made = []
    for _ in range(3):
        put(api, node, RACK, {"Row": "A"})
        made.append(api("DeleteInventory", TypeName=RACK)["DeletionId"])
        api.here.clock.advance(timedelta(seconds=1))
    pages = api.pages("DescribeInventoryDeletions", "InventoryDeletions", MaxResults=2)
    assert [one["DeletionId"] for page in pages for one in page] == made[::-1]


def test_a_disabled_type_ignores_reports_until_a_greater_version_comes(api: Api) -> None:
    node = api.here.node()
    put(api, node, RACK, {"Row": "A"})
    api("DeleteInventory", TypeName=RACK, SchemaDeleteOption="DisableSchema")
    assert RACK in put(api, node, RACK, {"Row": "A"})["Message"]
    assert content(api, node, RACK) == []
    assert put(api, node, RACK, {"Row": "B"}, SchemaVersion="1.10") == {}
    assert content(api, node, RACK) == [{"Row": "B"}]


def test_a_deleted_type_is_unknown_and_can_be_made_anew(api: Api) -> None:
    node = api.here.node()
    put(api, node, RACK, {"Row": "A"})
    api("DeleteInventory", TypeName=RACK, SchemaDeleteOption="DeleteSchema")
    assert api.code("ListInventoryEntries", InstanceId=node, TypeName=RACK) == "InvalidTypeNameException"
    put(api, node, RACK, {"Place": "7"})
    (schema,) = api("GetInventorySchema", TypeName=RACK)["Schemas"]
    assert json.loads(json.dumps(schema["Attributes"])) == [{"Name": "Place", "DataType": "string"}]
