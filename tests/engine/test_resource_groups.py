"""Windows whose targets are resource groups."""

import json
from collections.abc import Sequence
from typing import Any

from tests.engine.world import World


def create_group(world: World, name: str, **tags: str) -> None:
    filters = [{"Key": key, "Values": [value]} for key, value in tags.items()]
    query = json.dumps({"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": filters})
    world.perform("CreateGroup", Name=name, ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": query})


def window_of(world: World, group: str, *types: str, commands: Sequence[str] = ("true",)) -> str:
    """Return a window with a task for the group."""
    window = world.window()
    targets: list[dict[str, Any]] = [{"Key": "resource-groups:Name", "Values": [group]}]
    if types:
        targets.append({"Key": "resource-groups:ResourceTypeFilters", "Values": list(types)})
    target = world.perform(
        "RegisterTargetWithMaintenanceWindow", WindowId=window, ResourceType="RESOURCE_GROUP", Targets=targets
    )["WindowTargetId"]
    world.task(window, target, parameters={"Parameters": {"commands": list(commands)}})
    return window


def test_a_window_runs_on_the_nodes_of_a_group_and_on_no_others(world: World) -> None:
    inside = world.nodes(2, ring="first", role="web")
    outside = [world.node(ring="last", role="web"), world.node(ring="first"), world.node()]
    create_group(world, "first", ring="first", role="web")
    window = window_of(world, "first", "AWS::EC2::INSTANCE")
    world.at(15)
    assert [len(node.poll()) for node in outside] == [0, 0, 0]
    for node in inside:
        node.run()
        world.turn()
    (task,) = world.tasks(window)
    assert task["Status"] == "SUCCESS"
    (one,) = world.invocations(task)
    assert world.command(one["ExecutionId"])["TargetCount"] == 2
    assert json.loads(one["Parameters"])["targets"][0] == {"Key": "resource-groups:Name", "Values": ["first"]}


def test_the_pseudo_parameter_of_the_type_says_that_it_is_a_group(world: World) -> None:
    world.node(ring="first")
    create_group(world, "first", ring="first")
    window = window_of(world, "first", commands=["echo {{TARGET_TYPE}}"])
    world.at(15)
    (one,) = world.invocations(world.tasks(window)[0])
    assert json.loads(one["Parameters"])["parameters"] == {"commands": ["echo RESOURCE_GROUP"]}


def test_a_group_is_looked_into_when_the_task_starts(world: World) -> None:
    before, after = world.node(ring="first"), world.node(ring="last")
    create_group(world, "ring", ring="first")
    window_of(world, "ring")
    query = '{"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "ring", "Values": ["last"]}]}'
    world.perform("UpdateGroupQuery", Group="ring", ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": query})
    world.at(15)
    assert (len(before.poll()), len(after.poll())) == (0, 1)


def test_a_group_that_was_deleted_meanwhile_fails_the_task_and_is_named(world: World) -> None:
    node = world.node(ring="first")
    create_group(world, "first", ring="first")
    window = window_of(world, "first")
    world.perform("DeleteGroup", Group="first")
    world.at(15)
    (task,) = world.tasks(window)
    assert task["Status"] == "FAILED"
    assert "resource group 'first' does not exist" in task["StatusDetails"]
    (one,) = world.invocations(task)
    assert (one["Status"], one["ExecutionId"]) == ("FAILED", None)
    assert one["StatusDetails"].startswith("resource group 'first' does not exist; create it, or name another")
    assert not node.poll()
    assert world.execution(window)["Status"] == "FAILED"


def test_a_group_may_be_made_after_its_target(world: World) -> None:
    node = world.node(ring="first")
    window_of(world, "first")
    create_group(world, "first", ring="first")
    world.at(15)
    assert len(node.poll()) == 1


def test_a_group_without_nodes_succeeds_and_says_so(world: World) -> None:
    world.node(ring="last")
    create_group(world, "first", ring="first")
    window = window_of(world, "first")
    world.at(15)
    (task,) = world.tasks(window)
    assert (task["Status"], task["StatusDetails"]) == ("SUCCESS", "NoInstancesInTag")


def test_types_of_which_no_node_is_leave_a_group_empty(world: World) -> None:
    node = world.node(ring="first")
    create_group(world, "first", ring="first")
    window = window_of(world, "first", "AWS::S3::Bucket")
    world.at(15)
    assert world.tasks(window)[0]["StatusDetails"] == "NoInstancesInTag"
    assert not node.poll()
