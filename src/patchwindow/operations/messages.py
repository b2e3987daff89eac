"""The message service of agents: messages out, acknowledgements and replies in.

Replies may come in any order, any number of times, before or after the acknowledgement (agent protocol, §8, §13):
steps are merged, and a state that is terminal stays.
"""

import dataclasses
from datetime import timedelta
from typing import Any, Final

from patchwindow.documents import library
from patchwindow.domain import invocation
from patchwindow.domain.run import Invocation, Message, Step
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.capabilities import capability_url
from patchwindow.ports import ENGINE
from patchwindow.protocol.messages import (
    CANCEL_COMMAND_TOPIC,
    SEND_COMMAND_TOPIC,
    Reply,
    ReplyStatus,
    StepReply,
    cancel_payload,
    parse_reply,
    send_command_payload,
    split_message_id,
)

OUTSTANDING_MAX: Final = 10
"""Beyond so many unfinished commands an agent holds the rest back and does not hear of a cancellation."""

_VISIBILITY_S: Final = 10
_EVENTS: Final = {
    ReplyStatus.SUCCESS: invocation.Event.SUCCEEDED,
    ReplyStatus.FAILED: invocation.Event.FAILED,
    ReplyStatus.TIMED_OUT: invocation.Event.TIMED_OUT,
    ReplyStatus.CANCELLED: invocation.Event.CANCELLED,
}
_STEP_STATUSES: Final = {
    ReplyStatus.SKIPPED: "Success",
    ReplyStatus.SUCCESS_AND_REBOOT: "InProgress",
    ReplyStatus.NOT_STARTED: "Pending",
}


def node_of(request: Request) -> str:
    """Return the node that a message id names."""
    return split_message_id(request["MessageId"])[1]


def get(call: Call, request: Request) -> Answer:
    """GetMessages: all that waits for the node; the edge waits where this is nothing."""
    node_id = request["Destination"]
    limit = OUTSTANDING_MAX - call.work.invocations.busy_count(node_id)
    waiting = call.work.messages.waiting(node_id, call.now, limit=2 * OUTSTANDING_MAX)
    commands = [one for one in waiting if one.topic == SEND_COMMAND_TOPIC][: max(0, limit)]
    given = [one for one in waiting if one.topic == CANCEL_COMMAND_TOPIC] + commands
    if given:
        hidden = timedelta(seconds=request.get("VisibilityTimeoutInSeconds", _VISIBILITY_S))
        call.work.messages.hide([one.message_id for one in given], call.now + hidden)
    return {
        "Destination": node_id,
        "MessagesRequestId": request["MessagesRequestId"],
        "Messages": [_message(call, one) for one in given],
    }


def acknowledge(call: Call, request: Request) -> Answer:
    """AcknowledgeMessage: the agent has accepted it; the command may still have to wait its turn there."""
    call.work.messages.settle(request["MessageId"])
    _advance(call, request["MessageId"], invocation.Event.ACKNOWLEDGED)
    return {}


def delete(call: Call, request: Request) -> Answer:
    """DeleteMessage."""
    call.work.messages.settle(request["MessageId"])
    return {}


def fail(call: Call, request: Request) -> Answer:
    """FailMessage: the agent cannot handle it, so that the invocation has failed."""
    call.work.messages.settle(request["MessageId"])
    reason = f"the agent could not handle the message: {request['FailureType']}"
    _advance(call, request["MessageId"], invocation.Event.FAILED, trace_output=reason)
    return {}


def reply(call: Call, request: Request) -> Answer:
    """SendReply: what the agent has to tell of a command; also late, repeated, or of a command that is gone."""
    told = parse_reply(request["Payload"])
    command_id, node_id = split_message_id(request["MessageId"])
    if call.work.invocations.get(command_id, node_id) is None:
        # A cancel message is answered under its own id, which is no command's.
        return {}
    _merge(call, command_id, node_id, told)
    event = _EVENTS.get(told.document_status)
    if event is not None:
        call.work.messages.settle(request["MessageId"])
    _advance(call, request["MessageId"], event or invocation.Event.ACKNOWLEDGED, trace_output=told.trace_output)
    return {}


def _message(call: Call, one: Message) -> dict[str, Any]:
    if one.topic == CANCEL_COMMAND_TOPIC:
        payload = cancel_payload(one.command_id, one.node_id)
    else:
        payload = _command_payload(call, one)
    return {
        "CreatedDate": one.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "Destination": one.node_id,
        "MessageId": one.message_id,
        "Payload": payload,
        "Topic": f"{one.topic}.{call.site.region}",
    }


def _command_payload(call: Call, one: Message) -> str:
    value = call.work.commands.get(one.command_id)
    assert value is not None, "a message goes with its command"
    document = library.get(value.document_name, value.document_version)
    undeclared = {}
    if document.wants_capability:
        undeclared = {
            "PatchwindowUrl": capability_url(call.site, one.command_id, one.node_id),
            "PatchwindowDigest": call.site.program_digest,
        }
    return send_command_payload(
        command_id=one.command_id,
        document_name=document.name,
        document=document.content,
        parameters=value.parameters,
        undeclared=undeclared,
    )


def _merge(call: Call, command_id: str, node_id: str, told: Reply) -> None:
    value = call.work.commands.get(command_id)
    assert value is not None, "an invocation goes with its command"
    names = library.get(value.document_name, value.document_version).step_names
    known = {step.name: step for step in call.work.invocations.steps(command_id, [node_id])[node_id]}
    for said in told.steps:
        # A step that crashed with its agent has no name any more; it is the document's first (§15).
        name = said.name if said.name in names else names[0]
        before = known.get(name)
        if before is not None and before.ended_at is not None and said.ended_at is None:
            continue
        call.work.invocations.put_step(command_id, node_id, _step(name, names.index(name), said))


def _step(name: str, ordinal: int, said: StepReply) -> Step:
    return Step(
        name=name,
        ordinal=ordinal,
        status=_STEP_STATUSES.get(said.status, said.status),
        code=said.code,
        stdout=said.stdout,
        stderr=said.stderr,
        output=said.output,
        skipped=said.status is ReplyStatus.SKIPPED,
        started_at=said.started_at,
        ended_at=said.ended_at,
    )


def _advance(call: Call, id: str, event: invocation.Event, *, trace_output: str = "") -> None:
    """Let *event* happen to the invocation that the message id names, if it can still change by that."""
    command_id, node_id = split_message_id(id)
    call.work.commands.hold(command_id)
    before = call.work.invocations.get(command_id, node_id)
    if before is None or event not in invocation.TRANSITIONS[invocation.State(before.details)]:
        return
    state = invocation.advance(invocation.State(before.details), event)
    call.work.invocations.move(before, _after(call, before, state, trace_output))
    call.work.commands.wake(command_id, call.now)
    call.work.wake(ENGINE)


def _after(call: Call, before: Invocation, state: invocation.State, trace_output: str) -> Invocation:
    return dataclasses.replace(
        before,
        details=state,
        acknowledged_at=before.acknowledged_at or call.now,
        ended_at=call.now if state in invocation.TERMINAL else None,
        trace_output=trace_output or before.trace_output,
    )
