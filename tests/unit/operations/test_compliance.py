"""Compliance through the operations of the API."""

from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.scans import SECURITY, facts_of, package, scan, update
from tests.fakes.site import DEBIAN, Installation

from patchwindow.domain.errors import Invalid, InvalidFilter, InvalidResourceId, InvalidResourceType, UnknownResource

BAD = facts_of([package("bash"), package("openssl", origin=SECURITY)], [update("openssl")])
CLEAN = facts_of([package("bash")])
NO_SEVERITY = {f"{level}Count": 0 for level in ("Critical", "High", "Medium", "Low", "Informational", "Unspecified")}


def critical_baseline(here: Installation) -> None:
    rule = {
        "PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["*"]}]},
        "ComplianceLevel": "CRITICAL",
        "ApproveAfterDays": 0,
    }
    made = here.perform(
        "CreatePatchBaseline", Name="own", OperatingSystem="DEBIAN", ApprovalRules={"PatchRules": [rule]}
    )
    here.perform("RegisterDefaultPatchBaseline", BaselineId=made["BaselineId"])


def condition(key: str, values: list[str], type_: str = "EQUAL") -> dict[str, Any]:
    return {"Key": key, "Values": values, "Type": type_}


def items(here: Installation, node: str, *filters: dict[str, Any], **request: Any) -> list[dict[str, Any]]:
    pages = here.pages("ListComplianceItems", "ComplianceItems", ResourceIds=[node], Filters=list(filters), **request)
    return [item for page in pages for item in page]


def titles(here: Installation, node: str, *filters: dict[str, Any]) -> list[str]:
    return [item["Title"] for item in items(here, node, *filters)]


def resources(here: Installation, *filters: dict[str, Any], **request: Any) -> list[dict[str, Any]]:
    pages = here.pages(
        "ListResourceComplianceSummaries", "ResourceComplianceSummaryItems", Filters=list(filters), **request
    )
    return [item for page in pages for item in page]


def ids(here: Installation, *filters: dict[str, Any], **request: Any) -> list[str]:
    return [item["ResourceId"] for item in resources(here, *filters, **request)]


def test_each_patch_is_one_item(here: Installation) -> None:
    critical_baseline(here)
    node = here.node(tags={"Patch Group": "web"})
    scan(here, node, BAD, installedAt=[1700000000, 0])
    command = here.perform("ListCommands")["Commands"][0]["CommandId"]
    baseline = here.perform("GetDefaultPatchBaseline", OperatingSystem="DEBIAN")["BaselineId"]
    execution = {"ExecutionTime": here.clock.now(), "ExecutionId": command, "ExecutionType": "Command"}
    details = {
        "PatchBaselineId": baseline,
        "PatchGroup": "web",
        "PatchSeverity": "optional",
        "DocumentName": "AWS-RunPatchBaseline",
        "DocumentVersion": "1",
    }
    same = {
        "ComplianceType": "Patch",
        "ResourceType": "ManagedInstance",
        "ResourceId": node,
        "ExecutionSummary": execution,
    }
    assert items(here, node) == [
        {
            **same,
            "Id": "bash.amd64",
            "Title": "bash.amd64:1",
            "Status": "COMPLIANT",
            "Severity": "UNSPECIFIED",
            "Details": {
                **details,
                "PatchState": "InstalledOther",
                "Classification": "",
                "InstalledTime": "2023-11-14T22:13:20Z",
            },
        },
        {
            **same,
            "Id": "openssl.amd64",
            "Title": "openssl.amd64:1",
            "Status": "COMPLIANT",
            "Severity": "CRITICAL",
            "Details": {**details, "PatchState": "Installed", "Classification": "Security", "InstalledTime": ""},
        },
        {
            **same,
            "Id": "openssl.amd64",
            "Title": "openssl.amd64:2",
            "Status": "NON_COMPLIANT",
            "Severity": "CRITICAL",
            "Details": {**details, "PatchState": "Missing", "Classification": "Security", "InstalledTime": ""},
        },
    ]


def test_items_can_be_filtered(here: Installation) -> None:
    node = here.node(tags={"Patch Group": "web"})
    scan(here, node, BAD)
    bash, old, new = titles(here, node)
    assert titles(here, node, condition("Status", ["NON_COMPLIANT"])) == [new]
    assert titles(here, node, condition("PatchState", ["Missing", "InstalledOther"])) == [bash, new]
    assert titles(here, node, condition("PatchState", ["Missing"], "NOT_EQUAL")) == [bash, old]
    assert titles(here, node, condition("Title", ["openssl"], "BEGIN_WITH")) == [old, new]
    assert titles(here, node, condition("Id", ["openssl.amd64"]), condition("Status", ["COMPLIANT"])) == [old]
    assert titles(here, node, condition("PatchGroup", ["web"])) == [bash, old, new]
    assert titles(here, node, condition("DocumentName", ["AWS-RunPatchBaseline"])) == [bash, old, new]
    assert titles(here, node, condition("ExecutionTime", ["2026-03-14T09:00:01Z"], "LESS_THAN")) == [bash, old, new]
    assert titles(here, node, condition("ExecutionTime", ["2026-03-14T09:00:00Z"], "GREATER_THAN")) == []
    assert titles(here, node, {"Key": "Classification", "Values": ["Security"]}) == [old, new]


def test_items_come_in_pages(here: Installation) -> None:
    node = here.node()
    scan(here, node, BAD)
    assert items(here, node, MaxResults=1) == items(here, node)


def test_items_and_patches_agree(here: Installation) -> None:
    node = here.node()
    scan(here, node, BAD)
    patches = here.perform("DescribeInstancePatches", InstanceId=node)["Patches"]
    assert [(item["Id"], item["Title"], item["Details"]["PatchState"]) for item in items(here, node)] == [
        (patch["KBId"], patch["Title"], patch["State"]) for patch in patches
    ]


def test_items_are_of_exactly_one_node(here: Installation) -> None:
    node = here.node()
    assert items(here, node) == []
    assert items(here, node, ResourceTypes=["ManagedInstance"]) == []
    with pytest.raises(InvalidResourceId, match="ResourceIds names 0 resources"):
        here.perform("ListComplianceItems")
    with pytest.raises(InvalidResourceId, match="ResourceIds names 2 resources"):
        here.perform("ListComplianceItems", ResourceIds=[node, node])
    with pytest.raises(InvalidResourceType, match="only ManagedInstance resources"):
        items(here, node, ResourceTypes=["Bucket"])
    with pytest.raises(UnknownResource, match="no ManagedInstance 'mi-0'"):
        items(here, "mi-0")


@pytest.mark.parametrize(
    ("filter_", "problem"),
    [
        (condition("Colour", ["red"]), "filter key 'Colour' is not known here"),
        (condition("Status", []), "filter Status has no Values"),
        (condition("Status", ["x"], "LESS_THAN"), "filter Status cannot be compared with LESS_THAN"),
        (condition("ExecutionTime", ["2026"], "BEGIN_WITH"), "filter ExecutionTime cannot be compared with BEGIN_WITH"),
        ({"Values": ["x"]}, "filter key '' is not known here"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(here: Installation, filter_: dict[str, Any], problem: str) -> None:
    node = here.node()
    with pytest.raises(InvalidFilter, match=problem):
        items(here, node, filter_)
    with pytest.raises(InvalidFilter, match=problem):
        resources(here, filter_)


def test_a_time_that_is_none_is_refused(here: Installation) -> None:
    with pytest.raises(Invalid, match="ExecutionTime is yesterday"):
        resources(here, condition("ExecutionTime", ["yesterday"]))


def test_a_resource_summary_counts_the_items_of_a_node(here: Installation) -> None:
    critical_baseline(here)
    node = here.node()
    scan(here, node, BAD)
    (summary,) = resources(here)
    execution = summary.pop("ExecutionSummary")
    assert (execution["ExecutionTime"], execution["ExecutionType"]) == (here.clock.now(), "Command")
    assert summary == {
        "ComplianceType": "Patch",
        "ResourceType": "ManagedInstance",
        "ResourceId": node,
        "Status": "NON_COMPLIANT",
        "OverallSeverity": "CRITICAL",
        "CompliantSummary": {
            "CompliantCount": 2,
            "SeveritySummary": {**NO_SEVERITY, "CriticalCount": 1, "UnspecifiedCount": 1},
        },
        "NonCompliantSummary": {"NonCompliantCount": 1, "SeveritySummary": {**NO_SEVERITY, "CriticalCount": 1}},
    }


def test_the_summary_counts_nodes_by_the_worst_of_their_patches(here: Installation) -> None:
    assert here.perform("ListComplianceSummaries") == {"ComplianceSummaryItems": []}
    critical_baseline(here)
    for facts in (BAD, CLEAN, CLEAN):
        scan(here, here.node(), facts)
    here.node()
    assert here.perform("ListComplianceSummaries")["ComplianceSummaryItems"] == [
        {
            "ComplianceType": "Patch",
            "CompliantSummary": {
                "CompliantCount": 2,
                "SeveritySummary": {**NO_SEVERITY, "UnspecifiedCount": 2},
            },
            "NonCompliantSummary": {"NonCompliantCount": 1, "SeveritySummary": {**NO_SEVERITY, "CriticalCount": 1}},
        }
    ]
    only = here.perform("ListComplianceSummaries", Filters=[condition("Status", ["NON_COMPLIANT"])])
    assert only["ComplianceSummaryItems"][0]["CompliantSummary"]["CompliantCount"] == 0


def test_resources_can_be_filtered(here: Installation) -> None:
    bad, clean = here.node(tags={"Patch Group": "web"}), here.node(ping={**DEBIAN, "ComputerName": "db-1"})
    scan(here, bad, BAD)
    here.clock.advance(timedelta(hours=1))
    scan(here, clean, CLEAN)
    command = here.perform("ListCommands")["Commands"][0]["CommandId"]
    assert ids(here) == [bad, clean]
    assert ids(here, condition("Status", ["COMPLIANT"])) == [clean]
    assert ids(here, condition("OverallSeverity", ["UNSPECIFIED"])) == [bad, clean]
    assert ids(here, condition("InstanceId", [bad])) == [bad]
    assert ids(here, condition("PatchGroup", ["web"])) == [bad]
    assert ids(here, condition("PatchGroup", ["web"], "NOT_EQUAL")) == [clean]
    assert ids(here, condition("ExecutionId", [command])) == [clean]
    assert ids(here, condition("ExecutionTime", ["2026-03-14T09:30:00Z"], "GREATER_THAN")) == [clean]
    assert ids(here, condition("ComplianceType", ["Association"])) == []
    assert ids(here, condition("AWS:InstanceInformation.ComputerName", ["db"], "BEGIN_WITH")) == [clean]
    assert ids(here, condition("AWS:InstanceInformation.PlatformType", ["Linux"])) == [bad, clean]
    both = (condition("AWS:InstanceInformation.PlatformType", ["Linux"]), condition("Status", ["NON_COMPLIANT"]))
    assert ids(here, *both) == [bad]


def test_resources_come_in_pages(here: Installation) -> None:
    nodes = [here.node() for _ in range(3)]
    for node in nodes:
        scan(here, node, CLEAN)
    assert ids(here, MaxResults=2) == sorted(nodes)
    platform = condition("AWS:InstanceInformation.PlatformName", ["Debian"], "BEGIN_WITH")
    assert ids(here, platform, MaxResults=1) == sorted(nodes)


def test_a_deregistered_node_is_not_counted(here: Installation) -> None:
    node = here.node()
    scan(here, node, BAD)
    here.perform("DeregisterManagedInstance", InstanceId=node)
    assert ids(here) == []
    assert here.perform("ListComplianceSummaries") == {"ComplianceSummaryItems": []}
