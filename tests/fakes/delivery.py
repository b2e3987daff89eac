"""What the engine and an agent do about a command, each by the one step that a test is about."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tests.fakes.site import Installation, as_node

from patchwindow.operations.sending import dispatch
from patchwindow.protocol.messages import message_id


def hand_out(here: Installation, command_id: str, *node_ids: str) -> None:
    """Put the command into the mailboxes of these nodes."""
    with here.call("engine") as call:
        value = call.work.commands.lock(command_id)
        assert value is not None
        dispatch(call.work, value, node_ids, call.now)


def poll(here: Installation, node_id: str, *, visibility_s: int = 10) -> list[dict[str, Any]]:
    """Return the messages that the node is given."""
    answer = here.perform(
        "GetMessages",
        as_node(node_id),
        Destination=node_id,
        MessagesRequestId="1",
        VisibilityTimeoutInSeconds=visibility_s,
    )
    messages: list[dict[str, Any]] = answer["Messages"]
    return messages


def acknowledge(here: Installation, command_id: str, node_id: str) -> None:
    """Let the node say that it has the command."""
    here.perform("AcknowledgeMessage", as_node(node_id), MessageId=message_id(command_id, node_id))


def reply(
    here: Installation,
    command_id: str,
    node_id: str,
    status: str,
    steps: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    *,
    trace: str = "",
) -> None:
    """Let the node say how far it is, with what each step did by its name."""
    payload = {"documentStatus": status, "documentTraceOutput": trace, "runtimeStatus": dict(steps)}
    here.perform(
        "SendReply",
        as_node(node_id),
        MessageId=message_id(command_id, node_id),
        ReplyId="1",
        Payload=json.dumps(payload),
    )


def did(status: str = "Success", code: int = 0, **more: Any) -> dict[str, Any]:
    """Return what a step did, as agents tell it."""
    return {
        "status": status,
        "code": code,
        "startDateTime": "2026-03-14T09:00:01.250Z",
        "endDateTime": "2026-03-14T09:00:01.341Z",
        **more,
    }
