"""Compliance that is told with PutComplianceItems, and listed beside what scans find."""

import dataclasses
from typing import Any, Final

import pytest
from tests.fakes.api import Api
from tests.fakes.scans import facts_of, package, scan
from tests.fakes.site import DEBIAN, Installation, as_node

from patchwindow.domain.errors import Denied
from patchwindow.operations.quotas import Quotas

EARLY: Final = "2026-03-14T07:00:00Z"
LATE: Final = "2026-03-14T08:00:00Z"
DISK: Final = "Custom:Disk"
CLEAN: Final = facts_of([package("bash")])


@pytest.fixture
def node(here: Installation) -> str:
    return here.node()


def item(id: str = "a", status: str = "COMPLIANT", severity: str = "HIGH", **more: Any) -> dict[str, Any]:
    return {"Id": id, "Severity": severity, "Status": status, **more}


def request(node: str, *items: dict[str, Any], type: str = DISK, **more: Any) -> dict[str, Any]:
    summary = {"ExecutionTime": LATE, "ExecutionId": "run", "ExecutionType": "Nightly"}
    return {
        "ResourceId": node,
        "ResourceType": "ManagedInstance",
        "ComplianceType": type,
        "ExecutionSummary": summary,
        "Items": items,
        **more,
    }


def put(api: Api, node: str, *items: dict[str, Any], **more: Any) -> None:
    assert api("PutComplianceItems", **request(node, *items, **more)) == {}


def condition(key: str, *values: str, type: str = "EQUAL") -> dict[str, Any]:
    return {"Key": key, "Values": values, "Type": type}


def listed(api: Api, node: str, *filters: dict[str, Any]) -> list[str]:
    pages = api.pages("ListComplianceItems", "ComplianceItems", ResourceIds=[node], Filters=filters, MaxResults=2)
    return [one["Id"] for page in pages for one in page]


def summed(api: Api, *filters: dict[str, Any]) -> list[tuple[str, str]]:
    pages = api.pages(
        "ListResourceComplianceSummaries", "ResourceComplianceSummaryItems", Filters=filters, MaxResults=1
    )
    return [(one["ResourceId"], one["ComplianceType"]) for page in pages for one in page]


def counted(api: Api, *filters: dict[str, Any]) -> dict[str, tuple[int, int]]:
    found = [
        one
        for page in api.pages("ListComplianceSummaries", "ComplianceSummaryItems", Filters=filters, MaxResults=1)
        for one in page
    ]
    return {
        one["ComplianceType"]: (
            one["CompliantSummary"]["CompliantCount"],
            one["NonCompliantSummary"]["NonCompliantCount"],
        )
        for one in found
    }


def test_an_item_is_listed_as_it_was_told(api: Api, node: str) -> None:
    put(api, node, item(Title="Disk", Details={"Free": "3 %"}))
    (found,) = api("ListComplianceItems", ResourceIds=[node])["ComplianceItems"]
    assert found.pop("ExecutionSummary") == {
        "ExecutionTime": 1773475200,
        "ExecutionId": "run",
        "ExecutionType": "Nightly",
    }
    assert found == {
        "ComplianceType": DISK,
        "ResourceType": "ManagedInstance",
        "ResourceId": node,
        "Id": "a",
        "Title": "Disk",
        "Status": "COMPLIANT",
        "Severity": "HIGH",
        "Details": {"Free": "3 %"},
    }


def test_a_complete_upload_replaces_all_items_of_its_type_alone(api: Api, node: str) -> None:
    put(api, node, item("a"), item("b"))
    put(api, node, item("x"), type="Association")
    put(api, node, item("c"))
    assert listed(api, node) == ["x", "c"]
    put(api, node)
    assert listed(api, node) == ["x"]
    assert summed(api) == [(node, "Association")]


def test_a_partial_upload_replaces_the_items_of_its_associations_alone(api: Api, node: str) -> None:
    put(api, node, item("a"), item("b"), type="Association")
    put(api, node, item("b", "NON_COMPLIANT"), item("c"), type="Association", UploadType="PARTIAL")
    assert listed(api, node) == ["a", "b", "c"]
    assert listed(api, node, condition("Status", "NON_COMPLIANT")) == ["b"]


def test_what_comes_with_the_hash_of_what_is_kept_is_ignored(api: Api, node: str) -> None:
    put(api, node, item("a"), ItemContentHash="h1")
    put(api, node, item("b"), ItemContentHash="h1")
    assert listed(api, node) == ["a"]
    put(api, node, item("b"), ItemContentHash="h2")
    assert listed(api, node) == ["b"]
    put(api, node, item("c"))
    put(api, node, item("d"), ItemContentHash="h2")
    assert listed(api, node) == ["d"]


def test_empty_texts_as_an_agent_sends_them_pass(api: Api, node: str) -> None:
    summary = {"ExecutionTime": LATE, "ExecutionId": "", "ExecutionType": ""}
    put(api, node, item(Title=""), type="Association", ExecutionSummary=summary)
    assert listed(api, node) == ["a"]


def test_items_are_listed_with_those_of_patches_page_by_page(api: Api, node: str) -> None:
    scan(api.here, node, CLEAN)
    put(api, node, item("b"), item("a"), item("a"), item("c"))
    assert listed(api, node) == ["bash.amd64", "a", "a", "b", "c"]


def test_items_can_be_filtered(api: Api, node: str) -> None:
    put(api, node, item("a", severity="LOW"), item("b", Title="Disk", Details={"PatchState": "Missing"}))
    put(api, node, item("c"), type="Association", ExecutionSummary={"ExecutionTime": EARLY})
    assert listed(api, node, condition("ComplianceType", DISK)) == ["a", "b"]
    assert listed(api, node, condition("Severity", "LOW", type="NOT_EQUAL")) == ["c", "b"]
    assert listed(api, node, condition("Title", "Di", type="BEGIN_WITH")) == ["b"]
    assert listed(api, node, condition("PatchState", "Missing")) == ["b"]
    assert listed(api, node, condition("ExecutionType", "Nightly")) == ["a", "b"]
    assert listed(api, node, condition("ExecutionTime", LATE, type="LESS_THAN")) == ["c"]
    assert listed(api, node, condition("Id", "a", "c")) == ["c", "a"]


def test_a_node_is_compliant_by_type_where_all_items_are(api: Api, node: str) -> None:
    put(api, node, item("a", severity="CRITICAL"), item("b", "NON_COMPLIANT", "LOW"), item("c", "NON_COMPLIANT"))
    (found,) = api("ListResourceComplianceSummaries")["ResourceComplianceSummaryItems"]
    assert (found["Status"], found["OverallSeverity"]) == ("NON_COMPLIANT", "HIGH")
    assert found["CompliantSummary"]["CompliantCount"] == 1
    assert found["NonCompliantSummary"]["SeveritySummary"] == {
        "CriticalCount": 0,
        "HighCount": 1,
        "MediumCount": 0,
        "LowCount": 1,
        "InformationalCount": 0,
        "UnspecifiedCount": 0,
    }


def test_nodes_are_counted_by_type(api: Api) -> None:
    good, bad = api.here.node(tags={"Patch Group": "web"}), api.here.node(ping={**DEBIAN, "ComputerName": "db"})
    scan(api.here, good, CLEAN)
    put(api, good, item())
    put(api, bad, item("a", "NON_COMPLIANT"))
    put(api, bad, item(), type="Association", ExecutionSummary={"ExecutionTime": EARLY})
    assert counted(api) == {"Association": (1, 0), DISK: (1, 1), "Patch": (1, 0)}
    assert counted(api, condition("Status", "NON_COMPLIANT")) == {DISK: (0, 1)}
    assert counted(api, condition("ComplianceType", "Patch", type="NOT_EQUAL")) == {"Association": (1, 0), DISK: (1, 1)}
    assert counted(api, condition("ExecutionTime", LATE, type="LESS_THAN")) == {"Association": (1, 0)}
    assert counted(api, condition("AWS:InstanceInformation.ComputerName", "db")) == {
        "Association": (1, 0),
        DISK: (0, 1),
    }
    every = sorted([(good, "Patch"), (good, DISK), (bad, "Association"), (bad, DISK)])
    assert sorted(summed(api)) == every
    assert summed(api, condition("PatchGroup", "web")) == [(good, "Patch")]
    assert summed(api, condition("ExecutionId", "run"), condition("InstanceId", bad)) == [(bad, DISK)]
    assert summed(api, condition("AWS:InstanceInformation.ComputerName", "db", type="NOT_EQUAL")) == [
        (good, "Patch"),
        (good, DISK),
    ]


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        ({"type": "Patch"}, "InvalidItemContentException"),
        ({"type": "Colour"}, "InvalidItemContentException"),
        ({"UploadType": "PARTIAL"}, "InvalidItemContentException"),
        ({"ResourceType": "Bucket"}, "InvalidResourceType"),
        ({"ResourceId": "mi-" + "0" * 17}, "InvalidResourceId"),
        ({"Items": [{"Severity": "HIGH"}]}, "ValidationException"),
        ({"Items": [item(Title="x" * 501)]}, "ValidationException"),
        ({"Items": [item(Details={"a": "x" * 4097})]}, "ValidationException"),
        ({"Items": [item(Details={f"a{at}": "x" * 4096 for at in range(51)})]}, "ItemSizeLimitExceededException"),
    ],
)
def test_items_that_cannot_be_kept_are_refused(api: Api, node: str, refused: dict[str, Any], code: str) -> None:
    assert api.code("PutComplianceItems", **request(node, item(), **refused)) == code
    assert listed(api, node) == []


def test_a_partial_upload_names_the_associations(api: Api, node: str) -> None:
    unnamed = {"Severity": "HIGH", "Status": "COMPLIANT"}
    refused = request(node, unnamed, type="Association", UploadType="PARTIAL")
    assert api.code("PutComplianceItems", **refused) == "InvalidItemContentException"


def test_all_that_is_told_of_a_node_is_limited(api: Api, node: str) -> None:
    large = [item(Details={f"a{at}": "x" * 4096 for at in range(40)}) for _ in range(6)]
    for number in range(5):
        put(api, node, *large, type=f"Custom:Large{number}")
    refused = request(node, *large, type="Custom:Last")
    assert api.code("PutComplianceItems", **refused) == "TotalSizeLimitExceededException"


def test_types_of_ones_own_are_limited(api: Api, node: str) -> None:
    api.here.service.site = dataclasses.replace(api.here.service.site, quotas=Quotas(custom_compliance_types=1))
    put(api, node, item())
    put(api, node, item("b"))
    put(api, node, item(), type="Association")
    refused = request(node, item(), type="Custom:Other")
    assert api.code("PutComplianceItems", **refused) == "ComplianceTypeCountLimitExceededException"


def test_a_node_tells_of_itself_alone(here: Installation, node: str) -> None:
    other = here.node()
    told = {**request(node), "ExecutionSummary": {"ExecutionTime": here.clock.now()}}
    here.perform("PutComplianceItems", as_node(node), **told)
    with pytest.raises(Denied, match=f"for itself only, not for {other}"):
        here.perform("PutComplianceItems", as_node(node), **{**told, "ResourceId": other})


def test_a_deregistered_node_takes_its_items_with_it(api: Api, node: str) -> None:
    put(api, node, item())
    api("DeregisterManagedInstance", InstanceId=node)
    assert counted(api) == {}
