"""The message service of agents, as one agent meets it."""

import hashlib
import json
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fakes.api import Api
from tests.fakes.delivery import acknowledge, did, hand_out, poll, reply
from tests.fakes.site import SITE, as_node

from patchwindow.documents.patch_script import script_digest
from patchwindow.domain.errors import Invalid
from patchwindow.operations.capabilities import open_capability
from patchwindow.operations.messages import OUTSTANDING_MAX, node_of
from patchwindow.ports import ENGINE

STEP: Final = "aws:runShellScript"
SCRIPT: Final[dict[str, Any]] = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["id"]}}


@pytest.fixture
def node(api: Api) -> str:
    return api.here.node()


def send(api: Api, node: str, **members: Any) -> str:
    """Send a command that lies in the mailbox of the node."""
    command: str = api("SendCommand", InstanceIds=[node], **{**SCRIPT, **members})["Command"]["CommandId"]
    hand_out(api.here, command, node)
    return command


def state(api: Api, command: str) -> str:
    (found,) = api("ListCommandInvocations", CommandId=command)["CommandInvocations"]
    return str(found["StatusDetails"])


def test_a_message_carries_the_whole_command(api: Api, node: str) -> None:
    command = send(api, node)
    (message,) = poll(api.here, node)
    text = message.pop("Payload")
    payload = json.loads(text)
    assert message == {
        "PayloadDigest": hashlib.sha256(text.encode()).hexdigest(),
        "CreatedDate": "2026-03-14T09:00:00.000Z",
        "Destination": node,
        "MessageId": f"aws.ssm.{command}.{node}",
        "Topic": "aws.ssm.sendCommand.eu-central-1",
    }
    assert (payload["CommandId"], payload["DocumentName"]) == (command, "AWS-RunShellScript")
    assert payload["Parameters"] == {"commands": ["id"]}
    assert payload["DocumentContent"]["schemaVersion"] == "1.2"


def test_only_a_patch_command_carries_a_capability_for_its_node(api: Api, node: str) -> None:
    patch = send(api, node, DocumentName="AWS-RunPatchBaseline", Parameters={"Operation": ["Scan"]})
    (message,) = poll(api.here, node)
    parameters = json.loads(message["Payload"])["Parameters"]
    address, _, token = parameters["PatchwindowUrl"].rpartition("/")
    assert address == "https://patch.example.net/operation"
    assert open_capability(SITE, token) == (patch, node)
    assert parameters["PatchwindowDigest"] == SITE.program_digest
    assert parameters["PatchwindowScriptDigest"] == script_digest()


def test_a_node_gets_its_own_messages_the_oldest_first(api: Api, node: str) -> None:
    other = api.here.node()
    send(api, other)
    made = []
    for _ in range(3):
        api.here.clock.advance(timedelta(seconds=1))
        made.append(send(api, node))
    assert [message["MessageId"].split(".")[2] for message in poll(api.here, node)] == made


def test_a_node_gets_no_more_than_it_takes_but_cancellations_always(api: Api, node: str) -> None:
    made = []
    for _ in range(OUTSTANDING_MAX + 2):
        api.here.clock.advance(timedelta(milliseconds=1))
        made.append(send(api, node))
    assert len(poll(api.here, node)) == OUTSTANDING_MAX
    for command in made[:OUTSTANDING_MAX]:
        acknowledge(api.here, command, node)
    assert poll(api.here, node) == []
    api("CancelCommand", CommandId=made[0], InstanceIds=[node])
    assert [message["Topic"] for message in poll(api.here, node)] == ["aws.ssm.cancelCommand.eu-central-1"]
    reply(api.here, made[1], node, "Success")
    assert [message["MessageId"].split(".")[2] for message in poll(api.here, node)] == made[-2:-1]


def test_an_acknowledged_command_is_in_progress_and_the_engine_hears_of_it(api: Api, node: str) -> None:
    command = send(api, node)
    rung: list[str] = []
    api.here.database.on_wake(rung.append)
    acknowledge(api.here, command, node)
    assert (state(api, command), rung) == ("InProgress", [ENGINE])
    acknowledge(api.here, command, node)
    assert state(api, command) == "InProgress"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Success", "Success"),
        ("Failed", "Failed"),
        ("TimedOut", "ExecutionTimedOut"),
        ("Cancelled", "Cancelled"),
        ("InProgress", "InProgress"),
        ("SuccessAndReboot", "InProgress"),
    ],
)
def test_a_reply_moves_the_invocation_with_and_without_an_acknowledgement(
    api: Api, node: str, status: str, expected: str
) -> None:
    silent, told = send(api, node), send(api, node)
    acknowledge(api.here, told, node)
    for command in (silent, told):
        reply(api.here, command, node, status)
        assert state(api, command) == expected


def test_what_has_ended_is_not_moved_by_a_late_reply(api: Api, node: str) -> None:
    command = send(api, node)
    reply(api.here, command, node, "Success", {STEP: did(standardOutput="done")})
    reply(api.here, command, node, "Failed", {STEP: did("InProgress", endDateTime="0001-01-01T00:00:00Z")})
    acknowledge(api.here, command, node)
    assert state(api, command) == "Success"
    found = api("GetCommandInvocation", CommandId=command, InstanceId=node)
    assert found["StandardOutputContent"] == "done"


def test_a_reply_that_ends_a_command_takes_its_message_back(api: Api, node: str) -> None:
    command = send(api, node)
    reply(api.here, command, node, "Success")
    assert poll(api.here, node) == []


def test_steps_of_several_replies_are_merged(api: Api, node: str) -> None:
    command = send(api, node, DocumentName="AWS-Noop", Parameters={})
    reply(api.here, command, node, "InProgress", {"NoopWindows": did("Skipped")})
    reply(api.here, command, node, "InProgress", {"NoopLinux": did("InProgress", endDateTime="")})
    reply(api.here, command, node, "Success", {"NoopLinux": did(standardOutput="done")})
    (found,) = api("ListCommandInvocations", CommandId=command, Details=True)["CommandInvocations"]
    shown = [(step["Name"], step["Status"], step["Output"]) for step in found["CommandPlugins"]]
    assert shown == [("NoopWindows", "Success", ""), ("NoopLinux", "Success", "done")]


def test_a_step_without_a_name_is_the_first_of_the_document(api: Api, node: str) -> None:
    command = send(api, node)
    reply(api.here, command, node, "Failed", {"": did("Failed", 1, output="the agent crashed")})
    (found,) = api("ListCommandInvocations", CommandId=command, Details=True)["CommandInvocations"]
    assert [(step["Name"], step["Output"]) for step in found["CommandPlugins"]] == [(STEP, "the agent crashed")]


@pytest.mark.parametrize("payload", ["", "[]", "{}", '{"documentStatus": "Done"}', "{" * 5000])
def test_what_is_no_reply_changes_nothing(api: Api, node: str, payload: str) -> None:
    command = send(api, node)
    with pytest.raises(Invalid):
        api.here.perform(
            "SendReply", as_node(node), MessageId=f"aws.ssm.{command}.{node}", ReplyId="1", Payload=payload
        )
    assert state(api, command) == "Pending"


def test_a_reply_about_a_command_that_is_not_there_is_taken(api: Api, node: str) -> None:
    reply(api.here, "01234567-89ab-4def-8123-456789abcdef", node, "Success")
    acknowledge(api.here, "01234567-89ab-4def-8123-456789abcdef", node)
    assert api("ListCommands") == {"Commands": []}


def test_a_message_that_cannot_be_handled_fails_the_invocation_and_says_why(api: Api, node: str) -> None:
    command = send(api, node)
    api.here.perform("FailMessage", as_node(node), MessageId=f"aws.ssm.{command}.{node}", FailureType="NoHandlerExists")
    (found,) = api("ListCommandInvocations", CommandId=command)["CommandInvocations"]
    assert (found["StatusDetails"], found["TraceOutput"]) == (
        "Failed",
        "the agent could not handle the message: NoHandlerExists",
    )
    assert poll(api.here, node) == []


def test_a_deleted_message_does_not_come_again_and_the_command_goes_on(api: Api, node: str) -> None:
    command = send(api, node)
    api.here.perform("DeleteMessage", as_node(node), MessageId=f"aws.ssm.{command}.{node}")
    assert poll(api.here, node) == []
    assert state(api, command) == "Pending"


def test_a_cancelled_command_ends_as_the_node_says(api: Api, node: str) -> None:
    stopped, finished = send(api, node), send(api, node)
    for command in (stopped, finished):
        acknowledge(api.here, command, node)
        api("CancelCommand", CommandId=command, InstanceIds=[node])
    reply(api.here, stopped, node, "Cancelled")
    reply(api.here, finished, node, "Success")
    assert (state(api, stopped), state(api, finished)) == ("Cancelled", "Success")


def test_a_message_stays_hidden_as_long_as_the_agent_asks(api: Api, node: str) -> None:
    send(api, node)
    assert len(poll(api.here, node, visibility_s=60)) == 1
    api.here.clock.advance(timedelta(seconds=59))
    assert poll(api.here, node) == []
    api.here.clock.advance(timedelta(seconds=1))
    assert len(poll(api.here, node, visibility_s=0)) == 1
    assert len(poll(api.here, node)) == 1


def test_a_message_id_names_its_node() -> None:
    request = {"MessageId": "aws.ssm.01234567-89ab-4def-8123-456789abcdef.mi-0123456789abcdef0"}
    assert node_of(request) == "mi-0123456789abcdef0"
    with pytest.raises(Invalid):
        node_of({"MessageId": "aws.ssm.nothing at all"})


def test_a_node_answers_for_itself_only(api: Api, node: str) -> None:
    other = api.here.node()
    command = send(api, node)
    api.caller = as_node(other)
    for operation, members in (
        ("GetMessages", {"Destination": node, "MessagesRequestId": "1", "VisibilityTimeoutInSeconds": 10}),
        ("AcknowledgeMessage", {"MessageId": f"aws.ssm.{command}.{node}"}),
        ("SendReply", {"MessageId": f"aws.ssm.{command}.{node}", "ReplyId": "1", "Payload": "{}"}),
    ):
        fault = api.fault(operation, **members)
        assert (fault.code, fault.message) == (
            "AccessDeniedException",
            f"node {other} may act for itself only, not for {node}",
        )
