"""Where a calendar comes from: a plan file, or what answers the API."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from patchwindow.cli import show
from patchwindow.cli.plan_files import counted
from patchwindow.client import ClientProblem, SsmClient, call, is_aws, pages
from patchwindow.domain.errors import Invalid
from patchwindow.domain.freeze import TAG, Freeze, names
from patchwindow.domain.schedule_zone import parse_zone
from patchwindow.domain.window_calendar import PlannedWindow, asked_for
from patchwindow.ical.reading import FreezeCalendar, read
from patchwindow.plans import PlanProblems, coming, read_plan

_Read = FreezeCalendar | str
"""A calendar, or why it cannot be told."""


def of_plan(file: Path, overlays: Iterable[Path], since: datetime, until: datetime) -> list[PlannedWindow]:
    """Return the windows of a plan file.

    Raises: click.ClickException, where the file has problems.
    """
    try:
        return coming(read_plan(file, overlays), since, until)
    except PlanProblems as problems:
        for problem in problems.problems:
            show.note(str(problem))
        raise click.ClickException(f"{file} has {counted(problems)}; correct the lines above") from None


def of_api(client: SsmClient, since: datetime, until: datetime) -> list[PlannedWindow]:
    """Return the enabled windows that the API tells of; the openings are those that it plans itself.

    Windows of AWS heed no freezes, so they are shown without.

    Raises: ClientProblem.
    """
    heeds = not is_aws(client)
    if not heeds:
        show.note("windows of AWS heed no freezes: none are shown")
    calendars: dict[str, _Read] = {}
    enabled = [{"Key": "Enabled", "Values": ["true"]}]
    found = pages(client, "DescribeMaintenanceWindows", "WindowIdentities", Filters=enabled)
    return [_window(client, one["WindowId"], since, until, calendars if heeds else None) for one in found]


def _window(
    client: SsmClient, id: str, since: datetime, until: datetime, calendars: dict[str, _Read] | None
) -> PlannedWindow:
    window = call(client, "GetMaintenanceWindow", WindowId=id)
    zone, duration_hours = window.get("ScheduleTimezone", "UTC"), window["Duration"]
    ends_at = until + timedelta(hours=duration_hours)
    freezes, problem = (
        ((), "") if calendars is None else _freezes(client, id, calendars, between=(since, ends_at), zone=zone)
    )
    return PlannedWindow(
        id=id,
        name=window["Name"],
        openings=tuple(_openings(client, id, since, until)),
        duration_hours=duration_hours,
        cutoff_hours=window["Cutoff"],
        zone=zone,
        changed_at=window["ModifiedDate"].astimezone(UTC),
        nodes=frozenset(
            words
            for target in pages(client, "DescribeMaintenanceWindowTargets", "Targets", WindowId=id)
            for words in asked_for([(one["Key"], one.get("Values", ())) for one in target["Targets"]])
        ),
        freezes=freezes,
        problem=problem,
    )


def _openings(client: SsmClient, id: str, since: datetime, until: datetime) -> Iterator[datetime]:
    filters = [
        {"Key": "ScheduledAfter", "Values": [f"{since:%Y-%m-%dT%H:%M:%SZ}"]},
        {"Key": "ScheduledBefore", "Values": [f"{until:%Y-%m-%dT%H:%M:%SZ}"]},
    ]
    key = "ScheduledWindowExecutions"
    for one in pages(client, "DescribeMaintenanceWindowSchedule", key, WindowId=id, Filters=filters):
        at = show.instant(one["ExecutionTime"])
        if at is not None and since < at < until:
            yield at.astimezone(UTC)


def _freezes(
    client: SsmClient, id: str, calendars: dict[str, _Read], *, between: tuple[datetime, datetime], zone: str
) -> tuple[tuple[Freeze, ...], str]:
    """Return the freezes that the window's tag names, or why they cannot be told."""
    tags = call(client, "ListTagsForResource", ResourceType="MaintenanceWindow", ResourceId=id)["TagList"]
    found: list[Freeze] = []
    for name in names(next((tag["Value"] for tag in tags if tag["Key"] == TAG), "")):
        calendar = calendars[name] if name in calendars else calendars.setdefault(name, _calendar(client, name))
        if isinstance(calendar, str):
            return (), calendar
        found += calendar.freezes(name, *between, parse_zone(zone))
    return tuple(found), ""


def _calendar(client: SsmClient, name: str) -> _Read:
    try:
        return read(call(client, "GetDocument", Name=name)["Content"])
    except (ClientProblem, Invalid) as problem:
        return f"calendar {name} cannot be read: {problem}"
