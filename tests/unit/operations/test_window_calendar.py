"""GetWindowCalendar: what openings meet."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.engine.world import OPENS_AT, World
from tests.fakes.databases import migrated_url

from patchwindow.domain.errors import Invalid

DAY = timedelta(days=1)
FROM, UNTIL = datetime(2026, 1, 16, tzinfo=UTC), datetime(2026, 1, 17, 12, tzinfo=UTC)
CALENDAR = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nX-CALENDAR-TYPE:DEFAULT_OPEN\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    "DTSTAMP:20260101T000000Z\r\nDTSTART:20260116T000000Z\r\nDTEND:20260117T120000Z\r\nSUMMARY:year end\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with migrated_url("sqlite", tmp_path) as url:
        world = World(url)
        yield world
        world.close()


def told(world: World, after: datetime = OPENS_AT, before: datetime = OPENS_AT + 3 * DAY) -> Any:
    return world.perform("GetWindowCalendar", After=after, Before=before)


def frozen(world: World, **members: Any) -> str:
    window = world.window(**members)
    tags = [{"Key": "patchwindow:freezes", "Value": "quiet"}]
    world.perform("AddTagsToResource", ResourceType="MaintenanceWindow", ResourceId=window, Tags=tags)
    return window


def reaching(world: World, name: str, **members: Any) -> str:
    window = world.window(Name=name, **members)
    world.target(window, "tag:Role", "web")
    return window


def test_a_freeze_stands_there_once_with_the_windows_that_heed_it(world: World) -> None:
    world.perform(
        "CreateDocument", Name="quiet", Content=CALENDAR, DocumentType="ChangeCalendar", DocumentFormat="TEXT"
    )
    one, other = frozen(world), frozen(world, Name="other")
    frozen(world, Enabled=False)
    world.window(Name="heeds none")
    assert told(world)["Freezes"] == [
        {
            "Calendar": "quiet",
            "Reason": "year end",
            "StartsTime": FROM,
            "EndsTime": UNTIL,
            "WindowIds": sorted([one, other]),
        }
    ]


@pytest.mark.parametrize(
    ("after", "before", "count"),
    [
        (FROM - DAY, FROM, 0),
        (FROM - DAY, FROM + timedelta(hours=1), 1),
        (FROM + timedelta(hours=1), FROM + timedelta(hours=2), 1),
        (UNTIL - timedelta(hours=1), UNTIL + DAY, 1),
        (UNTIL, UNTIL + DAY, 0),
    ],
)
def test_a_freeze_is_told_where_it_touches_the_range(
    world: World, after: datetime, before: datetime, count: int
) -> None:
    world.perform(
        "CreateDocument", Name="quiet", Content=CALENDAR, DocumentType="ChangeCalendar", DocumentFormat="TEXT"
    )
    frozen(world)
    assert len(told(world, after, before)["Freezes"]) == count


def test_windows_that_are_open_together_for_the_same_nodes_overlap(world: World) -> None:
    one = reaching(world, "one")
    other = reaching(world, "other", Schedule="cron(0 17 16 * ? *)")
    world.target(world.window(Name="others"), "tag:Role", "db")
    assert told(world)["Overlaps"] == [
        {"WindowId": one, "OpensTime": OPENS_AT + DAY, "Beside": ["other"]},
        {"WindowId": other, "OpensTime": OPENS_AT + DAY + timedelta(hours=2), "Beside": ["one"]},
    ]


def test_a_window_that_is_open_before_the_range_begins_is_met(world: World) -> None:
    reaching(world, "one")
    other = reaching(world, "other", Schedule="cron(0 17 16 * ? *)")
    found = told(world, OPENS_AT + DAY + timedelta(hours=1))["Overlaps"]
    assert [(one["WindowId"], one["Beside"]) for one in found] == [(other, ["one"])]


def test_of_the_past_no_overlaps_are_made_up(world: World) -> None:
    reaching(world, "one")
    reaching(world, "other")
    assert told(world, OPENS_AT - 5 * DAY, OPENS_AT - DAY)["Overlaps"] == []


@pytest.mark.parametrize("length", [timedelta(), -DAY, 63 * DAY])
def test_a_range_that_is_none_is_refused(world: World, length: timedelta) -> None:
    with pytest.raises(Invalid, match="are not a range of at most 62 days"):
        told(world, OPENS_AT, OPENS_AT + length)
