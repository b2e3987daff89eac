"""Sending commands: what SendCommand, CancelCommand and the engine have in common."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from patchwindow.documents.library import Document
from patchwindow.documents.parameters import typed_parameters
from patchwindow.domain import command, invocation
from patchwindow.domain.errors import UnknownDocument
from patchwindow.domain.limit import Concurrency, ErrorLimit
from patchwindow.domain.node import Node
from patchwindow.domain.own_document import DEFAULT
from patchwindow.domain.run import Command, Invocation, Message
from patchwindow.domain.window import Target
from patchwindow.ports import ENGINE, Ids
from patchwindow.protocol.messages import CANCEL_COMMAND_TOPIC, SEND_COMMAND_TOPIC, message_id
from patchwindow.store.work import Work

DELIVERY_TIMEOUT_S: Final = 3600
MAX_CONCURRENCY: Final = "50"
MAX_ERRORS: Final = "0"
_NO_NOTIFICATION: Final = {"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""}
_NO_LOG: Final = {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be sent: members of SendCommand, the document they name, and until when it goes to nodes."""

    document: Document
    request: Mapping[str, Any]
    instance_ids: tuple[str, ...] = ()
    absent_ids: tuple[str, ...] = ()
    """Those of the instance ids that no node has any more: they are accounted for, as Undeliverable."""
    targets: tuple[Target, ...] = ()
    cutoff_at: datetime | None = None
    frozen_at: datetime | None = None


def create_command(work: Work, ids: Ids, now: datetime, order: Order, nodes: Sequence[Node]) -> Command:
    """Keep a new command for *nodes* and wake the engine, which hands it out.

    Raises:
        UnknownDocument: the document is not the one of the hash that the caller gave.
        InvalidParameters: the parameters do not fit the document.
    """
    request, document = order.request, order.document
    _check_hash(document, request)
    parameters = {name: list(values) for name, values in request.get("Parameters", {}).items()}
    typed_parameters(document, parameters)
    timeout_s = request.get("TimeoutSeconds", DELIVERY_TIMEOUT_S)
    max_concurrency = request.get("MaxConcurrency", MAX_CONCURRENCY)
    max_errors = request.get("MaxErrors", MAX_ERRORS)
    target_count = len(nodes) + len(order.absent_ids)
    value = Command(
        command_id=ids.uuid(),
        document_name=document.name,
        document_version=request.get("DocumentVersion", DEFAULT),
        sent_version=document.version,
        document_digest=document.hash_of("Sha256") if document.is_own else "",
        comment=request.get("Comment", ""),
        parameters=parameters,
        instance_ids=order.instance_ids,
        targets=order.targets,
        requested_date_time=now,
        expires_after=command.expires_after(document.content, parameters, requested_at=now, timeout_seconds=timeout_s),
        timeout_seconds=timeout_s,
        max_concurrency=max_concurrency,
        max_errors=max_errors,
        concurrency=Concurrency.parse(max_concurrency).of(target_count),
        errors_tolerated=ErrorLimit.parse(max_errors).of(target_count),
        cutoff_at=order.cutoff_at,
        frozen_at=order.frozen_at,
        status=command.Status.PENDING,
        status_details=command.Details.PENDING,
        target_count=target_count,
        service_role=request.get("ServiceRoleArn", ""),
        output_s3_bucket_name=request.get("OutputS3BucketName", ""),
        output_s3_key_prefix=request.get("OutputS3KeyPrefix", ""),
        notification_config={**_NO_NOTIFICATION, **request.get("NotificationConfig", {})},
        cloud_watch_output_config={**_NO_LOG, **request.get("CloudWatchOutputConfig", {})},
        alarm_configuration=request.get("AlarmConfiguration"),
    )
    invocations = [*_invocations(value.command_id, nodes), *_absent(value.command_id, order, now, after=len(nodes))]
    work.commands.add(value, invocations, wake_at=now)
    work.wake(ENGINE)
    return value


def request_cancel(work: Work, value: Command, now: datetime) -> None:
    """Note that the whole command is to be cancelled; one that has ended stays as it is."""
    if command.Status(value.status) not in command.TERMINAL:
        work.commands.put(dataclasses.replace(value, cancel_requested=True), wake_at=now)
        work.wake(ENGINE)


def dispatch(work: Work, value: Command, node_ids: Collection[str], now: datetime) -> None:
    """Put the command into the mailboxes of these nodes, and note when."""
    due_at = now + timedelta(seconds=value.timeout_seconds)
    work.invocations.dispatch(value.command_id, node_ids, details=invocation.State.PENDING, now=now, due_at=due_at)
    _post(work, value, [(message_id(value.command_id, id), id) for id in node_ids], SEND_COMMAND_TOPIC, now)


def cancel_sent(work: Work, ids: Ids, value: Command, sent: Sequence[Invocation], now: datetime) -> None:
    """Take the command back where a node has not taken it, and tell the nodes of these invocations to stop."""
    due_at = now + invocation.CANCEL_WAIT
    _move_all(
        work,
        [
            (
                one,
                dataclasses.replace(
                    one,
                    details=invocation.advance(invocation.State(one.details), invocation.Event.CANCEL_SENT),
                    cancelled_at=now,
                    due_at=due_at,
                ),
            )
            for one in sent
        ],
    )
    for one in sent:
        work.messages.settle(message_id(value.command_id, one.instance_id))
    _post(
        work,
        value,
        [(message_id(ids.uuid(), one.instance_id), one.instance_id) for one in sent],
        CANCEL_COMMAND_TOPIC,
        now,
    )


def move_invocation(work: Work, before: Invocation, after: Invocation) -> None:
    """Change an invocation whose command is held; where that ends it, what still waits for the node is taken back."""
    work.invocations.move(before, _as_it_stands(after))
    _settle(work, after)


def end_invocation(work: Work, before: Invocation, state: invocation.State, now: datetime) -> None:
    """Let an invocation end in *state*."""
    move_invocation(work, before, dataclasses.replace(before, details=state, ended_at=now))


def end_overdue(work: Work, overdue: Iterable[Invocation], state: invocation.State, now: datetime) -> None:
    """Let invocations that were sent end in *state*, because of their nodes nothing was heard in time."""
    _move_all(
        work,
        [
            (one, dataclasses.replace(one, details=state, ended_at=now, trace_output=_trace(one, until=now)))
            for one in overdue
        ],
    )


def _move_all(work: Work, moves: Sequence[tuple[Invocation, Invocation]]) -> None:
    """Change many invocations of commands that are held, as `move_invocation` does."""
    work.invocations.move_all((before, _as_it_stands(after)) for before, after in moves)
    for _, after in moves:
        _settle(work, after)


def _as_it_stands(after: Invocation) -> Invocation:
    """Return *after* without what it had before its state came to be this one."""
    if after.due_at is None and not after.is_awaited:
        return after
    state = invocation.State(after.details)
    return dataclasses.replace(
        after,
        is_awaited=after.is_awaited and state in invocation.NOT_RECEIVED,
        due_at=after.due_at if state in invocation.TIMED else None,
    )


def _settle(work: Work, after: Invocation) -> None:
    if after.details not in invocation.TERMINAL or work.messages.visible_at(after.instance_id) is None:
        return
    work.messages.settle_command(after.command_id, after.instance_id)
    if work.messages.visible_at(after.instance_id) is not None:
        # What was held back from the node because of this command can be given now.
        work.wake(after.instance_id)


def _trace(one: Invocation, *, until: datetime) -> str:
    if one.trace_output or one.acknowledged_at is not None or one.dispatched_at is None:
        return one.trace_output
    return invocation.not_taken(one.instance_id, since=one.dispatched_at, until=until)


# What was never received is undeliverable.  A node that had begun ends as one that never gives word again.
_GONE: Final = {
    invocation.State.PENDING: invocation.Event.UNREACHABLE,
    invocation.State.DELAYED: invocation.Event.UNREACHABLE,
    invocation.State.IN_PROGRESS: invocation.Event.EXPIRED,
    invocation.State.CANCELLING: invocation.Event.CANCELLED,
}


def end_on(work: Work, node_id: str, now: datetime) -> None:
    """End all that was sent, or is to be sent, to a node that is gone: nobody else will, as it cannot answer."""
    for command_id in work.commands.open_on(node_id):
        work.commands.hold(command_id)
        before = work.invocations.get(command_id, node_id)
        assert before is not None, "a node takes part by an invocation"
        state = invocation.State(before.details)
        if state not in invocation.TERMINAL:
            told = dataclasses.replace(before, trace_output=f"node {node_id} was deregistered")
            end_invocation(work, told, invocation.advance(state, _GONE[state]), now)
            work.commands.wake(command_id, now)
            work.wake(ENGINE)


def _post(work: Work, value: Command, posts: Iterable[tuple[str, str]], topic: str, now: datetime) -> None:
    """Post messages about the command, each of an id and to a node."""
    messages = [
        Message(message_id=id, node_id=node_id, command_id=value.command_id, topic=topic, created_at=now)
        for id, node_id in posts
    ]
    work.messages.add(messages)
    for message in messages:
        work.wake(message.node_id)


def _invocations(command_id: str, nodes: Sequence[Node]) -> Iterable[Invocation]:
    for ordinal, node in enumerate(nodes):
        yield Invocation(
            command_id=command_id,
            instance_id=node.instance_id,
            ordinal=ordinal,
            instance_name=node.name or node.computer_name or "",
            details=invocation.State.PENDING,
        )


def _absent(command_id: str, order: Order, now: datetime, *, after: int) -> Iterable[Invocation]:
    for ordinal, node_id in enumerate(order.absent_ids, start=after):
        yield Invocation(
            command_id=command_id,
            instance_id=node_id,
            ordinal=ordinal,
            details=invocation.advance(invocation.State.PENDING, invocation.Event.UNREACHABLE),
            ended_at=now,
            trace_output=f"there is no managed node {node_id}",
        )


def _check_hash(document: Document, request: Mapping[str, Any]) -> None:
    wanted = request.get("DocumentHash")
    if wanted is not None and wanted != document.hash_of(request.get("DocumentHashType", "Sha256")):
        raise UnknownDocument(f"document {document.name} does not have the DocumentHash {wanted}")
