"""Opening a window at its instant: exactly one execution for each opening, with its tasks as they are then."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from patchwindow.domain import task_execution, task_invocation, window_execution
from patchwindow.domain.run import TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.schedule_zone import format_instant, parse_zone
from patchwindow.domain.window import Target, Window, WindowTask
from patchwindow.operations.targets import TARGET_IDS
from patchwindow.ports import ENGINE, Ids
from patchwindow.store.work import Work

_OVERLAP: Final = "The previous execution of this window was still running."
_TOGETHER_MAX: Final = 100
"""So many openings at most are recorded in one transaction; what is left is due at once, and has its turn then."""


def open_window(work: Work, ids: Ids, window_id: str, now: datetime) -> None:
    """Record the openings that are due, and set the next; what was missed is recorded too, never passed over.

    An opening that comes late, because the server did not run, still opens the window until its cutoff.
    """
    window = work.windows.lock(window_id)
    opens_at = work.windows.opening_of(window_id)
    if window is None or opens_at is None or opens_at > now:
        return
    timing, is_open = window.timing(), work.executions.is_open(window_id)
    for _ in range(_TOGETHER_MAX):
        execution = _execution(ids, window, opens_at, now, is_open=is_open)
        opens_at = timing.next_opening(opens_at)
        if not work.executions.open(execution, wake_at=now if execution.end_time is None else None):
            # Another engine recorded this opening, and read what is open at another time.
            break
        if execution.end_time is None:
            _lay_out(work, ids, execution)
            # Whether the next opening overlaps is known when all has been done about this one.
            break
        if opens_at is None or opens_at > now:
            break
    work.windows.put(window, next_opening_at=opens_at)


def _execution(ids: Ids, window: Window, opens_at: datetime, now: datetime, *, is_open: bool) -> WindowExecution:
    cutoff_at = window.cutoff_at(opens_at)
    state, details = window_execution.State.PENDING, ""
    if is_open:
        state, details = window_execution.advance(state, window_execution.Event.OVERLAPPED), _OVERLAP
    elif now >= cutoff_at:
        zone = parse_zone(window.schedule_timezone or "UTC")
        state = window_execution.advance(state, window_execution.Event.MISSED)
        details = (
            f"Missed: no server was running from the opening at {format_instant(opens_at, zone)} "
            f"to the cutoff at {format_instant(cutoff_at, zone)}."
        )
    has_ended = state in window_execution.TERMINAL
    return WindowExecution(
        window_execution_id=ids.uuid(),
        window_id=window.window_id,
        opens_at=opens_at,
        cutoff_at=cutoff_at,
        ends_at=window.ends_at(opens_at),
        status=state,
        status_details=details,
        # Of several that are recorded at once, the API's lists tell the order by this.
        start_time=opens_at if has_ended else now,
        end_time=now if has_ended else None,
    )


def _lay_out(work: Work, ids: Ids, execution: WindowExecution) -> None:
    """Keep the tasks and targets of the window as they are now, and let the engine begin."""
    for task in _tasks(work, ids, execution):
        work.executions.put_task(task)
        for invocation in _invocations(work, ids, task):
            work.executions.put_invocation(invocation)
    work.wake(ENGINE)


def _tasks(work: Work, ids: Ids, execution: WindowExecution) -> Iterator[TaskExecution]:
    tasks = sorted(
        work.window_tasks.of_window(execution.window_id), key=lambda task: (task.priority, task.window_task_id)
    )
    for ordinal, task in enumerate(tasks):
        yield TaskExecution(
            task_execution_id=ids.uuid(),
            window_execution_id=execution.window_execution_id,
            ordinal=ordinal,
            status=task_execution.State.PENDING,
            task=task,
        )


def _invocations(work: Work, ids: Ids, execution: TaskExecution) -> Iterator[TaskInvocation]:
    for ordinal, (target_id, owner, targets) in enumerate(_targets(work, execution.task)):
        yield TaskInvocation(
            invocation_id=ids.uuid(),
            task_execution_id=execution.task_execution_id,
            ordinal=ordinal,
            window_target_id=target_id,
            owner_information=owner,
            targets=targets,
            status=task_invocation.State.PENDING,
        )


def _targets(work: Work, task: WindowTask) -> Iterator[tuple[str | None, str, tuple[Target, ...]]]:
    """Yield the id, owner information and filters of each window target; one that was deregistered selects nothing."""
    if not task.targets:
        yield None, "", ()
    for target in task.targets:
        if target.key != TARGET_IDS:
            yield None, "", (target,)
            continue
        for target_id in target.values:
            registered = work.window_targets.get(task.window_id, target_id)
            if registered is not None:
                yield target_id, registered.owner_information or "", registered.targets
