"""What server and agent say to each other inside the message service: commands, cancellations and replies.

Source: agent-protocol reference, sections 8 and 11 to 18.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from patchwindow.domain.errors import Invalid, InvalidParameters

SEND_COMMAND_TOPIC: Final = "aws.ssm.sendCommand"
CANCEL_COMMAND_TOPIC: Final = "aws.ssm.cancelCommand"

_MESSAGE_ID: Final = re.compile(r"aws\.ssm\.(?P<command_id>[0-9a-fA-F-]+)\.(?P<node_id>[A-Za-z0-9-]+)", re.ASCII)
# JSON can escape these, but no text column holds them, and a script may print anything.
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")
_ZERO_YEAR: Final = 1
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


class ReplyStatus(StrEnum):
    """How a document or a step stands, in an agent's words; a document is neither skipped nor not started."""

    NOT_STARTED = "NotStarted"
    IN_PROGRESS = "InProgress"
    SUCCESS = "Success"
    SUCCESS_AND_REBOOT = "SuccessAndReboot"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"


# An enum finds its members more slowly, and a reply has one status for each of its steps.
_STATUSES: Final = {status.value: status for status in ReplyStatus}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReply:
    """What one step did; *output* alone is filled where the step itself never ran."""

    name: str
    status: ReplyStatus
    code: int
    stdout: str
    stderr: str
    output: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How far a document is, and the steps that this reply tells of: seldom all of them."""

    document_status: ReplyStatus
    trace_output: str
    steps: tuple[StepReply, ...]


def message_id(command_id: str, node_id: str) -> str:
    """Return the id of the message that takes the command to the node; agents take it apart, so its form is fixed."""
    return f"aws.ssm.{command_id}.{node_id}"


def split_message_id(text: str) -> tuple[str, str]:
    """Return the ids of command and node in the message id *text*.

    Raises:
        Invalid: *text* is no message id.
    """
    if found := _MESSAGE_ID.fullmatch(text):
        return found["command_id"], found["node_id"]
    raise Invalid(f"the message id {text!r} is not of the form aws.ssm.<command id>.<node id>")


def send_command_payload(
    *,
    command_id: str,
    document_name: str,
    document: str,
    declared: Mapping[str, Any],
    parameters: Mapping[str, Sequence[str]],
    undeclared: Mapping[str, str] = MappingProxyType({}),
    output_s3_bucket_name: str = "",
    output_s3_key_prefix: str = "",
    cloud_watch_log_group_name: str = "",
    cloud_watch_output_enabled: bool = False,
) -> str:
    """Return the payload that has an agent run *document*, whose JSON travels whole in it.

    The API gives every parameter as a list of strings; an agent must get it in the type that the document has *declared*.
    Agents substitute *undeclared* ones as well; they are how the server tells one node what it tells no other.

    Raises:
        InvalidParameters: the values of a parameter are not of that type.
    """
    payload = {
        "CommandId": command_id,
        "DocumentName": document_name,
        "Parameters": {
            name: typed_value(name, declared.get(name, {}).get("type", "StringList"), values)
            for name, values in parameters.items()
        }
        | dict(undeclared),
        "OutputS3BucketName": output_s3_bucket_name,
        "OutputS3KeyPrefix": output_s3_key_prefix,
        "CloudWatchLogGroupName": cloud_watch_log_group_name,
        "CloudWatchOutputEnabled": "true" if cloud_watch_output_enabled else "false",
    }
    # The document is by far the longest part, and the same for every node: it is not written anew.
    return f'{_encode(payload)[:-1]},"DocumentContent":{document}}}'


def cancel_payload(command_id: str, node_id: str) -> str:
    """Return the payload that has an agent stop a command; its message needs an id of its own."""
    return _encode({"CancelMessageId": message_id(command_id, node_id)})


def parse_reply(text: str) -> Reply:
    """Return the reply in *text*, the Payload of a SendReply.

    What a reply may lack is empty; members that are not known are passed over; a character that no database stores is
    replaced. Steps stand in the order of the text, which is not that of the document.

    Raises:
        Invalid: *text* is no reply.
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the reply is not JSON: {error}") from None
    reply = _object(given, "the reply")
    steps = _object(reply.get("runtimeStatus") or {}, "runtimeStatus")
    return Reply(
        document_status=_status(reply.get("documentStatus"), "documentStatus"),
        trace_output=_text(reply.get("documentTraceOutput")),
        steps=tuple(_step(_text(name), step) for name, step in steps.items()),
    )


def _step(name: str, given: Any) -> StepReply:
    step = given if isinstance(given, dict) else _object(given, f"step {name!r}")
    code = step.get("code") or 0
    if type(code) is not int:
        raise Invalid(f"the code of step {name!r} is {code!r}, which is no whole number")
    return StepReply(
        name=name,
        status=_status(step.get("status"), f"the status of step {name!r}"),
        code=code,
        stdout=_text(step.get("standardOutput")),
        stderr=_text(step.get("standardError")),
        output=_text(step.get("output")),
        started_at=_instant(step.get("startDateTime")),
        ended_at=_instant(step.get("endDateTime")),
    )


def typed_value(name: str, kind: str, values: Sequence[str]) -> Any:
    """Return what *values*, as the API gives a parameter, are in the type *kind* of its declaration.

    Raises:
        InvalidParameters: they are not of that type.
    """
    if kind == "StringList":
        return list(values)
    if kind == "MapList":
        return [_json(name, kind, value) for value in values]
    if len(values) != 1:
        raise InvalidParameters(f"parameter {name} is a {kind}: give it one value, not {len(values)}")
    return values[0] if kind == "String" else _json(name, kind, values[0])


_JSON_KINDS: Final[Mapping[str, type]] = {"StringMap": dict, "MapList": dict, "Boolean": bool, "Integer": int}


def _json(name: str, kind: str, text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if type(value) is not _JSON_KINDS.get(kind):
        raise InvalidParameters(f"parameter {name} is a {kind}, and {text!r} is none in JSON")
    return value


def _object(given: Any, what: str) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    raise Invalid(f"{what} is no JSON object")


def _status(given: Any, what: str) -> ReplyStatus:
    status = _STATUSES.get(given) if isinstance(given, str) else None
    if status is None:
        raise Invalid(f"{what} is {given!r}; it must be one of {', '.join(ReplyStatus)}")
    return status


def _text(given: Any) -> str:
    if not isinstance(given, str):
        return ""
    # What can be printed is text, which is found out much sooner.
    return given if given.isprintable() else _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", given)


def _instant(given: Any) -> datetime | None:
    """Return the instant in *given*; None where there is none, or the agent's zero, or something unreadable."""
    try:
        instant = datetime.fromisoformat(given) if isinstance(given, str) else None
        if instant is None or instant.year == _ZERO_YEAR:
            return None
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
