"""What steps wrote, through the operations of agents and of our own service."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.api import Api
from tests.fakes.delivery import did, hand_out, reply
from tests.fakes.site import as_node

from patchwindow.domain.errors import Denied, UnknownInvocation, UnknownStep

STEP = "aws:runShellScript"


@pytest.fixture
def node(api: Api) -> str:
    return api.here.node()


@pytest.fixture
def command(api: Api, node: str) -> str:
    return send(api, node)


def send(api: Api, node: str, **members: Any) -> str:
    document = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["id"]}}
    command: str = api("SendCommand", InstanceIds=[node], **document, **members)["Command"]["CommandId"]
    hand_out(api.here, command, node)
    return command


def put(api: Api, command: str, node: str, offset: int, content: bytes, **members: Any) -> dict[str, Any]:
    told = {"StepName": STEP, "Stream": "stdout", **members}
    request = {"CommandId": command, "InstanceId": node, "Offset": offset, "Content": content, **told}
    return dict(api.here.perform("PutStepOutput", as_node(node), **request))


def get(api: Api, command: str, node: str, **members: Any) -> dict[str, Any]:
    return dict(api.here.perform("GetStepOutput", CommandId=command, InstanceId=node, **members))


def test_pieces_are_given_out_while_the_step_runs(api: Api, command: str, node: str) -> None:
    assert put(api, command, node, 0, b"one\n") == {"NextOffset": 4, "IsFull": False}
    found = get(api, command, node)
    assert (found["StepName"], found["Content"], found["NextOffset"], found["IsComplete"]) == (STEP, "one\n", 4, False)
    put(api, command, node, 4, b"two\n", IsLast=True)
    found = get(api, command, node, Offset=4)
    assert (found["Content"], found["Length"], found["IsComplete"]) == ("two\n", 8, True)


def test_a_node_is_told_from_where_on_pieces_are_lacking(api: Api, command: str, node: str) -> None:
    put(api, command, node, 0, b"abc")
    assert put(api, command, node, 9, b"later")["NextOffset"] == 3
    assert put(api, command, node, 0, b"abcde")["NextOffset"] == 5
    assert get(api, command, node)["Content"] == "abcde"


def test_no_character_is_cut_in_two(api: Api, command: str, node: str) -> None:
    text = "aé€😀z"
    data = text.encode()
    put(api, command, node, 0, data, IsLast=True)
    for size in range(1, len(data)):
        with api.here.call("GetStepOutput") as call:
            from patchwindow.operations.step_output import get as operation

            seen, offset = "", 0
            while True:
                request = {"CommandId": command, "InstanceId": node, "Offset": offset, "MaxBytes": max(size, 4)}
                answer = operation(call, request)
                seen += answer["Content"]
                offset = answer["NextOffset"]
                if answer["IsComplete"]:
                    break
        assert seen == text


def test_what_is_beyond_the_bound_is_not_kept_and_that_is_told(api: Api, command: str, node: str) -> None:
    service = api.here.service
    service.site = dataclasses.replace(service.site, output_bytes_max=5)
    assert put(api, command, node, 0, b"12345678") == {"NextOffset": 5, "IsFull": True}
    found = get(api, command, node)
    assert (found["Content"], found["IsCut"]) == ("12345", True)


def test_of_an_agent_without_streams_what_it_replied_is_given_out(api: Api, command: str, node: str) -> None:
    assert get(api, command, node)["IsComplete"] is False
    reply(api.here, command, node, "Success", {STEP: did(standardOutput="said", standardError="oops")})
    assert get(api, command, node)["Content"] == "said"
    found = get(api, command, node, Stream="stderr")
    assert (found["Content"], found["IsComplete"]) == ("oops", True)


def test_the_stream_of_a_node_that_was_lost_ends_all_the_same(api: Api, command: str, node: str) -> None:
    put(api, command, node, 0, b"then the power went")
    reply(api.here, command, node, "Failed", {STEP: did("Failed", 1)})
    assert get(api, command, node)["IsComplete"] is False
    api.here.clock.advance(timedelta(minutes=3))
    assert get(api, command, node)["IsComplete"] is True


def test_a_node_writes_to_its_own_commands_alone(api: Api, command: str, node: str) -> None:
    other = api.here.node()
    with pytest.raises(UnknownInvocation):
        put(api, command, other, 0, b"x")
    with pytest.raises(Denied):
        api.here.perform(
            "PutStepOutput",
            as_node(other),
            CommandId=command,
            InstanceId=node,
            StepName=STEP,
            Stream="stdout",
            Offset=0,
        )
    with pytest.raises(UnknownStep, match="has no step 'other'; it has aws:runShellScript"):
        put(api, command, node, 0, b"x", StepName="other")


def test_what_is_not_there_is_named(api: Api, command: str, node: str) -> None:
    other = api.here.node()
    with pytest.raises(UnknownInvocation, match=f"{command} has no invocation on node {other}"):
        get(api, command, other)
    with pytest.raises(UnknownStep):
        get(api, command, node, StepName="other")


def test_what_a_step_wrote_is_to_be_delivered_where_its_command_says(api: Api, node: str) -> None:
    command = send(api, node, OutputS3BucketName="logs", OutputS3KeyPrefix="live")
    reply(api.here, command, node, "Success", {STEP: did(standardOutput="said")})
    with api.here.call("engine") as call:
        found = call.work.output.due(call.now, 10)
    root = f"live/{command}/{node}/awsrunShellScript/0.awsrunShellScript"
    assert sorted((one.bucket, one.object_key) for one in found) == [
        ("logs", f"{root}/stderr"),
        ("logs", f"{root}/stdout"),
    ]
