"""What the API tells of executions and commands that the engine carried out."""

from typing import Any

import pytest
from tests.engine.world import Members, World


def told(world: World, window: str) -> Members:
    (task,) = world.tasks(window)
    return world.perform(
        "GetMaintenanceWindowExecutionTask",
        WindowExecutionId=task["WindowExecutionId"],
        TaskId=task["TaskExecutionId"],
    )


def test_a_task_tells_with_which_parameters_and_on_which_nodes_it_ran(world: World) -> None:
    first, second, _ = world.node(site="a"), world.node(site="b"), world.node(site="c")
    window = world.window()
    targets = [world.target(window, "tag:site", "b"), world.target(window, "tag:site", "a", "b")]
    world.task(window, *targets, parameters={"Parameters": {"commands": ["true", "id"]}, "Comment": "look"})
    world.at(15)
    expected: dict[str, Any] = {"commands": {"Values": ["true", "id"]}}
    assert told(world, window)["TaskParameters"] == [{**expected, "aws:InstanceId": {"Values": [second.id]}}]
    world.at(15, 0, 1)
    second.run()
    world.at(15, 0, 2)
    assert told(world, window)["TaskParameters"] == [{**expected, "aws:InstanceId": {"Values": [second.id, first.id]}}]


def test_deprecated_parameters_are_told_where_there_are_no_others(world: World) -> None:
    window = world.window()
    deprecated = {"commands": {"Values": ["true"]}}
    target = world.target(window, "tag:site", "nowhere")
    world.task(window, target, TaskInvocationParameters={}, TaskParameters=deprecated)
    world.at(15)
    assert told(world, window)["TaskParameters"] == [deprecated]


def test_a_command_that_has_ended_is_not_cancelled(world: World) -> None:
    node = world.node()
    sent = world.send([node])
    world.turn()
    node.run()
    world.turn()
    before = world.command(sent)
    assert before["Status"] == "Success"
    assert world.perform("CancelCommand", CommandId=sent) == {}
    world.after(seconds=1)
    assert world.command(sent) == before


@pytest.mark.parametrize("status", ["TimedOut", "DeliveryTimedOut"])
def test_what_timed_out_is_found_by_its_status_and_by_its_detail(world: World, status: str) -> None:
    on_time, late = world.nodes(2)
    sent = world.send([on_time, late])
    world.turn()
    on_time.run()
    world.after(days=2)
    asked = [{"key": "Status", "value": status}]
    found = world.perform("ListCommandInvocations", CommandId=sent, Filters=asked)["CommandInvocations"]
    assert [(one["InstanceId"], one["StatusDetails"]) for one in found] == [(late.id, "DeliveryTimedOut")]
