"""Targets of maintenance windows through the operations of the API."""

import dataclasses
import re
from typing import Any, Final

import pytest
from tests.fakes.api import Api

from patchwindow.operations.quotas import Quotas

UNKNOWN_WINDOW: Final = "mw-0123456789abcdef0"
UNKNOWN: Final = "01234567-89ab-4def-8123-456789abcdef"
UUID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LEAST: Final[dict[str, Any]] = {
    "ResourceType": "INSTANCE",
    "Targets": [{"Key": "tag:Patch Group", "Values": ["web", "db"]}, {"Key": "tag-key", "Values": ["env"]}],
}
GROUP: Final[dict[str, Any]] = {
    "ResourceType": "RESOURCE_GROUP",
    "Targets": [
        {"Key": "resource-groups:Name", "Values": ["web"]},
        {"Key": "resource-groups:ResourceTypeFilters", "Values": ["AWS::EC2::INSTANCE"]},
    ],
}
FULL: Final[dict[str, Any]] = {
    **LEAST,
    "Name": "live-web",
    "Description": "What is live",
    "OwnerInformation": "ops@example.net",
}


@pytest.fixture
def window(api: Api) -> str:
    return window_of(api)


def window_of(api: Api, *, allow_unassociated_targets: bool = False) -> str:
    window_id: str = api(
        "CreateMaintenanceWindow",
        Name="nightly",
        Schedule="rate(1 day)",
        Duration=2,
        Cutoff=1,
        AllowUnassociatedTargets=allow_unassociated_targets,
    )["WindowId"]
    return window_id


def register(api: Api, window: str, **members: Any) -> str:
    target_id: str = api("RegisterTargetWithMaintenanceWindow", WindowId=window, **{**LEAST, **members})[
        "WindowTargetId"
    ]
    return target_id


def task_naming(api: Api, window: str, target: str) -> str:
    task_id: str = api(
        "RegisterTaskWithMaintenanceWindow",
        WindowId=window,
        TaskArn="AWS-Noop",
        TaskType="RUN_COMMAND",
        Targets=[{"Key": "WindowTargetIds", "Values": [target]}],
        MaxConcurrency="1",
        MaxErrors="0",
    )["WindowTaskId"]
    return task_id


def listed(api: Api, window: str, **members: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api("DescribeMaintenanceWindowTargets", WindowId=window, **members)["Targets"]
    return found


def test_every_field_is_read_back_as_it_was_given(api: Api, window: str) -> None:
    made = register(api, window, **FULL)
    assert UUID.fullmatch(made)
    assert listed(api, window) == [{"WindowId": window, "WindowTargetId": made, **FULL}]


def test_a_resource_group_is_read_back_as_it_was_given_though_it_does_not_exist_yet(api: Api, window: str) -> None:
    made = register(api, window, **GROUP)
    assert listed(api, window) == [{"WindowId": window, "WindowTargetId": made, **GROUP}]
    found = listed(api, window, Filters=[{"Key": "Type", "Values": ["RESOURCE_GROUP"]}])
    assert [one["WindowTargetId"] for one in found] == [made]


def test_an_update_keeps_to_the_type_of_the_target(api: Api, window: str) -> None:
    made = register(api, window, **GROUP)
    renamed = [{"Key": "resource-groups:Name", "Values": ["db"]}]
    for replace in ({}, {"Replace": True}):
        answer = api("UpdateMaintenanceWindowTarget", WindowId=window, WindowTargetId=made, Targets=renamed, **replace)
        assert answer["Targets"] == renamed
        fault = api.fault(
            "UpdateMaintenanceWindowTarget", WindowId=window, WindowTargetId=made, Targets=LEAST["Targets"], **replace
        )
        assert fault.message.startswith("target key 'tag:Patch Group' does not go with ResourceType RESOURCE_GROUP; ")
    assert listed(api, window)[0]["ResourceType"] == "RESOURCE_GROUP"


def test_what_is_not_given_is_absent(api: Api, window: str) -> None:
    made = register(api, window)
    assert listed(api, window) == [{"WindowId": window, "WindowTargetId": made, **LEAST}]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Targets": []}, "Please specify at least one target, such as "),
        ({"Targets": [{"Key": "tag:env"}]}, "Please specify at least one target. Filter values can't be null "),
        ({"Targets": [{"Values": ["x"]}]}, "Targets[0] has no Key; give it one "),
        ({"Targets": [{"Key": "WindowTargetIds", "Values": ["x"]}]}, "target key 'WindowTargetIds' is not known; "),
        ({"ResourceType": "RESOURCE_GROUP"}, "target key 'tag:Patch Group' does not go with ResourceType "),
        ({"Targets": GROUP["Targets"]}, "target key 'resource-groups:Name' does not go with ResourceType INSTANCE; "),
        ({"Targets": LEAST["Targets"] * 3}, "1 validation error detected: Value '[{"),
        ({"Name": "a window"}, "1 validation error detected: Value 'a window' at 'name' failed to "),
        ({"Description": ""}, "1 validation error detected: Value at 'description' failed to "),
        ({"OwnerInformation": "o" * 129}, "1 validation error detected: Value at 'ownerInformation' failed to "),
    ],
)
def test_what_is_no_target_is_refused(api: Api, window: str, members: dict[str, Any], message: str) -> None:
    fault = api.fault("RegisterTargetWithMaintenanceWindow", WindowId=window, **{**LEAST, **members})
    assert fault.code == "ValidationException"
    assert fault.message.startswith(message)
    assert listed(api, window) == []


def test_a_window_has_no_more_than_so_many_targets(api: Api, window: str) -> None:
    api.here.service.site = dataclasses.replace(api.here.service.site, quotas=Quotas(targets_per_window=2))
    for _ in range(2):
        register(api, window)
    fault = api.fault("RegisterTargetWithMaintenanceWindow", WindowId=window, **LEAST)
    assert fault.code == "ResourceLimitExceededException"
    assert fault.message == (
        "quota targets-per-window is 2, and this would be 3; "
        "remove some, or start the server with a greater one: --quota targets-per-window=3"
    )
    register(api, window_of(api))


def test_an_update_changes_what_is_given_and_echoes_the_whole_target(api: Api, window: str) -> None:
    made = register(api, window, **FULL)
    answer = api("UpdateMaintenanceWindowTarget", WindowId=window, WindowTargetId=made, Name="other")
    rest = {name: value for name, value in FULL.items() if name != "ResourceType"}
    assert answer == {**rest, "WindowId": window, "WindowTargetId": made, "Name": "other"}
    assert listed(api, window) == [{**answer, "ResourceType": "INSTANCE"}]


def test_replace_makes_absent_what_is_not_given_but_the_type(api: Api, window: str) -> None:
    made = register(api, window, **FULL)
    targets = [{"Key": "tag:env", "Values": ["live"]}]
    answer = api("UpdateMaintenanceWindowTarget", WindowId=window, WindowTargetId=made, Replace=True, Targets=targets)
    assert answer == {"WindowId": window, "WindowTargetId": made, "Targets": targets}
    assert listed(api, window) == [{**answer, "ResourceType": "INSTANCE"}]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Replace": True, "Name": "other"}, "Targets must be given with Replace"),
        ({"Targets": []}, "Please specify at least one target, such as "),
        ({"Targets": [{"Key": "InstanceIds", "Values": ["web"]}]}, "'web' is not a node id (mi- and 17 characters, "),
        ({"Targets": [{"Values": ["web"]}]}, "Targets[0] has no Key; "),
    ],
)
def test_an_update_may_not_break_a_target(api: Api, window: str, members: dict[str, Any], message: str) -> None:
    made = register(api, window)
    fault = api.fault("UpdateMaintenanceWindowTarget", WindowId=window, WindowTargetId=made, **members)
    assert fault.code == "ValidationException"
    assert fault.message.startswith(message)
    assert listed(api, window) == [{"WindowId": window, "WindowTargetId": made, **LEAST}]


@pytest.mark.parametrize("operation", ["UpdateMaintenanceWindowTarget", "DeregisterTargetFromMaintenanceWindow"])
def test_an_unknown_target_and_one_of_another_window_are_named(api: Api, window: str, operation: str) -> None:
    other = register(api, window_of(api))
    for target_id in (UNKNOWN, other):
        fault = api.fault(operation, WindowId=window, WindowTargetId=target_id)
        assert (fault.code, fault.message) == (
            "DoesNotExistException",
            f"Window target {target_id} does not exist in maintenance window {window}",
        )


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("RegisterTargetWithMaintenanceWindow", LEAST),
        ("UpdateMaintenanceWindowTarget", {"WindowTargetId": UNKNOWN}),
        ("DeregisterTargetFromMaintenanceWindow", {"WindowTargetId": UNKNOWN}),
        ("DescribeMaintenanceWindowTargets", {}),
    ],
)
def test_an_unknown_window_is_named(api: Api, operation: str, members: dict[str, Any]) -> None:
    fault = api.fault(operation, WindowId=UNKNOWN_WINDOW, **members)
    assert (fault.code, fault.message) == (
        "DoesNotExistException",
        f"Maintenance window {UNKNOWN_WINDOW} does not exist",
    )


def test_a_target_that_a_task_names_is_safe_only_if_asked(api: Api, window: str) -> None:
    made, free = register(api, window), register(api, window)
    task = task_naming(api, window, made)
    fault = api.fault("DeregisterTargetFromMaintenanceWindow", WindowId=window, WindowTargetId=made, Safe=True)
    assert (fault.code, fault.message) == (
        "TargetInUseException",
        f"window target {made} is used by task {task}; change that first",
    )
    for target_id, members in ((free, {"Safe": True}), (made, {})):
        answer = api("DeregisterTargetFromMaintenanceWindow", WindowId=window, WindowTargetId=target_id, **members)
        assert answer == {"WindowId": window, "WindowTargetId": target_id}
    assert listed(api, window) == []
    dangling = api("GetMaintenanceWindowTask", WindowId=window, WindowTaskId=task)["Targets"]
    assert dangling == [{"Key": "WindowTargetIds", "Values": [made]}]


def test_targets_are_found_by_id_type_and_owner(api: Api, window: str) -> None:
    first, second = register(api, window, OwnerInformation="ops"), register(api, window)
    register(api, window_of(api), OwnerInformation="ops")
    for filters, expected in (
        ({"WindowTargetId": [second]}, [second]),
        ({"WindowTargetId": [second, first]}, [first, second]),
        ({"WindowTargetId": [UNKNOWN]}, []),
        ({"Type": ["INSTANCE"]}, [first, second]),
        ({"Type": ["RESOURCE_GROUP"]}, []),
        ({"OwnerInformation": ["ops"]}, [first]),
        ({"OwnerInformation": ["ops"], "WindowTargetId": [second]}, []),
    ):
        asked = [{"Key": key, "Values": values} for key, values in filters.items()]
        assert [one["WindowTargetId"] for one in listed(api, window, Filters=asked)] == expected


@pytest.mark.parametrize(
    ("filter_", "message"),
    [
        (
            {"Key": "Name", "Values": ["x"]},
            "filter key 'Name' is not known here; use one of Type, WindowTargetId, OwnerInformation",
        ),
        ({"Key": "Type", "Values": []}, "filter Type has no values; give at least one, or leave the filter out"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(api: Api, window: str, filter_: dict[str, Any], message: str) -> None:
    fault = api.fault("DescribeMaintenanceWindowTargets", WindowId=window, Filters=[filter_])
    assert (fault.code, fault.message) == ("ValidationException", message)


def test_pages_together_are_the_whole_list_and_their_token_is_for_this_window(api: Api, window: str) -> None:
    made = [register(api, window) for _ in range(12)]
    pages = list(api.pages("DescribeMaintenanceWindowTargets", "Targets", WindowId=window, MaxResults=10))
    assert [[one["WindowTargetId"] for one in page] for page in pages] == [made[:10], made[10:]]
    token = api("DescribeMaintenanceWindowTargets", WindowId=window, MaxResults=10)["NextToken"]
    other = window_of(api)
    for window_id, given in ((other, token), (window, "bad"), (window, token[:-1])):
        code = api.code("DescribeMaintenanceWindowTargets", WindowId=window_id, NextToken=given)
        assert code == "ValidationException"
