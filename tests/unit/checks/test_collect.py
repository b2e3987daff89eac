"""What is asked of the API, and what comes of its answers."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from botocore.exceptions import EndpointConnectionError
from tests.unit.cli.fake import Answers, FakeClient, Members, refusal

from patchwindow.checks import Snapshot, collect
from patchwindow.checks.snapshot import Association, Calendar, Group, Ran, Release, Rule, Topic
from patchwindow.client import ClientProblem
from patchwindow.domain.operating_system import OperatingSystem

NOW: Final = datetime(2026, 7, 1, 12, tzinfo=UTC)
WINDOW: Final = "mw-0123456789abcdef0"
HYBRID: Final = "mi-0123456789abcdef0"
INSTANCE: Final = "i-0123456789abcdef0"
UNTAGGED: Final = "mi-0123456789abcdef1"
OWN: Final = "pb-0123456789abcdef0"
LOST: Final = "mi-0123456789abcdef2"
REOPENS: Final = "2026-07-16T03:00:00Z"
UUID: Final = "00000000-0000-4000-8000-00000000000"
TAGGED: Final[dict[str, dict[str, list[str]]]] = {
    "tag-key": {"Patch Group": [HYBRID, INSTANCE, LOST]},
    "tag:Patch Group": {"web": [HYBRID]},
    "tag:Role": {},
}
PARAMETERS: Final = '{"documentName": "AWS-RunPatchBaseline", "parameters": {"Operation": ["Install"]}}'


def nodes(members: Members) -> Members:
    """Answer all nodes, or those that fit a filter."""
    ids = [HYBRID, INSTANCE, UNTAGGED, LOST]
    for each in members.get("Filters", ()):
        ids = [id for value in each["Values"] for id in TAGGED.get(each["Key"], {}).get(value, [])]
    entry = {"PlatformName": "Amazon Linux", "PlatformVersion": "2023", "PingStatus": "Online", "Name": "paper"}
    return {"InstanceInformationList": [{"InstanceId": id, **entry} for id in ids]}


def tags(members: Members) -> Members:
    """Answer that a hybrid node is in a group that no baseline knows, and that a window heeds two calendars."""
    told = {
        "ManagedInstance": [{"Key": "Patch Group", "Value": "lost"}],
        "MaintenanceWindow": [{"Key": "patchwindow:freezes", "Value": "summer gone"}],
    }
    return {"TagList": told.get(members["ResourceType"], [])}


def calendar(members: Members) -> Members:
    """Answer that one calendar is closed until the time of an opening, and that there is no other."""
    if members["CalendarNames"] != ["summer"]:
        raise refusal("InvalidDocument", "")
    if members["AtTime"] < REOPENS:
        return {"State": "CLOSED", "NextTransitionTime": REOPENS}
    return {"State": "OPEN", "NextTransitionTime": "2027-07-01T00:00:00Z"}


def step(begun: int, ended: int) -> Members:
    """Return a step that ran between these minutes of the run."""
    at = NOW - timedelta(days=1)
    return {
        "Name": "PatchLinux",
        "ResponseStartDateTime": at + timedelta(minutes=begun),
        "ResponseFinishDateTime": at + timedelta(minutes=ended),
    }


IDENTITY: Final = {"BaselineId": OWN, "BaselineName": "own", "OperatingSystem": "AMAZON_LINUX_2023"}
RULE: Final = {
    "PatchFilterGroup": {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Security"]}]},
    "ApproveAfterDays": 7,
}
EXECUTION: Final = {"WindowId": WINDOW, "WindowExecutionId": f"{UUID}1", "StartTime": NOW - timedelta(days=1)}
ANSWERS: Final[Answers] = {
    "DescribeInstanceInformation": nodes,
    "DescribeInstancePatchStates": {
        "InstancePatchStates": [
            {
                "InstanceId": INSTANCE,
                "PatchGroup": "formerly",
                "BaselineId": OWN,
                "OperationStartTime": NOW,
                "OperationEndTime": NOW,
                "Operation": "Scan",
            }
        ]
    },
    "DescribePatchGroups": {"Mappings": [{"PatchGroup": "web", "BaselineIdentity": IDENTITY}]},
    "DescribePatchBaselines": {"BaselineIdentities": [IDENTITY]},
    "GetPatchBaseline": {"BaselineId": OWN, "ApprovalRules": {"PatchRules": [RULE]}},
    "ListTagsForResource": tags,
    "GetCalendarState": calendar,
    "DescribeAvailablePatches": {
        "Patches": [{"Name": "kernel", "Classification": "Security", "ReleaseDate": NOW}, {"Name": "undated"}]
    },
    "ListAssociations": {
        "Associations": [
            {
                "AssociationId": "all",
                "AssociationName": "nightly",
                "Name": "AWS-RunPatchBaseline",
                "ScheduleExpression": "rate(1 day)",
                "Targets": [{"Key": "InstanceIds", "Values": ["*"]}],
            },
            {
                "AssociationId": "one",
                "Name": "AWS-RunPatchBaseline",
                "ScheduleExpression": "rate(1 day)",
                "InstanceId": HYBRID,
            },
            {"AssociationId": "once", "Name": "AWS-RunPatchBaseline", "Targets": []},
            {"AssociationId": "other", "Name": "AWS-GatherSoftwareInventory", "ScheduleExpression": "rate(1 day)"},
        ]
    },
    "DescribeAssociation": {"AssociationDescription": {"Parameters": {"Operation": ["Install"]}}},
    "DescribeMaintenanceWindows": {
        "WindowIdentities": [
            {
                "WindowId": WINDOW,
                "Name": "web",
                "Schedule": "rate(7 days)",
                "Duration": 3,
                "Cutoff": 1,
                "Enabled": True,
                "NextExecutionTime": "2026-07-02T03:00Z",
            }
        ]
    },
    "DescribeMaintenanceWindowTargets": {
        "Targets": [
            {"WindowTargetId": f"{UUID}2", "Name": "webs", "Targets": [{"Key": "tag:Patch Group", "Values": ["web"]}]},
            {
                "WindowTargetId": f"{UUID}3",
                "Targets": [
                    {"Key": "tag-key", "Values": ["Patch Group"]},
                    {"Key": "resource-groups:Name", "Values": ["instances"]},
                ],
            },
        ]
    },
    "ListGroupResources": {"ResourceIdentifiers": [{"ResourceArn": f"arn:aws:ec2:us-east-1:1:instance/{INSTANCE}"}]},
    "DescribeMaintenanceWindowTasks": {
        "Tasks": [
            {
                "WindowTaskId": f"{UUID}4",
                "TaskArn": "arn:aws:ssm:us-east-1:1:document/AWS-RunPatchBaseline",
                "Targets": [{"Key": "WindowTargetIds", "Values": [f"{UUID}2", f"{UUID}3"]}],
                "MaxConcurrency": "50%",
                "CutoffBehavior": "CANCEL_TASK",
            }
        ]
    },
    "GetMaintenanceWindowTask": {
        "TaskInvocationParameters": {"RunCommand": {"Parameters": {"Operation": ["Install"]}}},
    },
    "DescribeMaintenanceWindowExecutions": {"WindowExecutions": [{**EXECUTION, "Status": "FAILED"}]},
    "DescribeMaintenanceWindowExecutionTasks": {
        "WindowExecutionTaskIdentities": [
            {"TaskExecutionId": f"{UUID}5", "TaskType": "RUN_COMMAND", "Status": "FAILED"},
        ]
    },
    "DescribeMaintenanceWindowExecutionTaskInvocations": {
        "WindowExecutionTaskInvocationIdentities": [{"ExecutionId": f"{UUID}6", "Parameters": PARAMETERS}]
    },
    "ListCommandInvocations": {
        "CommandInvocations": [
            {
                "InstanceId": HYBRID,
                "Status": "Success",
                "StatusDetails": "Success",
                "DocumentName": "AWS-RunPatchBaseline",
                "CommandPlugins": [step(0, 5), step(5, 12), {"Name": "PatchWindows"}],
            },
            {"InstanceId": INSTANCE, "Status": "Failed", "StatusDetails": "Undeliverable", "CommandPlugins": []},
        ]
    },
}


def collected(client: FakeClient, **members: Any) -> Snapshot:
    """Return what *client* tells."""
    return collect(client, client, now=NOW, stale_after=timedelta(days=7), **members)


def test_nodes_are_told_with_their_group_and_their_last_scan() -> None:
    told = collected(FakeClient(ANSWERS)).nodes
    assert {id: (node.group, node.scanned_at) for id, node in told.items()} == {
        HYBRID: ("web", None),
        # AWS does not tell the tags of its instances here; the group of the last scan stands in.
        INSTANCE: ("formerly", NOW),
        UNTAGGED: (None, None),
        LOST: ("lost", None),
    }
    assert told[HYBRID].system is OperatingSystem.AMAZON_LINUX_2023
    assert told[HYBRID].product == "AmazonLinux2023"


def test_a_window_is_told_with_the_nodes_that_its_targets_mean() -> None:
    (window,) = collected(FakeClient(ANSWERS)).windows
    assert window.next_at == datetime(2026, 7, 2, 3, tzinfo=UTC)
    assert [target.nodes for target in window.targets] == [frozenset({HYBRID}), frozenset({INSTANCE})]
    (task,) = window.tasks
    assert task.parts == (frozenset({HYBRID}), frozenset({INSTANCE}))
    assert (task.document, task.operation, task.reboot_option) == ("AWS-RunPatchBaseline", "Install", None)
    assert (task.max_concurrency, task.is_cancelled_at_cutoff) == ("50%", True)


def test_a_window_is_told_with_the_calendars_that_it_heeds() -> None:
    (window,) = collected(FakeClient(ANSWERS)).windows
    assert window.calendars == (Calendar(name="summer", is_closed=True), Calendar(name="gone", is_there=False))


def test_a_window_in_a_freeze_is_told_with_the_first_opening_that_is_free_of_it() -> None:
    (window,) = collected(FakeClient(ANSWERS)).windows
    assert window.free_at == datetime.fromisoformat(REOPENS)


@pytest.mark.parametrize("state", [{}, {"NextTransitionTime": "2027-08-01T00:00:00Z"}])
def test_a_window_whose_freeze_does_not_end_within_a_year_has_no_opening_that_is_free_of_it(state: Members) -> None:
    answers: Answers = {**ANSWERS, "GetCalendarState": {"State": "CLOSED", **state}}
    (window,) = collected(FakeClient(answers)).windows
    assert window.free_at is None


def test_an_association_that_patches_again_and_again_is_told_with_its_nodes() -> None:
    told = collected(FakeClient(ANSWERS)).associations
    assert told == (
        Association(id="all", name="nightly", operation="Install", nodes=frozenset({HYBRID, INSTANCE, UNTAGGED, LOST})),
        Association(id="one", operation="Install", nodes=frozenset({HYBRID})),
    )


def test_a_run_is_told_with_who_took_part_and_how_long_that_took() -> None:
    (window,) = collected(FakeClient(ANSWERS)).windows
    (run,) = window.runs
    assert (run.took_part, run.missed, run.has_idle_tasks) == (frozenset({HYBRID}), frozenset({INSTANCE}), False)
    assert run.ran == (Ran(document="AWS-RunPatchBaseline", operation="Install", duration=timedelta(minutes=12)),)


@pytest.mark.parametrize(
    ("status", "task_status", "is_idle"),
    [
        ("SKIPPED_OVERLAPPING", None, True),
        ("TIMED_OUT", None, True),
        ("TIMED_OUT", "TIMED_OUT", True),
        ("FAILED", "FAILED", True),
        # The window was without tasks, or the task without nodes.
        ("SUCCESS", None, False),
        ("SUCCESS", "SUCCESS", False),
        # A person, or a freeze, has cancelled it.
        ("CANCELLED", None, False),
        ("CANCELLED", "CANCELLED", False),
    ],
)
def test_a_run_that_asked_no_node_is_idle_unless_it_was_cancelled(
    status: str, task_status: str | None, *, is_idle: bool
) -> None:
    task = {"TaskExecutionId": f"{UUID}5", "TaskType": "RUN_COMMAND", "Status": task_status}
    tasks = [] if task_status is None else [task]
    answers: Answers = {
        **ANSWERS,
        "DescribeMaintenanceWindowExecutions": {"WindowExecutions": [{**EXECUTION, "Status": status}]},
        "DescribeMaintenanceWindowExecutionTasks": {"WindowExecutionTaskIdentities": tasks},
        "DescribeMaintenanceWindowExecutionTaskInvocations": {"WindowExecutionTaskInvocationIdentities": []},
    }
    (window,) = collected(FakeClient(answers)).windows
    assert [run.has_idle_tasks for run in window.runs] == [is_idle]


def test_baselines_are_told_with_their_groups_and_when_their_patches_came_out() -> None:
    told = collected(FakeClient(ANSWERS))
    assert told.groups == (Group(name="web", system=OperatingSystem.AMAZON_LINUX_2023, baseline_id=OWN),)
    (baseline,) = told.baselines
    assert baseline.rules == (Rule(days=7, filters={"CLASSIFICATION": ("Security",)}),)
    assert told.releases == (
        Release(product="AmazonLinux2023", name="kernel", classification="Security", on=NOW.date()),
    )


def test_a_baseline_for_a_system_that_came_later_is_left_alone() -> None:
    later = {**IDENTITY, "BaselineId": "pb-0123456789abcdef1", "OperatingSystem": "AMAZON_LINUX_2029"}
    told = collected(
        FakeClient(
            {
                **ANSWERS,
                "DescribePatchBaselines": {"BaselineIdentities": [later, IDENTITY]},
                "DescribePatchGroups": {"Mappings": [{"PatchGroup": "later", "BaselineIdentity": later}]},
            }
        )
    )
    assert told.groups == ()
    assert [each.system for each in told.baselines] == [OperatingSystem.AMAZON_LINUX_2023]


def test_nothing_is_asked_but_to_read() -> None:
    client = FakeClient(ANSWERS)
    collected(client)
    assert {operation for operation, _ in client.asked} == set(ANSWERS)
    assert all(operation.startswith(("Describe", "Get", "List")) for operation, _ in client.asked)


@pytest.mark.parametrize("operation", ANSWERS)
def test_what_is_refused_is_noted_and_the_rest_is_told(operation: str) -> None:
    told = collected(FakeClient({**ANSWERS, operation: refusal("AccessDeniedException", "not you")}))
    assert told.refusals
    assert all(words.startswith(f"{operation}: AccessDeniedException: not you") for words in told.refusals.values())


def test_what_is_refused_once_is_not_asked_again() -> None:
    client = FakeClient({**ANSWERS, "DescribeInstancePatchStates": refusal("AccessDeniedException", "not you")})
    assert collected(client).refusals.keys() == {Topic.SCANS}


def test_a_command_that_is_kept_no_longer_is_no_refusal() -> None:
    told = collected(FakeClient({**ANSWERS, "ListCommandInvocations": refusal("InvalidCommandId", "")}))
    assert told.refusals == {}
    assert told.windows[0].runs[0].took_part == frozenset()


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException"])
def test_credentials_that_are_wrong_end_the_asking(code: str) -> None:
    with pytest.raises(ClientProblem, match=code):
        collected(FakeClient({**ANSWERS, "DescribeMaintenanceWindows": refusal(code, "")}))


def test_a_service_that_cannot_be_reached_ends_the_asking() -> None:
    gone = EndpointConnectionError(endpoint_url="http://control.example")
    with pytest.raises(ClientProblem, match="cannot reach http://control"):
        collected(FakeClient({**ANSWERS, "DescribePatchGroups": gone}))


def test_what_is_throttled_is_asked_again_after_longer_and_longer_pauses() -> None:
    slept: list[float] = []

    def busy(_: Members) -> Members:
        if len(slept) < 2:
            raise refusal("ThrottlingException", "Rate exceeded")
        return {"WindowIdentities": []}

    told = collected(FakeClient({**ANSWERS, "DescribeMaintenanceWindows": busy}), sleep=slept.append)
    assert (told.refusals, slept) == ({}, [2.0, 4.0])


def test_pages_that_were_told_are_not_asked_again_after_one_that_was_throttled() -> None:
    asked: list[str] = []

    def busy(members: Members) -> Members:
        token = members.get("NextToken", "1")
        asked.append(token)
        if asked == ["1", "2"]:
            raise refusal("ThrottlingException", "Rate exceeded")
        return {"WindowIdentities": []} if token == "3" else {"WindowIdentities": [], "NextToken": str(int(token) + 1)}

    collected(FakeClient({**ANSWERS, "DescribeMaintenanceWindows": busy}), sleep=lambda _: None)
    assert asked == ["1", "2", "2", "3"]


def test_what_stays_throttled_is_not_told() -> None:
    slept: list[float] = []
    busy = refusal("ThrottlingException", "Rate exceeded")
    told = collected(FakeClient({**ANSWERS, "DescribeMaintenanceWindows": busy}), sleep=slept.append)
    assert told.refusals.keys() == {Topic.WINDOWS}
    assert sum(slept) == 60
