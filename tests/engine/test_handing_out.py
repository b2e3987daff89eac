"""How a command is handed out to its nodes: how many at once, until when, and how it ends."""

from datetime import timedelta

import pytest
from tests.engine.agent import STEP, step
from tests.engine.world import World

from patchwindow.ports import ENGINE


def test_a_command_is_in_the_mailbox_of_its_node_when_the_engine_has_turned(world: World) -> None:
    node = world.node()
    command_id = world.send([node])
    assert not node.poll()
    world.turn()
    assert world.standing(command_id) == ("Pending", "Pending")
    assert node.take() == [command_id]
    world.turn()
    assert world.standing(command_id) == ("InProgress", "InProgress")


def test_a_command_to_no_node_ends_at_once(world: World) -> None:
    command_id = world.send([], InstanceIds=None, Targets=[{"Key": "tag:ring", "Values": ["none"]}])
    world.turn()
    assert world.standing(command_id) == ("Success", "NoInstancesInTag")


def test_no_more_nodes_run_at_once_than_max_concurrency_says(world: World) -> None:
    nodes = world.nodes(5)
    command_id = world.send(nodes, MaxConcurrency="2")
    world.turn()
    nodes[0].take()
    world.turn()
    assert world.reached(command_id, *nodes) == [True, True, False, False, False]
    nodes[1].take()
    world.turn()
    assert sum(world.reached(command_id, *nodes)) == 2
    nodes[0].say(command_id, "Success")
    world.turn()
    assert world.reached(command_id, *nodes) == [True, True, True, False, False]


def test_after_more_errors_than_max_errors_says_no_further_node_is_sent_the_command(world: World) -> None:
    nodes = world.nodes(6)
    command_id = world.send(nodes, MaxConcurrency="2", MaxErrors="1")
    world.turn()
    nodes[0].run("Failed")
    world.turn()
    nodes[1].take()
    world.turn()
    nodes[2].run("Failed")
    world.turn()
    assert world.details(command_id, *nodes[3:]) == ["Terminated"] * 3
    assert world.standing(command_id) == ("InProgress", "InProgress")
    nodes[1].say(command_id, "Success")
    world.turn()
    assert world.standing(command_id) == ("Failed", "Failed")
    assert world.details(command_id, *nodes[:3]) == ["Failed", "Success", "Failed"]
    assert not any(node.poll() for node in nodes)


def test_an_acknowledgement_wakes_the_engine_only_while_sending_ramps_up(world: World) -> None:
    """Once as many have ended as may run at once, who has answered does not limit who is next."""
    rung: list[str] = []
    nodes = world.nodes(6)
    command_id = world.send(nodes, MaxConcurrency="2")
    world.turn()
    world.database.on_wake(rung.append)
    nodes[0].take()
    assert rung == [ENGINE]
    world.turn()
    for node in nodes[:2]:
        node.run()
        node.say(command_id, "Success")
        world.turn()
    rung.clear()
    nodes[2].take()
    assert rung == []
    assert world.turn() is not None
    assert world.reached(command_id, *nodes) == [True, True, True, True, False, False]
    nodes[2].say(command_id, "Success")
    assert rung == [ENGINE]


def test_sending_ramps_up_as_nodes_answer(world: World) -> None:
    nodes = world.nodes(9)
    command_id = world.send(nodes)
    sent = []
    for _ in range(4):
        world.turn()
        sent.append(sum(world.reached(command_id, *nodes)))
        for node in nodes:
            node.take()
    assert sent == [1, 3, 7, 9]


def test_a_node_that_does_not_answer_holds_the_others_up_for_ten_seconds_only(world: World) -> None:
    nodes = world.nodes(2)
    command_id = world.send(nodes)
    wake_at = world.turn()
    assert wake_at == world.clock.now() + timedelta(seconds=10)
    world.after(seconds=9)
    assert world.reached(command_id, *nodes) == [True, False]
    world.after(seconds=1)
    assert world.reached(command_id, *nodes) == [True, True]


def test_a_node_that_never_polls_ends_by_the_delivery_timeout_from_when_it_was_sent_the_command(world: World) -> None:
    awake, asleep = world.nodes(2)
    command_id = world.send([awake, asleep], MaxConcurrency="1", TimeoutSeconds=60)
    world.turn()
    awake.take()
    world.after(seconds=300)
    awake.say(command_id, "Success")
    world.turn()
    world.after(seconds=59)
    assert world.details(command_id, awake, asleep) == ["Success", "Pending"]
    world.after(seconds=1)
    assert world.details(command_id, awake, asleep) == ["Success", "DeliveryTimedOut"]
    assert world.standing(command_id) == ("Failed", "Incomplete")
    assert world.command(command_id)["DeliveryTimedOutCount"] == 1
    assert not asleep.poll()


def test_a_command_whose_every_node_slept_timed_out_in_delivery(world: World) -> None:
    node = world.node()
    command_id = world.send([node], TimeoutSeconds=60)
    world.turn()
    world.after(seconds=60)
    assert world.standing(command_id) == ("TimedOut", "DeliveryTimedOut")


def test_a_command_expires_after_all_its_timeouts_together(world: World) -> None:
    running, waiting = world.nodes(2)
    parameters = {"commands": ["true"], "executionTimeout": ["600"]}
    command_id = world.send([running, waiting], MaxConcurrency="1", TimeoutSeconds=60, Parameters=parameters)
    world.turn()
    running.take()
    world.turn()
    world.after(seconds=659)
    assert world.standing(command_id) == ("InProgress", "InProgress")
    world.after(seconds=1)
    assert world.details(command_id, running, waiting) == ["DeliveryTimedOut", "DeliveryTimedOut"]
    assert world.command(command_id)["CompletedCount"] == 2


def test_cancelling_a_command_stops_what_runs_and_drops_what_was_not_sent(world: World) -> None:
    nodes = world.nodes(3)
    command_id = world.send(nodes, MaxConcurrency="2")
    world.turn()
    nodes[0].take()
    world.turn()
    world.perform("CancelCommand", CommandId=command_id)
    world.turn()
    assert world.details(command_id, *nodes) == ["Cancelling", "Cancelling", "Cancelled"]
    # The second had not taken it: now only the cancellation waits there.
    assert [message["Topic"] for message in nodes[1].poll()] == ["aws.ssm.cancelCommand.eu-central-1"]
    assert nodes[0].take() == []
    nodes[0].say(command_id, "Cancelled")
    world.turn()
    assert world.standing(command_id) == ("Cancelling", "Cancelling")
    world.after(seconds=300)
    assert world.details(command_id, *nodes) == ["Cancelled"] * 3
    assert world.standing(command_id) == ("Cancelled", "Cancelled")
    world.perform("CancelCommand", CommandId=command_id)
    world.turn()
    assert world.standing(command_id) == ("Cancelled", "Cancelled")


def test_a_node_that_finished_before_it_heard_of_the_cancellation_says_what_it_did(world: World) -> None:
    node = world.node()
    command_id = world.send([node])
    world.turn()
    node.take()
    world.perform("CancelCommand", CommandId=command_id)
    world.turn()
    node.say(command_id, "Success", {STEP: step()})
    world.turn()
    assert world.details(command_id, node) == ["Success"]
    assert world.standing(command_id) == ("Cancelled", "Cancelled")
    # There is nothing left to cancel.
    assert not node.poll()


def test_a_cancellation_that_a_sleeping_node_never_took_does_not_wait_for_ever(world: World) -> None:
    node = world.node()
    command_id = world.send([node])
    world.turn()
    world.perform("CancelCommand", CommandId=command_id)
    world.turn()
    world.after(seconds=300)
    assert world.details(command_id, node) == ["Cancelled"]
    assert not node.poll()


def test_cancelling_on_one_node_leaves_the_others_alone(world: World) -> None:
    nodes = world.nodes(4)
    command_id = world.send(nodes, MaxConcurrency="2")
    world.turn()
    nodes[0].take()
    world.turn()
    world.perform("CancelCommand", CommandId=command_id, InstanceIds=[nodes[0].id, nodes[2].id])
    world.turn()
    assert world.details(command_id, *nodes) == ["Cancelling", "Pending", "Cancelled", "Pending"]
    nodes[0].say(command_id, "Cancelled")
    nodes[1].run()
    world.turn()
    nodes[3].run()
    world.turn()
    assert world.details(command_id, *nodes) == ["Cancelled", "Success", "Cancelled", "Success"]
    assert world.standing(command_id) == ("Success", "Success")


def test_counts_of_a_command_follow_its_invocations(world: World) -> None:
    nodes = world.nodes(4)
    command_id = world.send(nodes, MaxErrors="2", TimeoutSeconds=30)
    counts = []
    for node, status in zip(nodes, ("Success", "Failed", "TimedOut", None), strict=True):
        world.after(seconds=10)
        if status is not None:
            node.run(status)
        world.turn()
        found = world.command(command_id)
        counts.append([found[f"{name}Count"] for name in ("Target", "Completed", "Error", "DeliveryTimedOut")])
    world.after(seconds=30)
    found = world.command(command_id)
    counts.append([found[f"{name}Count"] for name in ("Target", "Completed", "Error", "DeliveryTimedOut")])
    assert counts == [[4, 1, 0, 0], [4, 2, 1, 0], [4, 3, 2, 0], [4, 3, 2, 0], [4, 4, 2, 1]]


class TestNodesThatAreGone:
    """Undeliverable: "node does not exist, or its agent has lost connection and does not respond"."""

    def test_what_a_node_had_not_received_is_undeliverable_and_the_others_go_on(self, world: World) -> None:
        nodes = world.nodes(3)
        command_id = world.send(nodes, MaxConcurrency="1")
        world.turn()
        for gone in (nodes[0], nodes[2]):
            world.perform("DeregisterManagedInstance", InstanceId=gone.id)
        world.turn()
        nodes[1].run()
        world.turn()
        assert world.details(command_id, *nodes) == ["Undeliverable", "Success", "Undeliverable"]
        assert world.standing(command_id) == ("Success", "Success")
        found = world.command(command_id)
        assert (found["CompletedCount"], found["ErrorCount"]) == (3, 0)
        assert world.on(nodes[0], command_id)["TraceOutput"] == f"node {nodes[0].id} was deregistered"

    def test_what_a_node_had_begun_ends_as_one_that_gives_word_no_more(self, world: World) -> None:
        gone, stays = world.nodes(2)
        command_id = world.send([gone, stays])
        world.turn()
        gone.take()
        world.turn()
        world.perform("DeregisterManagedInstance", InstanceId=gone.id)
        stays.run()
        world.turn()
        assert world.details(command_id, gone, stays) == ["DeliveryTimedOut", "Success"]
        assert world.standing(command_id) == ("Failed", "Incomplete")

    def test_what_was_being_cancelled_is_cancelled(self, world: World) -> None:
        node = world.node()
        command_id = world.send([node])
        world.turn()
        world.perform("CancelCommand", CommandId=command_id, InstanceIds=[node.id])
        world.perform("DeregisterManagedInstance", InstanceId=node.id)
        world.turn()
        assert world.details(command_id, node) == ["Cancelled"]
        assert world.standing(command_id) == ("Cancelled", "Cancelled")

    def test_what_had_ended_stays_as_it_was(self, world: World) -> None:
        gone, stays = world.nodes(2)
        command_id = world.send([gone, stays], MaxConcurrency="1")
        world.turn()
        gone.run()
        world.turn()
        world.perform("DeregisterManagedInstance", InstanceId=gone.id)
        stays.run()
        world.turn()
        assert world.details(command_id, gone, stays) == ["Success", "Success"]

    def test_a_task_ends_though_all_its_nodes_are_gone(self, world: World) -> None:
        node = world.node()
        window = world.window()
        world.task(window, world.target(window, "InstanceIds", node.id))
        world.at(15)
        world.perform("DeregisterManagedInstance", InstanceId=node.id)
        world.turn()
        assert world.states(window) == ["FAILED"]
        assert world.execution(window)["Status"] == "FAILED"


@pytest.mark.parametrize("named", [True, False])
def test_a_node_that_is_gone_is_sent_no_new_command(world: World, *, named: bool) -> None:
    stays, gone = world.nodes(2, ring="all")
    window = world.window()
    key, values = ("InstanceIds", (stays.id, gone.id)) if named else ("tag:ring", ("all",))
    world.task(window, world.target(window, key, *values))
    world.perform("DeregisterManagedInstance", InstanceId=gone.id)
    world.at(15)
    (command_id,) = stays.run()
    world.turn()
    # One that is named is accounted for; by a tag that went with it, it cannot be known.
    assert world.command(command_id)["TargetCount"] == (2 if named else 1)
    assert world.execution(window)["Status"] == "SUCCESS"
