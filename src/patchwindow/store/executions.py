"""Window executions with their task executions and task invocations."""

import dataclasses
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from patchwindow.domain.run import TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.window import Target, WindowTask
from patchwindow.protocol.records import dumps, from_ms, loads
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms, sooner
from patchwindow.store.tables import invocation
from patchwindow.store.window_tables import task_execution, task_invocation, window_execution

_ONE: Final = sa.select(window_execution).where(window_execution.c.window_execution_id == sa.bindparam("id"))
_GET: Final = prepared(_ONE)
_LOCK: Final = prepared(_ONE.with_for_update())
_HOLD: Final = prepared(
    sa.select(window_execution.c.window_execution_id)
    .where(window_execution.c.window_execution_id == sa.bindparam("id"))
    .with_for_update()
)
_DUE: Final = prepared(
    sa.select(window_execution.c.window_execution_id)
    .where(window_execution.c.wake_at_ms <= sa.bindparam("now_ms"))
    .order_by(window_execution.c.wake_at_ms, window_execution.c.window_execution_id)
    .limit(sa.bindparam("limit"))
)
_NEXT: Final = prepared(sa.select(sa.func.min(window_execution.c.wake_at_ms)))
_WAKE: Final = prepared(
    sa.update(window_execution)
    .where(window_execution.c.window_execution_id == sa.bindparam("id"))
    .values(wake_at_ms=sooner(window_execution.c.wake_at_ms, sa.bindparam("wake_ms")))
)
_OPEN: Final = prepared(
    sa.select(sa.func.count()).where(
        window_execution.c.window_id == sa.bindparam("window_id"), window_execution.c.end_at_ms.is_(None)
    )
)
_OPEN_ONES: Final = prepared(
    sa.select(window_execution)
    .where(window_execution.c.window_id == sa.bindparam("window_id"), window_execution.c.end_at_ms.is_(None))
    .with_for_update()
)
_RECORDED: Final = prepared(
    sa.select(sa.func.count()).where(
        window_execution.c.window_id == sa.bindparam("window_id"),
        window_execution.c.opens_at_ms == sa.bindparam("opens_ms"),
    )
)
_ALL_TASKS: Final = (
    sa.select(task_execution)
    .where(task_execution.c.window_execution_id == sa.bindparam("id"))
    .order_by(task_execution.c.ordinal)
)
_TASKS: Final = prepared(_ALL_TASKS)
_TASK: Final = prepared(
    sa.select(task_execution).where(
        task_execution.c.window_execution_id == sa.bindparam("execution_id"),
        task_execution.c.task_execution_id == sa.bindparam("id"),
    )
)
_ALL_INVOCATIONS: Final = (
    sa.select(task_invocation)
    .where(task_invocation.c.task_execution_id == sa.bindparam("id"))
    .order_by(task_invocation.c.ordinal)
)
_INVOCATIONS: Final = prepared(_ALL_INVOCATIONS)
_PARTS: Final = prepared(
    sa.select(
        task_invocation.c.invocation_id,
        task_invocation.c.status,
        task_invocation.c.status_details,
        task_invocation.c.target_ordinal,
        task_invocation.c.command_id,
    )
    .where(task_invocation.c.task_execution_id == sa.bindparam("id"))
    .order_by(task_invocation.c.ordinal)
)
_INVOCATION: Final = prepared(sa.select(task_invocation).where(task_invocation.c.invocation_id == sa.bindparam("id")))
_OF_COMMAND: Final = prepared(
    sa.select(task_execution.c.window_execution_id)
    .join(task_invocation, task_invocation.c.task_execution_id == task_execution.c.task_execution_id)
    .where(task_invocation.c.command_id == sa.bindparam("id"))
)
_COMMANDS: Final = prepared(
    sa.select(task_invocation.c.command_id)
    .join(task_execution, task_execution.c.task_execution_id == task_invocation.c.task_execution_id)
    .where(task_execution.c.window_execution_id == sa.bindparam("id"), task_invocation.c.command_id.is_not(None))
    # In one order, as every holder of several commands takes them.
    .order_by(task_invocation.c.command_id)
)
_TELL: Final = prepared(
    sa.update(task_invocation)
    .where(task_invocation.c.invocation_id == sa.bindparam("id"))
    .values(external_id=sa.bindparam("external_id"))
)
# Whatever ended them, they were never acknowledged and nothing was reported.
_UNTAKEN: Final = ("DeliveryTimedOut", "Undeliverable", "Terminated", "Cancelled")
_MISSED: Final = prepared(
    sa.select(invocation.c.node_id)
    .where(
        invocation.c.command_id == sa.bindparam("id"),
        sa.or_(*(invocation.c.details == state for state in _UNTAKEN)),
        invocation.c.acknowledged_at_ms.is_(None),
    )
    .order_by(invocation.c.ordinal)
)
_BY_COMMAND: Final = prepared(sa.select(task_invocation).where(task_invocation.c.command_id == sa.bindparam("id")))


class Part(NamedTuple):
    """What decisions look at of a task invocation."""

    invocation_id: str
    status: str
    status_details: str
    target_ordinal: int
    command_id: str | None


class Executions(Rows):
    """What happened at the openings of windows."""

    def open(self, value: WindowExecution, *, wake_at: datetime | None) -> bool:
        """Keep a new execution; return False, and change nothing, where this opening has one already."""
        return self._insert_if_new(window_execution, **_execution_row(value), wake_at_ms=ms(wake_at))

    def get(self, execution_id: str) -> WindowExecution | None:
        """Return the execution."""
        row = self._row(_GET, {"id": execution_id})
        return None if row is None else _execution(row)

    def lock(self, execution_id: str) -> WindowExecution | None:
        """Return the execution, and keep other writers from it until the transaction ends."""
        row = self._row(_LOCK, {"id": execution_id})
        return None if row is None else _execution(row)

    def put(self, value: WindowExecution, *, wake_at: datetime | None) -> None:
        """Keep a changed execution, and when the engine looks at it next."""
        self._upsert(window_execution, **_execution_row(value), wake_at_ms=ms(wake_at))

    def hold(self, execution_id: str) -> None:
        """Keep other writers from the execution until the transaction ends; hold it before any of its commands."""
        if not self._is_alone:
            self._row(_HOLD, {"id": execution_id})

    def wake(self, execution_id: str, at: datetime) -> None:
        """Let the engine look at the execution at *at*, if not before."""
        self._change(_WAKE, {"id": execution_id, "wake_ms": ms(at)})

    def due(self, now: datetime, limit: int) -> list[str]:
        """Return the ids of up to *limit* executions that the engine has to look at, the earliest first."""
        return self._scalars(_DUE, {"now_ms": ms(now), "limit": limit})

    def next_wake_at(self) -> datetime | None:
        """Return the earliest instant at which the engine has to look at any execution."""
        return instant(self._scalar(_NEXT))

    def is_open(self, window_id: str) -> bool:
        """Return whether an execution of this window has not ended."""
        return bool(self._scalar(_OPEN, {"window_id": window_id}))

    def lock_open(self, window_id: str) -> list[WindowExecution]:
        """Return the executions of this window that have not ended, and keep other writers from them."""
        return [_execution(row) for row in self._rows(_OPEN_ONES, {"window_id": window_id})]

    def is_recorded(self, window_id: str, opens_at: datetime) -> bool:
        """Return whether this opening of the window has an execution, whatever became of it."""
        return bool(self._scalar(_RECORDED, {"window_id": window_id, "opens_ms": ms(opens_at)}))

    def page(
        self,
        window_id: str,
        *,
        before: tuple[int, str] | None,
        limit: int,
        after_at: datetime | None = None,
        before_at: datetime | None = None,
    ) -> list[WindowExecution]:
        """Return up to *limit* executions of the window, the newest first, beyond the key *before* (start, id)."""
        table = window_execution.c
        statement = sa.select(window_execution).where(table.window_id == window_id)
        if before is not None:
            key = sa.tuple_(table.start_at_ms, table.window_execution_id)
            statement = statement.where(key < sa.tuple_(*map(sa.literal, before)))
        if after_at is not None:
            statement = statement.where(table.start_at_ms > ms(after_at))
        if before_at is not None:
            statement = statement.where(table.start_at_ms < ms(before_at))
        ordered = statement.order_by(table.start_at_ms.desc(), table.window_execution_id.desc()).limit(limit)
        return [_execution(row) for row in self._rows(ordered)]

    def by_opening(
        self, *, beyond: tuple[int, str], before: datetime, limit: int, window_id: str | None = None
    ) -> list[WindowExecution]:
        """Return up to *limit* executions that open before an instant, beyond a key of opening and window, in that order."""
        table = window_execution.c
        opening = sa.tuple_(table.opens_at_ms, table.window_id)
        statement = sa.select(window_execution).where(
            opening > sa.tuple_(*map(sa.literal, beyond)), table.opens_at_ms < ms(before)
        )
        if window_id is not None:
            statement = statement.where(table.window_id == window_id)
        ordered = statement.order_by(table.opens_at_ms, table.window_id).limit(limit)
        return [_execution(row) for row in self._rows(ordered)]

    def put_task(self, value: TaskExecution) -> None:
        """Keep a new or changed task execution."""
        self._upsert(
            task_execution,
            task_execution_id=value.task_execution_id,
            window_execution_id=value.window_execution_id,
            ordinal=value.ordinal,
            status=value.status,
            status_details=value.status_details,
            start_at_ms=ms(value.start_time),
            end_at_ms=ms(value.end_time),
            body=dumps(value.task),
        )

    def tasks(self, execution_id: str) -> list[TaskExecution]:
        """Return the task executions, in the order in which they run."""
        return [_task(row) for row in self._rows(_TASKS, {"id": execution_id})]

    def task(self, execution_id: str, task_execution_id: str) -> TaskExecution | None:
        """Return one task execution, if it belongs to this window execution."""
        row = self._row(_TASK, {"execution_id": execution_id, "id": task_execution_id})
        return None if row is None else _task(row)

    def put_invocation(self, value: TaskInvocation) -> None:
        """Keep a new or changed task invocation."""
        self._upsert(task_invocation, **_invocation_row(value))

    def put_invocations(self, values: Iterable[TaskInvocation]) -> None:
        """Keep new or changed task invocations."""
        self._upsert_all(task_invocation, map(_invocation_row, values))

    def tell(self, invocation_id: str, external_id: str) -> None:
        """Keep what a webhook calls the execution that it does for a task invocation."""
        self._change(_TELL, {"id": invocation_id, "external_id": external_id})

    def missed(self, command_id: str) -> list[str]:
        """Return the nodes that never took a command that has ended, in the order in which it was handed out."""
        return self._scalars(_MISSED, {"id": command_id})

    def invocations(self, task_execution_id: str) -> list[TaskInvocation]:
        """Return the invocations of a task execution, in the order in which they run."""
        return [_invocation(row) for row in self._rows(_INVOCATIONS, {"id": task_execution_id})]

    def parts(self, task_execution_id: str) -> list[Part]:
        """Return of the invocations of a task execution what decisions look at, in the order in which they run."""
        return [Part(*row) for row in self._rows(_PARTS, {"id": task_execution_id})]

    def invocation(self, invocation_id: str) -> TaskInvocation | None:
        """Return one task invocation."""
        row = self._row(_INVOCATION, {"id": invocation_id})
        return None if row is None else _invocation(row)

    def of_command(self, command_id: str) -> str | None:
        """Return the id of the window execution that sent the command."""
        found: str | None = self._scalar(_OF_COMMAND, {"id": command_id})
        return found

    def commands_of(self, execution_id: str) -> list[str]:
        """Return the ids of the commands that the window execution has sent, in order."""
        return self._scalars(_COMMANDS, {"id": execution_id})

    def invocation_of_command(self, command_id: str) -> TaskInvocation | None:
        """Return the task invocation that sent the command."""
        row = self._row(_BY_COMMAND, {"id": command_id})
        return None if row is None else _invocation(row)

    def page_tasks(
        self, execution_id: str, *, after: int, limit: int, statuses: Collection[str]
    ) -> list[TaskExecution]:
        """Return up to *limit* task executions beyond the ordinal *after*, of any of *statuses* (none: all)."""
        statement = _ALL_TASKS.where(task_execution.c.ordinal > after).limit(limit)
        if statuses:
            statement = statement.where(task_execution.c.status.in_(statuses))
        return [_task(row) for row in self._rows(statement, {"id": execution_id})]

    def page_invocations(
        self, task_execution_id: str, *, after: int, limit: int, statuses: Collection[str]
    ) -> list[TaskInvocation]:
        """Return up to *limit* task invocations beyond the ordinal *after*, of any of *statuses* (none: all)."""
        statement = _ALL_INVOCATIONS.where(task_invocation.c.ordinal > after).limit(limit)
        if statuses:
            statement = statement.where(task_invocation.c.status.in_(statuses))
        return [_invocation(row) for row in self._rows(statement, {"id": task_execution_id})]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Targets:
    targets: tuple[Target, ...]


def _execution_row(value: WindowExecution) -> dict[str, object]:
    return {
        "window_execution_id": value.window_execution_id,
        "window_id": value.window_id,
        "opens_at_ms": ms(value.opens_at),
        "cutoff_at_ms": ms(value.cutoff_at),
        "ends_at_ms": ms(value.ends_at),
        "status": value.status,
        "status_details": value.status_details,
        "start_at_ms": ms(value.start_time),
        "end_at_ms": ms(value.end_time),
        "is_cancel_requested": int(value.cancel_requested),
        "frozen_at_ms": ms(value.frozen_at),
        "frozen_by": value.frozen_by,
    }


def _execution(row: Any) -> WindowExecution:
    return WindowExecution(
        window_execution_id=row.window_execution_id,
        window_id=row.window_id,
        opens_at=from_ms(row.opens_at_ms),
        cutoff_at=from_ms(row.cutoff_at_ms),
        ends_at=from_ms(row.ends_at_ms),
        status=row.status,
        status_details=row.status_details,
        start_time=from_ms(row.start_at_ms),
        end_time=instant(row.end_at_ms),
        cancel_requested=bool(row.is_cancel_requested),
        frozen_at=instant(row.frozen_at_ms),
        frozen_by=row.frozen_by,
    )


def _task(row: Any) -> TaskExecution:
    return TaskExecution(
        task_execution_id=row.task_execution_id,
        window_execution_id=row.window_execution_id,
        ordinal=row.ordinal,
        status=row.status,
        status_details=row.status_details,
        start_time=instant(row.start_at_ms),
        end_time=instant(row.end_at_ms),
        task=loads(WindowTask, row.body),
    )


def _invocation_row(value: TaskInvocation) -> dict[str, object]:
    row = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    row["start_at_ms"], row["end_at_ms"] = ms(row.pop("start_time")), ms(row.pop("end_time"))
    row["targets"] = dumps(_Targets(targets=value.targets))
    return row


def _invocation(row: Any) -> TaskInvocation:
    return TaskInvocation(
        invocation_id=row.invocation_id,
        task_execution_id=row.task_execution_id,
        ordinal=row.ordinal,
        target_ordinal=row.target_ordinal,
        target_type=row.target_type,
        window_target_id=row.window_target_id,
        owner_information=row.owner_information,
        targets=loads(_Targets, row.targets).targets,
        command_id=row.command_id,
        external_id=row.external_id,
        parameters=row.parameters,
        status=row.status,
        status_details=row.status_details,
        start_time=instant(row.start_at_ms),
        end_time=instant(row.end_at_ms),
    )
