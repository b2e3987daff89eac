"""ListOpenings: the openings of all windows on one axis of time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.engine.world import OPENS_AT, World
from tests.fakes.databases import migrated_url

from patchwindow.domain.errors import Invalid, NotFound

DAY = timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> Any:
    with migrated_url("sqlite", tmp_path) as url:
        world = World(url)
        yield world
        world.close()


def openings(world: World, after: datetime, before: datetime, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    answer = world.perform("ListOpenings", After=after, Before=before, **more)
    found += answer["Openings"]
    while token := answer.get("NextToken"):
        answer = world.perform("ListOpenings", After=after, Before=before, **more, NextToken=token)
        found += answer["Openings"]
    return found


def opened(world: World) -> str:
    """Return a window that opened with two nodes, on one of which its command failed."""
    good, bad = world.nodes(2, Role="web")
    window = world.window()
    world.task(window, world.target(window, "tag:Role", "web"), MaxErrors="100%")
    world.at(15)
    good.run()
    world.turn()
    bad.run("Failed")
    world.at(16)
    return window


def test_what_was_and_what_comes_stand_in_one_order(world: World) -> None:
    window = opened(world)
    found = openings(world, OPENS_AT, OPENS_AT + 3 * DAY)
    assert [(one["OpensTime"], one["Status"]) for one in found] == [
        (OPENS_AT, "SUCCESS"),
        (OPENS_AT + DAY, "SCHEDULED"),
        (OPENS_AT + 2 * DAY, "SCHEDULED"),
    ]
    assert {one["WindowId"] for one in found} == {window}
    first, second, _ = found
    assert (first["TargetCount"], first["CompletedCount"], first["ErrorCount"]) == (2, 2, 1)
    assert first["WindowExecutionId"] == world.execution(window)["WindowExecutionId"]
    assert (second["TargetCount"], second["CutoffTime"], second["EndsTime"]) == (
        2,
        OPENS_AT + DAY + timedelta(hours=2),
        OPENS_AT + DAY + timedelta(hours=3),
    )


def test_the_range_has_its_beginning_and_not_its_end(world: World) -> None:
    opened(world)
    assert len(openings(world, OPENS_AT, OPENS_AT + DAY)) == 1
    assert openings(world, OPENS_AT + timedelta(seconds=1), OPENS_AT + DAY) == []


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_of_any_size_show_each_opening_once(world: World, size: int) -> None:
    opened(world)
    for name in ("b", "a"):
        world.window(Name=name)
    until = OPENS_AT + 4 * DAY
    whole = openings(world, OPENS_AT, until)
    assert openings(world, OPENS_AT, until, MaxResults=size) == whole
    keys = [(one["OpensTime"], one["WindowId"]) for one in whole]
    assert keys == sorted(set(keys))
    assert len(keys) == 1 + 3 * 3


def test_one_window_can_be_asked_for_alone(world: World) -> None:
    opened(world)
    other = world.window(Name="other")
    found = openings(world, OPENS_AT, OPENS_AT + 3 * DAY, WindowId=other)
    assert {one["WindowId"] for one in found} == {other}
    with pytest.raises(NotFound):
        openings(world, OPENS_AT, OPENS_AT + DAY, WindowId="mw-00000000000000fff")


def test_a_window_that_is_disabled_or_gone_keeps_its_past_alone(world: World) -> None:
    window = opened(world)
    world.perform("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
    assert [one["Status"] for one in openings(world, OPENS_AT, OPENS_AT + 3 * DAY)] == ["SUCCESS"]
    world.perform("DeleteMaintenanceWindow", WindowId=window)
    (left,) = openings(world, OPENS_AT, OPENS_AT + 3 * DAY)
    assert (left["Name"], left["Status"]) == ("", "SUCCESS")


def test_an_opening_that_a_freeze_will_keep_shut_says_so(world: World) -> None:
    calendar = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nX-CALENDAR-TYPE:DEFAULT_OPEN\r\nBEGIN:VEVENT\r\nUID:1\r\n"
        "DTSTAMP:20260101T000000Z\r\nDTSTART:20260116T000000Z\r\nDTEND:20260117T000000Z\r\nSUMMARY:year end\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    world.perform(
        "CreateDocument", Name="quiet", Content=calendar, DocumentType="ChangeCalendar", DocumentFormat="TEXT"
    )
    window = world.window()
    tags = [{"Key": "patchwindow:freezes", "Value": "quiet"}]
    world.perform("AddTagsToResource", ResourceType="MaintenanceWindow", ResourceId=window, Tags=tags)
    found = openings(world, OPENS_AT + timedelta(hours=1), OPENS_AT + 3 * DAY)
    assert [(one["Status"], one.get("Calendar"), one.get("StatusDetails")) for one in found] == [
        ("FROZEN", "quiet", "year end"),
        ("SCHEDULED", None, None),
    ]


@pytest.mark.parametrize(("begins", "calendar"), [("20260115T170000Z", "quiet"), ("20260120T000000Z", None)])
def test_an_opening_that_was_names_a_freeze_only_where_that_cuts_it_short(
    world: World, begins: str, calendar: str | None
) -> None:
    content = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nX-CALENDAR-TYPE:DEFAULT_OPEN\r\nBEGIN:VEVENT\r\nUID:1\r\n"
        f"DTSTAMP:20260101T000000Z\r\nDTSTART:{begins}\r\nDTEND:20260122T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    world.perform("CreateDocument", Name="quiet", Content=content, DocumentType="ChangeCalendar", DocumentFormat="TEXT")
    window = world.window()
    tags = [{"Key": "patchwindow:freezes", "Value": "quiet"}]
    world.perform("AddTagsToResource", ResourceType="MaintenanceWindow", ResourceId=window, Tags=tags)
    world.task(window, world.target(window, "tag:Role", "web"))
    world.at(15)
    (one,) = openings(world, OPENS_AT, OPENS_AT + timedelta(hours=1))
    assert one.get("WindowExecutionId")
    assert one.get("Calendar") == calendar


@pytest.mark.parametrize("span", [timedelta(), timedelta(days=-1), timedelta(days=366, seconds=1)])
def test_a_range_that_is_none_or_too_long_is_refused(world: World, span: timedelta) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(Invalid, match="2026-01-01"):
        openings(world, start, start + span)


def test_a_node_that_several_targets_select_counts_once(world: World) -> None:
    world.nodes(2, Role="web", Env="prod")
    world.nodes(1, Role="web")
    one, both = world.window(Name="one"), world.window(Name="both")
    world.target(one, "tag:Role", "web")
    world.target(both, "tag:Role", "web")
    world.target(both, "tag:Env", "prod")
    none = world.window(Name="none")
    found = openings(world, OPENS_AT, OPENS_AT + DAY)
    assert {opening["WindowId"]: opening["TargetCount"] for opening in found} == {one: 3, both: 3, none: 0}
