"""Associations with boto3: a scan on a schedule, page by page, and AWS-RunPatchBaselineAssociation."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from tests.fakes.node import PaperNode
from tests.fakes.scans import facts_of, package, update
from tests.fakes.server import Plane, all_pages, until

FACTS: Final = facts_of([package("bash"), package("openssl")], [update("openssl")])


@pytest.fixture(scope="module")
def node(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperNode]:
    """A node that nothing was asked of yet."""
    node = PaperNode.registered(plane.url, plane.activation(), tmp_path_factory.mktemp("node") / "state")
    yield node
    node.close()


def associate(plane: Plane, node: PaperNode, document: str, **members: Any) -> str:
    """Return a new association that scans the node."""
    made = plane.client.create_association(
        Name=document,
        Parameters={"Operation": ["Scan"]},
        Targets=[{"Key": "InstanceIds", "Values": [node.node_id]}],
        **members,
    )
    return str(made["AssociationDescription"]["AssociationId"])


def overview(plane: Plane, association: str) -> dict[str, Any]:
    found = plane.client.describe_association(AssociationId=association)["AssociationDescription"]
    return dict(found["Overview"])


def items(plane: Plane, node: PaperNode) -> list[dict[str, Any]]:
    """Return what is said of the node's compliance with associations."""
    found: list[dict[str, Any]] = plane.client.list_compliance_items(
        ResourceIds=[node.node_id], Filters=[{"Key": "ComplianceType", "Values": ["Association"]}]
    )["ComplianceItems"]
    return found


def test_a_scan_on_a_schedule_runs_at_once_and_is_told_everywhere(plane: Plane, node: PaperNode) -> None:
    client = plane.client
    association = associate(
        plane, node, "AWS-RunPatchBaseline", ScheduleExpression="rate(1 day)", AssociationName="scan"
    )
    node.scan(FACTS)
    until(lambda: overview(plane, association)["Status"] == "Success", "the end of the run")
    assert overview(plane, association)["AssociationStatusAggregatedCount"] == {"Success": 1}
    (run,) = client.describe_association_executions(AssociationId=association)["AssociationExecutions"]
    assert (run["Status"], run["ResourceCountByStatus"]) == ("Success", "{Success=1}")
    (target,) = client.describe_association_execution_targets(
        AssociationId=association, ExecutionId=run["ExecutionId"]
    )["AssociationExecutionTargets"]
    assert (target["ResourceId"], target["Status"]) == (node.node_id, "Success")
    (state,) = client.describe_instance_patch_states(InstanceIds=[node.node_id])["InstancePatchStates"]
    assert state["MissingCount"] == 1
    (item,) = items(plane, node)
    assert (item["Id"], item["Title"], item["Status"]) == (association, "scan", "COMPLIANT")
    (status,) = client.describe_instance_associations_status(InstanceId=node.node_id)["InstanceAssociationStatusInfos"]
    assert (status["Status"], status["AssociationId"]) == ("Success", association)
    assert client.describe_effective_instance_associations(InstanceId=node.node_id)["Associations"]
    client.delete_association(AssociationId=association)
    assert items(plane, node) == []


def test_a_scan_for_an_association_tells_of_it_alone(plane: Plane, node: PaperNode) -> None:
    client = plane.client
    before = client.describe_instance_patch_states(InstanceIds=[node.node_id])["InstancePatchStates"]
    association = associate(plane, node, "AWS-RunPatchBaselineAssociation")
    node.scan(FACTS)
    until(lambda: overview(plane, association)["Status"] == "Success", "the end of the run")
    (item,) = items(plane, node)
    assert (item["Id"], item["Status"]) == (association, "NON_COMPLIANT")
    assert item["Details"]["DocumentName"] == "AWS-RunPatchBaselineAssociation"
    assert client.describe_instance_patch_states(InstanceIds=[node.node_id])["InstancePatchStates"] == before
    client.delete_association(AssociationId=association)


def test_versions_batches_and_pages_by_boto3(plane: Plane, node: PaperNode) -> None:
    client = plane.client
    nobody = {"Name": "AWS-Noop", "Targets": [{"Key": "tag:Role", "Values": ["nobody"]}]}
    made = client.create_association_batch(Entries=[nobody, {**nobody, "ScheduleExpression": "weekly"}, nobody])
    first, second = (one["AssociationId"] for one in made["Successful"])
    assert len(made["Failed"]) == 1
    pages = list(client.get_paginator("list_associations").paginate(PaginationConfig={"PageSize": 1}))
    assert len(pages) == 2
    client.update_association(AssociationId=first, **nobody)
    client.start_associations_once(AssociationIds=[first, second])
    versions = all_pages(client, "list_association_versions", "AssociationVersions", AssociationId=first)
    assert [one["AssociationVersion"] for one in versions] == ["1", "2"]
    with pytest.raises(client.exceptions.AssociationDoesNotExist):
        client.update_association_status(
            Name="AWS-Noop",
            InstanceId=node.node_id,
            AssociationStatus={"Date": 0, "Name": "Failed", "Message": "no"},
        )
    for id in (first, second):
        client.delete_association(AssociationId=id)
