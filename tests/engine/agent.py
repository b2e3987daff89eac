"""A managed node that says what a test tells it to, through the operations that agents speak."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from tests.fakes.site import as_node

from patchwindow.operations.call import Answer
from patchwindow.protocol.messages import message_id

Step = dict[str, Any]

NO_STEPS: Final[Mapping[str, Step]] = MappingProxyType({})
STEP: Final = "aws:runShellScript"
"""The one step of AWS-RunShellScript."""


def step(status: str = "Success", code: int = 0, *, ended_at: str | None = "2026-01-15T15:00:02Z", **more: Any) -> Step:
    """Return what a step did, in an agent's words."""
    times = {"startDateTime": "2026-01-15T15:00:01Z", **({"endDateTime": ended_at} if ended_at else {})}
    return {"status": status, "code": code, "name": "aws:runShellScript", **times, **more}


class Agent:
    """One node; *perform* is the way into the operations."""

    def __init__(self, node_id: str, perform: Callable[..., Answer]) -> None:
        self.id = node_id
        self._perform = perform

    def poll(self, *, visibility_s: int = 10) -> list[dict[str, Any]]:
        """Return the messages that the node is given."""
        answer = self._call(
            "GetMessages", Destination=self.id, MessagesRequestId="1", VisibilityTimeoutInSeconds=visibility_s
        )
        messages: list[dict[str, Any]] = answer["Messages"]
        return messages

    def take(self) -> list[str]:
        """Accept all that waits, and return the ids of the commands among it."""
        messages = self.poll()
        for message in messages:
            self.acknowledge(message["MessageId"])
        return [json.loads(one["Payload"])["CommandId"] for one in messages if "sendCommand" in one["Topic"]]

    def acknowledge(self, id: str) -> None:
        """Say that the message was accepted."""
        self._call("AcknowledgeMessage", MessageId=id)

    def accept(self, command_id: str) -> None:
        """Say that the command was accepted."""
        self.acknowledge(message_id(command_id, self.id))

    def refuse(self, command_id: str) -> None:
        """Say that the command cannot be handled."""
        self._call("FailMessage", MessageId=message_id(command_id, self.id), FailureType="NoHandlerExists")

    def say(self, command_id: str, status: str, steps: Mapping[str, Step] = NO_STEPS, *, trace: str = "") -> Answer:
        """Tell how far the command is, and what each of its steps did; return what is said to that."""
        told = {"documentStatus": status, "documentTraceOutput": trace, "runtimeStatus": dict(steps) or None}
        return self.reply(message_id(command_id, self.id), json.dumps(told))

    def reply(self, id: str, payload: str) -> Answer:
        """Reply to the message with just this; return what is said to that."""
        return self._call("SendReply", MessageId=id, ReplyId="1", Payload=payload)

    def run(self, status: str = "Success") -> list[str]:
        """Accept all that waits, carry the commands out, and return their ids."""
        taken = self.take()
        for command_id in taken:
            self.say(command_id, status, {STEP: step("Success" if status == "Success" else "Failed")})
        return taken

    def _call(self, operation: str, **request: Any) -> Answer:
        return self._perform(operation, as_node(self.id), **request)
