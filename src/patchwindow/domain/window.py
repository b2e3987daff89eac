"""Maintenance windows, their targets and their tasks, as the API has them.

Fields are the API's members in snake case: `duration` and `cutoff` are hours, `schedule_offset` is days.
Source: maintenance window shapes of the service model.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from patchwindow.domain.opening import Timing, check_duration, timing


class ResourceType(StrEnum):
    """What a window's target names."""

    INSTANCE = "INSTANCE"
    RESOURCE_GROUP = "RESOURCE_GROUP"


class TaskType(StrEnum):
    """What a window's task runs."""

    RUN_COMMAND = "RUN_COMMAND"
    AUTOMATION = "AUTOMATION"
    LAMBDA = "LAMBDA"
    STEP_FUNCTIONS = "STEP_FUNCTIONS"


class CutoffBehavior(StrEnum):
    """What happens at the cutoff to a task that has begun."""

    CONTINUE_TASK = "CONTINUE_TASK"
    CANCEL_TASK = "CANCEL_TASK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One filter over nodes: `InstanceIds`, `tag:<key>`, `tag-key`, `WindowTargetIds`, `resource-groups:Name`."""

    key: str
    values: tuple[str, ...] = ()


INSTANCE_IDS: Final = "InstanceIds"


def names(targets: Iterable[Target], node_id: str) -> bool:
    """Return whether the node is one that *targets* name by id."""
    return any(target.key == INSTANCE_IDS and node_id in target.values for target in targets)


def renamed(targets: Iterable[Target], former_id: str, new_id: str) -> tuple[Target, ...]:
    """Return *targets* with one node in the place of another, named once, wherever that was named by id."""

    def changed(target: Target) -> Target:
        values = (new_id if value == former_id else value for value in target.values)
        return replace(target, values=tuple(dict.fromkeys(values)))

    return tuple(changed(target) if names((target,), former_id) else target for target in targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A maintenance window."""

    window_id: str
    name: str
    description: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    schedule: str
    schedule_timezone: str | None = None
    schedule_offset: int | None = None
    duration: int
    cutoff: int
    allow_unassociated_targets: bool
    enabled: bool = True
    created_date: datetime
    modified_date: datetime
    scheduled_at: datetime
    """When the schedule was last set. Ours, not the API's: an offset's match must not lie before it."""

    def timing(self) -> Timing:
        """Return when the window opens.

        Raises:
            Invalid: schedule, zone, offset, dates, duration and cutoff do not make a window.
        """
        check_duration(self.duration, self.cutoff)
        return timing(
            schedule=self.schedule,
            schedule_timezone=self.schedule_timezone,
            schedule_offset=self.schedule_offset,
            start_date=self.start_date,
            end_date=self.end_date,
            created_at=self.created_date,
            basis_at=self.scheduled_at,
        )

    def cutoff_at(self, opens_at: datetime) -> datetime:
        """Return the instant after which no task starts."""
        return self.ends_at(opens_at) - timedelta(hours=self.cutoff)

    def ends_at(self, opens_at: datetime) -> datetime:
        """Return the end: *opens_at* plus the duration in elapsed time, whatever the wall clock does."""
        return opens_at + timedelta(hours=self.duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTarget:
    """A target registered with a window."""

    window_id: str
    window_target_id: str
    resource_type: ResourceType
    targets: tuple[Target, ...]
    owner_information: str | None = None
    name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTask:
    """A task registered with a window."""

    window_id: str
    window_task_id: str
    targets: tuple[Target, ...] = ()
    task_arn: str
    service_role_arn: str | None = None
    task_type: TaskType
    task_parameters: Mapping[str, Any] | None = None
    task_invocation_parameters: Mapping[str, Any] | None = None
    priority: int = 0
    max_concurrency: str | None = None
    max_errors: str | None = None
    logging_info: Mapping[str, Any] | None = None
    name: str | None = None
    description: str | None = None
    cutoff_behavior: CutoffBehavior | None = None
    alarm_configuration: Mapping[str, Any] | None = None
