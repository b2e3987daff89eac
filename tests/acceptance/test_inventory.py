"""A node tells of itself with its own session; boto3 and the AWS CLI see it, beside what its scan found."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from tests.fakes.node import PaperNode
from tests.fakes.scans import facts_of, package, update
from tests.fakes.server import Plane, all_pages

FACTS: Final = facts_of([package("bash"), package("openssl")], [update("openssl")])
NETWORK: Final = {"TypeName": "AWS:Network", "SchemaVersion": "1.0", "CaptureTime": "2026-03-14T09:00:00Z"}


@pytest.fixture(scope="module")
def node(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperNode]:
    """A node that was scanned once."""
    node = PaperNode.registered(plane.url, plane.activation(), tmp_path_factory.mktemp("node") / "state")
    plane.client.send_command(
        DocumentName="AWS-RunPatchBaseline", InstanceIds=[node.node_id], Parameters={"Operation": ["Scan"]}
    )
    node.scan(FACTS)
    yield node
    node.close()


def entries(plane: Plane, node: PaperNode, type_name: str) -> Any:
    return plane.client.list_inventory_entries(InstanceId=node.node_id, TypeName=type_name)["Entries"]


def test_what_a_node_reports_of_itself_is_found_by_boto3(plane: Plane, node: PaperNode) -> None:
    content = [{"Name": "eth0", "IPV4": "192.0.2.1"}]
    node.call(
        "ssm", "PutInventory", InstanceId=node.node_id, Items=[{**NETWORK, "ContentHash": "h", "Content": content}]
    )
    # As agents report again when nothing has changed.
    node.call("ssm", "PutInventory", InstanceId=node.node_id, Items=[{**NETWORK, "ContentHash": "h"}])
    assert entries(plane, node, "AWS:Network") == content
    wanted = [{"Key": "AWS:Network.IPV4", "Values": ["192.0.2."], "Type": "BeginWith"}]
    found = all_pages(plane.client, "get_inventory", "Entities", Filters=wanted)
    assert [entity["Id"] for entity in found] == [node.node_id]


def test_content_that_is_not_kept_is_asked_for_by_the_name_that_agents_know(plane: Plane, node: PaperNode) -> None:
    with pytest.raises(plane.client.exceptions.ItemContentMismatchException, match="send Content"):
        plane.client.put_inventory(
            InstanceId=node.node_id, Items=[{**NETWORK, "TypeName": "AWS:File", "ContentHash": "h"}]
        )


def test_what_a_node_tells_of_its_compliance_stands_beside_its_patches(plane: Plane, node: PaperNode) -> None:
    node.call(
        "ssm",
        "PutComplianceItems",
        ResourceId=node.node_id,
        ResourceType="ManagedInstance",
        ComplianceType="Association",
        ExecutionSummary={"ExecutionId": "", "ExecutionType": "", "ExecutionTime": 1_780_000_000},
        ItemContentHash="h",
        Items=[{"Id": "association", "Severity": "UNSPECIFIED", "Status": "COMPLIANT", "Title": "", "Details": {}}],
    )
    summaries = all_pages(
        plane.client, "list_resource_compliance_summaries", "ResourceComplianceSummaryItems", MaxResults=1
    )
    assert [(one["ComplianceType"], one["Status"]) for one in summaries] == [
        ("Patch", "NON_COMPLIANT"),
        ("Association", "COMPLIANT"),
    ]
    items = all_pages(plane.client, "list_compliance_items", "ComplianceItems", ResourceIds=[node.node_id])
    assert [(one["Id"], one["Title"], one["Status"]) for one in entries(plane, node, "AWS:ComplianceItem")] == [
        (one["Id"], one["Title"], one["Status"]) for one in items
    ]


def test_views_of_a_scan_agree(plane: Plane, node: PaperNode) -> None:
    (state,) = plane.client.describe_instance_patch_states(InstanceIds=[node.node_id])["InstancePatchStates"]
    (summary,) = entries(plane, node, "AWS:PatchSummary")
    for name in ("InstalledCount", "MissingCount", "FailedCount", "CriticalNonCompliantCount"):
        assert summary[name] == str(state[name])
    assert [one["Name"] for one in entries(plane, node, "AWS:Application")] == ["bash", "openssl"]


@pytest.mark.usefixtures("node")
def test_the_aws_cli_counts_nodes_and_sets_a_setting(plane: Plane) -> None:
    shell = plane.shell()
    counted = shell.aws("get-inventory", "--aggregators", "Expression=AWS:InstanceInformation.PlatformType")
    assert counted["Entities"][0]["Data"]["AWS:InstanceInformation"]["Content"] == [
        {"Count": "1", "PlatformType": "Linux"}
    ]
    group = "Groups=[{Name=Both,Filters=[{Key=TypeName,Values=[AWS:PatchSummary],Type=Exists}]}]"
    grouped = shell.aws("get-inventory", "--aggregators", group)
    assert grouped["Entities"] == [{"Data": {"Both": {"Content": [{"notMatchingCount": "0"}, {"matchingCount": "1"}]}}}]
    tier = ("--setting-id", "/ssm/managed-instance/activation-tier")
    shell.aws("update-service-setting", *tier, "--setting-value", "advanced")
    assert shell.aws("get-service-setting", *tier)["ServiceSetting"]["Status"] == "Customized"
    assert shell.aws("reset-service-setting", *tier)["ServiceSetting"]["SettingValue"] == "standard"


def test_the_command_line_shows_what_a_node_has(plane: Plane, node: PaperNode) -> None:
    shown = plane.shell().patchwindow("nodes", "inventory", node.node_id, "--json").json
    assert [one["Name"] for one in shown] == ["bash", "openssl"]
