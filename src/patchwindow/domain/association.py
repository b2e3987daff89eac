"""Associations of State Manager: a document that runs on targets, at once and by a schedule.

Fields are the API's members in snake case: `duration` is hours, `schedule_offset` is days.
Source: association shapes of the service model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from patchwindow.domain.association_schedule import timing
from patchwindow.domain.opening import Timing
from patchwindow.domain.window import Target

INSTANCE_IDS: Final = "InstanceIds"
ALL_NODES: Final = ("*",)


class Severity(StrEnum):
    """How bad it is where an association did not succeed: the severity of its compliance item."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    UNSPECIFIED = "UNSPECIFIED"


class SyncCompliance(StrEnum):
    """Who says whether a node complies with an association: its runs, or the caller of PutComplianceItems."""

    AUTO = "AUTO"
    MANUAL = "MANUAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationStatus:
    """What somebody said about an association of a single node, by UpdateAssociationStatus."""

    date: datetime
    name: str
    message: str
    additional_info: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """An association in one version; `last_update_association_date` is when that version was made.

    `scheduled_at` is when its schedule was last set: the runs of a rate are counted from there.
    """

    association_id: str
    association_version: str = "1"
    name: str | None = None
    instance_id: str | None = None
    document_version: str | None = None
    parameters: Mapping[str, Any] | None = None
    targets: tuple[Target, ...] | None = None
    schedule_expression: str | None = None
    output_location: Mapping[str, Any] | None = None
    association_name: str | None = None
    max_errors: str | None = None
    max_concurrency: str | None = None
    compliance_severity: Severity | None = None
    sync_compliance: SyncCompliance | None = None
    apply_only_at_cron_interval: bool | None = None
    schedule_offset: int | None = None
    duration: int | None = None
    calendar_names: tuple[str, ...] | None = None
    alarm_configuration: Mapping[str, Any] | None = None
    association_dispatch_assume_role: str | None = None
    date: datetime
    last_update_association_date: datetime
    scheduled_at: datetime
    status: AssociationStatus | None = None

    @property
    def runs_at_once(self) -> bool:
        """Whether it runs when it is made or changed, and for each node that joins; else its schedule alone counts."""
        return self.schedule_expression is None or not self.apply_only_at_cron_interval

    @property
    def selecting(self) -> tuple[Target, ...] | None:
        """The targets that a node must meet; none at all where every node does, and None where no node can.

        The API writes the first as the node id ``*``; an update that leaves Targets out makes it the second.
        """
        if not self.targets:
            return None
        return tuple(target for target in self.targets if not is_everything(target))

    def timing(self) -> Timing | None:
        """Return what says when it runs; None where it has no schedule.

        Raises:
            InvalidSchedule: the schedule is none that an association can have.
        """
        if self.schedule_expression is None:
            return None
        return timing(
            self.schedule_expression,
            schedule_offset=self.schedule_offset,
            only_at_interval=bool(self.apply_only_at_cron_interval),
            set_at=self.scheduled_at,
        )


def is_everything(target: Target) -> bool:
    """Return whether the target selects every node there is."""
    return target.key == INSTANCE_IDS and tuple(target.values) == ALL_NODES
