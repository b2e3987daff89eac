"""What steps write: taken from nodes as it comes, given out whole, and planned to be delivered where commands say."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from patchwindow.domain import invocation
from patchwindow.domain.errors import UnknownInvocation, UnknownStep
from patchwindow.domain.run import Command, Invocation, Step
from patchwindow.domain.step_output import (
    WAITS_FOR_STREAM,
    Delivery,
    Stream,
    StreamKey,
    StreamName,
    object_key,
    taken,
)
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.documents_found import sent_document
from patchwindow.ports import OUTPUT
from patchwindow.store.work import Work

_PAGE_BYTES: Final = 64 * 1024
_UTF8_MAX: Final = 4
"""No character of UTF-8 has more bytes."""


def put(call: Call, request: Request) -> Answer:
    """PutStepOutput: a piece of what a step wrote; it may come twice, and after the step has ended."""
    value, one = _invocation(call, request)
    if one.dispatched_at is None:
        raise UnknownInvocation(f"command {value.command_id} was not sent to node {one.instance_id} yet")
    step_name = request["StepName"]
    _check_step(call, value, step_name)
    key = StreamKey(
        command_id=value.command_id,
        node_id=one.instance_id,
        step_name=step_name,
        stream=StreamName(request["Stream"]),
    )
    before = call.work.output.lock(key)
    after, new = taken(
        before,
        request["Offset"],
        request.get("Content", b""),
        is_last=request.get("IsLast", False),
        bytes_max=call.site.output_bytes_max,
    )
    if after != before:
        call.work.output.append(key, before, after, new, call.now)
    return {"NextOffset": after.length, "IsFull": after.is_cut}


def get(call: Call, request: Request) -> Answer:
    """GetStepOutput: what a step wrote from an offset on, while it runs too."""
    value, one = _invocation(call, request)
    steps = call.work.invocations.steps_on(value.command_id, one.instance_id)
    begun = _begun(call.work, value, one, steps)
    name = request.get("StepName") or (begun[0] if begun else None)
    if name is None:
        nothing = {"StepNames": [], "Content": "", "Offset": 0, "NextOffset": 0, "Length": 0, "IsCut": False}
        return {**nothing, "IsComplete": _is_over(one)}
    _check_step(call, value, name)
    stream_name = StreamName(request.get("Stream", StreamName.STDOUT))
    key = StreamKey(command_id=value.command_id, node_id=one.instance_id, step_name=name, stream=stream_name)
    step = next((step for step in steps if step.name == name), None)
    stream, content = _read(call, key, step, one, request)
    offset = min(request.get("Offset", 0), stream.length)
    at_end = offset + len(content) >= stream.length
    if not (at_end and stream.is_ended):
        content = _whole_characters(content)
    delivery = call.work.output.delivery(key)
    return {
        "StepNames": begun,
        "StepName": name,
        "Stream": str(stream_name),
        "Offset": offset,
        "Content": content.decode(errors="replace"),
        "NextOffset": offset + len(content),
        "Length": stream.length,
        "IsCut": stream.is_cut,
        "IsComplete": stream.is_ended and offset + len(content) >= stream.length,
        "Url": "" if delivery is None else delivery.url,
        "DeliveryProblem": "" if delivery is None else delivery.reason,
    }


def plan_deliveries(work: Work, value: Command, node_id: str, ended: Iterable[Step], now: datetime) -> None:
    """Let what steps wrote that have ended be delivered, if the command says where."""
    if not value.output_s3_bucket_name:
        return
    actions = {step.name: step.action for step in sent_document(work, value).steps}
    for step in ended:
        for stream in StreamName:
            key = StreamKey(command_id=value.command_id, node_id=node_id, step_name=step.name, stream=stream)
            if work.output.delivery(key) is None:
                work.output.put_delivery(
                    Delivery(
                        stream_key=key,
                        bucket=value.output_s3_bucket_name,
                        object_key=object_key(value.output_s3_key_prefix, key, actions[step.name]),
                        ended_at=now,
                        due_at=now,
                    )
                )
                work.wake(OUTPUT)


def content_of(work: Work, key: StreamKey, bytes_max: int) -> tuple[Stream, bytes]:
    """Return a stream of a step that has ended, and all of it: of an agent that sends no streams, what it replied.

    Of a stream of which nothing came nobody knows whether it is only late, so that does not count as ended.
    """
    stream = work.output.stream(key)
    if stream is not None:
        return stream, work.output.read(key, 0, bytes_max)
    steps = work.invocations.steps_on(key.command_id, key.node_id)
    content = _replied(next((step for step in steps if step.name == key.step_name), None), key.stream)
    return Stream(length=len(content)), content


def _read(call: Call, key: StreamKey, step: Step | None, one: Invocation, request: Request) -> tuple[Stream, bytes]:
    offset, most = request.get("Offset", 0), request.get("MaxBytes", _PAGE_BYTES)
    stream = call.work.output.stream(key)
    if stream is not None:
        # A node that was lost never says that no more comes.
        is_ended = stream.is_ended or _is_long_over(one, call.now)
        shown = Stream(length=stream.length, is_cut=stream.is_cut, is_ended=is_ended)
        return shown, call.work.output.read(key, offset, most)
    content = _replied(step, key.stream)
    has_ended = (step is not None and step.ended_at is not None) or _is_over(one)
    return Stream(length=len(content), is_ended=has_ended), content[offset : offset + most]


def _replied(step: Step | None, stream: StreamName) -> bytes:
    if step is None:
        return b""
    if stream is StreamName.STDERR:
        return step.stderr.encode(errors="replace")
    # A step that ran nothing has only a message.
    return (step.stdout or ("" if step.stderr else step.output)).encode(errors="replace")


def _whole_characters(content: bytes) -> bytes:
    """Return *content* without a character at its end of which more is to come."""
    for back in range(1, min(_UTF8_MAX, len(content)) + 1):
        lead = content[-back]
        if lead & 0xC0 == 0x80:
            continue
        length = 2 if lead >> 5 == 0b110 else 3 if lead >> 4 == 0b1110 else 4 if lead >> 3 == 0b11110 else 1
        return content[:-back] if length > back and len(content) > back else content
    return content


def _begun(work: Work, value: Command, one: Invocation, steps: Sequence[Step]) -> list[str]:
    """Return the steps that ran, or of which anything came, in order."""
    known = {*work.output.step_names(value.command_id, one.instance_id), *(s.name for s in steps if not s.skipped)}
    return [name for name in sent_document(work, value).step_names if name in known]


def _is_over(one: Invocation) -> bool:
    return invocation.State(one.details) in invocation.TERMINAL


def _is_long_over(one: Invocation, now: datetime) -> bool:
    ended_at = one.ended_at or now
    return _is_over(one) and now - ended_at > WAITS_FOR_STREAM


def _invocation(call: Call, request: Request) -> tuple[Command, Invocation]:
    value = call.work.commands.get(request["CommandId"])
    one = call.work.invocations.get(request["CommandId"], request["InstanceId"])
    if value is None or one is None:
        raise UnknownInvocation(f"command {request['CommandId']} has no invocation on node {request['InstanceId']}")
    return value, one


def _check_step(call: Call, value: Command, name: str) -> None:
    names = sent_document(call.work, value).step_names
    if name not in names:
        raise UnknownStep(f"document {value.document_name} has no step {name!r}; it has {', '.join(names)}")
