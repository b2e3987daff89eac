"""What may be reported as inventory, by whom, and what becomes of it."""

import dataclasses
from typing import Any, Final

import pytest
from tests.fakes.api import Api
from tests.fakes.site import VIEWER, Installation, as_node

from patchwindow.domain.errors import Denied
from patchwindow.operations.quotas import Quotas

NETWORK: Final = "AWS:Network"
COMPLIANCE: Final = "AWS:ComplianceItem"
CAPTURED: Final = "2026-03-14T08:00:00Z"
CONTEXT: Final = {"ComplianceType": "Custom:Disk", "ExecutionTime": "2026-03-14T08:00:00Z", "ExecutionId": "run-1"}


@pytest.fixture
def node(here: Installation) -> str:
    return here.node()


def item(type_name: str = NETWORK, **more: Any) -> dict[str, Any]:
    return {"TypeName": type_name, "SchemaVersion": "1.0", "CaptureTime": CAPTURED} | more


def put(api: Api, node: str, *items: dict[str, Any]) -> dict[str, Any]:
    return api("PutInventory", InstanceId=node, Items=items)


def code(api: Api, node: str, *items: dict[str, Any]) -> str:
    return api.code("PutInventory", InstanceId=node, Items=items)


def entries(api: Api, node: str, type_name: str = NETWORK) -> list[dict[str, str]]:
    found: list[dict[str, str]] = api("ListInventoryEntries", InstanceId=node, TypeName=type_name)["Entries"]
    return found


def test_a_report_replaces_all_that_the_node_had_of_the_type(api: Api, node: str) -> None:
    put(api, node, item(Content=[{"Name": "eth0"}, {"Name": "eth1"}]), item("AWS:File", Content=[{"Name": "a"}]))
    put(api, node, item(Content=[{"Name": "lo"}]))
    assert entries(api, node) == [{"Name": "lo"}]
    assert entries(api, node, "AWS:File") == [{"Name": "a"}]
    put(api, node, item(Content=[]))
    assert entries(api, node) == []


def test_a_hash_alone_confirms_what_is_kept_and_nothing_else(api: Api, node: str) -> None:
    assert code(api, node, item(ContentHash="h1")) == "ItemContentMismatchException"
    put(api, node, item(Content=[{"Name": "lo"}], ContentHash="h1"))
    assert put(api, node, item(ContentHash="h1")) == {}
    assert code(api, node, item(ContentHash="h2")) == "ItemContentMismatchException"
    assert entries(api, node) == [{"Name": "lo"}]


def test_what_an_amazon_agent_reports_is_kept_and_later_confirmed_by_its_hashes(api: Api, node: str) -> None:
    """agent-protocol, 17: all types in one call, `Content` may be empty, later runs send only the hash."""
    caller = Api(api.here, as_node(node))
    package = {
        "ApplicationType": "admin",
        "Architecture": "all",
        "Name": "adduser",
        "PackageId": "adduser_3.134_all.deb",
        "Publisher": "Debian Adduser Developers <adduser@packages.debian.org>",
        "Summary": "add and remove users and groups",
        "Version": "3.134",
    }
    nothing = "N6YlnMDB2uKZp4Zkid/wvQ=="
    told = [
        item("AWS:InstanceDetailedInformation", Content=[], ContentHash=nothing),
        item("AWS:Application", SchemaVersion="1.1", Content=[package], ContentHash="aJa6C+jT6EaIqarao8DqGQ=="),
        item("AWS:AWSComponent", Content=[], ContentHash=nothing),
        item("AWS:Network", Content=[], ContentHash=nothing),
    ]
    put(caller, node, *told)
    put(caller, node, *({name: value for name, value in one.items() if name != "Content"} for one in told))
    assert entries(api, node, "AWS:Application") == [package]
    changed = item("AWS:Application", SchemaVersion="1.1", ContentHash="changed")
    assert code(caller, node, changed) == "ItemContentMismatchException"


def test_content_with_the_hash_of_what_is_kept_changes_nothing(api: Api, node: str) -> None:
    put(api, node, item(Content=[{"Name": "lo"}], ContentHash="h1"))
    put(api, node, item(Content=[{"Name": "eth0"}], ContentHash="h1"))
    assert entries(api, node) == [{"Name": "lo"}]
    put(api, node, item(Content=[{"Name": "eth0"}], ContentHash="h2"))
    assert entries(api, node) == [{"Name": "eth0"}]


def test_a_refused_item_takes_the_others_of_the_request_with_it(api: Api, node: str) -> None:
    assert code(api, node, item(Content=[{"Name": "lo"}]), item("AWS:File")) == "InvalidItemContentException"
    assert entries(api, node) == []


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (item("AWS:Nothing", Content=[]), "InvalidTypeNameException"),
        (item("Custom:", Content=[]), "InvalidTypeNameException"),
        (item("Custom:two words", Content=[]), "InvalidTypeNameException"),
        (item("AWS:Application", Content=[]), "UnsupportedInventorySchemaVersionException"),
        (item(), "InvalidItemContentException"),
        (item("AWS:PatchSummary", Content=[]), "InvalidItemContentException"),
        (item("AWS:InstanceDetailedInformation", Content=[{"CPUs": "many"}]), "InvalidItemContentException"),
        (item("AWS:InstanceDetailedInformation", Content=[{"CPUs": "nan"}]), "InvalidItemContentException"),
        (item(Content=[], Context={"ComplianceType": "Patch"}), "UnsupportedInventoryItemContextException"),
        (item(COMPLIANCE, Content=[]), "InvalidInventoryItemContextException"),
        (item(COMPLIANCE, Content=[], Context={"Colour": "red"}), "InvalidInventoryItemContextException"),
        (
            item(COMPLIANCE, Content=[], Context={**CONTEXT, "ExecutionTime": "today"}),
            "InvalidInventoryItemContextException",
        ),
        (item(COMPLIANCE, Content=[{}], Context=CONTEXT), "InvalidItemContentException"),
        (item(COMPLIANCE, Context=CONTEXT), "InvalidItemContentException"),
        (item(COMPLIANCE, Context=CONTEXT, ContentHash="h"), "ItemContentMismatchException"),
        (item("Custom:A", Content=[{f"a{at}": "" for at in range(51)}]), "ValidationException"),
    ],
)
def test_an_item_that_cannot_be_kept_is_refused(api: Api, node: str, refused: dict[str, Any], expected: str) -> None:
    assert code(api, node, refused) == expected


def test_a_number_that_an_agent_could_not_find_out_may_be_empty(api: Api, node: str) -> None:
    put(api, node, item("AWS:InstanceDetailedInformation", Content=[{"CPUs": "", "CPUCores": "4", "Other": "kept"}]))
    assert entries(api, node, "AWS:InstanceDetailedInformation") == [{"CPUs": "", "CPUCores": "4", "Other": "kept"}]


def test_a_type_is_given_once(api: Api, node: str) -> None:
    assert code(api, node, item(Content=[]), item(Content=[])) == "InvalidItemContentException"


def test_a_type_of_ones_own_grows_to_50_attributes(api: Api, node: str) -> None:
    put(api, node, item("Custom:A", Content=[{f"a{at}": "" for at in range(50)}]))
    assert code(api, node, item("Custom:A", Content=[{"more": ""}])) == "InvalidItemContentException"


def test_types_of_ones_own_are_limited(api: Api, node: str) -> None:
    api.here.service.site = dataclasses.replace(api.here.service.site, quotas=Quotas(custom_inventory_types=1))
    put(api, node, item("Custom:A", Content=[]))
    put(api, node, item("Custom:A", Content=[]))
    assert code(api, node, item("Custom:B", Content=[])) == "CustomSchemaCountLimitExceededException"


def test_content_of_a_type_of_ones_own_is_limited(api: Api, node: str) -> None:
    large = [{"a": "x" * 4096} for _ in range(50)]
    assert code(api, node, item("Custom:A", Content=large)) == "ItemSizeLimitExceededException"


def test_all_that_is_reported_of_a_node_is_limited(api: Api, node: str) -> None:
    names = ["AWS:File", "AWS:Network", "AWS:Process", "AWS:Service", "AWS:WindowsRole"]
    large = [{"Name": "x" * 4096} for _ in range(240)]
    for name in names:
        put(api, node, item(name, Content=large))
    assert code(api, node, item("AWS:WindowsUpdate", Content=large)) == "TotalSizeLimitExceededException"


def test_a_node_that_is_not_there_has_no_inventory(api: Api) -> None:
    assert code(api, "mi-" + "0" * 17, item(Content=[])) == "InvalidInstanceId"


def test_a_node_reports_of_itself_alone_and_a_viewer_of_none(here: Installation, node: str) -> None:
    other = here.node()
    here.perform("PutInventory", as_node(node), InstanceId=node, Items=[item(Content=[])])
    with pytest.raises(Denied, match=f"for itself only, not for {other}"):
        here.perform("PutInventory", as_node(node), InstanceId=other, Items=[item(Content=[])])
    with pytest.raises(Denied, match="role viewer"):
        here.perform("PutInventory", VIEWER, InstanceId=node, Items=[item(Content=[])])
    with pytest.raises(Denied, match="may not call GetInventory"):
        here.perform("GetInventory", as_node(node))


def test_compliance_can_come_as_inventory(api: Api, node: str) -> None:
    entry = {"Id": "disk", "Title": "Disk", "Severity": "HIGH", "Status": "NON_COMPLIANT", "DetailedText": "full"}
    told = item(COMPLIANCE, Content=[entry], Context=CONTEXT, ContentHash="h1")
    put(api, node, told)
    (found,) = api("ListComplianceItems", ResourceIds=[node])["ComplianceItems"]
    assert found["ExecutionSummary"]["ExecutionId"] == "run-1"
    assert (found["ComplianceType"], found["Status"], found["Details"]) == (
        "Custom:Disk",
        "NON_COMPLIANT",
        {"DetailedText": "full"},
    )
    assert put(api, node, item(COMPLIANCE, Context=CONTEXT, ContentHash="h1")) == {}
    (shown,) = entries(api, node, COMPLIANCE)
    assert shown == {
        **entry,
        "ComplianceType": "Custom:Disk",
        "ExecutionId": "run-1",
        "ExecutionType": "",
        "ExecutionTime": "2026-03-14T08:00:00Z",
    }


def test_a_deregistered_node_takes_its_inventory_with_it(api: Api, node: str) -> None:
    put(api, node, item("Custom:A", Content=[{"a": "1"}]))
    api("DeregisterManagedInstance", InstanceId=node)
    assert api("DeleteInventory", TypeName="Custom:A", DryRun=True)["DeletionSummary"]["TotalCount"] == 0
