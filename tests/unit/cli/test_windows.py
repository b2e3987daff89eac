"""`patchwindow windows`."""

import json
from datetime import UTC, datetime

import pytest
from tests.unit.cli.fake import Answers, Members, run

from patchwindow.cli.exits import Exit

WEB = "mw-0123456789abcdef0"
DATABASE = "mw-0123456789abcdef1"
WINDOWS = [
    {
        "WindowId": WEB,
        "Name": "web-server",
        "Enabled": True,
        "Duration": 6,
        "Cutoff": 1,
        "Schedule": "cron(0 23 ? * THU#1 *)",
        "NextExecutionTime": "2026-07-02T23:00Z",
    },
    {"WindowId": DATABASE, "Name": "database-server", "Enabled": True, "Duration": 6, "Schedule": "rate(7 days)"},
]
OPENINGS = {
    WEB: ["2026-07-02T23:00Z", "2026-08-06T23:00Z"],
    # Each window reports its openings in its own zone: as text, this one would stand last.
    DATABASE: ["2026-07-03T08:00+10:00"],
}


def schedule(members: Members) -> Members:
    """Answer the openings of the window that is asked for."""
    id = members["WindowId"]
    return {"ScheduledWindowExecutions": [{"WindowId": id, "Name": id, "ExecutionTime": at} for at in OPENINGS[id]]}


ANSWERS: Answers = {
    "DescribeMaintenanceWindows": {"WindowIdentities": WINDOWS},
    "DescribeMaintenanceWindowSchedule": schedule,
}


def test_list_prints_when_each_window_opens_next() -> None:
    assert run("windows", "list", answers=ANSWERS).stdout.splitlines() == [
        "WINDOW                ON   NEXT OPENING          HOURS  SCHEDULE                NAME",
        "mw-0123456789abcdef0  yes  2026-07-02T23:00:00Z      6  cron(0 23 ? * THU#1 *)  web-server",
        "mw-0123456789abcdef1  yes  -                         6  rate(7 days)            database-server",
    ]


def test_list_asks_for_enabled_windows_alone() -> None:
    filters = [{"Key": "Enabled", "Values": ["true"]}]
    assert run("windows", "list", "--enabled").asked == [("DescribeMaintenanceWindows", {"Filters": filters})]


def test_next_puts_the_openings_of_all_windows_in_order_across_zones() -> None:
    lines = run("windows", "next", answers=ANSWERS).stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["2026-07-02T22:00:00Z", DATABASE],
        ["2026-07-02T23:00:00Z", WEB],
        ["2026-08-06T23:00:00Z", WEB],
    ]


def test_next_shows_no_more_than_asked_for() -> None:
    found = json.loads(run("windows", "next", "--limit", "1", "--json", answers=ANSWERS).stdout)
    assert [opening["WindowId"] for opening in found] == [DATABASE]


def test_show_prints_targets_and_tasks() -> None:
    target = {"WindowTargetId": "t" * 36, "Targets": [{"Key": "tag:Patch Group", "Values": ["Web Server", "RHEL"]}]}
    task = {"WindowTaskId": "k" * 36, "TaskArn": "AWS-RunPatchBaseline", "Priority": 1, "MaxConcurrency": "10%"}
    answers: Answers = {
        "GetMaintenanceWindow": WINDOWS[0],
        "DescribeMaintenanceWindowTargets": {"Targets": [target]},
        "DescribeMaintenanceWindowTasks": {"Tasks": [task]},
    }
    lines = run("windows", "show", WEB, answers=answers).stdout.splitlines()
    assert "NextExecutionTime  2026-07-02T23:00:00Z" in lines
    assert f"{'t' * 36}  tag:Patch Group=Web Server,RHEL  -" in lines
    assert f"{'k' * 36}         1  AWS-RunPatchBaseline  10%      -       -" in lines
    assert set(json.loads(run("windows", "show", WEB, "--json", answers=answers).stdout)) == {
        "Window",
        "Targets",
        "Tasks",
    }


@pytest.mark.parametrize(
    ("verb", "operation", "members"),
    [
        ("enable", "UpdateMaintenanceWindow", {"WindowId": WEB, "Enabled": True}),
        ("disable", "UpdateMaintenanceWindow", {"WindowId": WEB, "Enabled": False}),
        ("delete", "DeleteMaintenanceWindow", {"WindowId": WEB}),
    ],
)
def test_a_change_is_one_request_and_a_line_on_standard_error(verb: str, operation: str, members: Members) -> None:
    outcome = run("windows", verb, WEB)
    assert outcome.exit_code == Exit.DONE
    assert outcome.asked == [(operation, members)]
    assert outcome.stdout == ""
    assert outcome.stderr == f"{WEB}: {verb.removesuffix('e')}ed\n"


def test_executions_stop_at_the_limit() -> None:
    def page(members: Members) -> Members:
        number = int(members.get("NextToken", "0"))
        execution = {
            "WindowExecutionId": f"{number:036}",
            "Status": "SUCCESS",
            "StartTime": datetime(2026, 7, 2, 23, tzinfo=UTC),
        }
        return {"WindowExecutions": [execution], "NextToken": str(number + 1)}

    outcome = run("windows", "executions", WEB, "--limit", "2", answers={"DescribeMaintenanceWindowExecutions": page})
    assert [line.split()[0] for line in outcome.stdout.splitlines()] == ["EXECUTION", f"{0:036}", f"{1:036}"]
    assert len(outcome.asked) == 2


def execution(number: int, **more: object) -> Members:
    started = datetime(2026, 7, number, 23, tzinfo=UTC)
    return {"WindowExecutionId": f"{number:036}", "Status": "SUCCESS", "StartTime": started, **more}


def part(command: str, kind: str = "RUN_COMMAND") -> Members:
    return {"TaskType": kind, "ExecutionId": command}


MISSED: Answers = {
    "DescribeMaintenanceWindowExecutions": {"WindowExecutions": [execution(2), execution(3, StatusDetails="late")]},
    "DescribeMaintenanceWindowExecutionTasks": {"WindowExecutionTaskIdentities": [{"TaskExecutionId": "t" * 36}]},
    "DescribeMaintenanceWindowExecutionTaskInvocations": {
        "WindowExecutionTaskInvocationIdentities": [part("c" * 36), part("automation", "AUTOMATION"), part("")]
    },
    "ListCommandInvocations": {
        "CommandInvocations": [
            {"CommandId": "c" * 36, "InstanceId": "mi-1", "InstanceName": "a", "StatusDetails": "Success"},
            {"CommandId": "c" * 36, "InstanceId": "mi-2", "InstanceName": "b", "StatusDetails": "Delivery Timed Out"},
            {"InstanceId": "mi-3", "InstanceName": "c", "StatusDetails": "DeliveryTimedOut", "TraceOutput": "asleep"},
            {"InstanceId": "mi-4", "InstanceName": "d", "StatusDetails": "Undeliverable"},
            {"InstanceId": "mi-5", "InstanceName": "e", "StatusDetails": "Failed"},
        ]
    },
}


def test_missed_lists_the_nodes_that_did_not_take_the_commands_of_the_latest_execution() -> None:
    outcome = run("windows", "missed", WEB, answers=MISSED)
    assert outcome.stderr == f"{3:036}: SUCCESS, late\n"
    assert [line.split()[0] for line in outcome.stdout.splitlines()[1:]] == ["mi-2", "mi-3", "mi-4"]
    assert [line.split("  ")[-1].strip() for line in outcome.stdout.splitlines()[1:]] == [
        "the node gave no word in time",
        "asleep",
        "the node could not be reached",
    ]
    assert {members.get("WindowExecutionId") for name, members in outcome.asked if "Task" in name} == {f"{3:036}"}
    assert [members for name, members in outcome.asked if name == "ListCommandInvocations"] == [{"CommandId": "c" * 36}]


def test_missed_asks_for_the_execution_that_is_named_and_prints_the_members_of_the_api() -> None:
    outcome = run("windows", "missed", WEB, "--execution", "e" * 36, "--json", answers=MISSED)
    assert next(name for name, _ in outcome.asked) == "DescribeMaintenanceWindowExecutionTasks"
    assert [one["InstanceId"] for one in json.loads(outcome.stdout)] == ["mi-2", "mi-3", "mi-4"]


def test_of_a_window_that_never_opened_nobody_missed_anything() -> None:
    outcome = run("windows", "missed", WEB, answers={"DescribeMaintenanceWindowExecutions": {"WindowExecutions": []}})
    assert len(outcome.stdout.splitlines()) == 1
    assert outcome.exit_code == Exit.DONE
