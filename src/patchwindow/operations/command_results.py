"""Commands: lists of them, and what came of them on each node."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from patchwindow.domain import invocation
from patchwindow.domain.errors import InvalidFilterKey, UnknownCommand, UnknownInvocation, UnknownStep
from patchwindow.domain.opening import parse_instant
from patchwindow.domain.run import Command, Invocation, Step
from patchwindow.domain.step_output import StreamKey, StreamName
from patchwindow.operations.call import Answer, Call, Request, bare_id
from patchwindow.operations.documents_found import sent_document
from patchwindow.operations.output import brief, errors_of, output_of
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import to_members, to_ms
from patchwindow.store.commands import CommandQuery

_PAGE: Final = 50
_INTERNAL: Final = ("Concurrency", "ErrorsTolerated", "CancelRequested", "CutoffAt", "SentVersion", "DocumentDigest")
_RATE_EXCEEDED: Final = ("LimitExceeded", "RateExceeded")
_TICK: Final = timedelta(milliseconds=1)
_NOT_STARTED: Final = -1
_TIMED_OUT: Final = "TimedOut"
_TRACE_MAX: Final = 2_500
_COMMAND_ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def list_commands(call: Call, request: Request) -> Answer:
    """ListCommands: the newest first."""
    query = _query(request, ("InvokedAfter", "InvokedBefore", "Status", "ExecutionStage", "DocumentName"))
    return call.pages(
        request,
        "Commands",
        default=_PAGE,
        fetch=lambda key, limit: call.work.commands.page(
            query, before=None if key is None else (int(key[0]), str(key[1])), limit=limit
        ),
        key=lambda value: (to_ms(value.requested_date_time), value.command_id),
        shape=members_of,
    )


def list_invocations(call: Call, request: Request) -> Answer:
    """ListCommandInvocations: the newest command first; with Details also what the steps did."""
    query = _query(request, ("InvokedAfter", "InvokedBefore", "Status", "DocumentName"), of_invocations=True)
    with_steps = bool(request.get("Details"))
    steps: dict[tuple[str, str], Sequence[Step]] = {}

    def fetch(key: Key | None, limit: int) -> list[tuple[Command, Invocation]]:
        before = None if key is None else (int(key[0]), str(key[1]), int(key[2]))
        page = call.work.invocations.page(query, before=before, limit=limit)
        if with_steps:
            for command_id, pairs in groupby(page, key=lambda pair: pair[0].command_id):
                found = call.work.invocations.steps(command_id, [one.instance_id for _, one in pairs])
                steps.update({(command_id, node_id): done for node_id, done in found.items()})
        return page

    return call.pages(
        request,
        "CommandInvocations",
        default=_PAGE,
        fetch=fetch,
        key=lambda pair: (to_ms(pair[0].requested_date_time), pair[0].command_id, pair[1].ordinal),
        shape=lambda pair: _invocation(*pair, steps.get((pair[0].command_id, pair[1].instance_id), ())),
    )


def get_invocation(call: Call, request: Request) -> Answer:
    """GetCommandInvocation: one node, one step.

    Without PluginName, of a document with several steps, the status is that of the whole invocation and the output is
    that of the first step that was not skipped: on a node, the one step that is meant for its platform.
    """
    value = call.work.commands.get(command_id_of(request))
    one = call.work.invocations.get(request["CommandId"], request["InstanceId"])
    if value is None or one is None:
        raise UnknownInvocation(f"command {request['CommandId']} has no invocation on node {request['InstanceId']}")
    steps = call.work.invocations.steps(value.command_id, [one.instance_id])[one.instance_id]
    name = request.get("PluginName")
    if name is not None and name not in sent_document(call.work, value).step_names:
        raise UnknownStep(f"document {value.document_name} has no step {name!r}")
    step = next((step for step in steps if step.name == name), None) if name else _telling(steps)
    state = invocation.State(one.details)
    has_ended = state in invocation.TERMINAL
    return {
        "CommandId": value.command_id,
        "InstanceId": one.instance_id,
        "Comment": value.comment,
        "DocumentName": value.document_name,
        "DocumentVersion": value.document_version,
        "PluginName": name or (step.name if step else ""),
        "ResponseCode": step.code if step else _NOT_STARTED,
        "ExecutionStartDateTime": _iso(step.started_at if step else None),
        "ExecutionElapsedTime": _elapsed(step),
        "ExecutionEndDateTime": _iso(step.ended_at if step else None),
        "Status": step.status if name and step and has_ended else invocation.STATUS_OF[state],
        "StatusDetails": _details_of(step) if name and step and has_ended else state,
        "StandardOutputContent": output_of(step) if step and has_ended else "",
        "StandardOutputUrl": _url(call, value, one, step, StreamName.STDOUT),
        "StandardErrorContent": errors_of(step) if step and has_ended else "",
        "StandardErrorUrl": _url(call, value, one, step, StreamName.STDERR),
        "CloudWatchOutputConfig": value.cloud_watch_output_config,
    }


def _url(call: Call, value: Command, one: Invocation, step: Step | None, stream: StreamName) -> str:
    """Return where the object store has what the step wrote; empty where it has not, or not yet."""
    if step is None or not value.output_s3_bucket_name:
        return ""
    key = StreamKey(command_id=value.command_id, node_id=one.instance_id, step_name=step.name, stream=stream)
    delivery = call.work.output.delivery(key)
    return "" if delivery is None else delivery.url


def command_id_of(request: Request) -> str:
    """Return the CommandId of *request*.

    Raises:
        UnknownCommand: it is not of the form that ids of commands have.
    """
    command_id: str = request["CommandId"]
    if not _COMMAND_ID.fullmatch(command_id):
        raise UnknownCommand(f"{command_id!r} is not the id of a command; use the CommandId that SendCommand gave")
    return command_id


def members_of(value: Command) -> dict[str, Any]:
    """Return the command as the API shows it."""
    members = to_members(value)
    for name in _INTERNAL:
        members.pop(name, None)
    return members


def _query(request: Request, keys: Sequence[str], *, of_invocations: bool = False) -> CommandQuery:
    filters = _filters(request, keys)
    statuses = set(filters.get("Status", ()))
    if statuses & set(_RATE_EXCEEDED):
        statuses |= set(_RATE_EXCEEDED)
    node_id = request.get("InstanceId")
    if node_id is not None and "Pending" in statuses and not of_invocations:
        raise InvalidFilterKey("InstanceId cannot be combined with the filter Status=Pending")
    stages = set(filters.get("ExecutionStage", ()))
    if stages - {"Executing", "Complete"}:
        raise InvalidFilterKey(f"filter ExecutionStage is {', '.join(sorted(stages))}; use Executing or Complete")
    details = {state for state in invocation.State if {state, invocation.STATUS_OF[state]} & statuses}
    return CommandQuery(
        command_id=command_id_of(request) if "CommandId" in request else None,
        node_id=node_id,
        # "To see a list of command executions occurring July 7 and later": that instant itself is among them.
        invoked_after=max((instant - _TICK for instant in _instants(filters, "InvokedAfter")), default=None),
        invoked_before=min(_instants(filters, "InvokedBefore"), default=None),
        document_names=[bare_id(name) for name in filters.get("DocumentName", ())],
        statuses=() if of_invocations else statuses,
        is_executing="Executing" in stages if len(stages) == 1 else None,
        details=(details or {"none"}) if of_invocations and statuses else (),
    )


def _filters(request: Request, keys: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in request.get("Filters") or ():
        if each["key"] not in keys:
            raise InvalidFilterKey(f"filter key {each['key']!r} is not known here; use one of {', '.join(keys)}")
        found.setdefault(each["key"], []).append(each["value"])
    return found


def _instants(filters: Mapping[str, Sequence[str]], key: str) -> list[datetime]:
    return [parse_instant(key, value) for value in filters.get(key, ())]


def _invocation(value: Command, one: Invocation, steps: Sequence[Step]) -> dict[str, Any]:
    state = invocation.State(one.details)
    return {
        "CommandId": value.command_id,
        "InstanceId": one.instance_id,
        "InstanceName": one.instance_name,
        "Comment": value.comment,
        "DocumentName": value.document_name,
        "DocumentVersion": value.document_version,
        "RequestedDateTime": value.requested_date_time,
        "Status": invocation.STATUS_OF[state],
        "StatusDetails": state,
        "TraceOutput": one.trace_output[:_TRACE_MAX],
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "CommandPlugins": [_plugin(value, step) for step in steps],
        "ServiceRole": value.service_role,
        "NotificationConfig": value.notification_config,
        "CloudWatchOutputConfig": value.cloud_watch_output_config,
    }


def _plugin(value: Command, step: Step) -> dict[str, Any]:
    return {
        "Name": step.name,
        "Status": step.status,
        "StatusDetails": _details_of(step),
        "ResponseCode": step.code,
        "ResponseStartDateTime": step.started_at,
        "ResponseFinishDateTime": step.ended_at,
        "Output": brief(step),
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "OutputS3Region": value.output_s3_region,
        "OutputS3BucketName": value.output_s3_bucket_name,
        "OutputS3KeyPrefix": value.output_s3_key_prefix,
    }


def _details_of(step: Step) -> str:
    """Return the StatusDetails of a step: its status, but of the two ways to time out it has one."""
    return invocation.State.EXECUTION_TIMED_OUT if step.status == _TIMED_OUT else step.status


def _telling(steps: Sequence[Step]) -> Step | None:
    """Return the step whose output stands for the whole: the first that ran, else the first."""
    return next((step for step in steps if not step.skipped), steps[0] if steps else None)


def _iso(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _elapsed(step: Step | None) -> str:
    if step is None or step.started_at is None or step.ended_at is None:
        return ""
    return f"PT{max(0.0, (step.ended_at - step.started_at).total_seconds()):.3f}".rstrip("0").rstrip(".") + "S"
