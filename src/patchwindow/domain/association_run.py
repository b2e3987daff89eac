"""What ran of associations: records only, no rules. The states and their moves are in `association_execution.py`."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from patchwindow.domain.association_execution import NodeStatus, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of an association; the API calls it an execution.

    `scheduled_at` is the instant of the schedule that it was for; None where it was asked for, or is for nodes that
    came later: then `is_whole` is false, and it ends no other run.
    """

    execution_id: str
    association_id: str
    association_version: str
    scheduled_at: datetime | None = None
    is_whole: bool = True
    created_at: datetime
    ended_at: datetime | None = None
    status: State = State.PENDING
    details: str = ""
    command_id: str | None = None


class NodeStanding(NamedTuple):
    """How the latest run of an association stands on a node, and since when."""

    execution_id: str
    status: NodeStatus
    details: str
    at: datetime
