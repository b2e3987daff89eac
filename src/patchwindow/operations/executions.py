"""What happened at the openings of maintenance windows, and cancelling one."""

import dataclasses
from typing import Any, Final

from patchwindow.domain import window_execution
from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.opening import parse_instant
from patchwindow.domain.run import TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.window import TaskType
from patchwindow.operations.call import Answer, Call, Request, after_number, filter_values
from patchwindow.ports import ENGINE
from patchwindow.protocol.records import to_ms

_PAGE: Final = 100


def describe(call: Call, request: Request) -> Answer:
    """DescribeMaintenanceWindowExecutions: the newest first; none for an unknown window, as AWS answers it."""
    filters = filter_values(request.get("Filters"), ("ExecutedBefore", "ExecutedAfter"), refuse=Invalid)
    before = [parse_instant("ExecutedBefore", value) for value in filters.get("ExecutedBefore", ())]
    after = [parse_instant("ExecutedAfter", value) for value in filters.get("ExecutedAfter", ())]
    return call.pages(
        request,
        "WindowExecutions",
        default=_PAGE,
        fetch=lambda key, limit: call.work.executions.page(
            request["WindowId"],
            before=None if key is None else (int(key[0]), str(key[1])),
            limit=limit,
            after_at=max(after, default=None),
            before_at=min(before, default=None),
        ),
        key=lambda execution: (to_ms(execution.start_time), execution.window_execution_id),
        shape=_execution,
    )


def get(call: Call, request: Request) -> Answer:
    """GetMaintenanceWindowExecution."""
    execution = _existing(call, request["WindowExecutionId"])
    tasks = call.work.executions.tasks(execution.window_execution_id)
    members = _execution(execution)
    del members["WindowId"]
    return {**members, "TaskIds": [task.task_execution_id for task in tasks]}


def cancel(call: Call, request: Request) -> Answer:
    """CancelMaintenanceWindowExecution: tasks that have begun go on, the others are cancelled; an ended one stays."""
    execution = call.work.executions.lock(request["WindowExecutionId"])
    if execution is None:
        raise _unknown(request["WindowExecutionId"])
    if window_execution.State(execution.status) not in window_execution.TERMINAL:
        call.work.executions.put(dataclasses.replace(execution, cancel_requested=True), wake_at=call.now)
        call.work.wake(ENGINE)
    return {"WindowExecutionId": execution.window_execution_id}


def describe_tasks(call: Call, request: Request) -> Answer:
    """DescribeMaintenanceWindowExecutionTasks."""
    execution = _existing(call, request["WindowExecutionId"])
    statuses = _statuses(request)
    return call.pages(
        request,
        "WindowExecutionTaskIdentities",
        default=_PAGE,
        fetch=lambda after, limit: call.work.executions.page_tasks(
            execution.window_execution_id, after=after_number(after), limit=limit, statuses=statuses
        ),
        key=lambda task: (task.ordinal,),
        shape=_task,
    )


def get_task(call: Call, request: Request) -> Answer:
    """GetMaintenanceWindowExecutionTask."""
    execution = _existing(call, request["WindowExecutionId"])
    task = _existing_task(call, execution, request["TaskId"])
    members = _task(task)
    members["Type"] = members.pop("TaskType")
    return members | {
        "ServiceRole": task.task.service_role_arn or "",
        "TaskParameters": _parameters(call, task),
        "Priority": task.task.priority,
        "MaxConcurrency": task.task.max_concurrency or "1",
        "MaxErrors": task.task.max_errors or "1",
    }


def describe_invocations(call: Call, request: Request) -> Answer:
    """DescribeMaintenanceWindowExecutionTaskInvocations."""
    execution = _existing(call, request["WindowExecutionId"])
    task = _existing_task(call, execution, request["TaskId"])
    statuses = _statuses(request)
    return call.pages(
        request,
        "WindowExecutionTaskInvocationIdentities",
        default=_PAGE,
        fetch=lambda after, limit: call.work.executions.page_invocations(
            task.task_execution_id, after=after_number(after), limit=limit, statuses=statuses
        ),
        key=lambda invocation: (invocation.ordinal,),
        shape=lambda invocation: _invocation(execution, task, invocation),
    )


def get_invocation(call: Call, request: Request) -> Answer:
    """GetMaintenanceWindowExecutionTaskInvocation."""
    execution = _existing(call, request["WindowExecutionId"])
    task = _existing_task(call, execution, request["TaskId"])
    for invocation in call.work.executions.invocations(task.task_execution_id):
        if invocation.invocation_id == request["InvocationId"]:
            return _invocation(execution, task, invocation)
    raise NotFound(f"Invocation {request['InvocationId']} does not exist in task execution {task.task_execution_id}")


def _existing(call: Call, execution_id: str) -> WindowExecution:
    execution = call.work.executions.get(execution_id)
    if execution is None:
        raise _unknown(execution_id)
    return execution


def _unknown(execution_id: str) -> NotFound:
    return NotFound(f"Maintenance window execution {execution_id} does not exist")


def _existing_task(call: Call, execution: WindowExecution, task_id: str) -> TaskExecution:
    task = call.work.executions.task(execution.window_execution_id, task_id)
    if task is None:
        raise NotFound(f"Task execution {task_id} does not exist in execution {execution.window_execution_id}")
    return task


def _statuses(request: Request) -> tuple[str, ...]:
    return filter_values(request.get("Filters"), ("STATUS",), refuse=Invalid).get("STATUS", ())


def _execution(execution: WindowExecution) -> dict[str, Any]:
    return {
        "WindowId": execution.window_id,
        "WindowExecutionId": execution.window_execution_id,
        "Status": execution.status,
        "StatusDetails": execution.status_details or None,
        "StartTime": execution.start_time,
        "EndTime": execution.end_time,
    }


def _task(task: TaskExecution) -> dict[str, Any]:
    return {
        "WindowExecutionId": task.window_execution_id,
        "TaskExecutionId": task.task_execution_id,
        "TaskArn": task.task.task_arn,
        "TaskType": task.task.task_type,
        "Status": task.status,
        "StatusDetails": task.status_details or None,
        "StartTime": task.start_time,
        "EndTime": task.end_time,
        "AlarmConfiguration": task.task.alarm_configuration,
    }


def _parameters(call: Call, task: TaskExecution) -> list[dict[str, Any]]:
    """Return the task's parameters, and for one that runs commands the nodes on which it did, as AWS shows them."""
    values = dict(task.task.task_parameters or {})
    if task.task.task_type is TaskType.RUN_COMMAND:
        given = (task.task.task_invocation_parameters or {}).get("RunCommand")
        if given:
            values = {name: {"Values": value} for name, value in given.get("Parameters", {}).items()}
        invocations = call.work.executions.invocations(task.task_execution_id)
        commands = [one.command_id for one in invocations if one.command_id is not None]
        nodes = [one.instance_id for command_id in commands for one in call.work.invocations.of_command(command_id)]
        if nodes:
            values["aws:InstanceId"] = {"Values": list(dict.fromkeys(nodes))}
    return [values] if values else []


def _invocation(execution: WindowExecution, task: TaskExecution, invocation: TaskInvocation) -> dict[str, Any]:
    return {
        "WindowExecutionId": execution.window_execution_id,
        "TaskExecutionId": task.task_execution_id,
        "InvocationId": invocation.invocation_id,
        "ExecutionId": invocation.command_id or invocation.external_id,
        "TaskType": task.task.task_type,
        "Parameters": invocation.parameters or None,
        "Status": invocation.status,
        "StatusDetails": invocation.status_details or None,
        "StartTime": invocation.start_time,
        "EndTime": invocation.end_time,
        "OwnerInformation": invocation.owner_information or None,
        "WindowTargetId": invocation.window_target_id,
    }
