"""Windows and the change calendars that they heed."""

from datetime import timedelta
from typing import Any

import pytest
from tests.engine.agent import STEP, step
from tests.engine.world import OPENS_AT, World
from tests.fakes.calendars import calendar

from patchwindow.domain.errors import InUse, InvalidDocumentType, UnknownDocument

HOUR = timedelta(hours=1)


def freeze(world: World, starts: float, ends: float, name: str = "year-end") -> None:
    """Make a calendar that is closed from and to so many hours after the opening."""
    text = calendar((OPENS_AT + starts * HOUR, OPENS_AT + ends * HOUR, "closing of the books"))
    world.perform("CreateDocument", Name=name, Content=text, DocumentType="ChangeCalendar", DocumentFormat="TEXT")


def change(world: World, starts: float, ends: float, name: str = "year-end") -> None:
    """Give the calendar another freeze."""
    text = calendar((OPENS_AT + starts * HOUR, OPENS_AT + ends * HOUR, "incident"))
    made = world.perform("UpdateDocument", Name=name, Content=text, DocumentFormat="TEXT", DocumentVersion="$LATEST")
    version = made["DocumentDescription"]["DocumentVersion"]
    world.perform("UpdateDocumentDefaultVersion", Name=name, DocumentVersion=version)


def heeding(world: World, calendars: str = "year-end", **members: Any) -> str:
    """Return a window that heeds the calendars."""
    return world.window(Tags=[{"Key": "patchwindow:freezes", "Value": calendars}], **members)


def test_an_opening_inside_a_freeze_is_recorded_with_the_calendar_and_not_opened(world: World) -> None:
    node = world.node()
    freeze(world, -5, 0.5)
    window = heeding(world, ScheduleTimezone="Europe/Berlin", Schedule="cron(0 16 * * ? *)")
    world.task(window, world.target(window, "InstanceIds", node.id))
    assert world.at(15) == OPENS_AT + timedelta(days=1)
    execution = world.execution(window)
    assert execution["Status"] == "CANCELLED"
    assert execution["StatusDetails"] == (
        "Frozen: the opening at 2026-01-15T16:00+01:00 lies in a freeze of calendar year-end, from "
        "2026-01-15T11:00+01:00 to 2026-01-15T16:30+01:00 (closing of the books)."
    )
    assert not world.tasks(window)
    world.at(17)
    assert not node.poll()


def test_a_window_that_heeds_no_calendar_opens_in_a_freeze(world: World) -> None:
    freeze(world, -5, 5)
    window = world.window()
    world.at(15)
    assert world.execution(window)["Status"] == "SUCCESS"


def test_the_opening_after_a_freeze_opens(world: World) -> None:
    freeze(world, -5, 5)
    window = heeding(world)
    world.at(15)
    world.at(15, day=16)
    assert [one["Status"] for one in world.executions(window)] == ["CANCELLED", "SUCCESS"]


def test_where_a_freeze_begins_no_further_node_is_patched_and_what_runs_goes_on(world: World) -> None:
    first, second, third = world.nodes(3, group="web")
    freeze(world, 1, 9)
    window = heeding(world)
    world.task(window, world.target(window, "tag:group", "web"), MaxConcurrency="2")
    world.at(15)
    (taken,) = first.take()
    # The second was sent the command as well, and is switched off; the third waits for its turn.
    world.turn()
    world.at(16)
    assert not second.poll()
    assert not third.poll()
    assert world.execution(window)["Status"] == "IN_PROGRESS"
    first.say(taken, "Success", {STEP: step()})
    world.turn()
    execution = world.execution(window)
    assert execution["Status"] == "FAILED"
    assert execution["StatusDetails"] == (
        "One or more tasks in the orchestration failed. Calendar year-end let nothing start from 2026-01-15T16:00Z on."
    )
    (task,) = world.tasks(window)
    details = world.invocations(task)[0]["StatusDetails"]
    assert second.id in details
    assert third.id in details


def test_a_task_that_has_not_begun_when_a_freeze_begins_never_does(world: World) -> None:
    first, second = world.nodes(2)
    freeze(world, 1, 9)
    window = heeding(world)
    world.task(window, world.target(window, "InstanceIds", first.id), Priority=1)
    world.task(window, world.target(window, "InstanceIds", second.id), Priority=2)
    world.at(15)
    (taken,) = first.take()
    world.at(16)
    first.say(taken, "Success", {STEP: step()})
    world.turn()
    assert not second.poll()
    assert world.states(window) == ["SUCCESS", "TIMED_OUT"]


def test_a_freeze_after_the_cutoff_stops_tasks_that_go_on_beyond_it(world: World) -> None:
    first, second = world.nodes(2)
    freeze(world, 4, 9)
    window = heeding(world)
    targets = [world.target(window, "InstanceIds", node.id) for node in (first, second)]
    world.task(window, *targets, parameters={"TimeoutSeconds": 86400, "Parameters": {"commands": ["true"]}})
    world.at(15)
    (taken,) = first.take()
    world.at(19)
    first.say(taken, "Success", {STEP: step()})
    world.turn()
    assert not second.poll()
    (task,) = world.tasks(window)
    assert [one["Status"] for one in world.invocations(task)] == ["SUCCESS", "TIMED_OUT"]


def test_a_freeze_that_is_declared_in_the_night_stops_an_open_window_at_once(world: World) -> None:
    first, second = world.nodes(2, group="web")
    freeze(world, 100, 101)
    window = heeding(world)
    world.task(window, world.target(window, "tag:group", "web"), MaxConcurrency="1")
    world.at(15)
    (taken,) = first.take()
    world.at(15, 30)
    change(world, -1, 9)
    first.say(taken, "Success", {STEP: step()})
    world.turn()
    assert not second.poll()
    assert "Calendar year-end let nothing start from 2026-01-15T15:30Z on." in world.execution(window)["StatusDetails"]


def test_a_window_that_is_open_heeds_the_calendar_that_its_tag_is_given(world: World) -> None:
    first, second = world.nodes(2)
    freeze(world, -1, 9)
    window = world.window()
    targets = [world.target(window, "InstanceIds", node.id) for node in (first, second)]
    world.task(window, *targets)
    world.at(15)
    (taken,) = first.take()
    tags = [{"Key": "patchwindow:freezes", "Value": "year-end"}]
    world.perform("AddTagsToResource", ResourceType="MaintenanceWindow", ResourceId=window, Tags=tags)
    first.say(taken, "Success", {STEP: step()})
    world.turn()
    assert not second.poll()


def test_a_window_cannot_be_told_to_heed_what_is_no_calendar(world: World) -> None:
    with pytest.raises(UnknownDocument, match="document 'year-end' does not exist"):
        heeding(world)
    with pytest.raises(InvalidDocumentType, match="AWS-RunPatchBaseline is of type Command"):
        heeding(world, "AWS-RunPatchBaseline")


def test_a_calendar_that_a_window_heeds_cannot_be_deleted(world: World) -> None:
    freeze(world, -1, 1)
    window = heeding(world)
    with pytest.raises(InUse, match=f"calendar year-end is heeded by maintenance window {window}"):
        world.perform("DeleteDocument", Name="year-end")


def test_a_window_whose_calendar_is_not_there_does_not_open_and_says_so(world: World) -> None:
    freeze(world, 50, 51)
    window = heeding(world)
    with world.database.write() as work:
        # As a copy of the database from before could leave it.
        work.documents.delete("year-end")
    world.at(15)
    execution = world.execution(window)
    assert execution["Status"] == "FAILED"
    assert execution["StatusDetails"].startswith(
        "Not opened at 2026-01-15T15:00Z: the tag patchwindow:freezes cannot be heeded, as document 'year-end' does"
    )


def test_a_server_that_comes_back_after_a_freeze_began_opens_nothing(world: World) -> None:
    freeze(world, 0.5, 9)
    window = heeding(world)
    world.at(15, 45)
    execution = world.execution(window)
    assert execution["Status"] == "TIMED_OUT"
    assert "to the cutoff at 2026-01-15T15:30Z" in execution["StatusDetails"]


def test_a_node_that_comes_back_in_a_freeze_before_an_engine_looks_is_handed_nothing(world: World) -> None:
    node = world.node()
    freeze(world, 1, 9)
    window = heeding(world)
    world.task(window, world.target(window, "InstanceIds", node.id))
    world.at(15)
    world.clock.advance(HOUR)
    assert not node.poll()
