"""What is told of commands: lists, and one node's part."""

from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fakes.api import Api
from tests.fakes.delivery import acknowledge, did, hand_out, reply

from patchwindow.domain.run import Command

NOOP: Final = "AWS-Noop"
SCRIPT: Final[dict[str, Any]] = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["id"]}}
STEP: Final = "aws:runShellScript"
UNKNOWN: Final = "01234567-89ab-4def-8123-456789abcdef"
UNKNOWN_NODE: Final = "mi-0123456789abcdef0"
LISTS: Final = (("ListCommands", "Commands"), ("ListCommandInvocations", "CommandInvocations"))


@pytest.fixture
def node(api: Api) -> str:
    return api.here.node(DefaultInstanceName="web")


def send(api: Api, *nodes: str, **members: Any) -> str:
    """Send a command and let a second pass."""
    request = {"DocumentName": NOOP, **members, "InstanceIds": list(nodes)}
    command_id: str = api("SendCommand", **request)["Command"]["CommandId"]
    api.here.clock.advance(timedelta(seconds=1))
    return command_id


def end(api: Api, command: str, **changes: Any) -> None:
    """Let the command as a whole stand as *changes* say, which is for the engine to find out."""
    with api.here.database.write() as work:
        before = work.commands.get(command)
        assert before is not None
        after = Command(**{**{name: getattr(before, name) for name in Command.__slots__}, **changes})
        work.commands.put(after, wake_at=None)


def ids(answer: dict[str, Any]) -> list[str]:
    (entries,) = (value for name, value in answer.items() if name != "NextToken")
    return [one["CommandId"] for one in entries]


def get(api: Api, command: str, node: str, **members: Any) -> dict[str, Any]:
    return api("GetCommandInvocation", CommandId=command, InstanceId=node, **members)


def test_commands_come_the_newest_first_page_by_page(api: Api, node: str) -> None:
    made = [send(api, node) for _ in range(5)]
    for operation, member in LISTS:
        pages = list(api.pages(operation, member, MaxResults=2))
        assert [[one["CommandId"] for one in page] for page in pages] == [made[:2:-1], made[2:0:-1], made[:1]]


def test_invocations_of_one_command_come_in_the_order_of_its_nodes(api: Api) -> None:
    nodes = [api.here.node() for _ in range(3)]
    older, newer = send(api, *nodes), send(api, *nodes[::-1])
    pages = list(api.pages("ListCommandInvocations", "CommandInvocations", MaxResults=2))
    found = [(one["CommandId"], one["InstanceId"]) for page in pages for one in page]
    assert found == [(newer, id) for id in nodes[::-1]] + [(older, id) for id in nodes]


@pytest.mark.parametrize("operation", [operation for operation, _ in LISTS])
def test_a_token_is_good_for_its_request_alone(api: Api, node: str, operation: str) -> None:
    for _ in range(2):
        send(api, node)
    token = api(operation, MaxResults=1)["NextToken"]
    others: list[dict[str, Any]] = [
        {"NextToken": token, "InstanceId": node},
        {"NextToken": token, "Filters": [{"key": "Status", "value": "Pending"}]},
        {"NextToken": "bad"},
    ]
    assert [api.code(operation, **members) for members in others] == ["InvalidNextToken"] * 3


@pytest.mark.parametrize("operation", [operation for operation, _ in LISTS])
def test_lists_can_be_narrowed_to_a_command_and_a_node(api: Api, node: str, operation: str) -> None:
    other = api.here.node()
    first, second, third = send(api, node), send(api, other), send(api, node, other)
    expected = 2 if operation == "ListCommandInvocations" else 1
    assert ids(api(operation, CommandId=third)) == [third] * expected
    assert ids(api(operation, InstanceId=node)) == [third, first]
    assert ids(api(operation, InstanceId=other, CommandId=second)) == [second]
    assert ids(api(operation, InstanceId=UNKNOWN_NODE)) == []
    assert ids(api(operation, CommandId=UNKNOWN)) == []
    fault = api.fault(operation, CommandId="x" * 36)
    assert (fault.code, fault.message) == (
        "InvalidCommandId",
        f"'{'x' * 36}' is not the id of a command; use the CommandId that SendCommand gave",
    )


@pytest.mark.parametrize("operation", [operation for operation, _ in LISTS])
def test_lists_can_be_narrowed_by_time_and_document(api: Api, node: str, operation: str) -> None:
    made = [send(api, node), send(api, node, **SCRIPT), send(api, node)]
    for filters, expected in (
        ({"InvokedAfter": "2026-03-14T09:00:00Z"}, made[::-1]),
        ({"InvokedAfter": "2026-03-14T09:00:00.001Z"}, made[:0:-1]),
        ({"InvokedBefore": "2026-03-14T09:00:01Z"}, made[:1]),
        ({"InvokedAfter": "2026-03-14T09:00:01Z", "InvokedBefore": "2026-03-14T10:00:02+01:00"}, made[1:2]),
        ({"DocumentName": "AWS-RunShellScript"}, made[1:2]),
        ({"DocumentName": "arn:aws:ssm:eu-central-1::document/AWS-Noop"}, [made[2], made[0]]),
        ({"DocumentName": "AWS"}, []),
    ):
        asked = [{"key": key, "value": value} for key, value in filters.items()]
        assert ids(api(operation, Filters=asked)) == expected
    fault = api.fault(operation, Filters=[{"key": "InvokedAfter", "value": "noon"}])
    assert fault.code == "ValidationException"
    assert fault.message.startswith("InvokedAfter is noon; use a time such as ")


def test_commands_are_found_by_status_detail_and_stage(api: Api, node: str) -> None:
    pending, success, delivery, execution, rate = made = [send(api, node) for _ in range(5)]
    end(api, success, status="Success", status_details="Success")
    end(api, delivery, status="TimedOut", status_details="DeliveryTimedOut")
    end(api, execution, status="TimedOut", status_details="ExecutionTimedOut")
    end(api, rate, status="Failed", status_details="RateExceeded")
    for filters, expected in (
        ([("Status", "Pending")], [pending]),
        ([("Status", "Success")], [success]),
        ([("Status", "TimedOut")], [execution, delivery]),
        ([("Status", "DeliveryTimedOut")], [delivery]),
        ([("Status", "LimitExceeded")], [rate]),
        ([("Status", "Pending"), ("Status", "Success")], [success, pending]),
        ([("ExecutionStage", "Executing")], [pending]),
        ([("ExecutionStage", "Complete")], made[:0:-1]),
        ([("ExecutionStage", "Complete"), ("ExecutionStage", "Executing")], made[::-1]),
        ([("ExecutionStage", "Complete"), ("Status", "Success")], [success]),
    ):
        asked = [{"key": key, "value": value} for key, value in filters]
        assert ids(api("ListCommands", Filters=asked)) == expected


def test_invocations_are_found_by_status_and_detail(api: Api, node: str) -> None:
    pending, success, running = (send(api, node) for _ in range(3))
    for command in (success, running):
        hand_out(api.here, command, node)
        acknowledge(api.here, command, node)
    reply(api.here, success, node, "Success")
    for value, expected in (
        ("Pending", [pending]),
        ("InProgress", [running]),
        ("Success", [success]),
        ("Terminated", []),
        ("Nonsense", []),
    ):
        asked = [{"key": "Status", "value": value}]
        assert ids(api("ListCommandInvocations", Filters=asked)) == expected
    both = [{"key": "Status", "value": value} for value in ("Success", "InProgress")]
    assert ids(api("ListCommandInvocations", Filters=both)) == [running, success]


def test_what_has_not_reached_a_node_is_found_among_its_invocations_alone(api: Api, node: str) -> None:
    command = send(api, node)
    pending = {"InstanceId": node, "Filters": [{"key": "Status", "value": "Pending"}]}
    assert ids(api("ListCommandInvocations", **pending)) == [command]
    assert api.code("ListCommands", **pending) == "InvalidFilterKey"


@pytest.mark.parametrize(
    ("operation", "members", "code", "message"),
    [
        (
            "ListCommandInvocations",
            {"Filters": [{"key": "ExecutionStage", "value": "Complete"}]},
            "InvalidFilterKey",
            "filter key 'ExecutionStage' is not known here; use one of InvokedAfter, InvokedBefore, Status, ",
        ),
        (
            "ListCommands",
            {"Filters": [{"key": "ExecutionStage", "value": "Done"}]},
            "InvalidFilterKey",
            "filter ExecutionStage is Done; use Executing or Complete",
        ),
        (
            "ListCommands",
            {"InstanceId": UNKNOWN_NODE, "Filters": [{"key": "Status", "value": "Pending"}]},
            "InvalidFilterKey",
            "InstanceId cannot be combined with the filter Status=Pending",
        ),
        ("ListCommands", {"MaxResults": 51}, "ValidationException", "1 validation error detected: Value '51' at "),
        ("ListCommands", {"Filters": []}, "ValidationException", "1 validation error detected: Value '[]' at "),
        ("ListCommands", {"Filters": [{"key": "Name", "value": "x"}]}, "ValidationException", "1 validation error "),
    ],
)
def test_a_list_that_cannot_be_is_refused(
    api: Api, operation: str, members: dict[str, Any], code: str, message: str
) -> None:
    fault = api.fault(operation, **members)
    assert fault.code == code
    assert fault.message.startswith(message)


def test_steps_are_listed_only_with_details(api: Api, node: str) -> None:
    command = send(api, node, **SCRIPT, Comment="look", OutputS3BucketName="bucket", OutputS3KeyPrefix="logs")
    hand_out(api.here, command, node)
    reply(
        api.here,
        command,
        node,
        "Failed",
        {STEP: did("Failed", 2, standardOutput="out", standardError="err")},
        trace="t" * 3000,
    )
    (plain,) = api("ListCommandInvocations", CommandId=command)["CommandInvocations"]
    (detailed,) = api("ListCommandInvocations", CommandId=command, Details=True)["CommandInvocations"]
    assert plain["CommandPlugins"] == []
    assert detailed == {
        "CommandId": command,
        "InstanceId": node,
        "InstanceName": "web",
        "Comment": "look",
        "DocumentName": "AWS-RunShellScript",
        "DocumentVersion": "$DEFAULT",
        "RequestedDateTime": 1773478800,
        "Status": "Failed",
        "StatusDetails": "Failed",
        "TraceOutput": "t" * 2500,
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "ServiceRole": "",
        "NotificationConfig": {"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""},
        "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False},
        "CommandPlugins": [
            {
                "Name": STEP,
                "Status": "Failed",
                "StatusDetails": "Failed",
                "ResponseCode": 2,
                "ResponseStartDateTime": 1773478801.25,
                "ResponseFinishDateTime": 1773478801.341,
                "Output": "out\n----------ERROR-------\nerr",
                "StandardOutputUrl": "",
                "StandardErrorUrl": "",
                "OutputS3BucketName": "bucket",
                "OutputS3KeyPrefix": "logs",
            }
        ],
    }


def test_each_invocation_of_a_page_has_its_own_steps(api: Api) -> None:
    nodes = [api.here.node() for _ in range(2)]
    commands = [send(api, *nodes, **SCRIPT) for _ in range(2)]
    for command in commands:
        hand_out(api.here, command, *nodes)
        for id in nodes:
            reply(api.here, command, id, "Success", {STEP: did(standardOutput=f"{command} {id}")})
    found = api("ListCommandInvocations", Details=True)["CommandInvocations"]
    outputs = {(one["CommandId"], one["InstanceId"]): one["CommandPlugins"][0]["Output"] for one in found}
    assert outputs == {(command, id): f"{command} {id}" for command in commands for id in nodes}


def test_before_it_starts_an_invocation_has_neither_times_nor_output(api: Api, node: str) -> None:
    command = send(api, node, **SCRIPT, Comment="look")
    assert get(api, command, node) == {
        "CommandId": command,
        "InstanceId": node,
        "Comment": "look",
        "DocumentName": "AWS-RunShellScript",
        "DocumentVersion": "$DEFAULT",
        "PluginName": "",
        "ResponseCode": -1,
        "ExecutionStartDateTime": "",
        "ExecutionElapsedTime": "",
        "ExecutionEndDateTime": "",
        "Status": "Pending",
        "StatusDetails": "Pending",
        "StandardOutputContent": "",
        "StandardOutputUrl": "",
        "StandardErrorContent": "",
        "StandardErrorUrl": "",
        "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False},
    }


def test_an_invocation_that_has_ended_tells_times_code_and_output(api: Api, node: str) -> None:
    command = send(api, node, **SCRIPT)
    hand_out(api.here, command, node)
    reply(api.here, command, node, "Success", {STEP: did(standardOutput="uid=0", standardError="a warning")})
    found = get(api, command, node)
    told = {
        "PluginName": STEP,
        "ResponseCode": 0,
        "ExecutionStartDateTime": "2026-03-14T09:00:01.250Z",
        "ExecutionElapsedTime": "PT0.091S",
        "ExecutionEndDateTime": "2026-03-14T09:00:01.341Z",
        "Status": "Success",
        "StatusDetails": "Success",
        "StandardOutputContent": "uid=0",
        "StandardErrorContent": "a warning",
    }
    assert told.items() <= found.items()
    assert get(api, command, node, PluginName=STEP) == found


def test_output_is_shown_when_the_invocation_has_ended(api: Api, node: str) -> None:
    command = send(api, node, **SCRIPT)
    hand_out(api.here, command, node)
    reply(api.here, command, node, "InProgress", {STEP: did(standardOutput="half")})
    found = get(api, command, node)
    assert (found["Status"], found["StandardOutputContent"]) == ("InProgress", "")
    reply(api.here, command, node, "Success")
    assert get(api, command, node)["StandardOutputContent"] == "half"


@pytest.mark.parametrize(
    ("seconds", "elapsed"), [("01.250", "PT0S"), ("11.250", "PT10S"), ("11.350", "PT10.1S"), ("01.000", "PT0S")]
)
def test_elapsed_time_is_a_duration(api: Api, node: str, seconds: str, elapsed: str) -> None:
    command = send(api, node, **SCRIPT)
    hand_out(api.here, command, node)
    reply(api.here, command, node, "Success", {STEP: did(endDateTime=f"2026-03-14T09:00:{seconds}Z")})
    assert get(api, command, node)["ExecutionElapsedTime"] == elapsed


def test_of_several_steps_the_one_that_ran_speaks_unless_one_is_named(api: Api, node: str) -> None:
    command = send(api, node)
    hand_out(api.here, command, node)
    reply(
        api.here,
        command,
        node,
        "Success",
        {
            "NoopWindows": did("Skipped", output="not for this platform"),
            "NoopLinux": did(standardOutput="done"),
        },
    )
    whole = get(api, command, node)
    assert (whole["PluginName"], whole["StandardOutputContent"]) == ("NoopLinux", "done")
    skipped = get(api, command, node, PluginName="NoopWindows")
    assert (skipped["Status"], skipped["StandardOutputContent"]) == ("Success", "not for this platform")
    absent = get(api, command, node, PluginName="NoopMacOS")
    assert (absent["Status"], absent["ResponseCode"], absent["PluginName"]) == ("Success", -1, "NoopMacOS")


def test_a_step_that_timed_out_says_in_which_way(api: Api, node: str) -> None:
    command = send(api, node, **SCRIPT)
    hand_out(api.here, command, node)
    reply(api.here, command, node, "TimedOut", {STEP: did("TimedOut", 137)})
    (found,) = api("ListCommandInvocations", CommandId=command, Details=True)["CommandInvocations"]
    for told in (found, found["CommandPlugins"][0], get(api, command, node), get(api, command, node, PluginName=STEP)):
        assert (told["Status"], told["StatusDetails"]) == ("TimedOut", "ExecutionTimedOut")
    assert found["CommandPlugins"][0]["ResponseCode"] == 137


def test_a_step_that_the_document_does_not_have_is_named(api: Api, node: str) -> None:
    fault = api.fault("GetCommandInvocation", CommandId=send(api, node), InstanceId=node, PluginName="Install")
    assert (fault.code, fault.message) == ("InvalidPluginName", "document AWS-Noop has no step 'Install'")


def test_an_invocation_that_is_not_there_is_told_so_that_a_client_asks_again(api: Api, node: str) -> None:
    command = send(api, node)
    for command_id, node_id in ((UNKNOWN, node), (command, UNKNOWN_NODE)):
        fault = api.fault("GetCommandInvocation", CommandId=command_id, InstanceId=node_id)
        assert (fault.code, fault.message) == (
            "InvocationDoesNotExist",
            f"command {command_id} has no invocation on node {node_id}",
        )
    assert api.code("GetCommandInvocation", CommandId="x" * 36, InstanceId=node) == "InvalidCommandId"
