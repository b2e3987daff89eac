"""What server and agent say to each other inside the message service."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from patchwindow.domain.errors import Invalid, InvalidParameters
from patchwindow.protocol.messages import (
    Reply,
    ReplyStatus,
    StepReply,
    cancel_payload,
    message_id,
    parse_reply,
    send_command_payload,
    split_message_id,
)

COMMAND_ID = "bab3573d-dbe4-4e88-b9a1-bce5a2b05ea9"
NODE_ID = "mi-59ee62a60a269f17a"
RECORDED = [
    json.loads(line) for line in Path(__file__).with_name("recorded").joinpath("replies.jsonl").read_text().splitlines()
]
PARAMETERS = {
    "commands": {"type": "StringList"},
    "timeout": {"type": "String", "default": "3600"},
    "settings": {"type": "StringMap"},
    "rules": {"type": "MapList"},
    "force": {"type": "Boolean"},
    "retries": {"type": "Integer"},
}
DOCUMENT = {"schemaVersion": "2.2", "parameters": PARAMETERS, "mainSteps": []}


def sent(parameters: dict[str, list[str]], **more: Any) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(
        send_command_payload(
            command_id=COMMAND_ID,
            document_name="My-Document",
            document=json.dumps(DOCUMENT),
            declared=PARAMETERS,
            parameters=parameters,
            **more,
        )
    )
    return payload


def test_a_message_id_names_command_and_node() -> None:
    text = message_id(COMMAND_ID, NODE_ID)
    assert text == "aws.ssm.bab3573d-dbe4-4e88-b9a1-bce5a2b05ea9.mi-59ee62a60a269f17a"
    assert split_message_id(text) == (COMMAND_ID, NODE_ID)


@pytest.mark.parametrize(
    "text",
    [
        "",
        COMMAND_ID,
        f"aws.ssm.{COMMAND_ID}",
        f"aws.ssm..{NODE_ID}",
        f"aws.ssm.a.b.{NODE_ID}",
        f"x{message_id('a', 'b')}",
    ],
)
def test_what_is_no_message_id_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is not of the form"):
        split_message_id(text)


def test_a_command_takes_its_whole_document_along() -> None:
    assert sent({}) == {
        "CommandId": COMMAND_ID,
        "DocumentName": "My-Document",
        "Parameters": {},
        "DocumentContent": DOCUMENT,
        "OutputS3BucketName": "",
        "OutputS3KeyPrefix": "",
        "CloudWatchLogGroupName": "",
        "CloudWatchOutputEnabled": "false",
    }


def test_where_output_goes_is_said_as_text() -> None:
    payload = sent(
        {},
        output_s3_bucket_name="b",
        output_s3_key_prefix="p",
        cloud_watch_log_group_name="g",
        cloud_watch_output_enabled=True,
    )
    assert (payload["OutputS3BucketName"], payload["OutputS3KeyPrefix"]) == ("b", "p")
    assert (payload["CloudWatchLogGroupName"], payload["CloudWatchOutputEnabled"]) == ("g", "true")


@pytest.mark.parametrize(
    ("name", "values", "typed"),
    [
        ("commands", ["echo hello", "id"], ["echo hello", "id"]),
        ("commands", [], []),
        ("timeout", ["60"], "60"),
        ("settings", ['{"a": "b"}'], {"a": "b"}),
        ("rules", ['{"a": "b"}', "{}"], [{"a": "b"}, {}]),
        ("force", ["true"], True),
        ("retries", ["3"], 3),
        ("undeclared", ["x"], ["x"]),
    ],
)
def test_a_parameter_has_the_type_that_the_document_declares(name: str, values: list[str], typed: object) -> None:
    assert sent({name: values})["Parameters"] == {name: typed}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("timeout", ["1", "2"]),
        ("timeout", []),
        ("settings", ["[]"]),
        ("settings", ["{"]),
        ("rules", ["1"]),
        ("force", ["1"]),
        ("retries", ["true"]),
    ],
)
def test_a_value_of_another_type_is_refused_by_the_parameter_s_name(name: str, values: list[str]) -> None:
    with pytest.raises(InvalidParameters, match=f"parameter {name} is a {PARAMETERS[name]['type']}"):
        sent({name: values})


def test_a_cancellation_names_the_message_of_the_command() -> None:
    assert cancel_payload(COMMAND_ID, NODE_ID) == f'{{"CancelMessageId":"aws.ssm.{COMMAND_ID}.{NODE_ID}"}}'


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["from"])
def test_a_recorded_reply_is_read_as_it_was_meant(recorded: dict[str, str]) -> None:
    given = json.loads(recorded["payload"])
    reply = parse_reply(recorded["payload"])
    steps = given["runtimeStatus"] or {}
    assert reply.document_status == given["documentStatus"]
    assert reply.trace_output == given["documentTraceOutput"]
    assert [step.name for step in reply.steps] == list(steps)
    for step in reply.steps:
        told = steps[step.name]
        assert (step.status, step.code) == (told["status"], told["code"])
        assert (step.stdout, step.stderr, step.output) == (
            told["standardOutput"],
            told["standardError"],
            told["output"],
        )
        assert _as_told(step.started_at) == told["startDateTime"]
        assert _as_told(step.ended_at) == told["endDateTime"]


def _as_told(instant: datetime | None) -> str:
    assert instant is not None
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03}Z"


def test_the_recordings_hold_every_status_that_a_reply_can_end_with() -> None:
    ends = {parse_reply(recorded["payload"]).document_status for recorded in RECORDED}
    assert ends == set(ReplyStatus) - {ReplyStatus.NOT_STARTED, ReplyStatus.SKIPPED}


def test_a_reply_is_read_whole() -> None:
    step = {
        "status": "Failed",
        "code": 3,
        "name": "aws:runShellScript",
        "output": "\n----------ERROR-------\nbad",
        "startDateTime": "2026-11-23T01:04:40.343Z",
        "endDateTime": "2026-11-23T01:04:40.350Z",
        "standardOutput": "",
        "standardError": "bad",
    }
    reply = {"documentStatus": "InProgress", "documentTraceOutput": "", "runtimeStatus": {"fails": step}}
    assert parse_reply(json.dumps(reply)) == Reply(
        document_status=ReplyStatus.IN_PROGRESS,
        trace_output="",
        steps=(
            StepReply(
                name="fails",
                status=ReplyStatus.FAILED,
                code=3,
                stdout="",
                stderr="bad",
                output="\n----------ERROR-------\nbad",
                started_at=datetime(2026, 11, 23, 1, 4, 40, 343000, UTC),
                ended_at=datetime(2026, 11, 23, 1, 4, 40, 350000, UTC),
            ),
        ),
    )


def test_what_a_reply_lacks_is_empty() -> None:
    assert parse_reply('{"documentStatus": "Success"}') == Reply(
        document_status=ReplyStatus.SUCCESS, trace_output="", steps=()
    )
    (step,) = parse_reply(
        '{"documentStatus": "InProgress", "runtimeStatus": {"a": {"status": "Success", "x": 1}}}'
    ).steps
    assert (step.code, step.stdout, step.stderr, step.output, step.started_at, step.ended_at) == (
        0,
        "",
        "",
        "",
        None,
        None,
    )


@pytest.mark.parametrize("told", ["0001-01-01T00:00:00Z", "", None, "soon", 5, "9999-12-31T23:59:59-01:00"])
def test_an_instant_that_is_none_is_none(told: object) -> None:
    steps = {"a": {"status": "Success", "startDateTime": told}}
    (step,) = parse_reply(json.dumps({"documentStatus": "Success", "runtimeStatus": steps})).steps
    assert step.started_at is None


def test_output_that_no_database_stores_is_made_storable() -> None:
    steps = {"a": {"status": "Success", "standardOutput": "x\0y\ud800z \N{GRINNING FACE}"}}
    (step,) = parse_reply(json.dumps({"documentStatus": "Success", "runtimeStatus": steps})).steps
    assert step.stdout == "x\ufffdy\ufffdz \N{GRINNING FACE}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "the reply is no JSON object"),
        ("{}", "documentStatus is None"),
        ('{"documentStatus": "Done"}', "documentStatus is 'Done'; it must be one of NotStarted, InProgress"),
        ('{"documentStatus": []}', "documentStatus is"),
        ('{"documentStatus": "Success", "runtimeStatus": [1]}', "runtimeStatus is no JSON object"),
        ('{"documentStatus": "Success", "runtimeStatus": {"a": 1}}', "step 'a' is no JSON object"),
        ('{"documentStatus": "Success", "runtimeStatus": {"a": {"status": ""}}}', "the status of step 'a' is ''"),
        (
            '{"documentStatus": "Success", "runtimeStatus": {"a": {"status": "Failed", "code": "1"}}}',
            "the code of step 'a' is '1'",
        ),
    ],
)
def test_what_is_no_reply_is_refused_with_its_reason(text: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_reply(text)
    assert message in str(refused.value)
