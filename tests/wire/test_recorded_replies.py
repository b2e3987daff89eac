"""What an amazon-ssm-agent was recorded to reply, in any order and any number of times: the outcome is the same."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.delivery import hand_out
from tests.fakes.site import Installation, as_node
from tests.wire.test_recorded_agent import ENDS, RECORDINGS, replies_of

from patchwindow.protocol.messages import message_id, split_message_id

Reply = Mapping[str, Any]


def recorded_commands() -> Iterator[tuple[Mapping[str, Any], Sequence[Reply]]]:
    """Yield the document of each command that ended, and what was replied of it, in the recorded order."""
    for events in RECORDINGS.values():
        replies = defaultdict(list)
        for recorded_id, reply in replies_of(events):
            replies[split_message_id(recorded_id)[0]].append(reply)
        for event in events:
            told = replies[split_message_id(event["delivered"])[0]] if "document" in event else []
            if any(one["documentStatus"] in ENDS for one in told):
                yield event["document"], told


def is_known(document: Mapping[str, Any]) -> bool:
    """Return whether the server takes the document; two were recorded to see them refused by the agent."""
    actions = {step["action"] for step in document.get("mainSteps", ())}
    return document["schemaVersion"] != "3.0" and "aws:noSuchPlugin" not in actions


COMMANDS: Final = tuple(one for one in recorded_commands() if is_known(one[0]))
Outcome = tuple[str, list[tuple[str, str, int, str]]]


class Node:
    """A node, and commands on it that end as the replies say."""

    def __init__(self, here: Installation) -> None:
        self._perform = here.perform
        self._here = here
        self._id = here.node()
        self._names: dict[str, str] = {}

    def outcome(self, document: Mapping[str, Any], replies: Sequence[Reply]) -> Outcome:
        """Return what the command comes to, and its steps, after these replies."""
        sent = self._perform("SendCommand", DocumentName=self._name(document), InstanceIds=[self._id])
        command_id = sent["Command"]["CommandId"]
        hand_out(self._here, command_id, self._id)
        told = message_id(command_id, self._id)
        for number, reply in enumerate(replies):
            self._perform(
                "SendReply", as_node(self._id), MessageId=told, ReplyId=str(number), Payload=json.dumps(reply)
            )
        (found,) = self._perform("ListCommandInvocations", CommandId=command_id, Details=True)["CommandInvocations"]
        steps = [(one["Name"], one["Status"], one["ResponseCode"], one["Output"]) for one in found["CommandPlugins"]]
        return found["Status"], steps

    def _name(self, document: Mapping[str, Any]) -> str:
        """Return the document's name here; it stands in place of one whose parameters the command would need."""
        content = json.dumps({**document, "parameters": _optional(document.get("parameters", {}))})
        if content not in self._names:
            name = f"Recorded-{len(self._names)}"
            self._perform("CreateDocument", Name=name, Content=content, DocumentType="Command")
            self._names[content] = name
        return self._names[content]


def _optional(declared: Mapping[str, Any]) -> dict[str, Any]:
    none = {"StringList": [], "StringMap": {}, "Boolean": False}
    return {name: {"default": none.get(one["type"], ""), **one} for name, one in declared.items()}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    here = Installation(tmp_path_factory.mktemp("replies"))
    yield Node(here)
    here.close()


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_replies_that_come_late_again_and_in_any_order_come_to_the_same(node: Node, data: st.DataObject) -> None:
    """agent-protocol, 18: "in no particular order: the final Success came before the step's InProgress"."""
    document, replies = data.draw(st.sampled_from(COMMANDS))
    again = data.draw(st.lists(st.sampled_from(replies), max_size=3))
    shuffled = data.draw(st.permutations([*replies, *again]))
    expected = node.outcome(document, replies)
    assert expected[0] in ENDS
    assert node.outcome(document, shuffled) == expected
