"""Commands: sending and cancelling them. What came of them is told in `command_results.py`."""

from collections.abc import Sequence
from typing import Final

from patchwindow.documents.library import Document
from patchwindow.domain import invocation
from patchwindow.domain.errors import (
    DuplicateNode,
    InvalidParameters,
    UnknownCommand,
    UnknownNode,
    UnsupportedPlatform,
)
from patchwindow.domain.node import Node
from patchwindow.domain.run import Command, Invocation
from patchwindow.operations.alarms import check_alarm
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.command_results import command_id_of, members_of
from patchwindow.operations.documents_found import find
from patchwindow.operations.sending import Order, cancel_sent, create_command, end_invocation, request_cancel
from patchwindow.operations.targeting import IDS, select, targets_of
from patchwindow.ports import ENGINE

_WHOLE_OR_NOT: Final = ("1.2", "2.0")
"""Schemas of documents that fail on a platform they are not for."""


def send(call: Call, request: Request) -> Answer:
    """SendCommand."""
    check_alarm(request.get("AlarmConfiguration"))
    document = find(call.work, request["DocumentName"], request.get("DocumentVersion"))
    instance_ids, targets = tuple(request.get("InstanceIds") or ()), tuple(request.get("Targets") or ())
    if bool(instance_ids) == bool(targets):
        raise InvalidParameters("name the nodes by InstanceIds or by Targets: one of the two, and not both")
    if instance_ids:
        nodes = _named(call, instance_ids)
        check_platforms(document, nodes)
        order = Order(document=document, request=request, instance_ids=instance_ids)
    else:
        wanted_targets = targets_of(targets)
        # Ids are promises: a node that is not there must not make the command a success of fewer.
        _existing(call, [id for target in wanted_targets if target.key == IDS for id in target.values])
        nodes = select(call.work, wanted_targets)
        order = Order(document=document, request=request, targets=wanted_targets)
    return {"Command": members_of(create_command(call.work, call.ids, call.now, order, nodes))}


def cancel(call: Call, request: Request) -> Answer:
    """CancelCommand: on all nodes, or on those named; one that has ended stays as it is."""
    value = call.work.commands.lock(command_id_of(request))
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


def check_platforms(document: Document, nodes: Sequence[Node]) -> None:
    """Refuse nodes on which the document fails: from schema 2.2 on, steps for other platforms are skipped instead.

    Raises:
        UnsupportedPlatform: there are such nodes.
    """
    if document.schema_version not in _WHOLE_OR_NOT:
        return
    wrong = [
        f"{node.instance_id} ({node.platform_type})"
        for node in nodes
        if node.platform_type is not None and node.platform_type not in document.platform_types
    ]
    if wrong:
        raise UnsupportedPlatform(
            f"document {document.name} is for {', '.join(document.platform_types)}, and not for {', '.join(wrong)}; "
            "leave these nodes out"
        )


def _named(call: Call, instance_ids: tuple[str, ...]) -> list[Node]:
    if len(set(instance_ids)) != len(instance_ids):
        raise DuplicateNode("InstanceIds names a node twice")
    targets_of([{"Key": IDS, "Values": list(instance_ids)}])
    return _existing(call, instance_ids)


def _existing(call: Call, instance_ids: Sequence[str]) -> list[Node]:
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
        cancel_sent(call.work, call.ids, value, [one], call.now)
