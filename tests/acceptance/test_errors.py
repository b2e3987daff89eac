"""What the service's own errors are called, operation by operation, and what their messages name."""

from typing import Any, Final

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from tests.fakes.world import GROUP, World

NO_BASELINE: Final = "pb-00000000000000000"
NO_WINDOW: Final = "mw-00000000000000000"
NO_NODE: Final = "mi-00000000000000000"
NO_UUID: Final = "00000000-0000-4000-8000-000000000000"
TOKEN: Final = "9b0c0f3e-2f8a-4d4c-8f64-5e4c2f0e6f11"
WINDOW: Final[dict[str, Any]] = {
    "Name": "refused",
    "Schedule": "rate(7 days)",
    "Duration": 2,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
}
TASK: Final[dict[str, Any]] = {
    "WindowId": "{window}",
    "TaskType": "RUN_COMMAND",
    "TaskArn": "AWS-Noop",
    "Targets": [{"Key": "WindowTargetIds", "Values": ["{target}"]}],
    "MaxConcurrency": "1",
    "MaxErrors": "1",
}
SCRIPT: Final[dict[str, Any]] = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}}
TWICE: Final = ["{node}", "{node}"]

Row = tuple[str, dict[str, Any], str, str]

BASELINES: Final[tuple[Row, ...]] = (
    ("GetPatchBaseline", {"BaselineId": NO_BASELINE}, "DoesNotExistException", NO_BASELINE),
    ("GetPatchBaseline", {"BaselineId": "pb-thisisnobaselineid"}, "InvalidResourceId", "pb-thisisnobaselineid"),
    ("UpdatePatchBaseline", {"BaselineId": NO_BASELINE, "Name": "renamed"}, "DoesNotExistException", NO_BASELINE),
    ("DeletePatchBaseline", {"BaselineId": "{baseline}"}, "ResourceInUseException", GROUP),
    ("RegisterDefaultPatchBaseline", {"BaselineId": NO_BASELINE}, "DoesNotExistException", NO_BASELINE),
    (
        "RegisterPatchBaselineForPatchGroup",
        {"BaselineId": NO_BASELINE, "PatchGroup": "x"},
        "DoesNotExistException",
        NO_BASELINE,
    ),
    (
        "RegisterPatchBaselineForPatchGroup",
        {"BaselineId": "{baseline}", "PatchGroup": "Group 00"},
        "AlreadyExistsException",
        "DEBIAN",
    ),
    ("CreatePatchBaseline", {"Name": "no"}, "ValidationException", "'no' at 'name'"),
    ("CreatePatchBaseline", {"Name": "refused", "OperatingSystem": "OS2"}, "ValidationException", "OS2"),
    ("DescribePatchBaselines", {"Filters": [{"Key": "COLOUR", "Values": ["red"]}]}, "ValidationException", "COLOUR"),
)
WINDOWS: Final[tuple[Row, ...]] = (
    ("GetMaintenanceWindow", {"WindowId": NO_WINDOW}, "DoesNotExistException", NO_WINDOW),
    ("UpdateMaintenanceWindow", {"WindowId": NO_WINDOW, "Name": "new"}, "DoesNotExistException", NO_WINDOW),
    ("UpdateMaintenanceWindow", {"WindowId": "{weekly}", "Replace": True}, "ValidationException", "Name, Schedule"),
    ("CreateMaintenanceWindow", {**WINDOW, "Schedule": "cron(0 25 * * ? *)"}, "ValidationException", "25"),
    ("CreateMaintenanceWindow", {**WINDOW, "Schedule": "rate(1 hours)"}, "ValidationException", "rate(1 hours)"),
    ("CreateMaintenanceWindow", {**WINDOW, "Cutoff": 2}, "ValidationException", "2"),
    ("CreateMaintenanceWindow", {**WINDOW, "ScheduleTimezone": "Mars/Base"}, "ValidationException", "Mars/Base"),
    ("CreateMaintenanceWindow", {**WINDOW, "ScheduleOffset": 2}, "ValidationException", "cron"),
    ("DescribeMaintenanceWindowSchedule", {"WindowId": NO_WINDOW}, "DoesNotExistException", NO_WINDOW),
    ("DescribeMaintenanceWindowTargets", {"WindowId": NO_WINDOW}, "DoesNotExistException", NO_WINDOW),
    ("DescribeMaintenanceWindowTasks", {"WindowId": NO_WINDOW}, "DoesNotExistException", NO_WINDOW),
    (
        "RegisterTargetWithMaintenanceWindow",
        {"WindowId": NO_WINDOW, "ResourceType": "INSTANCE", "Targets": [{"Key": "tag:a", "Values": ["b"]}]},
        "DoesNotExistException",
        NO_WINDOW,
    ),
    (
        "RegisterTargetWithMaintenanceWindow",
        {"WindowId": "{window}", "ResourceType": "INSTANCE", "Targets": [{"Key": "tag:a", "Values": []}]},
        "ValidationException",
        "Please specify at least one target",
    ),
    (
        "UpdateMaintenanceWindowTarget",
        {"WindowId": "{window}", "WindowTargetId": NO_UUID},
        "DoesNotExistException",
        NO_UUID,
    ),
    (
        "DeregisterTargetFromMaintenanceWindow",
        {"WindowId": "{window}", "WindowTargetId": "{target}", "Safe": True},
        "TargetInUseException",
        "{task}",
    ),
    ("RegisterTaskWithMaintenanceWindow", {**TASK, "WindowId": NO_WINDOW}, "DoesNotExistException", NO_WINDOW),
    (
        "RegisterTaskWithMaintenanceWindow",
        {**TASK, "Targets": [{"Key": "WindowTargetIds", "Values": [NO_UUID]}]},
        "DoesNotExistException",
        NO_UUID,
    ),
    (
        "RegisterTaskWithMaintenanceWindow",
        {**TASK, "Targets": [{"Key": "WindowTargetIds", "Values": ["{target}"] * 2}]},
        "ValidationException",
        "{target}",
    ),
    (
        "RegisterTaskWithMaintenanceWindow",
        {**TASK, "Targets": [{"Key": "WindowTargetIds", "Values": ["{target}"] * 50}] * 3},
        "ValidationException",
        "quota targets-per-task is 100",
    ),
    ("RegisterTaskWithMaintenanceWindow", {**TASK, "MaxConcurrency": "0"}, "ValidationException", "maxConcurrency"),
    ("GetMaintenanceWindowTask", {"WindowId": "{window}", "WindowTaskId": NO_UUID}, "DoesNotExistException", NO_UUID),
    (
        "DeregisterTaskFromMaintenanceWindow",
        {"WindowId": "{window}", "WindowTaskId": NO_UUID},
        "DoesNotExistException",
        NO_UUID,
    ),
    ("GetMaintenanceWindowExecution", {"WindowExecutionId": NO_UUID}, "DoesNotExistException", NO_UUID),
    ("CancelMaintenanceWindowExecution", {"WindowExecutionId": NO_UUID}, "DoesNotExistException", NO_UUID),
    (
        "GetMaintenanceWindowExecutionTask",
        {"WindowExecutionId": "{execution}", "TaskId": NO_UUID},
        "DoesNotExistException",
        NO_UUID,
    ),
)
COMMANDS: Final[tuple[Row, ...]] = (
    ("SendCommand", {**SCRIPT, "InstanceIds": [NO_NODE]}, "InvalidInstanceId", NO_NODE),
    ("SendCommand", {**SCRIPT, "InstanceIds": TWICE}, "DuplicateInstanceId", "twice"),
    ("SendCommand", {**SCRIPT, "DocumentName": "AWS-None", "InstanceIds": ["{node}"]}, "InvalidDocument", "AWS-None"),
    ("SendCommand", {**SCRIPT, "DocumentVersion": "9", "InstanceIds": ["{node}"]}, "InvalidDocumentVersion", "9"),
    (
        "SendCommand",
        {**SCRIPT, "Parameters": {"command": ["x"]}, "InstanceIds": ["{node}"]},
        "InvalidParameters",
        "command",
    ),
    ("SendCommand", SCRIPT, "InvalidParameters", "InstanceIds or by Targets"),
    ("CancelCommand", {"CommandId": NO_UUID}, "InvalidCommandId", NO_UUID),
    ("CancelCommand", {"CommandId": "{command}", "InstanceIds": TWICE}, "DuplicateInstanceId", "twice"),
    ("CancelCommand", {"CommandId": "{command}", "InstanceIds": [NO_NODE]}, "InvalidInstanceId", NO_NODE),
    ("GetCommandInvocation", {"CommandId": NO_UUID, "InstanceId": "{node}"}, "InvocationDoesNotExist", NO_UUID),
    (
        "GetCommandInvocation",
        {"CommandId": "{command}", "InstanceId": "{node}", "PluginName": "none"},
        "InvalidPluginName",
        "none",
    ),
    (
        "ListCommands",
        {"InstanceId": "{node}", "Filters": [{"key": "Status", "value": "Pending"}]},
        "InvalidFilterKey",
        "Status=Pending",
    ),
    ("GetDocument", {"Name": "AWS-None"}, "InvalidDocument", "AWS-None"),
    ("GetDocument", {"Name": "AWS-Noop", "DocumentVersion": "9"}, "InvalidDocumentVersion", "9"),
    ("DescribeDocument", {"Name": "AWS-Noop", "DocumentVersion": "9"}, "InvalidDocumentVersion", "9"),
    ("ListDocuments", {"Filters": [{"Key": "Colour", "Values": ["red"]}]}, "InvalidFilterKey", "Colour"),
)
NODES: Final[tuple[Row, ...]] = (
    ("DeleteActivation", {"ActivationId": NO_UUID}, "InvalidActivation", NO_UUID),
    ("CreateActivation", {"IamRole": "node", "ExpirationDate": 0}, "InvalidParameters", "is past"),
    (
        "DescribeActivations",
        {"Filters": [{"FilterKey": "ActivationIds", "FilterValues": []}]},
        "InvalidFilter",
        "FilterValues",
    ),
    (
        "DescribeInstanceInformation",
        {"Filters": [{"Key": "Colour", "Values": ["red"]}]},
        "InvalidFilterKey",
        "Colour",
    ),
    (
        "DescribeInstanceInformation",
        {"Filters": [{"Key": "PingStatus", "Values": ["Asleep"]}]},
        "InvalidInstanceInformationFilterValue",
        "Asleep",
    ),
    (
        "DescribeInstanceProperties",
        {"FiltersWithOperator": [{"Key": "Colour", "Values": ["red"]}]},
        "InvalidFilterKey",
        "Colour",
    ),
    ("DeregisterManagedInstance", {"InstanceId": NO_NODE}, "InvalidInstanceId", NO_NODE),
    ("UpdateManagedInstanceRole", {"InstanceId": NO_NODE, "IamRole": "x"}, "InvalidInstanceId", NO_NODE),
    ("DescribeInstancePatches", {"InstanceId": NO_NODE}, "InvalidInstanceId", NO_NODE),
    (
        "DescribeInstancePatches",
        {"InstanceId": "{node}", "Filters": [{"Key": "Colour", "Values": ["red"]}]},
        "InvalidFilter",
        "Colour",
    ),
    (
        "DescribeInstancePatchStatesForPatchGroup",
        {"PatchGroup": GROUP, "Filters": [{"Key": "MissingCount", "Type": "Equal", "Values": ["few"]}]},
        "InvalidFilter",
        "few",
    ),
    ("ListComplianceItems", {"ResourceIds": [NO_NODE]}, "InvalidResourceId", NO_NODE),
    (
        "ListComplianceItems",
        {"ResourceIds": ["{node}"], "ResourceTypes": ["Bucket"]},
        "InvalidResourceType",
        "Bucket",
    ),
    ("ListComplianceSummaries", {"Filters": [{"Key": "Colour", "Values": ["red"]}]}, "InvalidFilter", "Colour"),
    (
        "ListTagsForResource",
        {"ResourceType": "ManagedInstance", "ResourceId": NO_NODE},
        "InvalidResourceId",
        NO_NODE,
    ),
    ("ListTagsForResource", {"ResourceType": "Parameter", "ResourceId": "x"}, "InvalidResourceType", "Parameter"),
    (
        "AddTagsToResource",
        {
            "ResourceType": "ManagedInstance",
            "ResourceId": "{node}",
            "Tags": [{"Key": f"key-{number}", "Value": ""} for number in range(201)],
        },
        "TooManyTagsError",
        "tags-per-resource",
    ),
)
ASSOCIATION: Final[dict[str, Any]] = {"Name": "AWS-Noop", "Targets": [{"Key": "tag:Role", "Values": ["nobody"]}]}
INVENTORY: Final[dict[str, Any]] = {
    "TypeName": "AWS:Service",
    "SchemaVersion": "1.0",
    "CaptureTime": "2026-03-14T00:00:00Z",
}
ASSOCIATIONS: Final[tuple[Row, ...]] = (
    ("DescribeAssociation", {"AssociationId": NO_UUID}, "AssociationDoesNotExist", NO_UUID),
    ("UpdateAssociation", {"AssociationId": NO_UUID}, "AssociationDoesNotExist", NO_UUID),
    ("DeleteAssociation", {"AssociationId": NO_UUID}, "AssociationDoesNotExist", NO_UUID),
    ("StartAssociationsOnce", {"AssociationIds": [NO_UUID]}, "AssociationDoesNotExist", NO_UUID),
    ("DescribeAssociation", {"Name": "AWS-Noop", "InstanceId": NO_NODE}, "InvalidInstanceId", NO_NODE),
    ("DescribeInstanceAssociationsStatus", {"InstanceId": NO_NODE}, "InvalidInstanceId", NO_NODE),
    ("CreateAssociation", {**ASSOCIATION, "Name": "AWS-None"}, "InvalidDocument", "AWS-None"),
    ("CreateAssociation", {**ASSOCIATION, "DocumentVersion": "9"}, "InvalidDocumentVersion", "9"),
    (
        "CreateAssociation",
        {**ASSOCIATION, "ScheduleExpression": "rate(5 minutes)"},
        "InvalidSchedule",
        "rate(5 minutes)",
    ),
    ("CreateAssociation", {**ASSOCIATION, "Parameters": {"colour": ["red"]}}, "InvalidParameters", "colour"),
    ("CreateAssociation", {"Name": "AWS-Noop"}, "InvalidTarget", "InstanceId"),
    ("CreateAssociation", {**ASSOCIATION, "TargetMaps": [{"a": ["b"]}]}, "InvalidTargetMaps", "Targets"),
    (
        "CreateAssociation",
        {**ASSOCIATION, "OutputLocation": {"S3Location": {"OutputS3KeyPrefix": "logs"}}},
        "InvalidOutputLocation",
        "OutputS3BucketName",
    ),
    ("CreateAssociation", {**ASSOCIATION, "Tags": [{"Key": "aws:x", "Value": ""}]}, "InvalidTag", "aws:x"),
    ("PutInventory", {"InstanceId": NO_NODE, "Items": [INVENTORY]}, "InvalidInstanceId", NO_NODE),
    ("PutInventory", {"InstanceId": "{node}", "Items": [INVENTORY]}, "InvalidItemContentException", "AWS:Service"),
    (
        "PutInventory",
        {"InstanceId": "{node}", "Items": [{**INVENTORY, "ContentHash": "h"}]},
        "ItemContentMismatchException",
        "AWS:Service",
    ),
    (
        "PutInventory",
        {"InstanceId": "{node}", "Items": [{**INVENTORY, "SchemaVersion": "9.0"}]},
        "UnsupportedInventorySchemaVersionException",
        "9.0",
    ),
    ("GetInventorySchema", {"TypeName": "AWS:Colour"}, "InvalidTypeNameException", "AWS:Colour"),
)


@pytest.mark.parametrize(
    ("operation", "members", "code", "named"),
    [*BASELINES, *WINDOWS, *COMMANDS, *NODES, *ASSOCIATIONS],
    ids=lambda value: value if isinstance(value, str) and value[0].isupper() else "",
)
def test_a_refusal_has_its_documented_name_and_names_the_thing(
    world: World, operation: str, members: dict[str, Any], code: str, named: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(world.plane.unchecked, xform_name(operation))(**world.filled(members))
    error = refused.value.response["Error"]
    assert error["Code"] == code
    assert world.filled(named) in error["Message"]


@pytest.mark.parametrize(
    ("operation", "members", "changed"),
    [
        ("CreatePatchBaseline", {"Name": "once-only"}, {"Name": "twice"}),
        ("CreateMaintenanceWindow", WINDOW, {"Duration": 3}),
        (
            "RegisterTargetWithMaintenanceWindow",
            {"WindowId": "{weekly}", "ResourceType": "INSTANCE", "Targets": [{"Key": "tag:a", "Values": ["b"]}]},
            {"Name": "another"},
        ),
        ("RegisterTaskWithMaintenanceWindow", TASK, {"Priority": 99}),
    ],
)
def test_a_client_token_makes_one_thing_and_is_good_for_one_request(
    world: World, operation: str, members: dict[str, Any], changed: dict[str, Any]
) -> None:
    once = {**members, "ClientToken": TOKEN}
    made = world.call(operation, once)
    assert world.call(operation, once) == made
    with pytest.raises(world.client.exceptions.IdempotentParameterMismatch, match=TOKEN):
        world.call(operation, {**once, **changed})


def test_a_refusal_of_inventory_says_of_which_type(world: World) -> None:
    with pytest.raises(world.client.exceptions.ItemContentMismatchException) as refused:
        world.call("PutInventory", {"InstanceId": "{node}", "Items": [{**INVENTORY, "ContentHash": "h"}]})
    assert refused.value.response["TypeName"] == "AWS:Service"


def test_a_predefined_baseline_is_used_and_not_changed(world: World) -> None:
    (debian,) = world.client.describe_patch_baselines(
        Filters=[{"Key": "NAME_PREFIX", "Values": ["AWS-DebianDefaultPatchBaseline"]}]
    )["BaselineIdentities"]
    assert debian["BaselineId"].startswith("arn:aws:ssm:us-east-1:")
    for operation in ("UpdatePatchBaseline", "DeletePatchBaseline"):
        with pytest.raises(ClientError, match=r"\(AccessDeniedException\).*predefined"):
            world.call(operation, {"BaselineId": debian["BaselineId"]})
