"""Resource groups through the operations of the API."""

import dataclasses
import json
from typing import Any, Final

import pytest
from tests.fakes.api import Api

from patchwindow.operations.quotas import Quotas

NAME: Final = "web"
ARN: Final = f"arn:aws:resource-groups:eu-central-1:123456789012:group/{NAME}"
STAGE: Final = [{"Key": "Stage", "Values": ["Test", "Deploy"]}]
FULL: Final[dict[str, Any]] = {
    "Name": NAME,
    "Description": "Web servers",
    "Criticality": 3,
    "Owner": "ops@example.net",
    "DisplayName": "Web",
}
GROUP: Final = {**FULL, "GroupArn": ARN}


def query(*filters: dict[str, Any], types: tuple[str, ...] = ("AWS::AllSupported",)) -> dict[str, str]:
    members = {"ResourceTypeFilters": types, "TagFilters": filters or STAGE}
    return {"Type": "TAG_FILTERS_1_0", "Query": json.dumps(members, indent=1)}


def create(api: Api, name: str = NAME, **members: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api("CreateGroup", **{"Name": name, "ResourceQuery": query(), **members})
    return answer


def resources(api: Api, **members: Any) -> list[str]:
    found = api("ListGroupResources", **{"Group": NAME, **members})
    assert [each["Identifier"] for each in found["Resources"]] == found["ResourceIdentifiers"]
    return [each["ResourceArn"].rpartition("/")[2] for each in found["ResourceIdentifiers"]]


def test_a_group_is_read_back_as_it_was_given(api: Api) -> None:
    tags = {"Team": "ops", "Empty": ""}
    assert create(api, **FULL, Tags=tags) == {"Group": GROUP, "ResourceQuery": query(), "Tags": tags}
    assert api("GetGroup", Group=NAME) == {"Group": GROUP}
    assert api("GetGroupQuery", Group=NAME) == {"GroupQuery": {"GroupName": NAME, "ResourceQuery": query()}}
    assert api("GetTags", Arn=ARN) == {"Arn": ARN, "Tags": tags}


def test_what_is_not_given_is_absent(api: Api) -> None:
    made = create(api)
    assert made == {"Group": {"Name": NAME, "GroupArn": ARN}, "ResourceQuery": query(), "Tags": {}}
    assert api("GetGroup", Group=NAME) == {"Group": made["Group"]}


@pytest.mark.parametrize("named", [{"Group": NAME}, {"GroupName": NAME}, {"Group": ARN}])
def test_a_group_is_named_by_its_name_or_its_arn(api: Api, named: dict[str, str]) -> None:
    create(api)
    assert api("GetGroup", **named)["Group"]["Name"] == NAME
    assert api("ListGroupResources", **named)["Resources"] == []
    assert api("DeleteGroup", **named)["Group"]["Name"] == NAME


@pytest.mark.parametrize("named", [{}, {"Group": NAME, "GroupName": NAME}])
def test_a_group_is_to_be_named_once(api: Api, named: dict[str, str]) -> None:
    create(api)
    fault = api.fault("GetGroup", **named)
    assert (fault.code, fault.http_status) == ("BadRequestException", 400)
    assert fault.message.startswith("name the group by Group, or by GroupName, ")


@pytest.mark.parametrize(
    "operation", ["GetGroup", "GetGroupQuery", "GetGroupConfiguration", "UpdateGroup", "DeleteGroup"]
)
def test_an_unknown_group_is_not_found(api: Api, operation: str) -> None:
    create(api)
    for given in ("Web", ARN.replace("123456789012", "210987654321"), f"{ARN}x"):
        fault = api.fault(operation, Group=given)
        assert (fault.code, fault.http_status) == ("NotFoundException", 404)
        assert fault.message == f"resource group {given!r} does not exist; `ListGroups` names those that do"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Name": "AwsGroup"}, "group name 'AwsGroup' begins with aws, which is reserved; use another"),
        ({"Name": "a group"}, "1 validation error detected: Value 'a group' at 'name' failed to satisfy "),
        ({"ResourceQuery": None}, "ResourceQuery must be given; a group is what its tag query selects"),
        ({"Configuration": []}, "groups with a Configuration are not served here; give a ResourceQuery of type "),
        ({"ResourceQuery": {"Type": "CLOUDFORMATION_STACK_1_0", "Query": "{}"}}, "ResourceQuery type CLOUDFORMATION_"),
        ({"ResourceQuery": {"Type": "TAG_FILTERS_1_0", "Query": "{"}}, "ResourceQuery: Query is not JSON ("),
        ({"ResourceQuery": {"Type": "OTHER", "Query": "{}"}}, "1 validation error detected: Value 'OTHER' at "),
        ({"Tags": {"aws:x": "y"}}, "tag key 'aws:x' begins with aws:, which is reserved; use another"),
        ({"Tags": {str(number): "" for number in range(201)}}, "quota tags-per-resource is 200, and this would be 201"),
    ],
)
def test_what_is_no_group_is_refused(api: Api, members: dict[str, Any], message: str) -> None:
    fault = api.fault("CreateGroup", **{"Name": NAME, "ResourceQuery": query(), **members})
    assert fault.code == "BadRequestException"
    assert fault.message.startswith(message)
    assert api("ListGroups")["Groups"] == []


def test_there_is_one_group_of_a_name(api: Api) -> None:
    create(api, Description="first")
    fault = api.fault("CreateGroup", Name=NAME, ResourceQuery=query(), Tags={"a": "b"})
    assert (fault.code, fault.message) == (
        "BadRequestException",
        "resource group 'web' exists already; update it, or use another name",
    )
    assert api("GetGroup", Group=NAME)["Group"]["Description"] == "first"
    assert api("GetTags", Arn=ARN)["Tags"] == {}


def test_a_group_of_a_query_has_no_configuration(api: Api) -> None:
    create(api)
    fault = api.fault("GetGroupConfiguration", Group=NAME)
    assert (fault.code, fault.http_status) == ("BadRequestException", 400)
    assert fault.message == "resource group 'web' is defined by a query and has no configuration; use GetGroupQuery"


def test_an_update_changes_what_is_given(api: Api) -> None:
    create(api, **FULL)
    changed = {**GROUP, "Description": "", "Criticality": 10}
    assert api("UpdateGroup", GroupName=NAME, Description="", Criticality=10) == {"Group": changed}
    assert api("GetGroup", Group=NAME) == {"Group": changed}
    assert api("GetGroupQuery", Group=NAME)["GroupQuery"]["ResourceQuery"] == query()


def test_a_changed_query_selects_other_nodes(api: Api) -> None:
    test, live = (api.here.node(tags={"Stage": stage}) for stage in ("Test", "Live"))
    create(api, **FULL)
    assert resources(api) == [test]
    after = query({"Key": "Stage", "Values": ["Live"]})
    answer = api("UpdateGroupQuery", GroupName=NAME, ResourceQuery=after)
    assert answer == {"GroupQuery": {"GroupName": NAME, "ResourceQuery": after}}
    assert resources(api) == [live]
    assert api("GetGroup", Group=NAME) == {"Group": GROUP}
    wrong = {"Type": "TAG_FILTERS_1_0", "Query": "[]"}
    assert api.code("UpdateGroupQuery", GroupName=NAME, ResourceQuery=wrong) == "BadRequestException"
    assert resources(api) == [live]


def test_a_deleted_group_is_gone_with_its_tags_and_its_nodes_stay(api: Api) -> None:
    node = api.here.node(tags={"Stage": "Test"})
    create(api, Tags={"Team": "ops"})
    assert api("DeleteGroup", GroupName=NAME) == {"Group": {"Name": NAME, "GroupArn": ARN}}
    assert api.code("GetGroup", Group=NAME) == "NotFoundException"
    create(api)
    assert api("GetTags", Arn=ARN)["Tags"] == {}
    assert resources(api) == [node]


def test_groups_are_listed_by_name_in_both_forms_of_the_api(api: Api) -> None:
    create(api, "web", Description="Web servers")
    create(api, "db")
    answer = api("ListGroups")
    assert [group["Name"] for group in answer["Groups"]] == ["db", "web"]
    assert answer["GroupIdentifiers"][1] == {"GroupName": "web", "GroupArn": ARN, "Description": "Web servers"}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["db", "web"]),
        ({"owner": ["ops"]}, ["web"]),
        ({"owner": ["ops", "dba"]}, ["db", "web"]),
        ({"owner": ["ops"], "criticality": ["1"]}, []),
        ({"criticality": ["2"]}, ["web"]),
        ({"display-name": ["Web"]}, ["web"]),
        ({"resource-type": ["AWS::EC2::Instance"]}, ["db"]),
        ({"configuration-type": ["AWS::EC2::HostManagement"]}, []),
    ],
)
def test_groups_are_found_by_what_is_known_of_them(
    api: Api, filters: dict[str, list[str]], expected: list[str]
) -> None:
    create(api, "web", Owner="ops", Criticality=2, DisplayName="Web")
    create(api, "db", Owner="dba", Criticality=1, ResourceQuery=query(types=("AWS::EC2::Instance",)))
    asked = [{"Name": name, "Values": values} for name, values in filters.items()]
    assert [group["Name"] for group in api("ListGroups", Filters=asked)["Groups"]] == expected


def test_the_nodes_of_a_group_are_those_with_its_tags_now(api: Api) -> None:
    first, second, _ = (api.here.node(tags={"Stage": stage}) for stage in ("Test", "Deploy", "Live"))
    create(api)
    assert resources(api) == sorted([first, second])
    (identifier,) = api("SearchResources", ResourceQuery=query({"Key": "Stage", "Values": ["Test"]}))[
        "ResourceIdentifiers"
    ]
    assert identifier == {
        "ResourceArn": f"arn:aws:ssm:eu-central-1:123456789012:managed-instance/{first}",
        "ResourceType": "AWS::SSM::ManagedInstance",
    }
    api("RemoveTagsFromResource", ResourceType="ManagedInstance", ResourceId=first, TagKeys=["Stage"])
    assert resources(api) == [second]


def test_nodes_are_of_a_few_types_and_other_types_are_said_to_have_no_resources(api: Api) -> None:
    node = api.here.node(tags={"Stage": "Test"})
    for types, expected in (
        (("AWS::SSM::ManagedInstance",), [node]),
        (("AWS::EC2::Instance", "AWS::S3::Bucket"), [node]),
        (("AWS::S3::Bucket",), []),
    ):
        found = api("SearchResources", ResourceQuery=query(types=types))
        assert [each["ResourceArn"].rpartition("/")[2] for each in found["ResourceIdentifiers"]] == expected
        unknown = [type for type in types if type == "AWS::S3::Bucket"]
        assert found["QueryErrors"] == [
            {"ErrorCode": "RESOURCE_TYPE_NOT_SUPPORTED", "Message": f"there are no resources of type {type} here"}
            for type in unknown
        ]
    create(api)
    for type, expected in (("AWS::EC2::Instance", [node]), ("AWS::S3::Bucket", [])):
        assert resources(api, Filters=[{"Name": "resource-type", "Values": [type]}]) == expected


def test_lists_come_in_pages_whose_tokens_are_for_the_same_request(api: Api) -> None:
    nodes = sorted(api.here.node(tags={"Stage": "Test"}) for _ in range(3))
    for name in ("web", "db", "mail"):
        create(api, name)
    groups = list(api.pages("ListGroups", "Groups", MaxResults=2))
    assert [[group["Name"] for group in page] for page in groups] == [["db", "mail"], ["web"]]
    for operation, member, asked in (
        ("ListGroupResources", "ResourceIdentifiers", {"Group": NAME}),
        ("SearchResources", "ResourceIdentifiers", {"ResourceQuery": query()}),
    ):
        pages = list(api.pages(operation, member, **asked, MaxResults=2))
        found = [[each["ResourceArn"].rpartition("/")[2] for each in page] for page in pages]
        assert found == [nodes[:2], nodes[2:]]
        token = api(operation, **asked, MaxResults=2)["NextToken"]
        assert api.code("ListGroups", NextToken=token) == "BadRequestException"


def test_tags_of_a_group_are_set_and_removed(api: Api) -> None:
    create(api, Tags={"Team": "ops", "Site": "zrh"})
    assert api("Tag", Arn=ARN, Tags={"Team": "web", "Tier": "1"}) == {"Arn": ARN, "Tags": {"Team": "web", "Tier": "1"}}
    assert api("Untag", Arn=ARN, Keys=["Site", "Absent"]) == {"Arn": ARN, "Keys": ["Site", "Absent"]}
    assert api("GetTags", Arn=ARN)["Tags"] == {"Team": "web", "Tier": "1"}
    assert api.code("Tag", Arn=ARN, Tags={"AWS:x": ""}) == "BadRequestException"
    api.here.service.site = dataclasses.replace(api.here.service.site, quotas=Quotas(tags_per_resource=2))
    assert api.fault("Tag", Arn=ARN, Tags={"More": ""}).message.startswith("quota tags-per-resource is 2, and ")
    assert api("GetTags", Arn=ARN)["Tags"] == {"Team": "web", "Tier": "1"}
    assert api.code("GetTags", Arn=f"{ARN}x") == "NotFoundException"


def test_windows_are_found_by_the_group_of_a_target_and_by_a_node_in_it(api: Api) -> None:
    node, other = (api.here.node(tags={"Stage": stage}) for stage in ("Test", "Live"))
    create(api)
    window = api(
        "CreateMaintenanceWindow",
        Name="night",
        Schedule="rate(1 day)",
        Duration=2,
        Cutoff=1,
        AllowUnassociatedTargets=False,
    )["WindowId"]
    group = [{"Key": "resource-groups:Name", "Values": [NAME]}]
    api("RegisterTargetWithMaintenanceWindow", WindowId=window, ResourceType="RESOURCE_GROUP", Targets=group)
    for resource_type, targets, count in (
        ("RESOURCE_GROUP", group, 1),
        ("RESOURCE_GROUP", [{**group[0], "Values": ["db"]}], 0),
        ("INSTANCE", [{"Key": "InstanceIds", "Values": [node]}], 1),
        ("INSTANCE", [{"Key": "InstanceIds", "Values": [other]}], 0),
    ):
        asked = {"ResourceType": resource_type, "Targets": targets}
        assert len(api("DescribeMaintenanceWindowsForTarget", **asked)["WindowIdentities"]) == count
        found = api("DescribeMaintenanceWindowSchedule", **asked, MaxResults=1)["ScheduledWindowExecutions"]
        assert len(found) == count
    assert api.code("DescribeMaintenanceWindowsForTarget", ResourceType="INSTANCE", Targets=group) == (
        "ValidationException"
    )


def test_a_command_goes_to_the_nodes_of_a_group(api: Api) -> None:
    node, _ = (api.here.node(tags={"Stage": stage}) for stage in ("Test", "Live"))
    create(api)
    group = [{"Key": "resource-groups:Name", "Values": [NAME]}]
    sent = api("SendCommand", DocumentName="AWS-Noop", Targets=group)["Command"]
    assert sent["Targets"] == group
    found = api("ListCommandInvocations", CommandId=sent["CommandId"])["CommandInvocations"]
    assert [each["InstanceId"] for each in found] == [node]
    fault = api.fault("SendCommand", DocumentName="AWS-Noop", Targets=[{**group[0], "Values": ["gone"]}])
    assert fault.code == "ValidationException"
    assert fault.message == "resource group 'gone' does not exist; create it, or name another in resource-groups:Name"
