"""Sending the command of a task invocation: what a task of type RUN_COMMAND does to one of its window targets."""

import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from patchwindow.domain.run import Command, TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.window import CutoffBehavior, Target
from patchwindow.engine.pseudo_parameters import replaced, values_of
from patchwindow.operations.documents_found import find
from patchwindow.operations.sending import Order, create_command
from patchwindow.operations.targeting import IDS, select
from patchwindow.ports import Ids
from patchwindow.protocol.records import to_members
from patchwindow.store.work import Work


def start_command(
    work: Work, ids: Ids, execution: WindowExecution, task: TaskExecution, one: TaskInvocation, *, now: datetime
) -> TaskInvocation:
    """Send the command, and return the invocation with what was sent.

    Raises:
        Invalid: the task's parameters do not fit the document, or a target selects by what does not exist.
        NotFound: there is no such document.
    """
    request = _request(execution, task, one)
    document = find(work, task.task.task_arn, request.get("DocumentVersion"))
    named = tuple(id for target in one.targets if target.key == IDS for id in target.values)
    nodes = select(work, one.targets)
    order = Order(
        document=document,
        request=request,
        instance_ids=named,
        absent_ids=_absent(work, one.targets),
        targets=() if named else one.targets,
        # The cancellation that comes with the cutoff may come a moment, or a restart of the server, after it.
        cutoff_at=execution.cutoff_at if task.task.cutoff_behavior is CutoffBehavior.CANCEL_TASK else None,
        frozen_at=execution.frozen_at,
    )
    sent = create_command(work, ids, now, order, nodes)
    return dataclasses.replace(one, command_id=sent.command_id, parameters=_told(sent))


def _absent(work: Work, targets: Sequence[Target]) -> tuple[str, ...]:
    """Return the ids that the targets name and no node has: deregistered since, or never there.

    Beside tags nothing is absent: a node that is not there has none, and so is not selected.
    """
    if not all(target.key == IDS for target in targets):
        return ()
    named = list(dict.fromkeys(id for target in targets for id in target.values))
    there = {node.instance_id for node in work.nodes.many(named)}
    return tuple(id for id in named if id not in there and all(id in target.values for target in targets))


def _request(execution: WindowExecution, task: TaskExecution, one: TaskInvocation) -> dict[str, Any]:
    """Return the members of SendCommand for one window target, pseudo parameters replaced."""
    given = dict((task.task.task_invocation_parameters or {}).get("RunCommand") or {})
    if not given and task.task.task_parameters:
        # Deprecated, and used only where TaskInvocationParameters is absent.
        given["Parameters"] = {name: value.get("Values") or [] for name, value in task.task.task_parameters.items()}
    limits = {"MaxConcurrency": task.task.max_concurrency, "MaxErrors": task.task.max_errors}
    return {
        **replaced(given, values_of(execution, task, one)),
        **{name: value for name, value in limits.items() if value is not None},
    }


def _told(sent: Command) -> str:
    """Return what the API shows as the parameters of a task invocation: the command as it was sent."""
    members = to_members(sent)
    names = ("DocumentName", "InstanceIds", "Targets", "MaxConcurrency", "MaxErrors", "Parameters", "Comment")
    return json.dumps({name[0].lower() + name[1:]: members[name] for name in names if members[name]})
