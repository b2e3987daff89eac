"""What a command to many nodes costs, and what is told of nodes that never took it."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from tests.engine.world import World
from tests.fakes.databases import migrated_url

from patchwindow.engine.perform_command import step_command

FEW: Final = 30
MANY: Final = 300
_TICK: Final = 20
"""So many instructions of SQLite's machine are counted as one."""


def ticks_of_a_step(world: World, command_id: str) -> int:
    """Take a step of the command, and return how much SQLite does in it."""
    ticks = 0

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        return 0

    with world.database.write() as work:
        driver = work.basis[0].connection.dbapi_connection
        driver.set_progress_handler(tick, _TICK)  # type: ignore[union-attr]  # the driver is sqlite3
        step_command(work, world.ids, command_id, world.clock.now())
        driver.set_progress_handler(None, 0)  # type: ignore[union-attr]  # the driver is sqlite3
    return ticks


def steps_of(world: World, node_count: int, max_concurrency: str) -> list[int]:
    """Return what a step costs in the course of a rollout: after an acknowledgement, after an end, and in between."""
    nodes = world.nodes(node_count, ring="all")
    target = [{"Key": "tag:ring", "Values": ["all"]}]
    command_id = world.send([], InstanceIds=None, Targets=target, MaxConcurrency=max_concurrency)
    world.turn()
    found = []
    for node in nodes[: node_count // 2]:
        node.take()
        world.turn()
    found.append(ticks_of_a_step(world, command_id))
    taker, ender = nodes[node_count // 2], nodes[0]
    taker.take()
    found.append(ticks_of_a_step(world, command_id))
    ender.say(command_id, "Success")
    found.append(ticks_of_a_step(world, command_id))
    return found


def test_a_step_costs_the_same_however_many_nodes_the_command_has(tmp_path: Path) -> None:
    """All nodes are in flight at once: a step that looked at each would cost as many times more as there are."""
    costs = []
    for count in (FEW, MANY):
        with migrated_url("sqlite", tmp_path) as url:
            world = World(url)
            costs.append(steps_of(world, count, "100%"))
            world.close()
    for few, many in zip(*costs, strict=True):
        assert few > 0
        assert many <= 2 * few


def test_a_node_that_was_off_all_the_time_is_told_from_one_that_gave_no_word_again(world: World) -> None:
    asleep, lost = world.nodes(2)
    command_id = world.send([asleep, lost], TimeoutSeconds=60)
    sent_at = world.clock.now()
    world.turn()
    world.after(seconds=10)
    lost.take()
    world.after(seconds=50)
    assert world.details(command_id, asleep, lost) == ["DeliveryTimedOut", "InProgress"]
    assert world.on(asleep, command_id)["TraceOutput"] == (
        f"node {asleep.id} did not take the command between {sent_at:%Y-%m-%dT%H:%M:%SZ} "
        f"and {sent_at + timedelta(seconds=60):%Y-%m-%dT%H:%M:%SZ}"
    )
    world.after(hours=2)
    assert world.details(command_id, lost) == ["DeliveryTimedOut"]
    assert world.on(lost, command_id)["TraceOutput"] == ""


def test_a_node_that_was_off_until_the_command_was_cancelled_is_told_of_as_well(world: World) -> None:
    asleep, awake = world.nodes(2)
    command_id = world.send([awake, asleep])
    world.turn()
    awake.take()
    world.turn()
    world.perform("CancelCommand", CommandId=command_id)
    world.turn()
    world.after(seconds=300)
    assert world.details(command_id, awake, asleep) == ["Cancelled", "Cancelled"]
    assert "did not take the command between" in world.on(asleep, command_id)["TraceOutput"]
    assert world.on(awake, command_id)["TraceOutput"] == ""


def test_a_node_whose_turn_never_came_is_not_said_to_have_missed_anything(world: World) -> None:
    first, second = world.nodes(2)
    command_id = world.send([first, second], MaxConcurrency="1")
    world.turn()
    first.run("Failed")
    world.turn()
    assert world.details(command_id, second) == ["Terminated"]
    assert world.on(second, command_id)["TraceOutput"] == ""


def test_all_nodes_that_are_off_end_at_their_time_together(world: World) -> None:
    nodes = world.nodes(40)
    command_id = world.send(nodes, TimeoutSeconds=60)
    world.turn()
    for _ in range(12):
        world.after(seconds=10)
    with world.database.read() as work:
        parts = work.invocations.of_command(command_id)
    assert {one.details for one in parts} == {"DeliveryTimedOut"}
    assert [one.ended_at for one in parts if one.dispatched_at is not None] == [
        one.dispatched_at + timedelta(seconds=60) for one in parts if one.dispatched_at is not None
    ]
    assert world.standing(command_id) == ("TimedOut", "DeliveryTimedOut")
    assert not any(node.poll() for node in nodes)
