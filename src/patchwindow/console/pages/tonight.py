"""Tonight: the windows that are open and those of the next 24 hours, on one axis of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from patchwindow.console.charts import Axis, Tick
from patchwindow.console.view import Shown, Table, View

AHEAD: Final = timedelta(hours=24)
_LONGEST: Final = timedelta(hours=24)
"""The longest window: what opened before cannot be open any more."""
_MARGIN: Final = timedelta(hours=1)
_RUNS: Final = ("PENDING", "IN_PROGRESS", "CANCELLING")
_SHOWN_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One opening."""

    window_id: str
    name: str
    zone: str
    status: str
    details: str
    execution_id: str
    opens_at: datetime
    cutoff_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    target_count: int
    done_count: int
    error_count: int
    calendar: str
    expected_at: datetime | None
    """When all nodes will be done at the present pace."""

    @property
    def runs(self) -> bool:
        """Whether it is under way."""
        return self.status in _RUNS

    @property
    def is_late(self) -> bool:
        """Whether not all nodes will be done before the cutoff, at the present pace."""
        return self.expected_at is not None and self.expected_at > self.cutoff_at


@dataclass(frozen=True, slots=True, kw_only=True)
class TonightPage:
    """The evening."""

    axis: Axis
    ticks: Sequence[Tick]
    nights: Sequence[Night]
    more_count: int
    next_opening: Mapping[str, Any] | None
    """The first one after these, where there are none."""
    has_nodes: bool
    """Whether any node is registered; looked for where nothing opens."""


def show(view: View) -> Shown:
    """Return the evening's page."""
    found = view.each("ListOpenings", "Openings", After=view.now - _LONGEST, Before=view.now + AHEAD, MaxResults=500)
    nights = [one for one in (night_of(opening, view.now) for opening in found) if _is_of_interest(one, view.now)]
    axis = axis_of(nights, view.now)
    page = TonightPage(
        axis=axis,
        ticks=list(axis.ticks(view.zone)),
        nights=nights[:_SHOWN_MAX],
        more_count=max(len(nights) - _SHOWN_MAX, 0),
        next_opening=None if nights else _next(view),
        has_nodes=bool(nights) or bool(view.ask("GetFleetCompliance", MaxResults=1)["Nodes"]),
    )
    return Shown(
        title="Tonight",
        template="tonight.html",
        page=page,
        command=("patchwindow windows next", "patchwindow windows executions WINDOW"),
        table=Table(
            ("WindowId", "Name", "Status", "OpensTime", "CutoffTime", "EndsTime", "TargetCount", "CompletedCount",
             "ErrorCount", "ExpectedTime"),
            [(one.window_id, one.name, one.status, one.opens_at, one.cutoff_at, one.ends_at, one.target_count,
              one.done_count, one.error_count, one.expected_at) for one in nights],
        ),
    )  # fmt: skip


def night_of(opening: Mapping[str, Any], now: datetime) -> Night:
    """Return one entry of ListOpenings as the page has it."""
    done, total = opening.get("CompletedCount", 0), opening["TargetCount"]
    expected = None
    if opening["Status"] in _RUNS:
        expected = expected_end(opening["StartTime"], now, done=done, total=total)
    return Night(
        window_id=opening["WindowId"],
        name=opening["Name"] or opening["WindowId"],
        zone=opening["ScheduleTimezone"],
        status=opening["Status"],
        details=opening.get("StatusDetails") or "",
        execution_id=opening.get("WindowExecutionId", ""),
        opens_at=opening["OpensTime"],
        cutoff_at=opening["CutoffTime"],
        ends_at=opening["EndsTime"],
        ended_at=opening.get("EndTime"),
        target_count=total,
        done_count=done,
        error_count=opening.get("ErrorCount", 0),
        calendar=opening.get("Calendar") or "",
        expected_at=expected,
    )


def expected_end(began_at: datetime, now: datetime, *, done: int, total: int) -> datetime | None:
    """Return when *total* nodes are done at the pace of those that are; None where nobody can say yet."""
    if not done or done >= total:
        return None
    return began_at + (now - began_at) * total / done


def axis_of(nights: Sequence[Night], now: datetime) -> Axis:
    """Return the axis: from the first opening that is shown, at least a little before now, for a day."""
    first = min((one.opens_at for one in nights), default=now)
    begins_at = min(first, now - _MARGIN)
    return Axis(begins_at.replace(minute=0, second=0, microsecond=0), now + AHEAD)


def _is_of_interest(one: Night, now: datetime) -> bool:
    # What ended early this evening is still tonight's.
    return one.runs or one.opens_at > now or (one.ended_at or now) > now - timedelta(hours=12)


def _next(view: View) -> Mapping[str, Any] | None:
    found = view.ask("ListOpenings", After=view.now, Before=view.now + timedelta(days=366), MaxResults=1)["Openings"]
    return found[0] if found else None
