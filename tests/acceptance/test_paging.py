"""Long lists, page by page: boto3's paginators see everything once, and a page token is good for its own list only."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from tests.fakes.server import until
from tests.fakes.world import COUNT, GROUP, World

from patchwindow.operations.table import OPERATIONS

LISTS: Final[dict[str, tuple[str, str, Mapping[str, Any]]]] = {
    # Operation: the list in its answer, what tells its entries apart, and what it needs.
    "DescribePatchBaselines": ("BaselineIdentities", "BaselineId", {}),
    "DescribePatchProperties": ("Properties", "Name", {"OperatingSystem": "WINDOWS", "Property": "CLASSIFICATION"}),
    "DescribeAvailablePatches": ("Patches", "Title", {}),
    "DescribePatchGroups": ("Mappings", "PatchGroup", {}),
    "DescribeInstancePatchStatesForPatchGroup": ("InstancePatchStates", "InstanceId", {"PatchGroup": GROUP}),
    "DescribeInstancePatches": ("Patches", "Title", {"InstanceId": "{node}"}),
    "DescribeMaintenanceWindows": ("WindowIdentities", "WindowId", {}),
    "DescribeMaintenanceWindowTargets": ("Targets", "WindowTargetId", {"WindowId": "{window}"}),
    "DescribeMaintenanceWindowTasks": ("Tasks", "WindowTaskId", {"WindowId": "{window}"}),
    "DescribeMaintenanceWindowExecutions": ("WindowExecutions", "WindowExecutionId", {"WindowId": "{ticking}"}),
    "DescribeMaintenanceWindowExecutionTasks": (
        "WindowExecutionTaskIdentities",
        "TaskExecutionId",
        {"WindowExecutionId": "{execution}"},
    ),
    "DescribeMaintenanceWindowSchedule": (
        "ScheduledWindowExecutions",
        "ExecutionTime",
        {
            "WindowId": "{weekly}",
            "Filters": [{"Key": "ScheduledBefore", "Values": [f"{datetime.now(UTC).year + 1}-12-31T00:00:00Z"]}],
        },
    ),
    "ListCommands": ("Commands", "CommandId", {}),
    "ListCommandInvocations": ("CommandInvocations", "InstanceId", {"CommandId": "{command}"}),
    "ListDocuments": ("DocumentIdentifiers", "Name", {}),
    "DescribeActivations": ("ActivationList", "ActivationId", {}),
    "DescribeInstanceInformation": ("InstanceInformationList", "InstanceId", {}),
    "DescribeInstanceProperties": ("InstanceProperties", "InstanceId", {}),
    "ListNodes": ("Nodes", "Id", {}),
    "ListComplianceItems": ("ComplianceItems", "Title", {"ResourceIds": ["{node}"]}),
    "ListResourceComplianceSummaries": ("ResourceComplianceSummaryItems", "ResourceId", {}),
    "GetInventory": ("Entities", "Id", {}),
}
NEVER_LONG: Final = {
    "DescribeEffectivePatchesForPatchBaseline": "one update here is from the security source",
    "DescribeInstancePatchStates": "it is of the nodes that are named",
    "DescribeMaintenanceWindowExecutionTaskInvocations": "the tasks here have one target each",
    "DescribeMaintenanceWindowsForTarget": "only one window here has such a target",
    "ListComplianceSummaries": "there is one type",
    "GetInventorySchema": "there are fewer types than its smallest page has",
    "DescribeInventoryDeletions": "one type is deleted here",
    "ListDocumentVersions": "test_documents has its pages",
    "ListNodesSummary": "the nodes here are of one platform",
    **dict.fromkeys(
        (
            "ListAssociations",
            "ListAssociationVersions",
            "DescribeAssociationExecutions",
            "DescribeAssociationExecutionTargets",
            "DescribeEffectiveInstanceAssociations",
            "DescribeInstanceAssociationsStatus",
        ),
        "test_associations has their pages",
    ),
}


def smallest_page(world: World, operation: str) -> int:
    """Return the least MaxResults that the operation takes."""
    shape = world.client.meta.service_model.operation_model(operation).input_shape.members["MaxResults"]
    return int(shape.metadata["min"])


def first_page(world: World, operation: str, **more: Any) -> dict[str, Any]:
    """Return the first page of the smallest size."""
    return world.call(operation, {**LISTS[operation][2], "MaxResults": smallest_page(world, operation), **more})


def test_every_list_is_tried(world: World) -> None:
    assert LISTS.keys() | NEVER_LONG.keys() == {
        name for name in OPERATIONS if world.client.can_paginate(xform_name(name))
    }


@pytest.mark.parametrize("operation", LISTS)
def test_a_paginator_sees_everything_once_and_in_the_order_of_one_page(world: World, operation: str) -> None:
    member, key, members = LISTS[operation]
    if operation == "DescribeMaintenanceWindowExecutions":
        until(lambda: len(world.call(operation, members)[member]) > 11, "a twelfth execution")
        # Another one may begin between two pages, but not in the past.
        now = world.call(operation, members)[member][0]["StartTime"]
        members = {
            **members,
            "Filters": [{"Key": "ExecutedBefore", "Values": [now.isoformat().replace("+00:00", "Z")]}],
        }
    whole = [entry[key] for entry in world.call(operation, members)[member]]
    size = smallest_page(world, operation)
    pages = list(
        world.client.get_paginator(xform_name(operation)).paginate(
            **world.filled(members), PaginationConfig={"PageSize": size}
        )
    )
    assert len(pages) > 1
    assert all(len(page[member]) == size for page in pages[:-1])
    seen = [entry[key] for page in pages for entry in page[member]]
    assert len(seen) == len(set(seen))
    assert seen[: len(whole)] == whole
    assert len(seen) >= min(COUNT, len(whole))


@pytest.mark.parametrize("operation", LISTS)
def test_a_token_that_was_not_given_out_for_this_list_is_refused(world: World, operation: str) -> None:
    documented = {shape.name for shape in world.client.meta.service_model.operation_model(operation).error_shapes}
    code = "InvalidNextToken" if "InvalidNextToken" in documented else "ValidationException"
    of_another = "DescribeActivations" if operation != "DescribeActivations" else "ListDocuments"
    for token in ("made-up", first_page(world, of_another)["NextToken"]):
        with pytest.raises(ClientError) as refused:
            first_page(world, operation, NextToken=token)
        assert refused.value.response["Error"]["Code"] == code
        assert "NextToken" in refused.value.response["Error"]["Message"]


@pytest.mark.parametrize("operation", LISTS)
def test_a_page_of_another_size_than_the_api_allows_is_refused(world: World, operation: str) -> None:
    shape = world.client.meta.service_model.operation_model(operation).input_shape.members["MaxResults"]
    sizes = [shape.metadata["min"] - 1, *([shape.metadata["max"] + 1] if "max" in shape.metadata else [])]
    for size in sizes:
        with pytest.raises(ClientError, match=r"\(ValidationException\).*maxResults"):
            getattr(world.plane.unchecked, xform_name(operation))(
                **world.filled({**LISTS[operation][2], "MaxResults": size})
            )
