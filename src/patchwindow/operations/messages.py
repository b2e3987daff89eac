"""The message service of agents: messages out, acknowledgements and replies in.

Replies may come in any order, any number of times, before or after the acknowledgement (agent protocol, §8, §13):
steps are merged, and a state that is terminal stays.
"""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from patchwindow.documents import library
from patchwindow.documents.patch_script import script_digest
from patchwindow.domain import command_end, invocation
from patchwindow.domain.run import Command, Invocation, Message, Step
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.capabilities import capability_url
from patchwindow.operations.documents_found import sent_document
from patchwindow.operations.sending import move_invocation
from patchwindow.operations.step_output import plan_deliveries
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
from patchwindow.store.work import Work

OUTSTANDING_MAX: Final = 10
"""Beyond so many unfinished commands an agent holds the rest back and does not hear of a cancellation."""

_VISIBILITY_S: Final = 10
_LOOKED_AT_MAX: Final = 100
"""So many messages are looked at to find those that can be given: commands may pass one that is held back."""
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
    """GetMessages: what the node may be given of all that waits; the edge waits where this is nothing."""
    node_id = request["Destination"]
    given = _given(call.work, node_id, call.now)
    hidden = timedelta(seconds=request.get("VisibilityTimeoutInSeconds", _VISIBILITY_S))
    for one, _ in given:
        call.work.messages.hide(one.message_id, call.now + hidden)
    return {
        "Destination": node_id,
        "MessagesRequestId": request["MessagesRequestId"],
        "Messages": [_message(call, one, value) for one, value in given],
    }


def next_at(work: Work, node_id: str, now: datetime) -> datetime | None:
    """Return when a message can be given to the node; None where none waits, or what waits is held back."""
    at = work.messages.visible_at(node_id)
    if at is None or at > now or _given(work, node_id, now):
        return at
    return work.messages.visible_after(node_id, now)


def acknowledge(call: Call, request: Request) -> Answer:
    """AcknowledgeMessage: the agent has accepted it; the command may still have to wait its turn there."""
    call.work.messages.settle(request["MessageId"])
    if sent := _sent(call, request):
        _advance(call, sent, invocation.Event.ACKNOWLEDGED)
    return {}


def delete(call: Call, request: Request) -> Answer:
    """DeleteMessage."""
    call.work.messages.settle(request["MessageId"])
    return {}


def fail(call: Call, request: Request) -> Answer:
    """FailMessage: the agent cannot handle it, so that the invocation has failed."""
    call.work.messages.settle(request["MessageId"])
    if sent := _sent(call, request):
        reason = f"the agent could not handle the message: {request['FailureType']}"
        _advance(call, sent, invocation.Event.FAILED, trace_output=reason)
    return {}


def reply(call: Call, request: Request) -> Answer:
    """SendReply: what the agent has to tell of a command; also late, repeated, or of a command that is gone.

    Who says only that it has the command is told whether it may still begin: it may have been off for long.
    """
    told = parse_reply(request["Payload"])
    sent = _sent(call, request)
    if sent is None:
        return {}
    _merge(call, sent, told)
    event = _EVENTS.get(told.document_status, invocation.Event.ACKNOWLEDGED)
    _advance(call, sent, event, trace_output=told.trace_output)
    if told.document_status is not ReplyStatus.IN_PROGRESS or told.steps:
        return {}
    command = call.work.commands.get(sent.command_id)
    assert command is not None, "an invocation goes with its command"
    over = command_end.why_over(command, sent, call.now)
    return {"Over": over} if over else {}


def _given(work: Work, node_id: str, now: datetime) -> list[tuple[Message, Command]]:
    """Return the messages that the node may be given now, in order, each with the command that it is about.

    Cancellations always. Commands as far as there is room, none after its time, to which the engine may come late; of
    those that patch one at a time, until it has ended: two at once would wait for the package manager's lock, or reboot
    the node under each other. One that was given before, and perhaps never arrived, is itself no reason to hold it back.
    """
    waiting = work.messages.waiting(node_id, now, limit=_LOOKED_AT_MAX)
    if not waiting:
        return []
    outstanding = work.messages.outstanding(node_id, now)
    given: list[tuple[Message, Command]] = []
    for one in waiting:
        value = work.commands.get(one.command_id)
        assert value is not None, "a message goes with its command"
        if one.topic == SEND_COMMAND_TOPIC:
            if not command_end.may_reach(value, now):
                continue
            others = [name for id, name in outstanding.items() if id != one.command_id]
            if len(others) >= OUTSTANDING_MAX or (_patches(value.document_name) and any(map(_patches, others))):
                continue
            outstanding[one.command_id] = value.document_name
        given.append((one, value))
    return given


def _patches(document_name: str) -> bool:
    return library.is_shipped(document_name) and library.get(document_name).wants_capability


def _sent(call: Call, request: Request) -> Invocation | None:
    """Return the invocation that the message is about, its command held; None where the message is about none.

    A cancel message is answered under its own id, which is no command's. What was not sent yet, nobody can answer.
    """
    command_id, node_id = split_message_id(request["MessageId"])
    call.work.commands.hold(command_id)
    found = call.work.invocations.get(command_id, node_id)
    return None if found is None or found.dispatched_at is None else found


def _message(call: Call, one: Message, value: Command) -> dict[str, Any]:
    if one.topic == CANCEL_COMMAND_TOPIC:
        payload = cancel_payload(one.command_id, one.node_id)
    else:
        payload = _command_payload(call, one, value)
    return {
        "CreatedDate": one.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "Destination": one.node_id,
        "MessageId": one.message_id,
        "PayloadDigest": hashlib.sha256(payload.encode()).hexdigest(),
        "Payload": payload,
        "Topic": f"{one.topic}.{call.site.region}",
    }


def _command_payload(call: Call, one: Message, value: Command) -> str:
    document = sent_document(call.work, value)
    undeclared = {}
    if document.wants_capability:
        undeclared = {
            "PatchwindowUrl": capability_url(call.site, one.command_id, one.node_id),
            "PatchwindowDigest": call.site.program_digest,
            "PatchwindowScriptDigest": script_digest(),
        }
    return send_command_payload(
        command_id=one.command_id,
        document_name=document.name,
        document=_compact(document.text, document.format),
        declared=document.parameters,
        parameters=value.parameters,
        undeclared=undeclared,
    )


@functools.lru_cache(maxsize=256)
def _compact(text: str, format: str) -> str:
    """Return a document as it travels; its text is for readers, with spaces, and perhaps in YAML."""
    return json.dumps(library.written(text, format), separators=(",", ":"))


def _merge(call: Call, sent: Invocation, told: Reply) -> None:
    """Keep what the reply says of steps; replies that could not be sent come later than those after them."""
    if not told.steps:
        return
    value = call.work.commands.get(sent.command_id)
    assert value is not None, "an invocation goes with its command"
    names = sent_document(call.work, value).step_names
    known = {step.name: step for step in call.work.invocations.steps_on(sent.command_id, sent.instance_id)}
    said_now: dict[str, Step] = {}
    for said in told.steps:
        name = said.name if said.name in names else _crashed(names, known, said)
        if name is None:
            continue
        step = _step(name, names.index(name), said)
        if step != known.get(name) and not _is_older(said, known.get(name)):
            known[name] = said_now[name] = step
    call.work.invocations.put_steps(sent.command_id, sent.instance_id, said_now.values())
    ended = (step for step in said_now.values() if step.ended_at is not None)
    plan_deliveries(call.work, value, sent.instance_id, ended, call.now)


def _crashed(names: Sequence[str], known: Mapping[str, Step], said: StepReply) -> str | None:
    """Return the step that crashed with its agent and has no name any more: the first that has not ended (§15).

    Or that of which just this was said before. None where every step has ended.
    """
    for ordinal, name in enumerate(names):
        one = known.get(name)
        if one is None or one.ended_at is None or one == _step(name, ordinal, said):
            return name
    return None


def _is_older(said: StepReply, known: Step | None) -> bool:
    if known is None or known.ended_at is None:
        return False
    return said.ended_at is None or said.ended_at < known.ended_at


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


def _advance(call: Call, before: Invocation, event: invocation.Event, *, trace_output: str = "") -> None:
    """Let *event* happen to the invocation, if it can still change by that."""
    moves = invocation.TRANSITIONS[invocation.State(before.details)]
    if event not in moves:
        return
    after = dataclasses.replace(
        before,
        details=moves[event],
        acknowledged_at=before.acknowledged_at or call.now,
        ended_at=call.now if moves[event] in invocation.TERMINAL else None,
        trace_output=trace_output or before.trace_output,
    )
    move_invocation(call.work, before, after)
    if event is not invocation.Event.ACKNOWLEDGED:
        call.work.commands.wake(before.command_id, call.now)
        call.work.wake(ENGINE)
    elif call.work.commands.wake_ramping_up(before.command_id, call.now):
        call.work.wake(ENGINE)
