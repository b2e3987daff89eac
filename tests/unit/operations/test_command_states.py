"""GetCommandStates: a command, node by node, in few words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.agent import Agent
from tests.engine.world import World
from tests.fakes.databases import migrated_url

from patchwindow.domain.errors import UnknownCommand


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with migrated_url("sqlite", tmp_path) as url:
        world = World(url)
        yield world
        world.close()


@pytest.fixture
def nodes(world: World) -> list[Agent]:
    return world.nodes(10)


@pytest.fixture
def command(world: World, nodes: list[Agent]) -> str:
    """Return a command to ten nodes, three at a time, of which one has failed and one is done."""
    sent = world.send(nodes, MaxConcurrency="25%", MaxErrors="2")
    world.turn()
    world.after(seconds=30)
    nodes[0].run()
    world.turn()
    nodes[1].run("Failed")
    world.turn()
    return sent


def counts(answer: dict[str, Any]) -> dict[str, int]:
    return {one["StatusDetails"]: one["InstanceCount"] for one in answer["Counts"]}


def test_counts_are_those_of_the_nodes(world: World, command: str) -> None:
    answer = world.perform("GetCommandStates", CommandId=command)
    told = [one["StatusDetails"] for one in answer["Instances"]]
    assert len(told) == 10
    assert counts(answer) == {details: told.count(details) for details in told}
    assert counts(answer)["Success"] == 1
    assert counts(answer)["Failed"] == 1


def test_the_rate_control_is_told_in_nodes(world: World, command: str) -> None:
    answer = world.perform("GetCommandStates", CommandId=command)
    assert (answer["Concurrency"], answer["ErrorsTolerated"]) == (3, 2)


def test_states_can_be_left_out_of_the_nodes_and_stay_in_the_counts(world: World, command: str) -> None:
    answer = world.perform("GetCommandStates", CommandId=command, Without=["Success", "Pending"])
    assert {one["StatusDetails"] for one in answer["Instances"]} <= {"Failed", "InProgress", "Delayed"}
    assert counts(answer)["Success"] == 1


@pytest.mark.parametrize("size", [1, 3, 10])
def test_pages_show_each_node_once_in_order(world: World, nodes: list[Agent], command: str, size: int) -> None:
    found: list[str] = []
    more: dict[str, str] = {}
    while True:
        answer = world.perform("GetCommandStates", CommandId=command, MaxResults=size, **more)
        found += [one["InstanceId"] for one in answer["Instances"]]
        if "NextToken" not in answer:
            break
        more = {"NextToken": answer["NextToken"]}
    assert found == [node.id for node in nodes]


def test_an_unknown_command_is_said_to_be_unknown(world: World) -> None:
    with pytest.raises(UnknownCommand, match="00000000-0000-4000-8000-00000000ffff"):
        world.perform("GetCommandStates", CommandId="00000000-0000-4000-8000-00000000ffff")
