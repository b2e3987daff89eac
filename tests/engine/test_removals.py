"""What a patch operation may remove: nothing, unless the window that sent it says otherwise."""

import pytest
from tests.engine.world import World

from patchwindow.operations import install_orders

INSTALL = {"Parameters": {"Operation": ["Install"]}}


def may_remove(world: World, command_id: str, node_id: str) -> bool:
    with world.service.call_of_node(node_id, writes=False) as call:
        return bool(install_orders.order(call, command_id, node_id)["mayRemove"])


@pytest.mark.parametrize(("value", "may"), [(None, False), ("true", True), ("yes", False), ("", False)])
def test_the_tasks_of_a_window_may_remove_where_its_tag_says_so(world: World, value: str | None, may: bool) -> None:  # noqa: FBT001  (a parameter of cases)
    node = world.node()
    window = world.window(Tags=[] if value is None else [{"Key": "patchwindow:may-remove", "Value": value}])
    target = world.target(window, "InstanceIds", node.id)
    world.task(window, target, TaskArn="AWS-RunPatchBaseline", parameters=INSTALL)
    world.at(15)
    (command_id,) = node.take()
    assert may_remove(world, command_id, node.id) is may


def test_a_command_of_no_window_removes_nothing(world: World) -> None:
    node = world.node()
    command_id = world.send([node], DocumentName="AWS-RunPatchBaseline", **INSTALL)
    world.turn()
    node.take()
    assert may_remove(world, command_id, node.id) is False
