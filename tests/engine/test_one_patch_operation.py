"""A node never has two patch operations at once: they would wait for one lock, or reboot it under each other."""

import pytest
from tests.engine.agent import Agent
from tests.engine.world import World

from patchwindow.operations.messages import OUTSTANDING_MAX
from patchwindow.ports import ENGINE


@pytest.fixture
def node(world: World) -> Agent:
    """A node."""
    return world.node()


def patch(world: World, *nodes: Agent) -> str:
    """Return a new patch command, which waits for these nodes."""
    command_id = world.send(
        nodes, DocumentName="AWS-RunPatchBaseline", Parameters={"Operation": ["Scan"]}, TimeoutSeconds=172_800
    )
    world.turn()
    return command_id


def script(world: World, *nodes: Agent) -> str:
    """Return a new command that patches nothing, which waits for these nodes."""
    command_id = world.send(nodes)
    world.turn()
    return command_id


def test_a_patch_command_waits_until_the_one_that_the_node_has_taken_has_ended(world: World, node: Agent) -> None:
    first = patch(world, node)
    assert node.take() == [first]
    second = patch(world, node)
    assert not node.poll()
    assert world.details(second, node) == ["Pending"]
    world.after(minutes=30)
    assert not node.poll()
    node.say(first, "Success")
    assert node.take() == [second]


def test_of_two_patch_commands_that_wait_the_first_alone_is_given(world: World, node: Agent) -> None:
    first, second, third = (patch(world, node) for _ in range(3))
    assert node.take() == [first]
    assert not node.poll()
    node.say(first, "Failed")
    assert node.take() == [second]
    node.say(second, "Success")
    assert node.take() == [third]


def test_other_commands_pass_a_patch_command_that_is_held_back(world: World, node: Agent) -> None:
    sent = [patch(world, node), script(world, node), patch(world, node), script(world, node)]
    assert node.take() == [sent[0], sent[1], sent[3]]
    node.say(sent[3], "Success")
    assert not node.poll()
    node.say(sent[0], "Success")
    assert node.take() == [sent[2]]


def test_a_patch_command_does_not_wait_for_a_script(world: World, node: Agent) -> None:
    sent = [script(world, node), patch(world, node)]
    assert node.take() == sent


def test_a_patch_command_that_was_given_and_cancelled_holds_the_next_back_though_it_was_never_acknowledged(
    world: World, node: Agent
) -> None:
    """The node may have taken it, and what it said of that may be lost: then it is still at work."""
    first = patch(world, node)
    assert len(node.poll()) == 1
    world.perform("CancelCommand", CommandId=first)
    world.turn()
    assert world.details(first, node) == ["Cancelling"]
    second = patch(world, node)
    assert second not in node.take()
    world.after(seconds=30)
    assert node.take() == []
    node.say(first, "Cancelled")
    assert node.take() == [second]


def test_nodes_do_not_wait_for_each_other(world: World) -> None:
    nodes = world.nodes(2)
    first, second = patch(world, nodes[0]), patch(world, nodes[1])
    assert nodes[0].take() == [first]
    assert nodes[1].take() == [second]


def test_a_patch_command_that_was_given_and_not_accepted_holds_the_next_back_and_comes_again_itself(
    world: World, node: Agent
) -> None:
    first = patch(world, node)
    assert len(node.poll()) == 1
    patch(world, node)
    assert not node.poll()
    world.after(seconds=10)
    assert node.take() == [first]
    assert not node.poll()


def test_a_patch_command_whose_acknowledgement_was_lost_comes_again(world: World, node: Agent) -> None:
    first, _ = patch(world, node), patch(world, node)
    node.poll()
    node.say(first, "InProgress")
    world.after(seconds=10)
    assert node.take() == [first]


def test_a_node_that_was_told_to_stop_may_still_be_patching(world: World, node: Agent) -> None:
    first = patch(world, node)
    node.take()
    second = patch(world, node)
    world.perform("CancelCommand", CommandId=first)
    world.turn()
    assert node.take() == []
    assert world.details(first, node) == ["Cancelling"]
    assert not node.poll()
    node.say(first, "Cancelled")
    assert node.take() == [second]


def test_a_patch_command_that_expires_makes_room_for_the_next(world: World, node: Agent) -> None:
    first = patch(world, node)
    node.take()
    world.turn()
    world.after(days=3)
    assert world.details(first, node) == ["DeliveryTimedOut"]
    second = patch(world, node)
    assert node.take() == [second]


def test_who_polls_is_woken_when_what_was_held_back_can_be_given(world: World, node: Agent) -> None:
    rung: list[str] = []
    first = patch(world, node)
    node.take()
    patch(world, node)
    world.database.on_wake(rung.append)
    node.say(first, "Success")
    assert sorted(rung) == [ENGINE, node.id]


def test_who_polls_is_woken_when_what_held_the_next_back_has_expired(world: World, node: Agent) -> None:
    rung: list[str] = []
    first = patch(world, node)
    node.take()
    world.turn()
    world.after(days=1)
    second = patch(world, node)
    world.database.on_wake(rung.append)
    while world.details(first, node) == ["InProgress"]:
        assert node.id not in rung
        world.after(hours=6)
    assert node.id in rung
    assert node.take() == [second]


def test_a_poll_is_held_while_nothing_can_be_given(world: World, node: Agent) -> None:
    assert world.service.next_message_at(node.id) is None
    first = patch(world, node)
    assert world.service.next_message_at(node.id) == world.clock.now()
    node.take()
    patch(world, node)
    assert world.service.next_message_at(node.id) is None
    node.say(first, "Success")
    assert world.service.next_message_at(node.id) is not None


def test_a_poll_is_held_while_the_node_has_its_fill(world: World, node: Agent) -> None:
    sent = [script(world, node) for _ in range(OUTSTANDING_MAX + 1)]
    assert len(node.take()) == OUTSTANDING_MAX
    assert world.service.next_message_at(node.id) is None
    node.say(sent[0], "Success")
    assert world.service.next_message_at(node.id) is not None


def test_a_poll_ends_when_something_hidden_can_be_given_again(world: World, node: Agent) -> None:
    patch(world, node)
    node.poll(visibility_s=10)
    given_at = world.clock.now()
    patch(world, node)
    hidden_until = world.service.next_message_at(node.id)
    assert hidden_until is not None
    assert (hidden_until - given_at).total_seconds() == 10
