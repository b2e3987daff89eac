"""Commands: sending, cancelling, and reading what came of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from patchwindow.documents import library
from patchwindow.domain import command, invocation
from patchwindow.domain.errors import (
    DuplicateNode,
    InvalidFilterKey,
    InvalidParameters,
    UnknownCommand,
    UnknownDocument,
    UnknownInvocation,
    UnknownNode,
    UnknownStep,
)
from patchwindow.domain.opening import parse_instant
from patchwindow.domain.run import Command, Invocation, Step
from patchwindow.operations.call import Answer, Call, Request, bare_id
from patchwindow.operations.output import brief, errors_of, output_of
from patchwindow.operations.sending import Order, cancel_sent, create_command, end_invocation, request_cancel
from patchwindow.operations.targeting import IDS, select, targets_of
from patchwindow.ports import ENGINE
from patchwindow.protocol.records import to_members, to_ms
from patchwindow.store.commands import CommandQuery

_PAGE: Final = 50
_INTERNAL: Final = ("Concurrency", "ErrorsTolerated", "CancelRequested")
_RATE_EXCEEDED: Final = ("LimitExceeded", "RateExceeded")
_NOT_STARTED: Final = -1


def send(call: Call, request: Request) -> Answer:
    """SendCommand."""
    document = library.get(bare_id(request["DocumentName"]), request.get("DocumentVersion", "$DEFAULT"))
    wanted = request.get("DocumentHash")
    if wanted is not None and wanted != document.hash_of(request.get("DocumentHashType", "Sha256")):
        raise UnknownDocument(f"document {document.name} does not have the DocumentHash {wanted}")
    instance_ids, targets = tuple(request.get("InstanceIds") or ()), tuple(request.get("Targets") or ())
    if bool(instance_ids) == bool(targets):
        raise InvalidParameters("name the nodes by InstanceIds or by Targets: one of the two, and not both")
    if instance_ids:
        nodes = _named(call, instance_ids)
        order = Order(document=document, request=request, instance_ids=instance_ids)
    else:
        wanted_targets = targets_of(targets)
        nodes = select(call.work, wanted_targets)
        order = Order(document=document, request=request, targets=wanted_targets)
    return {"Command": _command(create_command(call.work, call.ids, call.now, order, nodes))}


def cancel(call: Call, request: Request) -> Answer:
    """CancelCommand: on all nodes, or on those named; one that has ended stays as it is."""
    value = call.work.commands.lock(request["CommandId"])
    if value is None:
        raise UnknownCommand(f"command {request['CommandId']} does not exist")
    node_ids = tuple(request.get("InstanceIds") or ())
    if not node_ids:
        request_cancel(call.work, value, call.now)
        return {}
    if len(set(node_ids)) != len(node_ids):
        raise DuplicateNode("InstanceIds names a node twice")
    for node_id in node_ids:
        found = call.work.invocations.get(value.command_id, node_id)
        if found is None:
            raise UnknownNode(f"node {node_id} does not take part in command {value.command_id}")
        _cancel_one(call, value, found)
    call.work.commands.wake(value.command_id, call.now)
    call.work.wake(ENGINE)
    return {}


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
        shape=_command,
    )


def list_invocations(call: Call, request: Request) -> Answer:
    """ListCommandInvocations: the newest command first; with Details also what the steps did."""
    query = _query(request, ("InvokedAfter", "InvokedBefore", "Status", "DocumentName"), of_invocations=True)
    with_steps = bool(request.get("Details"))

    def shape(pair: tuple[Command, Invocation]) -> dict[str, Any]:
        value, one = pair
        steps: Sequence[Step] = ()
        if with_steps:
            steps = call.work.invocations.steps(value.command_id, [one.instance_id])[one.instance_id]
        return _invocation(value, one, steps)

    return call.pages(
        request,
        "CommandInvocations",
        default=_PAGE,
        fetch=lambda key, limit: call.work.invocations.page(
            query, before=None if key is None else (int(key[0]), str(key[1]), int(key[2])), limit=limit
        ),
        key=lambda pair: (to_ms(pair[0].requested_date_time), pair[0].command_id, pair[1].ordinal),
        shape=shape,
    )


def get_invocation(call: Call, request: Request) -> Answer:
    """GetCommandInvocation: one node, one step.

    Without PluginName, of a document with several steps, the status is that of the whole invocation and the output is
    that of the first step that was not skipped: on a node, the one step that is meant for its platform.
    """
    value = call.work.commands.get(request["CommandId"])
    one = call.work.invocations.get(request["CommandId"], request["InstanceId"])
    if value is None or one is None:
        raise UnknownInvocation(f"command {request['CommandId']} has no invocation on node {request['InstanceId']}")
    steps = call.work.invocations.steps(value.command_id, [one.instance_id])[one.instance_id]
    name = request.get("PluginName")
    if name is not None and name not in library.get(value.document_name, value.document_version).step_names:
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
        "StatusDetails": step.status if name and step and has_ended else state,
        "StandardOutputContent": output_of(step) if step and has_ended else "",
        "StandardOutputUrl": "",
        "StandardErrorContent": errors_of(step) if step and has_ended else "",
        "StandardErrorUrl": "",
        "CloudWatchOutputConfig": value.cloud_watch_output_config,
    }


def _named(call: Call, instance_ids: tuple[str, ...]) -> list[Any]:
    if len(set(instance_ids)) != len(instance_ids):
        raise DuplicateNode("InstanceIds names a node twice")
    targets_of([{"Key": IDS, "Values": list(instance_ids)}])
    nodes = {node.instance_id: node for node in call.work.nodes.many(instance_ids)}
    missing = [id for id in instance_ids if id not in nodes]
    if missing:
        raise UnknownNode(
            f"Instances [[{', '.join(missing)}]] not in a valid state for account {call.site.account_id}: "
            "no such managed node"
        )
    return [nodes[id] for id in instance_ids]


def _cancel_one(call: Call, value: Command, one: Invocation) -> None:
    state = invocation.State(one.details)
    if state in invocation.TERMINAL or state is invocation.State.CANCELLING:
        return
    if one.dispatched_at is None:
        end_invocation(call.work, one, invocation.advance(state, invocation.Event.CANCELLED), call.now)
    else:
        cancel_sent(call.work, call.ids, value, [one.instance_id], call.now)


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
        command_id=request.get("CommandId"),
        node_id=node_id,
        invoked_after=max(_instants(filters, "InvokedAfter"), default=None),
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


def _command(value: Command) -> dict[str, Any]:
    members = to_members(value)
    for name in _INTERNAL:
        del members[name]
    return members


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
        "TraceOutput": one.trace_output,
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
        "StatusDetails": step.status,
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


def _telling(steps: Sequence[Step]) -> Step | None:
    """Return the step whose output stands for the whole: the first that ran, else the first."""
    return next((step for step in steps if not step.skipped), steps[0] if steps else None)


def _iso(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _elapsed(step: Step | None) -> str:
    if step is None or step.started_at is None or step.ended_at is None:
        return ""
    return f"PT{max(0.0, (step.ended_at - step.started_at).total_seconds()):.3f}".rstrip("0").rstrip(".") + "S"
