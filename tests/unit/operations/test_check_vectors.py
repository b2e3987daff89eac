"""The check vectors of the maintenance window reference, §11, its second table: what is accepted and what is not."""

from typing import Any, Final

import pytest
from tests.fakes.api import Api

WINDOW: Final[dict[str, Any]] = {
    "Name": "nightly",
    "Schedule": "cron(0 2 ? * SUN *)",
    "Duration": 4,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
}
NODE: Final = [{"Key": "InstanceIds", "Values": ["mi-0123456789abcdef0"]}]
COMMAND: Final[dict[str, Any]] = {"TaskArn": "AWS-Noop", "TaskType": "RUN_COMMAND"}
FUNCTION: Final[dict[str, Any]] = {"TaskArn": "SSMfunction", "TaskType": "LAMBDA"}
RATE: Final = {"MaxConcurrency": "1", "MaxErrors": "1"}


@pytest.fixture
def window(api: Api) -> str:
    made: str = api("CreateMaintenanceWindow", **{**WINDOW, "AllowUnassociatedTargets": True})["WindowId"]
    return made


@pytest.mark.parametrize(("duration", "cutoff"), [(2, 1), (1, 0), (24, 23)])
def test_a_cutoff_leaves_at_least_an_hour(api: Api, duration: int, cutoff: int) -> None:
    made = api("CreateMaintenanceWindow", **{**WINDOW, "Duration": duration, "Cutoff": cutoff})["WindowId"]
    found = api("GetMaintenanceWindow", WindowId=made)
    assert (found["Duration"], found["Cutoff"]) == (duration, cutoff)


@pytest.mark.parametrize(
    "members",
    [
        {"Duration": 2, "Cutoff": 2},
        {"Duration": 1, "Cutoff": 1},
        {"Schedule": "rate(1 hours)"},
        {"Schedule": "rate(5 hour)"},
        {"Schedule": "rate(0 days)"},
        {"ScheduleOffset": 0},
        {"ScheduleOffset": 7},
        {"ScheduleOffset": 1, "Schedule": "rate(1 day)"},
        {"ScheduleOffset": 1, "Schedule": "at(2026-07-07T15:55:00)"},
        {"Schedule": "cron(0 2 ? * SUN)"},
    ],
)
def test_what_makes_no_window_is_refused(api: Api, members: dict[str, Any]) -> None:
    assert api.code("CreateMaintenanceWindow", **{**WINDOW, **members}) == "ValidationException"
    assert api("DescribeMaintenanceWindows") == {"WindowIdentities": []}


@pytest.mark.parametrize("errors", ["0", "0%", "100%"])
def test_any_number_of_errors_may_be_allowed(api: Api, window: str, errors: str) -> None:
    task = {**COMMAND, "Targets": NODE, "MaxConcurrency": "1", "MaxErrors": errors}
    made = api("RegisterTaskWithMaintenanceWindow", WindowId=window, **task)["WindowTaskId"]
    assert api("GetMaintenanceWindowTask", WindowId=window, WindowTaskId=made)["MaxErrors"] == errors


@pytest.mark.parametrize(
    "members",
    [
        *({**COMMAND, "Targets": NODE, "MaxConcurrency": limit, "MaxErrors": "0"} for limit in ("0", "0%", "101%")),
        COMMAND,
        {**COMMAND, **RATE},
        {**FUNCTION, "MaxErrors": "1"},
    ],
)
def test_what_is_no_task_is_refused(api: Api, window: str, members: dict[str, Any]) -> None:
    assert api.code("RegisterTaskWithMaintenanceWindow", WindowId=window, **members) == "ValidationException"
    assert api("DescribeMaintenanceWindowTasks", WindowId=window) == {"Tasks": []}


def test_a_node_is_no_target_of_a_window_that_allows_only_registered_ones(api: Api) -> None:
    window = api("CreateMaintenanceWindow", **WINDOW)["WindowId"]
    task = {**COMMAND, "Targets": NODE, **RATE}
    assert api.code("RegisterTaskWithMaintenanceWindow", WindowId=window, **task) == "ValidationException"
