"""Tasks of maintenance windows through the operations of the API."""

import dataclasses
import re
from typing import Any, Final

import pytest
from tests.fakes.api import Api

from patchwindow.operations.quotas import Quotas

UNKNOWN_WINDOW: Final = "mw-0123456789abcdef0"
UNKNOWN: Final = "01234567-89ab-4def-8123-456789abcdef"
UUID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RUN_COMMAND: Final[dict[str, Any]] = {
    "Comment": "patch {{WINDOW_ID}}",
    "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "patching", "CloudWatchOutputEnabled": True},
    "DocumentHash": "0" * 64,
    "DocumentHashType": "Sha256",
    "DocumentVersion": "$LATEST",
    "NotificationConfig": {"NotificationArn": "arn", "NotificationEvents": ["All"], "NotificationType": "Command"},
    "OutputS3BucketName": "bucket",
    "OutputS3KeyPrefix": "logs",
    "Parameters": {"Operation": ["Scan"], "RebootOption": ["NoReboot"]},
    "ServiceRoleArn": "arn:aws:iam::123456789012:role/notify",
    "TimeoutSeconds": 600,
}
LEAST: Final[dict[str, Any]] = {"TaskArn": "AWS-RunPatchBaseline", "TaskType": "RUN_COMMAND"}
RATE: Final = {"MaxConcurrency": "10%", "MaxErrors": "0"}
REST: Final[dict[str, Any]] = {
    "ServiceRoleArn": "arn:aws:iam::123456789012:role/windows",
    "Priority": 3,
    "Name": "patch-live",
    "Description": "Patch what is live",
    "CutoffBehavior": "CANCEL_TASK",
    "AlarmConfiguration": {"IgnorePollAlarmFailure": True, "Alarms": [{"Name": "load"}]},
    "TaskInvocationParameters": {"RunCommand": RUN_COMMAND},
    "LoggingInfo": {"S3BucketName": "bucket", "S3Region": "eu-central-1", "S3KeyPrefix": "logs"},
    "TaskParameters": {"Operation": {"Values": ["Scan"]}},
}
DEFAULTS: Final[dict[str, Any]] = {
    "Priority": 0,
    "TaskParameters": {},
}
NODE: Final = [{"Key": "InstanceIds", "Values": ["mi-0123456789abcdef0"]}]


@pytest.fixture
def window(api: Api) -> str:
    return window_of(api)


@pytest.fixture
def target(api: Api, window: str) -> str:
    return target_of(api, window)


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


def target_of(api: Api, window: str) -> str:
    target_id: str = api(
        "RegisterTargetWithMaintenanceWindow",
        WindowId=window,
        ResourceType="INSTANCE",
        Targets=[{"Key": "tag:env", "Values": ["live"]}],
    )["WindowTargetId"]
    return target_id


def on(*targets: str) -> list[dict[str, Any]]:
    return [{"Key": "WindowTargetIds", "Values": list(targets)}]


def register(api: Api, window: str, target: str, **members: Any) -> str:
    task_id: str = api(
        "RegisterTaskWithMaintenanceWindow", WindowId=window, **{**LEAST, **RATE, "Targets": on(target), **members}
    )["WindowTaskId"]
    return task_id


def refused(api: Api, window: str, **members: Any) -> str:
    fault = api.fault("RegisterTaskWithMaintenanceWindow", WindowId=window, **{**LEAST, **members})
    assert fault.code == "ValidationException"
    assert api("DescribeMaintenanceWindowTasks", WindowId=window) == {"Tasks": []}
    return fault.message


def get(api: Api, window: str, task: str) -> dict[str, Any]:
    return api("GetMaintenanceWindowTask", WindowId=window, WindowTaskId=task)


def listed(api: Api, window: str, **members: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api("DescribeMaintenanceWindowTasks", WindowId=window, **members)["Tasks"]
    return found


def test_every_field_is_read_back_as_it_was_given(api: Api, window: str, target: str) -> None:
    made = register(api, window, target, **REST)
    assert UUID.fullmatch(made)
    task = {"WindowId": window, "WindowTaskId": made, **LEAST, **RATE, **REST, "Targets": on(target)}
    assert get(api, window, made) == task
    task["Type"] = task.pop("TaskType")
    del task["TaskInvocationParameters"]
    assert listed(api, window) == [task]


def test_what_is_not_given_is_read_back_with_its_default(api: Api, window: str, target: str) -> None:
    made = register(api, window, target)
    task = {"WindowId": window, "WindowTaskId": made, **LEAST, **RATE, "Targets": on(target)}
    assert get(api, window, made) == {**task, **DEFAULTS}


@pytest.mark.parametrize(
    ("task_type", "parameters"),
    [
        ("AUTOMATION", {"Automation": {"DocumentVersion": "1", "Parameters": {"InstanceId": ["x"]}}}),
        ("STEP_FUNCTIONS", {"StepFunctions": {"Input": "{}", "Name": "run"}}),
        ("LAMBDA", {"Lambda": {"ClientContext": "e30=", "Qualifier": "$LATEST", "Payload": "eyJhIjogMX0="}}),
        ("LAMBDA", {"Lambda": {"Qualifier": "$LATEST"}}),
    ],
)
def test_a_task_without_targets_is_read_back_with_placeholders(
    api: Api, window: str, task_type: str, parameters: dict[str, Any]
) -> None:
    given = {"TaskArn": "SSMfunction", "TaskType": task_type, "TaskInvocationParameters": parameters}
    made = api("RegisterTaskWithMaintenanceWindow", WindowId=window, **given)["WindowTaskId"]
    found = get(api, window, made)
    assert found == {
        **DEFAULTS,
        **given,
        "WindowId": window,
        "WindowTaskId": made,
        "Targets": [],
        "MaxConcurrency": "1",
        "MaxErrors": "1",
    }
    (entry,) = listed(api, window)
    assert (entry["Type"], entry["MaxConcurrency"], entry["MaxErrors"]) == (task_type, "1", "1")
    answer = api("UpdateMaintenanceWindowTask", WindowId=window, WindowTaskId=made, Name="other")
    assert answer["TaskInvocationParameters"] == parameters
    assert (answer["MaxConcurrency"], answer["MaxErrors"]) == ("1", "1")


def test_rate_control_without_targets_is_refused_in_the_words_of_the_api(api: Api, window: str) -> None:
    lambda_ = {"TaskArn": "SSMfunction", "TaskType": "LAMBDA"}
    errors = "Maintenance window tasks without targets do not support MaxErrors values."
    concurrency = "Maintenance window tasks without targets do not support MaxConcurrency values."
    assert refused(api, window, **lambda_, **RATE) == f"{errors} {concurrency}"
    assert refused(api, window, **lambda_, MaxErrors="1") == errors
    assert refused(api, window, **lambda_, MaxConcurrency="1", Targets=[]) == concurrency


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "a task of type RUN_COMMAND needs Targets; name registered targets under WindowTargetIds"),
        ({"Targets": NODE, "MaxErrors": "0"}, "MaxConcurrency must be given for a task with targets; a number or a "),
        ({"Targets": NODE, "MaxConcurrency": "1"}, "MaxErrors must be given for a task with targets; a number or a "),
        (
            {"Targets": [{"Key": "tag:env", "Values": ["live"]}], **RATE},
            "target key 'tag:env' of a task is not known; ",
        ),
        ({"Targets": [{"Values": ["x"]}], **RATE}, "Targets[0] has no Key; give it one such as "),
        ({"Targets": on(), **RATE}, "Please specify at least one target. Values of WindowTargetIds can't be empty"),
        ({"Targets": [{"Key": "WindowTargetIds"}], **RATE}, "Please specify at least one target. Values of "),
        (
            {"Targets": [*on("x", "y"), *on("x")], **RATE},
            "window target x is named 2 times; name it once, as its nodes are to run once",
        ),
        (
            {"Targets": [*on(*["x"] * 50), *on(*["x"] * 50), *on("y")], **RATE},
            "quota targets-per-task is 100, and this would be 101; remove some, ",
        ),
        (
            {"TaskInvocationParameters": {"Automation": {}, "Lambda": {}}},
            "TaskInvocationParameters has Automation, Lambda, but the task is of type RUN_COMMAND; use RunCommand",
        ),
        ({"TaskParameters": {"commands": {}}}, "TaskParameters has no Values for 'commands'; give them as a list"),
        ({"MaxConcurrency": "0"}, "1 validation error detected: Value '0' at 'maxConcurrency' failed to satisfy "),
        ({"MaxConcurrency": "101%"}, "1 validation error detected: Value '101%' at 'maxConcurrency' failed to "),
        ({"MaxErrors": "x"}, "1 validation error detected: Value 'x' at 'maxErrors' failed to satisfy "),
        ({"Priority": -1}, "1 validation error detected: Value '-1' at 'priority' failed to satisfy "),
        ({"TaskType": "SHELL"}, "1 validation error detected: Value 'SHELL' at 'taskType' failed to satisfy "),
        ({"CutoffBehavior": "STOP"}, "1 validation error detected: Value 'STOP' at 'cutoffBehavior' failed to "),
    ],
)
def test_what_is_no_task_is_refused(api: Api, window: str, members: dict[str, Any], message: str) -> None:
    assert refused(api, window, **members).startswith(message)


def test_an_alarm_is_taken_only_from_who_does_not_rely_on_it(api: Api, window: str, target: str) -> None:
    alarm: dict[str, Any] = {"Alarms": [{"Name": "load"}]}
    told = (
        "AlarmConfiguration names the alarm load, which this server cannot read: nothing would stop when it goes off; "
        "leave AlarmConfiguration out, or set IgnorePollAlarmFailure to true to run without that stop"
    )
    for configuration in (alarm, {**alarm, "IgnorePollAlarmFailure": False}):
        assert refused(api, window, Targets=on(target), **RATE, AlarmConfiguration=configuration) == told
    ignored = {**alarm, "IgnorePollAlarmFailure": True}
    made = register(api, window, target, AlarmConfiguration=ignored)
    fault = api.fault("UpdateMaintenanceWindowTask", WindowId=window, WindowTaskId=made, AlarmConfiguration=alarm)
    assert (fault.code, fault.message) == ("ValidationException", told)
    assert get(api, window, made)["AlarmConfiguration"] == ignored


@pytest.mark.parametrize(("concurrency", "errors"), [("1", "0"), ("100%", "100%"), ("1%", "0%"), ("9999999", "9%")])
def test_limits_are_numbers_or_percentages(api: Api, window: str, target: str, concurrency: str, errors: str) -> None:
    made = register(api, window, target, MaxConcurrency=concurrency, MaxErrors=errors)
    found = get(api, window, made)
    assert (found["MaxConcurrency"], found["MaxErrors"]) == (concurrency, errors)


def test_nodes_are_named_only_where_the_window_allows_it(api: Api, window: str) -> None:
    assert refused(api, window, Targets=NODE, **RATE) == (
        f"maintenance window {window} has AllowUnassociatedTargets false; "
        "register a target with it and name that under WindowTargetIds"
    )
    allowing = window_of(api, allow_unassociated_targets=True)
    made = register(api, allowing, "", Targets=NODE)
    assert get(api, allowing, made)["Targets"] == NODE
    bad = [{"Key": "InstanceIds", "Values": ["web"]}]
    code = api.code("RegisterTaskWithMaintenanceWindow", WindowId=allowing, **LEAST, **RATE, Targets=bad)
    assert code == "ValidationException"


def test_a_task_names_targets_of_its_own_window(api: Api, window: str) -> None:
    for target_id in (UNKNOWN, target_of(api, window_of(api))):
        fault = api.fault("RegisterTaskWithMaintenanceWindow", WindowId=window, **LEAST, **RATE, Targets=on(target_id))
        assert (fault.code, fault.message) == (
            "DoesNotExistException",
            f"Window target {target_id} does not exist in maintenance window {window}",
        )


def test_a_window_has_no_more_than_so_many_tasks(api: Api, window: str, target: str) -> None:
    api.here.service.site = dataclasses.replace(api.here.service.site, quotas=Quotas(tasks_per_window=2))
    for _ in range(2):
        register(api, window, target)
    fault = api.fault("RegisterTaskWithMaintenanceWindow", WindowId=window, **LEAST, **RATE, Targets=on(target))
    assert fault.code == "ResourceLimitExceededException"
    assert fault.message == (
        "quota tasks-per-window is 2, and this would be 3; "
        "remove some, or start the server with a greater one: --quota tasks-per-window=3"
    )


def test_an_update_changes_what_is_given_and_parameters_as_a_whole(api: Api, window: str, target: str) -> None:
    made = register(api, window, target, **REST)
    before = get(api, window, made)
    parameters = {"RunCommand": {"Parameters": {"Operation": ["Install"]}}}
    answer = api(
        "UpdateMaintenanceWindowTask",
        WindowId=window,
        WindowTaskId=made,
        TaskArn="AWS-RunShellScript",
        TaskInvocationParameters=parameters,
    )
    after = get(api, window, made)
    assert after == {**before, "TaskArn": "AWS-RunShellScript", "TaskInvocationParameters": parameters}
    del after["TaskType"]
    assert answer == after


def test_replace_makes_default_what_is_not_given_but_the_type(api: Api, window: str, target: str) -> None:
    made = register(api, window, target, **REST)
    given = {"TaskArn": "AWS-Noop", "Targets": on(target), **RATE}
    answer = api("UpdateMaintenanceWindowTask", WindowId=window, WindowTaskId=made, Replace=True, **given)
    assert answer == {"WindowId": window, "WindowTaskId": made, **DEFAULTS, **given}
    assert get(api, window, made)["TaskType"] == "RUN_COMMAND"


def test_replace_names_what_it_lacks(api: Api, window: str, target: str) -> None:
    made = register(api, window, target)
    fault = api.fault("UpdateMaintenanceWindowTask", WindowId=window, WindowTaskId=made, Replace=True, MaxErrors="1")
    assert (fault.code, fault.message) == (
        "ValidationException",
        "TaskArn, Targets, MaxConcurrency must be given with Replace",
    )
    function = api("RegisterTaskWithMaintenanceWindow", WindowId=window, TaskArn="SSMf", TaskType="LAMBDA")
    fault = api.fault("UpdateMaintenanceWindowTask", WindowId=window, **function, Replace=True)
    assert fault.message == "TaskArn must be given with Replace"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"Targets": NODE}, "ValidationException"),
        ({"Targets": []}, "ValidationException"),
        ({"Targets": on(UNKNOWN)}, "DoesNotExistException"),
        ({"TaskInvocationParameters": {"Lambda": {}}}, "ValidationException"),
    ],
)
def test_an_update_may_not_break_a_task(api: Api, window: str, target: str, members: dict[str, Any], code: str) -> None:
    made = register(api, window, target)
    before = get(api, window, made)
    assert api.code("UpdateMaintenanceWindowTask", WindowId=window, WindowTaskId=made, **members) == code
    assert get(api, window, made) == before


def test_an_update_of_something_else_leaves_targets_that_are_gone_or_not_allowed_any_more(api: Api) -> None:
    window = window_of(api, allow_unassociated_targets=True)
    target = target_of(api, window)
    by_target, by_node = register(api, window, target), register(api, window, "", Targets=NODE)
    api("DeregisterTargetFromMaintenanceWindow", WindowId=window, WindowTargetId=target)
    api("UpdateMaintenanceWindow", WindowId=window, AllowUnassociatedTargets=False)
    for task, targets in ((by_target, on(target)), (by_node, NODE)):
        answer = api("UpdateMaintenanceWindowTask", WindowId=window, WindowTaskId=task, Priority=7)
        assert (answer["Priority"], answer["Targets"]) == (7, targets)


def test_a_deregistered_task_is_gone(api: Api, window: str, target: str) -> None:
    made, other = register(api, window, target), register(api, window, target)
    answer = api("DeregisterTaskFromMaintenanceWindow", WindowId=window, WindowTaskId=made)
    assert answer == {"WindowId": window, "WindowTaskId": made}
    assert [one["WindowTaskId"] for one in listed(api, window)] == [other]


@pytest.mark.parametrize(
    "operation", ["GetMaintenanceWindowTask", "UpdateMaintenanceWindowTask", "DeregisterTaskFromMaintenanceWindow"]
)
def test_an_unknown_task_and_one_of_another_window_are_named(
    api: Api, window: str, target: str, operation: str
) -> None:
    other = window_of(api)
    for window_id, task in ((window, UNKNOWN), (other, register(api, window, target))):
        fault = api.fault(operation, WindowId=window_id, WindowTaskId=task)
        assert (fault.code, fault.message) == (
            "DoesNotExistException",
            f"Window task {task} does not exist in maintenance window {window_id}",
        )


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("RegisterTaskWithMaintenanceWindow", LEAST),
        ("GetMaintenanceWindowTask", {"WindowTaskId": UNKNOWN}),
        ("UpdateMaintenanceWindowTask", {"WindowTaskId": UNKNOWN}),
        ("DeregisterTaskFromMaintenanceWindow", {"WindowTaskId": UNKNOWN}),
        ("DescribeMaintenanceWindowTasks", {}),
    ],
)
def test_an_unknown_window_is_named(api: Api, operation: str, members: dict[str, Any]) -> None:
    fault = api.fault(operation, WindowId=UNKNOWN_WINDOW, **members)
    assert (fault.code, fault.message) == (
        "DoesNotExistException",
        f"Maintenance window {UNKNOWN_WINDOW} does not exist",
    )


def test_tasks_are_found_by_each_of_their_filters(api: Api, window: str, target: str) -> None:
    patch = register(api, window, target, Priority=1)
    noop = register(api, window, target, TaskArn="AWS-Noop")
    function = api("RegisterTaskWithMaintenanceWindow", WindowId=window, TaskArn="SSMf", TaskType="LAMBDA")
    lambda_ = function["WindowTaskId"]
    for filters, expected in (
        ({"WindowTaskId": [noop]}, [noop]),
        ({"TaskArn": ["AWS-Noop", "SSMf"]}, [noop, lambda_]),
        ({"Priority": ["1"]}, [patch]),
        ({"Priority": ["0"]}, [noop, lambda_]),
        ({"TaskType": ["RUN_COMMAND"]}, [patch, noop]),
        ({"TaskType": ["RUN_COMMAND"], "Priority": ["0"]}, [noop]),
        ({"TaskType": ["AUTOMATION"]}, []),
    ):
        asked = [{"Key": key, "Values": values} for key, values in filters.items()]
        assert [one["WindowTaskId"] for one in listed(api, window, Filters=asked)] == expected


def test_a_filter_that_cannot_be_is_refused(api: Api, window: str) -> None:
    fault = api.fault("DescribeMaintenanceWindowTasks", WindowId=window, Filters=[{"Key": "Name", "Values": ["x"]}])
    assert (fault.code, fault.message) == (
        "ValidationException",
        "filter key 'Name' is not known here; use one of WindowTaskId, TaskArn, Priority, TaskType",
    )


def test_pages_together_are_the_whole_list_and_their_token_is_for_this_window(
    api: Api, window: str, target: str
) -> None:
    made = [register(api, window, target) for _ in range(11)]
    pages = list(api.pages("DescribeMaintenanceWindowTasks", "Tasks", WindowId=window, MaxResults=10))
    assert [[one["WindowTaskId"] for one in page] for page in pages] == [made[:10], made[10:]]
    token = api("DescribeMaintenanceWindowTasks", WindowId=window, MaxResults=10)["NextToken"]
    code = api.code("DescribeMaintenanceWindowTasks", WindowId=window_of(api), NextToken=token)
    assert code == "ValidationException"
