"""Opening a window at its instant: exactly one execution for each opening, with its tasks as they are then."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from patchwindow.domain import task_execution, task_invocation, window_execution
from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.freeze import Heeded
from patchwindow.domain.run import TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.schedule_zone import format_instant, parse_zone
from patchwindow.domain.window import ResourceType, Target, TaskType, Window, WindowTarget, WindowTask
from patchwindow.operations.freezes import heeded_by, not_known, not_opened
from patchwindow.operations.targeting import IDS, select
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
        execution = _execution(work, ids, window, opens_at, now, is_open=is_open)
        opens_at = timing.next_opening(opens_at)
        if not work.executions.open(execution, wake_at=now if execution.end_time is None else None):
            # Another engine recorded this opening, and read what is open at another time.
            break
        if execution.end_time is None:
            _lay_out(work, ids, execution, now)
            # Whether the next opening overlaps is known when all has been done about this one.
            break
        if opens_at is None or opens_at > now:
            break
    work.windows.put(window, next_opening_at=opens_at)


def _execution(
    work: Work, ids: Ids, window: Window, opens_at: datetime, now: datetime, *, is_open: bool
) -> WindowExecution:
    zone = parse_zone(window.schedule_timezone or "UTC")
    event, details = None, ""
    try:
        found = heeded_by(work, window, opens_at)
    except (Invalid, NotFound) as problem:
        found = Heeded(opens=False, cutoff_at=window.cutoff_at(opens_at))
        event, details = window_execution.Event.UNREADABLE, not_known(problem, opens_at, zone)
    freeze, cutoff_at = found.freeze, found.cutoff_at
    if is_open:
        event, details = window_execution.Event.OVERLAPPED, _OVERLAP
    elif freeze is not None and not found.opens:
        event, details = window_execution.Event.FROZEN, not_opened(freeze, opens_at, zone)
    elif event is None and now >= cutoff_at:
        event = window_execution.Event.MISSED
        details = (
            f"Missed: no server was running from the opening at {format_instant(opens_at, zone)} "
            f"to the cutoff at {format_instant(cutoff_at, zone)}."
        )
    state = window_execution.State.PENDING
    if event is not None:
        state = window_execution.advance(state, event)
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
        frozen_at=None if freeze is None else max(freeze.starts_at, opens_at),
        frozen_by="" if freeze is None else freeze.calendar,
    )


def _lay_out(work: Work, ids: Ids, execution: WindowExecution, now: datetime) -> None:
    """Keep the tasks and targets of the window as they are now, and let the engine begin."""
    for task in _tasks(work, ids, execution):
        work.executions.put_task(task)
        work.executions.put_invocations(_invocations(work, ids, task, now))
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


@dataclass(frozen=True, slots=True)
class _Part:
    """What becomes one invocation of a task; `problem` says why it cannot be carried out."""

    target_ordinal: int
    registered: WindowTarget | None
    targets: tuple[Target, ...]
    problem: str = ""


def _invocations(work: Work, ids: Ids, execution: TaskExecution, now: datetime) -> Iterator[TaskInvocation]:
    for ordinal, part in enumerate(_parts(work, execution.task)):
        registered, targets = part.registered, part.targets
        state = task_invocation.State.PENDING
        yield TaskInvocation(
            invocation_id=ids.uuid(),
            task_execution_id=execution.task_execution_id,
            ordinal=ordinal,
            target_ordinal=part.target_ordinal,
            target_type=registered.resource_type if registered else ResourceType.INSTANCE if targets else "",
            window_target_id=registered.window_target_id if registered else None,
            owner_information=(registered.owner_information or "") if registered else "",
            targets=targets,
            status=task_invocation.advance(state, task_invocation.Event.FAILED) if part.problem else state,
            status_details=part.problem[: task_invocation.DETAILS_MAX],
            end_time=now if part.problem else None,
        )


def _parts(work: Work, task: WindowTask) -> Iterator[_Part]:
    """Yield the parts of a task: for a command its window targets, for other types the nodes that those select now."""
    for ordinal, (registered, targets) in enumerate(_targets(work, task)):
        if task.task_type is TaskType.RUN_COMMAND or not targets:
            yield _Part(ordinal, registered, targets)
            continue
        try:
            nodes = select(work, targets)
        except (Invalid, NotFound) as problem:
            yield _Part(ordinal, registered, targets, str(problem))
        else:
            for node in nodes:
                yield _Part(ordinal, registered, (Target(key=IDS, values=(node.instance_id,)),))


def _targets(work: Work, task: WindowTask) -> Iterator[tuple[WindowTarget | None, tuple[Target, ...]]]:
    """Yield each target, with its filters; one that was deregistered selects nothing."""
    if not task.targets:
        yield None, ()
    for target in task.targets:
        if target.key != TARGET_IDS:
            yield None, (target,)
            continue
        for target_id in target.values:
            registered = work.window_targets.get(task.window_id, target_id)
            if registered is not None:
                yield registered, registered.targets
