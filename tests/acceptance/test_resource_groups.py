"""Resource groups with boto3 and the AWS CLI, which know nothing but an endpoint and a key."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from tests.fakes.node import PaperNode
from tests.fakes.server import Plane

QUERY: Final = json.dumps(
    {"ResourceTypeFilters": ["AWS::EC2::Instance"], "TagFilters": [{"Key": "Stage", "Values": ["Test"]}]}, indent=2
)


@pytest.fixture(scope="module")
def groups(plane: Plane) -> Any:
    """boto3's own client of Resource Groups."""
    return plane.connect(plane.key, service="resource-groups")


@pytest.fixture(scope="module")
def nodes(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Three nodes in the stage Test, in order of id, beside one of another stage."""
    made = []
    for stage in ("Test", "Test", "Live", "Test"):
        activation = plane.activation(Tags=[{"Key": "Stage", "Value": stage}])
        made.append((stage, PaperNode.registered(plane.url, activation, tmp_path_factory.mktemp("node") / "state")))
    yield sorted(node.node_id for stage, node in made if stage == "Test")
    for _, node in made:
        node.close()


def test_a_group_is_kept_in_the_order_of_calls_that_infrastructure_as_code_makes(groups: Any) -> None:
    query = {"Type": "TAG_FILTERS_1_0", "Query": QUERY}
    made = groups.create_group(Name="stage", Description="", ResourceQuery=query, Tags={"Team": "ops"})["Group"]
    assert groups.get_group(GroupName="stage")["Group"] == made
    assert groups.get_group_query(GroupName="stage")["GroupQuery"]["ResourceQuery"] == query
    with pytest.raises(groups.exceptions.BadRequestException):
        groups.get_group_configuration(Group="stage")
    assert groups.get_tags(Arn=made["GroupArn"])["Tags"] == {"Team": "ops"}

    groups.update_group(GroupName="stage", Description="changed")
    changed = {"Type": "TAG_FILTERS_1_0", "Query": QUERY.replace("Test", "Live")}
    groups.update_group_query(GroupName="stage", ResourceQuery=changed)
    groups.untag(Arn=made["GroupArn"], Keys=["Team"])
    groups.tag(Arn=made["GroupArn"], Tags={"Owner": "web team"})
    assert groups.get_group(GroupName="stage")["Group"]["Description"] == "changed"
    assert groups.get_group_query(GroupName="stage")["GroupQuery"]["ResourceQuery"] == changed
    assert groups.get_tags(Arn=made["GroupArn"])["Tags"] == {"Owner": "web team"}

    groups.delete_group(GroupName="stage")
    with pytest.raises(groups.exceptions.NotFoundException, match="resource group 'stage' does not exist"):
        groups.get_group(GroupName="stage")


def test_paginators_of_the_sdk_see_every_group_and_every_node_once(groups: Any, nodes: list[str]) -> None:
    query = {"Type": "TAG_FILTERS_1_0", "Query": QUERY}
    names = [f"page-{number}" for number in range(5)]
    for name in names:
        groups.create_group(Name=name, ResourceQuery=query)
    sizes = {"PaginationConfig": {"PageSize": 2}}
    pages = list(groups.get_paginator("list_groups").paginate(**sizes))
    assert [each["GroupName"] for page in pages for each in page["GroupIdentifiers"]] == names
    assert len(pages) == 3
    for operation, asked in (
        ("list_group_resources", {"Group": "page-0"}),
        ("search_resources", {"ResourceQuery": query}),
    ):
        pages = list(groups.get_paginator(operation).paginate(**asked, **sizes))
        found = [each["ResourceArn"] for page in pages for each in page["ResourceIdentifiers"]]
        assert found == [f"arn:aws:ssm:us-east-1:123456789012:managed-instance/{node}" for node in nodes]
        assert len(pages) == 2
    for name in names:
        groups.delete_group(Group=name)


def test_a_command_and_a_window_reach_the_nodes_of_a_group_by_the_aws_cli(plane: Plane, nodes: list[str]) -> None:
    shell = plane.shell()
    there = ("--endpoint-url", plane.url)
    query = json.dumps({"Type": "TAG_FILTERS_1_0", "Query": QUERY})
    made = shell.aws(
        *("create-group", "--name", "cli", "--resource-query", query, "--tags", "Team=ops", *there),
        service="resource-groups",
    )
    assert made["Group"]["GroupArn"] == "arn:aws:resource-groups:us-east-1:123456789012:group/cli"
    listed = shell.aws("list-group-resources", "--group", "cli", *there, service="resource-groups")
    assert [each["Identifier"]["ResourceArn"].rpartition("/")[2] for each in listed["Resources"]] == nodes
    tags = shell.aws("get-tags", "--arn", made["Group"]["GroupArn"], *there, service="resource-groups")
    assert tags["Tags"] == {"Team": "ops"}

    targets = ("--targets", "Key=resource-groups:Name,Values=cli")
    sent = shell.aws("send-command", "--document-name", "AWS-Noop", *targets)["Command"]
    invocations = shell.aws("list-command-invocations", "--command-id", sent["CommandId"])["CommandInvocations"]
    assert sorted(each["InstanceId"] for each in invocations) == nodes
    window = shell.aws(
        *("create-maintenance-window", "--name", "of-a-group", "--schedule", "cron(0 23 ? * THU#1 *)"),
        *("--duration", "6", "--cutoff", "1", "--no-allow-unassociated-targets"),
    )["WindowId"]
    shell.aws(
        *("register-target-with-maintenance-window", "--window-id", window, "--resource-type", "RESOURCE_GROUP"),
        *targets,
    )
    (found,) = shell.aws("describe-maintenance-windows-for-target", "--resource-type", "RESOURCE_GROUP", *targets)[
        "WindowIdentities"
    ]
    assert found["WindowId"] == window

    shell.aws("delete-group", "--group", "cli", *there, service="resource-groups")
    refused = shell.aws_refuses("get-group", "--group", "cli", *there, service="resource-groups")
    assert "(NotFoundException)" in refused
    assert "resource group 'cli' does not exist" in refused
