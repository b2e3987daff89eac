"""All windows: when each opens next, for whom, what it runs, and what came of it last."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from patchwindow.console.pages.tonight import Night, night_of
from patchwindow.console.view import Cell, Shown, Table, View
from patchwindow.domain.errors import Invalid
from patchwindow.domain.opening import parse_instant
from patchwindow.domain.schedule_words import in_words

PAGE_SIZE: Final = 30
ENABLED: Final = {"Enabled": "true", "Disabled": "false"}
"""What the list can be narrowed to, as the API says it."""
_LEAST: Final = 10
"""The smallest page that the API has."""
_TICK: Final = timedelta(seconds=1)
_COUNTED_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One window of the list."""

    window_id: str
    name: str
    is_enabled: bool
    schedule: str
    words: str
    zone: str
    duration: int
    cutoff: int
    next_at: datetime | None
    opening: Night | None
    """That opening; None where the engine is about to open it."""
    target_count: int
    task_count: int
    last: Mapping[str, Any]
    """The execution that began last; nothing where there was none."""

    @property
    def lacks(self) -> str:
        """Why nothing will happen when it opens; empty where something will."""
        if not self.task_count:
            return "no task: nothing runs when it opens"
        if self.opening is not None and not self.opening.target_count:
            return "no node: its targets select nobody"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsPage:
    """The list and what it is narrowed to."""

    rows: Sequence[Row]
    name: str
    state: str
    states: Sequence[str]
    next: str


def show(view: View) -> Shown:
    """Return the list of windows.

    Raises:
        Invalid: State is no state of a window.
    """
    name, state = view.first("Name"), view.first("State")
    if state and state not in ENABLED:
        raise Invalid(f"State is {state!r}; use one of {', '.join(ENABLED)}")
    filters = [
        {"Key": key, "Values": [value]} for key, value in (("Name", name), ("Enabled", ENABLED.get(state))) if value
    ]
    answer = view.ask(
        "DescribeMaintenanceWindows",
        Filters=filters or None,
        MaxResults=PAGE_SIZE,
        NextToken=view.first("after") or None,
    )
    page = WindowsPage(
        rows=[_row(view, one) for one in answer["WindowIdentities"]],
        name=name,
        state=state,
        states=list(ENABLED),
        next=answer.get("NextToken", ""),
    )
    return Shown(
        title="Windows",
        template="windows.html",
        page=page,
        command=("patchwindow windows list" + (" --enabled" if state == "Enabled" else ""), "patchwindow windows next"),
        table=Table(_COLUMNS, _cells(view, filters)),
    )


_COLUMNS: Final = (
    "WindowId", "Name", "State", "Schedule", "ScheduleTimezone", "Duration", "Cutoff", "NextOpening", "TargetCount",
    "TaskCount", "NodeCount", "LastStatus", "LastStartTime",
)  # fmt: skip


def said(expression: str, offset_days: int) -> str:
    """Return a schedule in words; by itself where this release cannot read what an older one took."""
    try:
        return in_words(expression, offset_days)
    except Invalid:
        return expression


def next_opening(view: View, window: Mapping[str, Any]) -> tuple[datetime | None, Night | None]:
    """Return when a window that GetMaintenanceWindow tells of opens next, if ever, and that opening, which may be frozen."""
    if not window["Enabled"] or not window.get("NextExecutionTime"):
        return None, None
    at = parse_instant("NextExecutionTime", window["NextExecutionTime"])
    found = view.ask("ListOpenings", WindowId=window["WindowId"], After=at, Before=at + _TICK, MaxResults=1)["Openings"]
    return at, night_of(found[0], view.now) if found else None


def _row(view: View, window: Mapping[str, Any]) -> Row:
    which = {"WindowId": window["WindowId"], "MaxResults": _COUNTED_MAX}
    next_at, opening = next_opening(view, window)
    ran = view.ask("DescribeMaintenanceWindowExecutions", WindowId=window["WindowId"], MaxResults=_LEAST)
    return Row(
        window_id=window["WindowId"],
        name=window["Name"],
        is_enabled=window["Enabled"],
        schedule=window["Schedule"],
        words=said(window["Schedule"], window.get("ScheduleOffset") or 0),
        zone=window.get("ScheduleTimezone") or "UTC",
        duration=window["Duration"],
        cutoff=window["Cutoff"],
        next_at=next_at,
        opening=opening,
        target_count=len(view.ask("DescribeMaintenanceWindowTargets", **which)["Targets"]),
        task_count=len(view.ask("DescribeMaintenanceWindowTasks", **which)["Tasks"]),
        last=next(iter(ran["WindowExecutions"]), {}),
    )


def _cells(view: View, filters: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Cell]]:
    for window in view.each("DescribeMaintenanceWindows", "WindowIdentities", Filters=list(filters) or None):
        row = _row(view, window)
        yield (
            row.window_id, row.name, "Enabled" if row.is_enabled else "Disabled", row.schedule, row.zone, row.duration,
            row.cutoff, row.next_at, row.target_count, row.task_count, None if row.opening is None else row.opening.target_count,
            row.last.get("Status"), row.last.get("StartTime"),
        )  # fmt: skip
