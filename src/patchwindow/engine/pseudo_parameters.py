"""Pseudo parameters: `{{WINDOW_ID}}` and the like, in the values of a task's invocation parameters."""

import re
from collections.abc import Mapping
from typing import Any, Final

from patchwindow.domain.run import TaskExecution, TaskInvocation, WindowExecution

_REFERENCE: Final = re.compile(r"\{\{\s*([A-Z_]+)\s*\}\}")


def replaced(value: Any, values: Mapping[str, str]) -> Any:
    """Return *value*, at any depth of lists and maps, with each known reference replaced; unknown ones stay.

    Source: maintenance windows, "Using pseudo parameters when registering maintenance window tasks".
    """
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: values.get(found[1], found[0]), value)
    if isinstance(value, Mapping):
        return {name: replaced(each, values) for name, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, values) for each in value]
    return value


def values_of(execution: WindowExecution, task: TaskExecution, one: TaskInvocation) -> dict[str, str]:
    """Return what the pseudo parameters of a task invocation are that exist for each type of task.

    WINDOW_TARGET_ID and TARGET_TYPE are empty where the task names no target that they could be of.
    """
    return {
        "WINDOW_ID": execution.window_id,
        "WINDOW_TASK_ID": task.task.window_task_id,
        "WINDOW_TARGET_ID": one.window_target_id or "",
        "WINDOW_EXECUTION_ID": execution.window_execution_id,
        "TASK_EXECUTION_ID": task.task_execution_id,
        "INVOCATION_ID": one.invocation_id,
        "TARGET_TYPE": one.target_type,
    }
