"""Which windows scan and patch a node, and when they open next."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from patchwindow.domain.window import TaskType, Window, WindowTask
from patchwindow.operations.call import Call, bare_id
from patchwindow.operations.tags import NODE
from patchwindow.operations.targeting import IDS, group_queries, includes
from patchwindow.operations.targets import TARGET_IDS

_DOCUMENT: Final = "AWS-RunPatchBaseline"

SCAN: Final = "Scan"
INSTALL: Final = "Install"


@dataclass(frozen=True, slots=True)
class PatchTask:
    """A task of an enabled window that scans or patches the node in question."""

    window: Window
    task: WindowTask
    operation: str


@dataclass(frozen=True, slots=True)
class Opening:
    """When a task has its turn."""

    at: datetime
    by: PatchTask

    def members(self) -> dict[str, Any]:
        """Return it as answers have it."""
        return {
            "WindowId": self.by.window.window_id,
            "WindowName": self.by.window.name,
            "WindowTaskId": self.by.task.window_task_id,
            "OpensAt": self.at,
        }


def patch_tasks(call: Call, node_id: str) -> list[PatchTask]:
    """Return the tasks that run the patch document on the node, of all windows that are enabled."""
    tags = call.work.tags.of(NODE, node_id)
    queries = group_queries(call.work)
    reached = {
        target.window_target_id
        for target in call.work.window_targets.all()
        if includes(target.targets, node_id, tags, queries)
    }
    tasks = (task for task in call.work.window_tasks.all() if _is_for(task, node_id, reached))
    return list(_of_open_windows(call, tasks))


def next_opening(tasks: Iterable[PatchTask], operation: str, after: datetime) -> Opening | None:
    """Return the first opening after *after* of a window whose task carries out *operation*; None where none comes."""
    openings = (
        Opening(at, each)
        for each in tasks
        if each.operation == operation and (at := each.window.timing().next_opening(after)) is not None
    )
    return min(openings, key=lambda opening: (opening.at, opening.by.task.priority), default=None)


def _of_open_windows(call: Call, tasks: Iterable[WindowTask]) -> Iterator[PatchTask]:
    windows: dict[str, Window | None] = {}
    for task in tasks:
        if task.window_id not in windows:
            windows[task.window_id] = call.work.windows.get(task.window_id)
        window = windows[task.window_id]
        if window is not None and window.enabled:
            yield PatchTask(window, task, _operation(task))


def _is_for(task: WindowTask, node_id: str, reached: set[str]) -> bool:
    if task.task_type is not TaskType.RUN_COMMAND or bare_id(task.task_arn) != _DOCUMENT:
        return False
    return any(
        (target.key == TARGET_IDS and not reached.isdisjoint(target.values))
        or (target.key == IDS and node_id in target.values)
        for target in task.targets
    )


def _operation(task: WindowTask) -> str:
    """Return what the task tells the patch document to do; it may say so in the deprecated way alone."""
    given = (task.task_invocation_parameters or {}).get("RunCommand") or {}
    values = (given.get("Parameters") or {}).get("Operation")
    if not given:
        values = ((task.task_parameters or {}).get("Operation") or {}).get("Values")
    return str(values[0]) if values else ""
