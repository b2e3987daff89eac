"""`patchwindow resource-groups`."""

import json
from typing import Any, Final

import pytest
from tests.unit.cli.fake import Answers, Members, refusal, run

from patchwindow.cli.exits import Exit

ARN: Final = "arn:aws:resource-groups:us-east-1:123456789012:group/web"
NODE: Final = "mi-0123456789abcdef0"
QUERY: Final = {
    "Type": "TAG_FILTERS_1_0",
    "Query": json.dumps(
        {
            "ResourceTypeFilters": ["AWS::AllSupported"],
            "TagFilters": [{"Key": "Role", "Values": ["web", "proxy"]}, {"Key": "Site"}],
        }
    ),
}
IDENTIFIER: Final = {
    "ResourceArn": f"arn:aws:ssm:us-east-1:123456789012:managed-instance/{NODE}",
    "ResourceType": "AWS::SSM::ManagedInstance",
}
GROUP: Final = {"Name": "web", "GroupArn": ARN, "Description": "Web servers"}


def made(members: Members) -> Members:
    return {"Group": {"Name": members["Name"], "GroupArn": ARN}, "ResourceQuery": members["ResourceQuery"], "Tags": {}}


ANSWERS: Answers = {
    "ListGroups": {"GroupIdentifiers": [{"GroupName": "web", "GroupArn": ARN, "Owner": "ops"}]},
    "GetGroup": {"Group": GROUP},
    "GetGroupQuery": {"GroupQuery": {"GroupName": "web", "ResourceQuery": QUERY}},
    "GetTags": {"Arn": ARN, "Tags": {"Team": "ops"}},
    "CreateGroup": made,
    "ListGroupResources": {"Resources": [{"Identifier": IDENTIFIER}]},
}


def test_list_prints_the_groups() -> None:
    assert run("resource-groups", "list", answers=ANSWERS).stdout.splitlines() == [
        "GROUP  OWNER  DESCRIPTION",
        "web    ops    -",
    ]


def test_the_client_is_one_of_resource_groups_at_the_same_address() -> None:
    outcome = run("resource-groups", "list", "--endpoint-url", "http://localhost:8080", answers=ANSWERS)
    nowhere = {"profile": None, "region": None, "ca_bundle": None}
    assert outcome.connected == [
        {**nowhere, "endpoint_url": "http://localhost:8080", "service": "resource-groups"},
    ]


def test_show_prints_the_query_and_the_tags() -> None:
    assert run("resource-groups", "show", "web", answers=ANSWERS).stdout.splitlines() == [
        "Name                 web",
        f"GroupArn             {ARN}",
        "Description          Web servers",
        "ResourceTypeFilters  AWS::AllSupported",
        "",
        "Nodes with these tags",
        "KEY   VALUES",
        "Role  web, proxy",
        "Site  any",
        "",
        "Tags of the group",
        "KEY   VALUE",
        "Team  ops",
    ]


def test_show_as_json_has_all_three_answers() -> None:
    found = json.loads(run("resource-groups", "show", "web", "--json", answers=ANSWERS).stdout)
    assert found == {"Group": GROUP, "ResourceQuery": QUERY, "Tags": {"Team": "ops"}}


def test_a_query_of_another_type_is_shown_as_it_is() -> None:
    stack = {"Type": "CLOUDFORMATION_STACK_1_0", "Query": '{"StackIdentifier":"arn"}'}
    answers = {**ANSWERS, "GetGroupQuery": {"GroupQuery": {"GroupName": "web", "ResourceQuery": stack}}}
    shown = run("resource-groups", "show", "web", answers=answers).stdout.splitlines()
    assert shown[3:5] == ["Type         CLOUDFORMATION_STACK_1_0", 'Query        {"StackIdentifier":"arn"}']


@pytest.mark.parametrize(
    ("options", "types", "filters"),
    [
        (["--tag", "Role=web"], ["AWS::AllSupported"], [{"Key": "Role", "Values": ["web"]}]),
        (
            ["--tag", "Role=web", "--tag-key", "Site", "--tag", "Role=proxy"],
            ["AWS::AllSupported"],
            [{"Key": "Role", "Values": ["web", "proxy"]}, {"Key": "Site", "Values": []}],
        ),
        (
            ["--tag-key", "Site", "--type", "AWS::EC2::Instance", "--type", "AWS::SSM::ManagedInstance"],
            ["AWS::EC2::Instance", "AWS::SSM::ManagedInstance"],
            [{"Key": "Site", "Values": []}],
        ),
    ],
)
def test_create_makes_a_query_of_the_tags(options: list[str], types: list[str], filters: list[dict[str, Any]]) -> None:
    outcome = run("resource-groups", "create", "web", *options, answers=ANSWERS)
    ((operation, members),) = outcome.asked
    assert (operation, members["Name"], "Description" in members) == ("CreateGroup", "web", False)
    query = members["ResourceQuery"]
    assert query["Type"] == "TAG_FILTERS_1_0"
    assert json.loads(query["Query"]) == {"ResourceTypeFilters": types, "TagFilters": filters}
    assert f"ResourceTypeFilters  {', '.join(types)}" in outcome.stdout.splitlines()


def test_create_passes_the_description_on_and_prints_json() -> None:
    outcome = run(
        *("resource-groups", "create", "web", "--tag", "a=b", "--description", "All", "--json"), answers=ANSWERS
    )
    assert outcome.asked[0][1]["Description"] == "All"
    assert json.loads(outcome.stdout)["Group"] == {"Name": "web", "GroupArn": ARN}


def test_a_group_without_tags_is_misuse() -> None:
    outcome = run("resource-groups", "create", "all", answers=ANSWERS)
    assert outcome.exit_code == Exit.MISUSED
    assert "no tags given; say which nodes the group has with --tag or --tag-key" in outcome.stderr
    assert outcome.asked == []


def test_nodes_prints_what_the_group_has() -> None:
    assert run("resource-groups", "nodes", "web", answers=ANSWERS).stdout.splitlines() == [
        "NODE                  TYPE",
        f"{NODE}  AWS::SSM::ManagedInstance",
    ]


def test_delete_names_the_group() -> None:
    outcome = run("resource-groups", "delete", "web", answers=ANSWERS)
    assert outcome.asked == [("DeleteGroup", {"Group": "web"})]
    assert outcome.stderr == "web: deleted\n"


def test_a_refusal_is_one_line_with_what_to_do() -> None:
    refused = refusal("ForbiddenException", "access key AKIA has the role viewer")
    outcome = run("resource-groups", "delete", "web", answers={"DeleteGroup": refused})
    assert outcome.exit_code == Exit.FAILED
    assert outcome.stderr.startswith("patchwindow: DeleteGroup: ForbiddenException: access key AKIA has the role ")
    assert "use another profile" in outcome.stderr
