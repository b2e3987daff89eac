"""The engine itself: what is due, what failed, and two engines at once."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from tests.engine.world import OPENS_AT, World
from tests.fakes.clock import CountingIds, FixedClock

from patchwindow.engine.engine import Engine
from patchwindow.engine.open_window import open_window
from patchwindow.engine.perform_command import step_command
from patchwindow.engine.perform_window import step_execution
from patchwindow.store.database import Database
from patchwindow.store.work import Work


def spoil(world: World, window: str) -> Callable[[], None]:
    """Make the step fail that opens the window, and return what mends it."""
    with world.database.write() as work:
        kept = work.windows.get(window)
        assert kept is not None
        opens_at = work.windows.opening_of(window)
        work.windows.put(dataclasses.replace(kept, schedule="never"), next_opening_at=opens_at)

    def mend() -> None:
        with world.database.write() as work:
            work.windows.put(kept, next_opening_at=opens_at)

    return mend


class DoomedIds(CountingIds):
    """The process ends when it wants its third identity."""

    def uuid(self) -> str:
        """Return the next UUID, if there is one."""
        id = super().uuid()
        if id.endswith("3"):
            raise KeyboardInterrupt
        return id


def test_nothing_is_due_where_nothing_is_planned(world: World) -> None:
    assert world.turn() is None


def test_the_engine_says_when_it_wants_to_look_again(world: World) -> None:
    node = world.node()
    world.window()
    assert world.turn() == OPENS_AT
    world.send([node], TimeoutSeconds=30)
    # The window opens later than the command expires.
    assert world.turn() == world.clock.now() + timedelta(seconds=30)


class BusyDatabase(Database):
    """A database at which whoever writes waits for his turn, while the clock goes on."""

    def __init__(self, url: str, clock: FixedClock, wait: timedelta) -> None:
        super().__init__(url)
        self._clock = clock
        self._wait = wait

    @contextmanager
    def write(self) -> Iterator[Work]:
        """Open a transaction when it has waited."""
        self._clock.advance(self._wait)
        with super().write() as work:
            yield work


def test_a_step_goes_by_the_time_at_which_it_has_its_turn(world: World) -> None:
    command_id = world.send([world.node()], TimeoutSeconds=30)
    database = BusyDatabase(world.url, world.clock, timedelta(days=1))
    Engine(database=database, clock=world.clock, ids=CountingIds()).turn()
    database.close()
    # When the engine looked the command had hours left; when it had its turn, none.
    assert world.command(command_id)["Status"] == "TimedOut"


def test_a_thing_whose_step_fails_does_not_keep_the_others_waiting(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = world.window(), world.window()
    spoil(world, broken)
    assert world.at(15) == OPENS_AT + timedelta(seconds=1)
    assert world.execution(sound)["Status"] == "SUCCESS"
    assert [record.getMessage() for record in caplog.records] == [
        f"open_window of {broken} failed; tried again in 0:00:01"
    ]
    assert "never" in str(caplog.records[0].exc_info)


def test_a_step_that_fails_again_is_tried_more_and_more_seldom(world: World, caplog: pytest.LogCaptureFixture) -> None:
    mend = spoil(world, world.window())
    world.at(15)
    for pause_s in [1] * 16 + [30] * 120:
        world.after(seconds=pause_s)
    pauses = [record.getMessage().partition("again in ")[2] for record in caplog.records]
    assert pauses[:4] == ["0:00:01", "0:00:02", "0:00:04", "0:00:08"]
    assert set(pauses[9:]) == {"0:05:00"}
    assert len(pauses) > 15
    mend()
    caplog.clear()
    world.after(minutes=5)
    assert not caplog.records


def test_a_step_that_succeeds_after_all_starts_anew_with_short_pauses(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    window = world.window("rate(30 minutes)", StartDate="2026-01-15T15:00:00Z")
    mend = spoil(world, window)
    for second in (0, 1, 3):
        world.at(15, 0, second)
    mend()
    world.at(15, 0, 7)
    assert len(world.executions(window)) == 1
    spoil(world, window)
    world.at(15, 30)
    assert [record.getMessage()[-7:] for record in caplog.records] == ["0:00:01", "0:00:02", "0:00:04", "0:00:01"]


def test_things_that_failed_take_no_place_among_what_is_looked_at(world: World) -> None:
    for _ in range(101):
        spoil(world, world.window())
    sound = world.window("cron(1 15 * * ? *)")
    world.at(15)
    world.at(15, 1)
    assert len(world.executions(sound)) == 1


def test_more_than_one_look_can_see_is_done_in_one_turn(world: World) -> None:
    windows = [world.window() for _ in range(101)]
    world.at(15)
    assert all(len(world.executions(window)) == 1 for window in windows)


def test_a_step_that_another_engine_has_taken_changes_nothing(world: World) -> None:
    nodes = world.nodes(2)
    window = world.window()
    target = world.target(window, "InstanceIds", *(node.id for node in nodes))
    world.task(window, target, MaxConcurrency="1")
    world.at(15)
    (command_id,) = nodes[0].take()
    world.turn()
    execution_id = world.execution(window)["WindowExecutionId"]
    for engine in (world.engine, world.new_engine()):
        # As if it had read what is due before the other was done.
        engine._take(open_window, window)
        engine._take(step_execution, execution_id)
        engine._take(step_command, command_id)
    assert world.reached(command_id, *nodes) == [True, False]
    assert not nodes[0].poll()
    assert world.states(window) == ["IN_PROGRESS"]
    assert len(world.invocations(world.tasks(window)[0])) == 1
    nodes[0].say(command_id, "Success")
    world.turn()
    nodes[1].run()
    world.turn()
    assert world.execution(window)["Status"] == "SUCCESS"


def test_a_crash_in_the_middle_of_a_step_leaves_nothing_of_it(world: World) -> None:
    node = world.node()
    window = world.window()
    world.task(window, world.target(window, "InstanceIds", node.id))
    world.clock.advance(timedelta(hours=1))
    with pytest.raises(KeyboardInterrupt):
        Engine(database=world.database, clock=world.clock, ids=DoomedIds()).turn()
    assert not world.executions(window)
    world.new_engine().turn()
    assert world.states(window) == ["IN_PROGRESS"]
    assert len(node.take()) == 1
