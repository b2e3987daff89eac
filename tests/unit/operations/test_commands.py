"""Sending and cancelling commands through the operations of the API."""

import hashlib
import re
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fakes.api import Api
from tests.fakes.delivery import acknowledge, hand_out, poll, reply
from tests.fakes.site import as_node

from patchwindow.documents import library
from patchwindow.ports import ENGINE

NOOP: Final = "AWS-Noop"
UNKNOWN: Final = "01234567-89ab-4def-8123-456789abcdef"
UNKNOWN_NODE: Final = "mi-0123456789abcdef0"
UUID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def send(api: Api, *nodes: str, **members: Any) -> dict[str, Any]:
    request = {"DocumentName": NOOP, **members}
    if nodes:
        request["InstanceIds"] = list(nodes)
    command: dict[str, Any] = api("SendCommand", **request)["Command"]
    return command


def listed(api: Api, command: str) -> dict[str, Any]:
    (found,) = api("ListCommands", CommandId=command)["Commands"]
    return dict(found)


def statuses(api: Api, command: str) -> dict[str, str]:
    found = api("ListCommandInvocations", CommandId=command)["CommandInvocations"]
    return {one["InstanceId"]: one["StatusDetails"] for one in found}


def test_a_command_is_answered_with_the_defaults_of_the_api(api: Api) -> None:
    first, second = api.here.node(), api.here.node()
    now = int(api.here.clock.now().timestamp())
    sent = send(api, second, first)
    assert UUID.fullmatch(sent["CommandId"])
    assert sent == {
        "CommandId": sent["CommandId"],
        "DocumentName": NOOP,
        "DocumentVersion": "$DEFAULT",
        "Comment": "",
        "ExpiresAfter": now + 3 * 3600 + 3600,
        "Parameters": {},
        "InstanceIds": [second, first],
        "Targets": [],
        "RequestedDateTime": now,
        "Status": "Pending",
        "StatusDetails": "Pending",
        "OutputS3BucketName": "",
        "OutputS3KeyPrefix": "",
        "MaxConcurrency": "50",
        "MaxErrors": "0",
        "TargetCount": 2,
        "CompletedCount": 0,
        "ErrorCount": 0,
        "DeliveryTimedOutCount": 0,
        "ServiceRole": "",
        "NotificationConfig": {"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""},
        "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False},
        "TimeoutSeconds": 3600,
    }
    assert listed(api, sent["CommandId"]) == sent
    assert statuses(api, sent["CommandId"]) == {first: "Pending", second: "Pending"}


def test_every_field_is_read_back_as_it_was_given(api: Api) -> None:
    given = {
        "DocumentName": "AWS-RunShellScript",
        "DocumentVersion": "1",
        "Comment": "look",
        "Parameters": {"commands": ["id", "uptime"], "executionTimeout": ["60"]},
        "MaxConcurrency": "10%",
        "MaxErrors": "5%",
        "TimeoutSeconds": 600,
        "OutputS3BucketName": "bucket",
        "OutputS3KeyPrefix": "logs",
        "NotificationConfig": {"NotificationArn": "arn", "NotificationEvents": ["All"], "NotificationType": "Command"},
        "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "group", "CloudWatchOutputEnabled": True},
        "AlarmConfiguration": {"Alarms": [{"Name": "load"}], "IgnorePollAlarmFailure": True},
    }
    sent = send(api, api.here.node(), **given, ServiceRoleArn="arn:role", OutputS3Region="eu-central-1")
    assert given.items() <= sent.items()
    assert sent["ServiceRole"] == "arn:role"
    assert "OutputS3Region" not in sent
    assert sent["ExpiresAfter"] == sent["RequestedDateTime"] + 660


def test_targets_are_resolved_to_nodes_and_echoed(api: Api) -> None:
    live = [api.here.node(tags={"env": "live"}) for _ in range(2)]
    api.here.node(tags={"env": "test"})
    targets = [{"Key": "tag:env", "Values": ["live"]}]
    sent = send(api, Targets=targets)
    assert (sent["InstanceIds"], sent["Targets"], sent["TargetCount"]) == ([], targets, 2)
    assert list(statuses(api, sent["CommandId"])) == live
    assert send(api, Targets=[{"Key": "tag:env", "Values": ["none"]}])["TargetCount"] == 0


def test_a_document_is_found_by_its_arn_too(api: Api) -> None:
    sent = send(api, api.here.node(), DocumentName="arn:aws:ssm:eu-central-1::document/AWS-Noop")
    assert sent["DocumentName"] == NOOP


@pytest.mark.parametrize(("hash_type", "name"), [("Sha256", "sha256"), ("Sha1", "sha1")])
def test_a_hash_must_be_that_of_the_document(api: Api, hash_type: str, name: str) -> None:
    node = api.here.node()
    digest = hashlib.new(name, library.get(NOOP).text.encode()).hexdigest()
    assert send(api, node, DocumentHash=digest, DocumentHashType=hash_type)
    fault = api.fault(
        "SendCommand", DocumentName=NOOP, InstanceIds=[node], DocumentHash="0", DocumentHashType=hash_type
    )
    assert (fault.code, fault.message) == (
        "InvalidDocument",
        "document AWS-Noop does not have the DocumentHash 0",
    )


def test_the_engine_is_woken_for_a_new_command(api: Api) -> None:
    node = api.here.node()
    rung: list[str] = []
    api.here.database.on_wake(rung.append)
    send(api, node)
    assert rung == [ENGINE]


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"DocumentName": "AWS-None"}, "InvalidDocument", "document 'AWS-None' does not exist; ListDocuments has"),
        ({"DocumentVersion": "7"}, "InvalidDocumentVersion", "document AWS-Noop has no version '7'; it has 1"),
        ({"DocumentVersion": "one"}, "ValidationException", "1 validation error detected: Value 'one' at "),
        ({}, "InvalidParameters", "name the nodes by InstanceIds or by Targets: one of the two, and not both"),
        (
            {"InstanceIds": [UNKNOWN_NODE], "Targets": [{"Key": "tag:env", "Values": ["live"]}]},
            "InvalidParameters",
            "name the nodes by InstanceIds or by Targets: one of the two, and not both",
        ),
        (
            {"InstanceIds": [UNKNOWN_NODE]},
            "InvalidInstanceId",
            f"Instances [[{UNKNOWN_NODE}]] not in a valid state for account 123456789012: no such managed node",
        ),
        ({"InstanceIds": [UNKNOWN_NODE] * 2}, "DuplicateInstanceId", "InstanceIds names a node twice"),
        (
            {"Targets": [{"Key": "InstanceIds", "Values": [UNKNOWN_NODE]}]},
            "InvalidInstanceId",
            f"Instances [[{UNKNOWN_NODE}]] not in a valid state for account 123456789012: no such managed node",
        ),
        ({"InstanceIds": ["web-1"]}, "ValidationException", "1 validation error detected: Value '[web-1]' at "),
        ({"Targets": [{"Key": "env", "Values": ["x"]}]}, "ValidationException", "target key 'env' is not known; "),
        ({"Targets": [{"Values": ["x"]}]}, "ValidationException", "Targets[0] has no Key; "),
        (
            {"AlarmConfiguration": {"Alarms": [{"Name": "load"}]}},
            "InvalidParameters",
            "AlarmConfiguration names the alarm load, which this server cannot read: nothing would stop when it goes off; ",
        ),
        ({"AlarmConfiguration": {"Alarms": []}}, "ValidationException", "1 validation error detected: Value '[]' at "),
        (
            {"AlarmConfiguration": {"Alarms": [{"Name": "a"}, {"Name": "b"}]}},
            "ValidationException",
            "1 validation error detected: Value ",
        ),
        ({"TimeoutSeconds": 29}, "ValidationException", "1 validation error detected: Value '29' at "),
        ({"MaxConcurrency": "0"}, "ValidationException", "1 validation error detected: Value '0' at "),
        ({"Comment": "c" * 101}, "ValidationException", "1 validation error detected: Value 'ccc"),
    ],
)
def test_what_cannot_be_sent_is_refused(api: Api, members: dict[str, Any], code: str, message: str) -> None:
    fault = api.fault("SendCommand", **{"DocumentName": NOOP, **members})
    assert fault.code == code
    assert fault.message.startswith(message)
    assert api("ListCommands") == {"Commands": []}


@pytest.mark.parametrize(
    "parameters",
    [{}, {"commands": []}, {"commands": ["id"], "unknown": ["x"]}, {"commands": ["id"], "executionTimeout": ["soon"]}],
)
def test_parameters_must_be_those_of_the_document(api: Api, parameters: dict[str, list[str]]) -> None:
    fault = api.fault(
        "SendCommand", DocumentName="AWS-RunShellScript", InstanceIds=[api.here.node()], Parameters=parameters
    )
    assert fault.code == "InvalidParameters"


def test_a_document_that_fails_on_a_platform_is_not_sent_there_by_id(api: Api) -> None:
    debian = api.here.node()
    windows = api.here.node(ping={"PlatformType": "Windows", "PlatformName": "Windows Server", "PlatformVersion": "10"})
    silent = api.here.node(ping={})
    script: dict[str, Any] = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["id"]}}
    fault = api.fault("SendCommand", InstanceIds=[debian, windows], **script)
    assert (fault.code, fault.message) == (
        "UnsupportedPlatformType",
        f"document AWS-RunShellScript is for Linux, MacOS, and not for {windows} (Windows); leave these nodes out",
    )
    send(api, debian, silent, **script)
    send(api, debian, windows, DocumentName=NOOP)


def test_what_was_not_handed_out_is_cancelled_at_once(api: Api) -> None:
    first, second = api.here.node(), api.here.node()
    sent = send(api, first, second)["CommandId"]
    assert api("CancelCommand", CommandId=sent, InstanceIds=[first]) == {}
    assert statuses(api, sent) == {first: "Cancelled", second: "Pending"}
    assert poll(api.here, first) == []


def test_what_was_handed_out_is_told_to_stop(api: Api) -> None:
    node = api.here.node()
    sent = send(api, node)["CommandId"]
    hand_out(api.here, sent, node)
    acknowledge(api.here, sent, node)
    rung: list[str] = []
    api.here.database.on_wake(rung.append)
    for _ in range(2):
        assert api("CancelCommand", CommandId=sent, InstanceIds=[node]) == {}
    assert statuses(api, sent) == {node: "Cancelling"}
    (message,) = poll(api.here, node)
    assert message["Topic"] == "aws.ssm.cancelCommand.eu-central-1"
    assert set(rung) == {node, ENGINE}


def test_a_command_that_waits_in_the_mailbox_is_taken_out_of_it(api: Api) -> None:
    node = api.here.node()
    sent = send(api, node)["CommandId"]
    hand_out(api.here, sent, node)
    api("CancelCommand", CommandId=sent, InstanceIds=[node])
    assert [message["Topic"] for message in poll(api.here, node)] == ["aws.ssm.cancelCommand.eu-central-1"]


def test_the_whole_command_is_left_to_the_engine_to_cancel(api: Api) -> None:
    sent = send(api, api.here.node())["CommandId"]
    rung: list[str] = []
    api.here.database.on_wake(rung.append)
    assert api("CancelCommand", CommandId=sent) == {}
    assert rung == [ENGINE]
    with api.here.database.read() as work:
        kept = work.commands.get(sent)
        assert kept is not None
        assert kept.cancel_requested
    assert "CancelRequested" not in listed(api, sent)


def test_what_has_ended_stays_as_it_is(api: Api) -> None:
    node = api.here.node()
    sent = send(api, node)["CommandId"]
    hand_out(api.here, sent, node)
    reply(api.here, sent, node, "Success")
    api("CancelCommand", CommandId=sent, InstanceIds=[node])
    assert statuses(api, sent) == {node: "Success"}
    assert poll(api.here, node) == []


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"CommandId": UNKNOWN}, "InvalidCommandId", f"command {UNKNOWN} does not exist"),
        ({"CommandId": "x" * 36}, "InvalidCommandId", f"'{'x' * 36}' is not the id of a command; use the CommandId "),
        ({"CommandId": "x"}, "ValidationException", "1 validation error detected: Value 'x' at 'commandId' failed "),
        ({"InstanceIds": [UNKNOWN_NODE]}, "InvalidInstanceId", f"node {UNKNOWN_NODE} does not take part in command "),
        ({"InstanceIds": [UNKNOWN_NODE] * 2}, "DuplicateInstanceId", "InstanceIds names a node twice"),
    ],
)
def test_what_cannot_be_cancelled_is_refused(api: Api, members: dict[str, Any], code: str, message: str) -> None:
    sent = send(api, api.here.node())["CommandId"]
    fault = api.fault("CancelCommand", **{"CommandId": sent, **members})
    assert fault.code == code
    assert fault.message.startswith(message)


def test_a_node_that_is_gone_can_still_be_looked_at_and_gets_nothing(api: Api) -> None:
    node = api.here.node()
    sent = send(api, node)["CommandId"]
    api("DeregisterManagedInstance", InstanceId=node)
    assert set(statuses(api, sent)) == {node}
    assert api.code("SendCommand", DocumentName=NOOP, InstanceIds=[node]) == "InvalidInstanceId"


def test_a_message_that_is_not_acknowledged_comes_again(api: Api) -> None:
    node = api.here.node()
    sent = send(api, node)["CommandId"]
    hand_out(api.here, sent, node)
    assert len(poll(api.here, node)) == 1
    assert poll(api.here, node) == []
    api.here.clock.advance(timedelta(seconds=10))
    assert len(poll(api.here, node)) == 1
    api.here.perform("AcknowledgeMessage", as_node(node), MessageId=f"aws.ssm.{sent}.{node}")
    api.here.clock.advance(timedelta(seconds=10))
    assert poll(api.here, node) == []
