"""Sending commands: what SendCommand, CancelCommand and the engine have in common."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from patchwindow.documents.library import Document
from patchwindow.documents.parameters import typed_parameters
from patchwindow.domain import command, invocation
from patchwindow.domain.errors import InvalidParameters
from patchwindow.domain.limit import Concurrency, ErrorLimit
from patchwindow.domain.node import Node
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
    """What is to be sent: members of SendCommand, and the document they name."""

    document: Document
    request: Mapping[str, Any]
    instance_ids: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()


def create_command(work: Work, ids: Ids, now: datetime, order: Order, nodes: Sequence[Node]) -> Command:
    """Keep a new command for *nodes* and wake the engine, which hands it out.

    Raises:
        InvalidParameters: the parameters do not fit the document.
    """
    request, document = order.request, order.document
    parameters = {name: list(values) for name, values in request.get("Parameters", {}).items()}
    typed_parameters(document, parameters)
    _refuse_install(document, parameters)
    timeout_s = request.get("TimeoutSeconds", DELIVERY_TIMEOUT_S)
    max_concurrency = request.get("MaxConcurrency", MAX_CONCURRENCY)
    max_errors = request.get("MaxErrors", MAX_ERRORS)
    value = Command(
        command_id=ids.uuid(),
        document_name=document.name,
        document_version=request.get("DocumentVersion", "$DEFAULT"),
        comment=request.get("Comment", ""),
        parameters=parameters,
        instance_ids=order.instance_ids,
        targets=order.targets,
        requested_date_time=now,
        expires_after=command.expires_after(
            document.content, parameters, requested_at=now, timeout_seconds=timeout_s
        ),
        timeout_seconds=timeout_s,
        max_concurrency=max_concurrency,
        max_errors=max_errors,
        concurrency=Concurrency.parse(max_concurrency).of(len(nodes)),
        errors_tolerated=ErrorLimit.parse(max_errors).of(len(nodes)),
        status=command.Status.PENDING,
        status_details=command.Details.PENDING,
        target_count=len(nodes),
        service_role=request.get("ServiceRoleArn", ""),
        output_s3_bucket_name=request.get("OutputS3BucketName", ""),
        output_s3_key_prefix=request.get("OutputS3KeyPrefix", ""),
        notification_config={**_NO_NOTIFICATION, **request.get("NotificationConfig", {})},
        cloud_watch_output_config={**_NO_LOG, **request.get("CloudWatchOutputConfig", {})},
        alarm_configuration=request.get("AlarmConfiguration"),
    )
    work.commands.add(value, _invocations(value.command_id, nodes), wake_at=now)
    work.wake(ENGINE)
    return value


def request_cancel(work: Work, value: Command, now: datetime) -> None:
    """Note that the whole command is to be cancelled; one that has ended stays as it is."""
    if command.Status(value.status) not in command.TERMINAL:
        work.commands.put(dataclasses.replace(value, cancel_requested=True), wake_at=now)
        work.wake(ENGINE)


def dispatch(work: Work, value: Command, node_ids: Iterable[str], now: datetime) -> None:
    """Put the command into the mailboxes of these nodes, and note when."""
    for node_id in node_ids:
        before = work.invocations.get(value.command_id, node_id)
        assert before is not None, "only a command's own invocations are dispatched"
        work.invocations.move(before, dataclasses.replace(before, dispatched_at=now))
        _post(work, message_id(value.command_id, node_id), value.command_id, node_id, SEND_COMMAND_TOPIC, now)


def cancel_sent(work: Work, ids: Ids, value: Command, node_ids: Iterable[str], now: datetime) -> None:
    """Take the command back where a node has not taken it, and tell these nodes to stop."""
    for node_id in node_ids:
        before = work.invocations.get(value.command_id, node_id)
        assert before is not None, "only a command's own invocations are cancelled"
        state = invocation.advance(invocation.State(before.details), invocation.Event.CANCEL_SENT)
        work.invocations.move(before, dataclasses.replace(before, details=state, cancelled_at=now))
        work.messages.settle(message_id(value.command_id, node_id))
        _post(work, message_id(ids.uuid(), node_id), value.command_id, node_id, CANCEL_COMMAND_TOPIC, now)


def end_invocation(work: Work, before: Invocation, state: invocation.State, now: datetime) -> None:
    """Let an invocation end in *state*; a message that still waits for the node is taken back."""
    work.invocations.move(before, dataclasses.replace(before, details=state, ended_at=now))
    work.messages.settle(message_id(before.command_id, before.instance_id))


def _post(work: Work, id: str, command_id: str, node_id: str, topic: str, now: datetime) -> None:
    work.messages.add(
        [Message(message_id=id, node_id=node_id, command_id=command_id, topic=topic, created_at=now)]
    )
    work.wake(node_id)


def _invocations(command_id: str, nodes: Sequence[Node]) -> Iterable[Invocation]:
    for ordinal, node in enumerate(nodes):
        yield Invocation(
            command_id=command_id,
            instance_id=node.instance_id,
            ordinal=ordinal,
            instance_name=node.name or node.computer_name or "",
            details=invocation.State.PENDING,
        )


def _refuse_install(document: Document, parameters: Mapping[str, Sequence[str]]) -> None:
    if document.name == "AWS-RunPatchBaseline" and "Install" in parameters.get("Operation", ()):
        raise InvalidParameters(
            "Operation Install of AWS-RunPatchBaseline is not served yet: this version only scans; use Operation Scan"
        )
