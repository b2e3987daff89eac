"""Asking for the call of a webhook: what a task does that is no command.  The call itself is made by `call_webhooks.py`."""

import base64
import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from patchwindow.domain.errors import NotFound
from patchwindow.domain.run import TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.webhook import Webhook, WebhookCall, arns_of
from patchwindow.domain.window import TaskType, WindowTask
from patchwindow.engine.pseudo_parameters import replaced, values_of
from patchwindow.ports import WEBHOOKS
from patchwindow.store.work import Work

_MEMBERS_OF: Final[Mapping[TaskType, tuple[str, ...]]] = {
    TaskType.AUTOMATION: ("DocumentVersion", "Parameters"),
    TaskType.LAMBDA: ("ClientContext", "Qualifier", "Payload"),
    TaskType.STEP_FUNCTIONS: ("Input", "Name"),
}
_PARAMETERS_OF: Final[Mapping[TaskType, str]] = {
    TaskType.AUTOMATION: "Automation",
    TaskType.LAMBDA: "Lambda",
    TaskType.STEP_FUNCTIONS: "StepFunctions",
}


def start_call(
    work: Work, execution: WindowExecution, task: TaskExecution, one: TaskInvocation, *, now: datetime
) -> TaskInvocation:
    """Keep the call to be made, and return the invocation with what the webhook is told.

    Raises:
        NotFound: no webhook is configured for the task.
    """
    given = _given(task.task)
    webhook = _webhook(work, task.task.task_arn, given.get("Qualifier"))
    body = json.dumps(_body(execution, task, one, given))
    call = WebhookCall(
        invocation_id=one.invocation_id,
        window_execution_id=execution.window_execution_id,
        arn=webhook.arn,
        body=body,
        started_at=now,
        ends_at=now + timedelta(seconds=webhook.time_limit_s),
        due_at=now,
    )
    work.webhook_calls.put(call)
    work.wake(WEBHOOKS)
    return dataclasses.replace(one, parameters=body)


def _webhook(work: Work, task_arn: str, qualifier: str | None) -> Webhook:
    for arn in arns_of(task_arn, qualifier):
        found = work.webhooks.get(arn)
        if found is not None:
            return found
    raise NotFound(
        f"No webhook carries out this task; on the server run: patchwindow webhooks set {task_arn} --url URL"
    )


def _given(task: WindowTask) -> dict[str, Any]:
    """Return the parameters of the task's own type; a payload, which is kept in base64, as the text that it is."""
    given = (task.task_invocation_parameters or {}).get(_PARAMETERS_OF[task.task_type]) or {}
    members = {name: given[name] for name in _MEMBERS_OF[task.task_type] if name in given}
    if "Payload" in members:
        payload = base64.b64decode(members["Payload"])
        try:
            members["Payload"] = payload.decode()
        except UnicodeDecodeError:
            # Nothing can be replaced in it, and it goes on as it is.
            members["PayloadBase64"] = members.pop("Payload")
    return members


def _body(
    execution: WindowExecution, task: TaskExecution, one: TaskInvocation, given: Mapping[str, Any]
) -> dict[str, Any]:
    values = values_of(execution, task, one)
    for target in one.targets:
        (node_id,) = target.values
        values |= {"TARGET_ID": node_id, "RESOURCE_ID": node_id}
    about = {"Type": values["TARGET_TYPE"], "Id": values.get("TARGET_ID"), "ResourceId": values.get("RESOURCE_ID")}
    return {
        "WindowId": execution.window_id,
        "WindowTaskId": task.task.window_task_id,
        "WindowExecutionId": execution.window_execution_id,
        "TaskExecutionId": task.task_execution_id,
        "InvocationId": one.invocation_id,
        "TaskArn": task.task.task_arn,
        "TaskType": task.task.task_type,
        **({"Target": about} if one.targets else {}),
        **replaced(given, values),
    }
