"""Windows with their targets and tasks."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from patchwindow.checks.asking import Asking
from patchwindow.checks.collect_nodes import Fleet
from patchwindow.checks.collect_runs import read_runs
from patchwindow.checks.openings import next_after_freezes
from patchwindow.checks.snapshot import Calendar, Topic, Window, WindowTarget, WindowTask
from patchwindow.domain.freeze import TAG, names


def read_windows(ask: Asking, fleet: Fleet, now: datetime) -> Iterator[Window]:
    """Yield every window."""
    for identity in ask.pages(Topic.WINDOWS, "DescribeMaintenanceWindows", "WindowIdentities"):
        id = str(identity["WindowId"])
        targets = tuple(
            WindowTarget(
                id=str(each["WindowTargetId"]),
                name=str(each.get("Name", "")),
                nodes=fleet.meant(each.get("Targets", ())),
            )
            for each in ask.pages(Topic.WINDOWS, "DescribeMaintenanceWindowTargets", "Targets", WindowId=id)
        )
        by_id = {target.id: target.nodes for target in targets}
        entries = ask.pages(Topic.WINDOWS, "DescribeMaintenanceWindowTasks", "Tasks", WindowId=id)
        window = Window(
            id=id,
            name=str(identity.get("Name", "")),
            schedule=str(identity.get("Schedule", "")),
            zone=identity.get("ScheduleTimezone"),
            offset=identity.get("ScheduleOffset"),
            start_date=identity.get("StartDate"),
            end_date=identity.get("EndDate"),
            duration_hours=int(identity.get("Duration", 1)),
            cutoff_hours=int(identity.get("Cutoff", 0)),
            is_enabled=bool(identity.get("Enabled", True)),
            next_at=_instant(identity.get("NextExecutionTime")),
            targets=targets,
            tasks=tuple(_task(ask, fleet, id, entry, by_id) for entry in entries),
            calendars=tuple(_calendars(ask, id, _instant(identity.get("NextExecutionTime")))),
            runs=read_runs(ask, id, now),
        )
        if any(calendar.is_closed for calendar in window.calendars):
            window = replace(window, free_at=next_after_freezes(window, now, partial(_closed_until, ask, window)))
        yield window


def _task(
    ask: Asking,
    fleet: Fleet,
    window_id: str,
    entry: Mapping[str, Any],
    targets: Mapping[str, frozenset[str]],
) -> WindowTask:
    id = str(entry["WindowTaskId"])
    # What a task is given is not in the list.
    told = ask.call(Topic.TASKS, "GetMaintenanceWindowTask", WindowId=window_id, WindowTaskId=id)
    run_command = (told.get("TaskInvocationParameters") or {}).get("RunCommand") or {}
    given = {name: values[0] for name, values in (run_command.get("Parameters") or {}).items() if values}
    target_ids = tuple(
        str(value)
        for target in entry.get("Targets", ())
        if target["Key"] == "WindowTargetIds"
        for value in target["Values"]
    )
    direct = [target for target in entry.get("Targets", ()) if target["Key"] != "WindowTargetIds"]
    parts = [targets.get(target_id, frozenset()) for target_id in target_ids]
    return WindowTask(
        id=id,
        name=str(entry.get("Name", "")),
        document=str(entry.get("TaskArn", "")).rpartition("/")[2],
        priority=int(entry.get("Priority", 0)),
        max_concurrency=str(entry.get("MaxConcurrency", "1")),
        is_cancelled_at_cutoff=entry.get("CutoffBehavior") == "CANCEL_TASK",
        target_ids=target_ids,
        parts=tuple([*parts, fleet.meant(direct)] if direct else parts),
        operation=given.get("Operation"),
        reboot_option=given.get("RebootOption"),
    )


def _closed_until(ask: Asking, window: Window, at: datetime) -> datetime | None:
    """Return until when a calendar of *window* is closed at *at*, which is *at* itself where none is, None where no end is told."""
    names = [calendar.name for calendar in window.calendars if calendar.is_there]
    told = ask.call(Topic.CALENDARS, "GetCalendarState", CalendarNames=names, AtTime=_text(at))
    return _instant(told.get("NextTransitionTime")) if told.get("State") == "CLOSED" else at


def _calendars(ask: Asking, window_id: str, next_at: datetime | None) -> Iterator[Calendar]:
    """Yield the calendars that the tag of a window names, as they are at its next opening."""
    tags = ask.pages(
        Topic.CALENDARS, "ListTagsForResource", "TagList", ResourceType="MaintenanceWindow", ResourceId=window_id
    )
    at = {} if next_at is None else {"AtTime": _text(next_at)}
    for name in (name for tag in tags if tag["Key"] == TAG for name in names(tag["Value"])):
        state = ask.call(Topic.CALENDARS, "GetCalendarState", CalendarNames=[name], **at).get("State")
        is_closed = next_at is not None and state == "CLOSED"
        yield Calendar(name=name, is_there=state is not None, is_closed=is_closed)


def _text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _instant(text: str | None) -> datetime | None:
    """Return the instant that the API wrote; without a zone it is UTC."""
    if not text:
        return None
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
