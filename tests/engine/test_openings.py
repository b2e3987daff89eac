"""When windows open, and what is recorded where they do not."""

from datetime import UTC, datetime, timedelta

from tests.engine.world import OPENS_AT, World

from patchwindow.engine.open_window import open_window

RUNNING_BEFORE = "The previous execution of this window was still running."


def test_a_window_opens_at_its_instant_and_not_before(world: World) -> None:
    window = world.window()
    assert world.at(14, 59, 59.999) == OPENS_AT
    assert not world.executions(window)
    world.at(15)
    assert world.execution(window)["StartTime"] == OPENS_AT


def test_two_engines_open_a_window_once(world: World) -> None:
    window = world.window()
    world.at(15)
    world.new_engine().turn()
    assert len(world.executions(window)) == 1


def test_an_engine_that_read_before_another_opened_the_window_opens_nothing(world: World) -> None:
    window = world.window()
    world.at(15)
    with world.database.write() as work:
        # As if the other had not yet set the next opening when this one looked.
        kept = work.windows.get(window)
        assert kept is not None
        work.windows.put(kept, next_opening_at=OPENS_AT)
    world.new_engine().turn()
    assert len(world.executions(window)) == 1


def test_a_change_at_the_last_moment_takes_no_opening_away_be_it_the_last(world: World) -> None:
    often, once = world.window(), world.window("at(2026-01-15T15:00:00)")
    world.clock.advance(OPENS_AT - world.clock.now())
    for window in (often, once):
        world.perform("UpdateMaintenanceWindow", WindowId=window, Duration=2)
    world.turn()
    assert [world.execution(window)["Status"] for window in (often, once)] == ["SUCCESS", "SUCCESS"]


def test_a_window_that_is_disabled_at_the_last_moment_does_not_open(world: World) -> None:
    window = world.window()
    world.clock.advance(OPENS_AT - world.clock.now())
    world.perform("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
    world.turn()
    assert not world.executions(window)


def test_once_open_a_window_waits_for_its_next_opening(world: World) -> None:
    window = world.window()
    assert world.at(15) == datetime(2026, 1, 16, 15, tzinfo=UTC)
    world.at(15, day=16)
    assert [one["StartTime"].day for one in world.executions(window)] == [15, 16]


def test_a_window_that_opens_once_is_not_planned_any_more(world: World) -> None:
    world.window("at(2026-01-15T15:00:00)")
    assert world.at(15) is None


def test_a_window_without_tasks_succeeds_at_once(world: World) -> None:
    window = world.window()
    world.at(15)
    execution = world.execution(window)
    assert (execution["Status"], execution["StatusDetails"]) == ("SUCCESS", "No tasks to execute.")
    assert execution["EndTime"] == OPENS_AT


def test_a_disabled_window_does_not_open(world: World) -> None:
    window = world.window()
    world.perform("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
    assert world.at(15) is None
    assert not world.executions(window)


def test_a_window_that_is_enabled_again_does_not_make_up_for_what_it_slept_through(world: World) -> None:
    window = world.window()
    world.perform("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
    world.at(16)
    world.perform("UpdateMaintenanceWindow", WindowId=window, Enabled=True)
    assert world.turn() == datetime(2026, 1, 16, 15, tzinfo=UTC)
    assert not world.executions(window)


def test_a_server_that_comes_back_before_the_cutoff_opens_the_window(world: World) -> None:
    node = world.node()
    window = world.window()
    world.task(window, world.target(window, "InstanceIds", node.id))
    world.at(16, 59, 59)
    assert world.execution(window)["Status"] == "IN_PROGRESS"
    assert len(node.take()) == 1


def test_a_server_that_comes_back_at_the_cutoff_records_the_opening_as_missed(world: World) -> None:
    node = world.node()
    window = world.window(ScheduleTimezone="Europe/Berlin", Schedule="cron(0 16 * * ? *)")
    world.task(window, world.target(window, "InstanceIds", node.id))
    world.at(17)
    execution = world.execution(window)
    assert execution["Status"] == "TIMED_OUT"
    assert execution["StatusDetails"] == (
        "Missed: no server was running from the opening at 2026-01-15T16:00+01:00 to the cutoff at "
        "2026-01-15T18:00+01:00."
    )
    assert execution["EndTime"] == OPENS_AT.replace(hour=17)
    assert not node.poll()


def test_each_missed_opening_is_recorded_and_the_last_may_still_open(world: World) -> None:
    node = world.node()
    window = world.window()
    world.task(window, world.target(window, "InstanceIds", node.id))
    world.at(15, 30, day=18)
    assert [one["Status"] for one in world.executions(window)] == ["TIMED_OUT"] * 3 + ["IN_PROGRESS"]


def test_a_week_of_missed_openings_is_recorded_at_once_in_order_and_none_opens_after_its_cutoff(world: World) -> None:
    node = world.node()
    window = world.window("rate(1 hour)", StartDate="2026-01-15T15:00:00Z", Duration=2, Cutoff=1)
    world.task(window, world.target(window, "InstanceIds", node.id))
    # Seven days and 30 minutes: the last of 169 openings is half an hour old, and its cutoff half an hour off.
    world.at(15, 30, day=22)
    with world.database.read() as work:
        newest_first = work.executions.page(window, before=None, limit=200)
    assert [one.opens_at for one in newest_first] == [
        OPENS_AT + timedelta(days=7) - timedelta(hours=hours) for hours in range(169)
    ]
    assert [one.status for one in newest_first] == ["IN_PROGRESS"] + ["TIMED_OUT"] * 168
    assert {one.start_time for one in newest_first[1:]} == {one.opens_at for one in newest_first[1:]}
    assert len(node.take()) == 1


def test_one_transaction_records_a_bounded_number_of_missed_openings(world: World) -> None:
    window = world.window("rate(1 minute)", StartDate="2026-01-15T15:00:00Z", Duration=2, Cutoff=1)
    world.clock.advance(timedelta(days=1))
    with world.database.write() as work:
        open_window(work, world.ids, window, world.clock.now())
        assert len(work.executions.page(window, before=None, limit=2000)) == 100
        assert work.windows.opening_of(window) == OPENS_AT + timedelta(minutes=100)


def test_an_opening_while_the_former_execution_runs_is_skipped(world: World) -> None:
    node = world.node()
    window = world.window("rate(4 hours)", StartDate="2026-01-15T15:00:00Z")
    world.task(window, world.target(window, "InstanceIds", node.id), parameters=script(timeout_s=36000))
    world.at(15)
    (command_id,) = node.take()
    world.at(19)
    first, second = world.executions(window)
    assert (first["Status"], second["Status"]) == ("IN_PROGRESS", "SKIPPED_OVERLAPPING")
    assert second["StatusDetails"] == RUNNING_BEFORE
    assert second["EndTime"] == OPENS_AT.replace(hour=19)
    node.say(command_id, "Success")
    world.at(23)
    assert [one["Status"] for one in world.executions(window)] == ["SUCCESS", "SKIPPED_OVERLAPPING", "IN_PROGRESS"]


def test_an_execution_of_which_all_was_over_while_the_server_stood_still_skips_no_opening(world: World) -> None:
    node = world.node()
    window = world.window()
    world.task(window, world.target(window, "InstanceIds", node.id), parameters=script(timeout_s=60))
    world.at(15)
    assert node.take()
    world.at(15, 30, day=16)
    assert [one["Status"] for one in world.executions(window)] == ["TIMED_OUT", "IN_PROGRESS"]


def test_a_window_deleted_while_open_runs_to_its_end(world: World) -> None:
    first, second = world.node(), world.node()
    window = world.window()
    target = world.target(window, "InstanceIds", first.id)
    world.task(window, target, Priority=1)
    world.task(window, world.target(window, "InstanceIds", second.id), Priority=2)
    world.at(15)
    world.perform("DeleteMaintenanceWindow", WindowId=window)
    first.run()
    world.turn()
    second.run()
    assert world.turn() is None
    assert world.execution(window)["Status"] == "SUCCESS"


def test_what_is_changed_during_an_execution_applies_from_the_next(world: World) -> None:
    first, second = world.node(), world.node()
    window = world.window()
    target = world.target(window, "InstanceIds", first.id)
    task = world.task(window, target, Priority=2)
    world.task(window, target, Priority=1)
    world.at(15)
    (command_id,) = first.take()
    world.perform("UpdateMaintenanceWindow", WindowId=window, Duration=2)
    world.perform(
        "UpdateMaintenanceWindowTarget",
        WindowId=window,
        WindowTargetId=target,
        Targets=[{"Key": "InstanceIds", "Values": [second.id]}],
    )
    world.perform("UpdateMaintenanceWindowTask", WindowId=window, WindowTaskId=task, TaskArn="AWS-Noop")
    world.at(16, 30)
    first.say(command_id, "Success")
    world.turn()
    # Cutoff would have been at 16:00 by the new duration, and the second task another document.
    (command_id,) = first.run()
    assert world.command(command_id)["DocumentName"] == "AWS-RunShellScript"
    world.at(15, day=16)
    assert not first.poll()
    assert len(second.take()) == 1


def script(*, timeout_s: int) -> dict[str, object]:
    """Return the parameters of a script that may take so long."""
    return {"Parameters": {"commands": ["true"], "executionTimeout": [str(timeout_s)]}, "TimeoutSeconds": 600}


def test_an_opening_that_has_its_record_is_not_told_again_by_a_clock_that_was_set_back(world: World) -> None:
    window = world.window()
    world.at(15)
    world.clock.advance(timedelta(hours=-2))
    told = world.perform("UpdateMaintenanceWindow", WindowId=window, Description="changed")
    assert told["WindowId"] == window
    assert world.perform("GetMaintenanceWindow", WindowId=window)["NextExecutionTime"] == "2026-01-16T15:00Z"
    world.at(15, 30)
    assert len(world.executions(window)) == 1
