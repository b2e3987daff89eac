"""What happened at the openings of windows, through the operations of the API."""

from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fakes.api import Api
from tests.fakes.clock import START

from patchwindow.domain.run import TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.window import Target, TaskType, WindowTask
from patchwindow.ports import ENGINE

WINDOW: Final = "mw-0123456789abcdef0"
UNKNOWN: Final = "01234567-89ab-4def-8123-456789abcdef"
SECONDS: Final = int(START.timestamp())
COMMAND: Final = "c0000000-0000-4000-8000-000000000000"
TARGET: Final = "a0000000-0000-4000-8000-000000000000"


def execution_id(number: int) -> str:
    return f"e0000000-0000-4000-8000-{number:012}"


def task_id(number: int) -> str:
    return f"b0000000-0000-4000-8000-{number:012}"


def invocation_id(number: int) -> str:
    return f"d0000000-0000-4000-8000-{number:012}"


def opened(api: Api, number: int = 0, **changes: Any) -> str:
    """Keep an execution that began *number* minutes after the others' first."""
    at = START + timedelta(minutes=number)
    value = WindowExecution(
        **{
            "window_execution_id": execution_id(number),
            "window_id": WINDOW,
            "opens_at": at,
            "cutoff_at": at + timedelta(hours=1),
            "ends_at": at + timedelta(hours=2),
            "status": "IN_PROGRESS",
            "start_time": at,
            **changes,
        }
    )
    with api.here.database.write() as work:
        assert work.executions.open(value, wake_at=None)
    return value.window_execution_id


def begun_task(
    api: Api, execution: str, ordinal: int = 0, *, task: dict[str, Any] | None = None, **changes: Any
) -> str:
    registered = WindowTask(
        **{
            "window_id": WINDOW,
            "window_task_id": UNKNOWN,
            "task_arn": "AWS-RunPatchBaseline",
            "task_type": TaskType.RUN_COMMAND,
            **(task or {}),
        }
    )
    value = TaskExecution(
        **{
            "task_execution_id": task_id(ordinal),
            "window_execution_id": execution,
            "ordinal": ordinal,
            "status": "PENDING",
            "task": registered,
            **changes,
        }
    )
    with api.here.database.write() as work:
        work.executions.put_task(value)
    return value.task_execution_id


def sent(api: Api, task: str, ordinal: int = 0, **changes: Any) -> str:
    value = TaskInvocation(
        **{
            "invocation_id": invocation_id(ordinal),
            "task_execution_id": task,
            "ordinal": ordinal,
            "window_target_id": None,
            "targets": (Target(key="tag:env", values=("live",)),),
            "status": "PENDING",
            **changes,
        }
    )
    with api.here.database.write() as work:
        work.executions.put_invocation(value)
    return value.invocation_id


def only(key: str, *values: str) -> list[dict[str, Any]]:
    return [{"Key": key, "Values": list(values)}]


def test_an_execution_shows_its_times_and_its_tasks_in_order(api: Api) -> None:
    made = opened(api, status="SUCCESS", status_details="No tasks to execute.", end_time=START + timedelta(minutes=1))
    second, first = begun_task(api, made, 1), begun_task(api, made, 0)
    shown = {
        "WindowExecutionId": made,
        "Status": "SUCCESS",
        "StatusDetails": "No tasks to execute.",
        "StartTime": SECONDS,
        "EndTime": SECONDS + 60,
    }
    assert api("GetMaintenanceWindowExecution", WindowExecutionId=made) == {**shown, "TaskIds": [first, second]}
    assert api("DescribeMaintenanceWindowExecutions", WindowId=WINDOW) == {
        "WindowExecutions": [{**shown, "WindowId": WINDOW}]
    }


def test_what_is_not_known_yet_is_absent(api: Api) -> None:
    made = opened(api)
    shown = {"WindowExecutionId": made, "Status": "IN_PROGRESS", "StartTime": SECONDS}
    assert api("GetMaintenanceWindowExecution", WindowExecutionId=made) == {**shown, "TaskIds": []}
    begun = begun_task(api, made)
    task = {
        "WindowExecutionId": made,
        "TaskExecutionId": begun,
        "TaskArn": "AWS-RunPatchBaseline",
        "Status": "PENDING",
    }
    (listed,) = api("DescribeMaintenanceWindowExecutionTasks", WindowExecutionId=made)["WindowExecutionTaskIdentities"]
    assert listed == {**task, "TaskType": "RUN_COMMAND"}
    asked = {"WindowExecutionId": made, "TaskId": begun}
    assert api("GetMaintenanceWindowExecutionTask", **asked) == {
        **task,
        "Type": "RUN_COMMAND",
        "ServiceRole": "",
        "TaskParameters": [],
        "Priority": 0,
        "MaxConcurrency": "1",
        "MaxErrors": "1",
    }
    invoked = sent(api, begun)
    assert api("GetMaintenanceWindowExecutionTaskInvocation", **asked, InvocationId=invoked) == {
        "WindowExecutionId": made,
        "TaskExecutionId": begun,
        "InvocationId": invoked,
        "TaskType": "RUN_COMMAND",
        "Status": "PENDING",
    }


def test_a_task_shows_what_it_was_when_the_window_opened(api: Api) -> None:
    made = opened(api)
    registered = {
        "service_role_arn": "arn:aws:iam::123456789012:role/windows",
        "priority": 3,
        "max_concurrency": "10%",
        "max_errors": "0",
        "task_parameters": {"Operation": {"Values": ["Scan"]}},
        "alarm_configuration": {"Alarms": [{"Name": "load"}]},
    }
    begun = begun_task(
        api,
        made,
        task=registered,
        status="FAILED",
        status_details="too many errors",
        start_time=START,
        end_time=START + timedelta(seconds=90, milliseconds=500),
    )
    shown = {
        "WindowExecutionId": made,
        "TaskExecutionId": begun,
        "TaskArn": "AWS-RunPatchBaseline",
        "Status": "FAILED",
        "StatusDetails": "too many errors",
        "StartTime": SECONDS,
        "EndTime": SECONDS + 90.5,
        "AlarmConfiguration": {"Alarms": [{"Name": "load"}]},
    }
    assert api("GetMaintenanceWindowExecutionTask", WindowExecutionId=made, TaskId=begun) == {
        **shown,
        "Type": "RUN_COMMAND",
        "ServiceRole": "arn:aws:iam::123456789012:role/windows",
        "TaskParameters": [{"Operation": {"Values": ["Scan"]}}],
        "Priority": 3,
        "MaxConcurrency": "10%",
        "MaxErrors": "0",
    }
    answer = api("DescribeMaintenanceWindowExecutionTasks", WindowExecutionId=made)
    assert answer == {"WindowExecutionTaskIdentities": [{**shown, "TaskType": "RUN_COMMAND"}]}


def test_an_invocation_leads_to_its_command_and_its_owner(api: Api) -> None:
    made = opened(api)
    begun = begun_task(api, made)
    invoked = sent(
        api,
        begun,
        window_target_id=TARGET,
        owner_information="ops",
        command_id=COMMAND,
        parameters='{"documentName":"AWS-RunPatchBaseline"}',
        status="SUCCESS",
        status_details="Success",
        start_time=START,
        end_time=START + timedelta(seconds=1),
    )
    expected = {
        "WindowExecutionId": made,
        "TaskExecutionId": begun,
        "InvocationId": invoked,
        "ExecutionId": COMMAND,
        "TaskType": "RUN_COMMAND",
        "Parameters": '{"documentName":"AWS-RunPatchBaseline"}',
        "Status": "SUCCESS",
        "StatusDetails": "Success",
        "StartTime": SECONDS,
        "EndTime": SECONDS + 1,
        "OwnerInformation": "ops",
        "WindowTargetId": TARGET,
    }
    asked = {"WindowExecutionId": made, "TaskId": begun}
    assert api("GetMaintenanceWindowExecutionTaskInvocation", **asked, InvocationId=invoked) == expected
    answer = api("DescribeMaintenanceWindowExecutionTaskInvocations", **asked)
    assert answer == {"WindowExecutionTaskInvocationIdentities": [expected]}


def test_executions_come_the_newest_first_page_by_page(api: Api) -> None:
    made = [opened(api, number) for number in range(12)]
    opened(api, 12, window_id="mw-0123456789abcdef1")
    pages = list(api.pages("DescribeMaintenanceWindowExecutions", "WindowExecutions", WindowId=WINDOW, MaxResults=10))
    assert [len(page) for page in pages] == [10, 2]
    assert [one["WindowExecutionId"] for page in pages for one in page] == made[::-1]


@pytest.mark.parametrize(
    ("filters", "minutes"),
    [
        (only("ExecutedAfter", "2026-03-14T09:01:00Z"), [3, 2]),
        (only("ExecutedBefore", "2026-03-14T09:01:00Z"), [0]),
        ([*only("ExecutedAfter", "2026-03-14T09:00Z"), *only("ExecutedBefore", "2026-03-14T10:02+01:00")], [1]),
    ],
)
def test_executions_are_found_by_their_time(api: Api, filters: list[dict[str, Any]], minutes: list[int]) -> None:
    made = [opened(api, number) for number in range(4)]
    found = api("DescribeMaintenanceWindowExecutions", WindowId=WINDOW, Filters=filters)["WindowExecutions"]
    assert [one["WindowExecutionId"] for one in found] == [made[minute] for minute in minutes]


def test_an_unknown_window_has_no_executions(api: Api) -> None:
    assert api("DescribeMaintenanceWindowExecutions", WindowId=WINDOW) == {"WindowExecutions": []}


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (only("STATUS", "SUCCESS"), "filter key 'STATUS' is not known here; use one of ExecutedBefore, ExecutedAfter"),
        (only("ExecutedAfter", "noon"), "ExecutedAfter is noon; use a time such as 2026-03-01T22:00:00Z or "),
        (only("ExecutedAfter"), "filter ExecutedAfter has no values; give at least one, or leave the filter out"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(api: Api, filters: list[dict[str, Any]], message: str) -> None:
    fault = api.fault("DescribeMaintenanceWindowExecutions", WindowId=WINDOW, Filters=filters)
    assert fault.code == "ValidationException"
    assert fault.message.startswith(message)


def test_tasks_and_invocations_are_found_by_status_page_by_page(api: Api) -> None:
    made = opened(api)
    tasks = [begun_task(api, made, number, status="FAILED" if number % 3 else "SUCCESS") for number in range(18)]
    invoked = [sent(api, tasks[0], number, status="FAILED" if number % 3 else "SUCCESS") for number in range(18)]
    for operation, member, key, ids, more in (
        ("DescribeMaintenanceWindowExecutionTasks", "WindowExecutionTaskIdentities", "TaskExecutionId", tasks, {}),
        (
            "DescribeMaintenanceWindowExecutionTaskInvocations",
            "WindowExecutionTaskInvocationIdentities",
            "InvocationId",
            invoked,
            {"TaskId": tasks[0]},
        ),
    ):
        for statuses, expected in (
            (["FAILED"], [id for place, id in enumerate(ids) if place % 3]),
            (["FAILED", "SUCCESS"], ids),
            (["PENDING"], []),
        ):
            asked = {"WindowExecutionId": made, "Filters": only("STATUS", *statuses), **more}
            pages = list(api.pages(operation, member, MaxResults=10, **asked))
            assert [one[key] for page in pages for one in page] == expected
            assert all(len(page) == 10 for page in pages[:-1])
        fault = api.fault(operation, WindowExecutionId=made, Filters=only("Status", "FAILED"), **more)
        assert (fault.code, fault.message) == (
            "ValidationException",
            "filter key 'Status' is not known here; use one of STATUS",
        )


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("GetMaintenanceWindowExecution", {}),
        ("CancelMaintenanceWindowExecution", {}),
        ("DescribeMaintenanceWindowExecutionTasks", {}),
        ("GetMaintenanceWindowExecutionTask", {"TaskId": UNKNOWN}),
        ("DescribeMaintenanceWindowExecutionTaskInvocations", {"TaskId": UNKNOWN}),
        ("GetMaintenanceWindowExecutionTaskInvocation", {"TaskId": UNKNOWN, "InvocationId": UNKNOWN}),
    ],
)
def test_an_unknown_execution_is_named(api: Api, operation: str, members: dict[str, str]) -> None:
    fault = api.fault(operation, WindowExecutionId=UNKNOWN, **members)
    assert (fault.code, fault.message) == (
        "DoesNotExistException",
        f"Maintenance window execution {UNKNOWN} does not exist",
    )


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("GetMaintenanceWindowExecutionTask", {}),
        ("DescribeMaintenanceWindowExecutionTaskInvocations", {}),
        ("GetMaintenanceWindowExecutionTaskInvocation", {"InvocationId": UNKNOWN}),
    ],
)
def test_a_task_of_another_execution_is_not_found(api: Api, operation: str, members: dict[str, str]) -> None:
    made, other = opened(api, 0), opened(api, 1)
    begun = begun_task(api, other)
    fault = api.fault(operation, WindowExecutionId=made, TaskId=begun, **members)
    assert (fault.code, fault.message) == (
        "DoesNotExistException",
        f"Task execution {begun} does not exist in execution {made}",
    )


def test_an_invocation_of_another_task_is_not_found(api: Api) -> None:
    made = opened(api)
    begun, other = begun_task(api, made, 0), begun_task(api, made, 1)
    invoked = sent(api, other)
    fault = api.fault(
        "GetMaintenanceWindowExecutionTaskInvocation", WindowExecutionId=made, TaskId=begun, InvocationId=invoked
    )
    assert (fault.code, fault.message) == (
        "DoesNotExistException",
        f"Invocation {invoked} does not exist in task execution {begun}",
    )


def test_a_cancellation_is_noted_and_the_engine_woken_at_once(api: Api) -> None:
    made = opened(api)
    rung: list[str] = []
    api.here.database.on_wake(rung.append)
    assert api("CancelMaintenanceWindowExecution", WindowExecutionId=made) == {"WindowExecutionId": made}
    assert rung == [ENGINE]
    with api.here.database.read() as work:
        kept = work.executions.get(made)
        assert kept is not None
        assert kept.cancel_requested
        assert work.executions.due(api.here.clock.now(), 10) == [made]


def test_an_execution_that_has_ended_is_not_cancelled(api: Api) -> None:
    made = opened(api, status="SUCCESS", end_time=START)
    assert api("CancelMaintenanceWindowExecution", WindowExecutionId=made) == {"WindowExecutionId": made}
    with api.here.database.read() as work:
        kept = work.executions.get(made)
        assert kept is not None
        assert not kept.cancel_requested
        assert work.executions.next_wake_at() is None
