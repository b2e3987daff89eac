"""What happens to tasks at the cutoff of their window."""

from datetime import timedelta

import pytest
from tests.engine.agent import Agent
from tests.engine.world import OPENS_AT, World
from tests.fakes.site import SITE

from patchwindow.protocol.messages import SEND_COMMAND_TOPIC

NOT_STARTED = "The task did not start before the cutoff of the maintenance window."
CUT_OFF = "The task was not complete at the cutoff of the maintenance window."
LONG = {"Parameters": {"commands": ["true"], "executionTimeout": ["14400"]}}


def lay_out(world: World, *, behavior_of_c: str) -> tuple[str, list[Agent]]:
    """Return a window with the tasks A and B of priority 1, C of priority 2 and D of priority 3, and their nodes."""
    nodes = world.nodes(4)
    window = world.window()
    for node, priority in zip(nodes, (1, 1, 2, 3), strict=True):
        target = world.target(window, "InstanceIds", node.id)
        world.task(window, target, Priority=priority, CutoffBehavior=behavior_of_c, parameters=LONG)
    return window, nodes


def until_c_runs(world: World, nodes: list[Agent]) -> str:
    """Let A run from 15:00 to 16:00 and B to 16:30; return the command of C, which then runs."""
    a, b, c, d = nodes
    world.at(15)
    commands = [*a.take(), *b.take()]
    assert not c.poll()
    world.at(16)
    a.say(commands[0], "Success")
    world.turn()
    assert not c.poll()
    world.at(16, 30)
    b.say(commands[1], "Success")
    world.turn()
    (command_id,) = c.take()
    assert not d.poll()
    return command_id


class TestTimeline:
    """Window starts 15:00, Duration 3, Cutoff 1; tasks A (priority 1, 60 min), B (priority 1, 90 min), C (priority 2,
    60 min), D (priority 3).
    """

    def test_a_task_that_continues_ends_beyond_the_cutoff_and_the_one_after_it_does_not_start(
        self, world: World
    ) -> None:
        """A and B start 15:00; C starts 16:30 when B ends; C ends 17:30; D is not started (cutoff 17:00 has passed)."""
        window, nodes = lay_out(world, behavior_of_c="CONTINUE_TASK")
        command_id = until_c_runs(world, nodes)
        world.at(16, 59, 59.999)
        assert world.states(window) == ["SUCCESS", "SUCCESS", "IN_PROGRESS", "PENDING"]
        world.at(17)
        assert world.states(window) == ["SUCCESS", "SUCCESS", "IN_PROGRESS", "TIMED_OUT"]
        world.at(17, 30)
        nodes[2].say(command_id, "Success")
        world.turn()
        tasks = world.tasks(window)
        assert [task["Status"] for task in tasks] == ["SUCCESS", "SUCCESS", "SUCCESS", "TIMED_OUT"]
        assert [task["StartTime"] for task in tasks] == [OPENS_AT, OPENS_AT, OPENS_AT.replace(hour=16, minute=30), None]
        assert tasks[2]["EndTime"] == OPENS_AT.replace(hour=17, minute=30)
        assert tasks[3]["StatusDetails"] == NOT_STARTED
        assert world.execution(window)["Status"] == "TIMED_OUT"
        assert not nodes[3].poll()

    def test_a_task_that_is_to_be_cut_off_is_cancelled_at_the_cutoff(self, world: World) -> None:
        """With C as CANCEL_TASK, its command is cancelled at 17:00 and C becomes TIMED_OUT."""
        window, nodes = lay_out(world, behavior_of_c="CANCEL_TASK")
        command_id = until_c_runs(world, nodes)
        world.at(16, 59, 59.999)
        assert world.standing(command_id) == ("InProgress", "InProgress")
        world.at(17)
        assert world.standing(command_id) == ("Cancelling", "Cancelling")
        assert world.states(window) == ["SUCCESS", "SUCCESS", "CANCELLING", "TIMED_OUT"]
        nodes[2].say(command_id, "Cancelled")
        world.turn()
        (one,) = world.invocations(world.tasks(window)[2])
        assert one["Status"] == "TIMED_OUT"
        assert world.states(window) == ["SUCCESS", "SUCCESS", "TIMED_OUT", "TIMED_OUT"]
        assert world.tasks(window)[2]["StatusDetails"] == CUT_OFF


def test_a_task_that_continues_begins_with_further_targets_and_nodes_beyond_the_cutoff(world: World) -> None:
    first = world.nodes(2, ring="first")
    last = world.node(ring="last")
    window = world.window()
    targets = [world.target(window, "tag:ring", ring) for ring in ("first", "last")]
    world.task(window, *targets, MaxConcurrency="1", parameters=LONG)
    world.at(15)
    (command_id,) = first[0].take()
    world.at(17, 10)
    first[0].say(command_id, "Success")
    world.turn()
    first[1].run()
    world.at(18, 10)
    last.run()
    world.turn()
    assert world.states(window) == ["SUCCESS"]


def test_a_task_that_is_cut_off_begins_with_nothing_further(world: World) -> None:
    first = world.nodes(2, ring="first")
    last = world.node(ring="last")
    window = world.window()
    targets = [world.target(window, "tag:ring", ring) for ring in ("first", "last")]
    world.task(window, *targets, MaxConcurrency="1", CutoffBehavior="CANCEL_TASK", parameters=LONG)
    world.at(15)
    (command_id,) = first[0].take()
    world.at(17)
    assert world.details(command_id, *first) == ["Cancelling", "Cancelled"]
    world.at(17, 5)
    assert world.details(command_id, *first) == ["Cancelled", "Cancelled"]
    (task,) = world.tasks(window)
    assert task["Status"] == "TIMED_OUT"
    assert [one["Status"] for one in world.invocations(task)] == ["TIMED_OUT", "TIMED_OUT"]
    assert not first[1].poll()
    assert not last.poll()


@pytest.mark.parametrize("status", ["Success", "Failed"])
def test_what_a_node_did_before_it_heard_of_the_cutoff_is_a_fact_and_the_task_still_was_cut_off(
    world: World, status: str
) -> None:
    node = world.node()
    window = world.window()
    world.task(window, world.target(window, "InstanceIds", node.id), CutoffBehavior="CANCEL_TASK", parameters=LONG)
    world.at(15)
    (command_id,) = node.take()
    world.at(17)
    node.say(command_id, status)
    world.turn()
    assert world.details(command_id, node) == [status]
    assert world.states(window) == ["TIMED_OUT"]


def test_a_node_that_asks_at_the_cutoff_is_given_nothing_though_the_engine_has_not_come_to_it(world: World) -> None:
    node = world.node()
    window = world.window()
    world.task(window, world.target(window, "InstanceIds", node.id), CutoffBehavior="CANCEL_TASK", parameters=LONG)
    world.at(15)
    world.clock.advance(timedelta(hours=2) - timedelta(milliseconds=1))
    assert [one["Topic"] for one in node.poll(visibility_s=0)] == [f"{SEND_COMMAND_TOPIC}.{SITE.region}"]
    world.clock.advance(timedelta(milliseconds=1))
    assert node.poll() == []


def test_a_node_that_comes_back_after_the_cutoff_is_told_that_its_command_is_over(world: World) -> None:
    node = world.node()
    window = world.window()
    world.task(window, world.target(window, "InstanceIds", node.id), CutoffBehavior="CANCEL_TASK", parameters=LONG)
    world.at(15)
    (command_id,) = node.take()
    assert node.say(command_id, "InProgress") == {}
    world.clock.advance(timedelta(hours=2))
    assert node.say(command_id, "InProgress") == {"Over": f"command {command_id} was cut off at 2026-01-15T17:00:00Z"}
    assert node.say(command_id, "Success") == {}, "what it did all the same is a fact"


def test_a_server_that_begins_again_after_the_cutoff_sends_a_command_that_is_to_be_cancelled_to_no_further_node(
    world: World,
) -> None:
    nodes, window = world.nodes(2), world.window()
    target = world.target(window, "InstanceIds", *(node.id for node in nodes))
    world.task(window, target, MaxConcurrency="1", CutoffBehavior="CANCEL_TASK", parameters=LONG)
    world.at(15)
    (command_id,) = nodes[0].take()
    world.turn()
    world.clock.advance(timedelta(hours=2))
    nodes[0].say(command_id, "Success")
    world.turn()
    assert world.reached(command_id, *nodes) == [True, False]
    assert world.details(command_id, *nodes) == ["Success", "Cancelled"]
    assert world.states(window) == ["TIMED_OUT"]
