"""A server that is killed (-9) in the middle of its work: what it answered is there, and nothing is half done."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import EndpointConnectionError, HTTPClientError
from tests.fakes.node import PaperNode
from tests.fakes.server import Plane, all_pages, until

KILLS: Final = 3
TAGS: Final = [{"Key": "kept", "Value": "whole"}]
Answered = dict[str, set[str]]


@pytest.fixture
def nodes(plane: Plane, tmp_path: Path) -> Iterator[list[PaperNode]]:
    """Three nodes that have their sessions already."""
    activation = plane.activation(RegistrationLimit=3, Tags=[{"Key": "Role", "Value": "web"}])
    nodes = [PaperNode.registered(plane.url, activation, tmp_path / str(number)) for number in range(3)]
    # Commands go to them one after the other, in this order.
    nodes.sort(key=lambda node: node.node_id)
    for node in nodes:
        node.ping()
    yield nodes
    for node in nodes:
        node.close()


def make_until_it_dies(client: Any, answered: Answered, chance: random.Random) -> None:
    """Make windows, baselines and commands until no answer comes any more; note what was answered."""
    number = 0
    makers: dict[str, Callable[[], str]] = {
        "window": lambda: client.create_maintenance_window(
            Name=f"window-{number}",
            Schedule="rate(7 days)",
            Duration=2,
            Cutoff=1,
            AllowUnassociatedTargets=True,
            Tags=TAGS,
        )["WindowId"],
        "baseline": lambda: client.create_patch_baseline(Name=f"baseline-{number}", Tags=TAGS)["BaselineId"],
        "command": lambda: client.send_command(
            DocumentName="AWS-RunShellScript",
            Targets=[{"Key": "tag:Role", "Values": ["web"]}],
            Parameters={"commands": [f"echo {number}"]},
            MaxConcurrency="100%",
        )["Command"]["CommandId"],
    }
    try:
        while True:
            number += 1
            (kind,) = chance.choices(list(makers), (5, 5, 1))
            answered[kind].add(makers[kind]())
    except (HTTPClientError, EndpointConnectionError):
        return


def work_and_kill(plane: Plane, clients: list[Any], seed: int) -> Answered:
    """Let all clients work, kill the server meanwhile, and return what was answered."""
    answers: list[Answered] = [{"window": set(), "baseline": set(), "command": set()} for _ in clients]
    with ThreadPoolExecutor(len(answers)) as threads:
        for number, (client, answered) in enumerate(zip(clients, answers, strict=True)):
            threads.submit(make_until_it_dies, client, answered, random.Random(10 * seed + number))
        until(lambda: any(found for answered in answers for found in answered.values()), "the first answer")
        time.sleep(random.Random(seed).uniform(0, 0.3))
        plane.server.kill()
    return {kind: set().union(*(answered[kind] for answered in answers)) for kind in answers[0]}


def check_windows_and_baselines(client: Any, answered: Answered, checked: set[str]) -> None:
    """Check that all of them are there, and each whole: its tags came with it, also where nothing was answered."""
    windows = {each["WindowId"] for each in all_pages(client, "describe_maintenance_windows", "WindowIdentities")}
    assert answered["window"] <= windows
    own = [{"Key": "OWNER", "Values": ["Self"]}]
    baselines = {
        each["BaselineId"] for each in all_pages(client, "describe_patch_baselines", "BaselineIdentities", Filters=own)
    }
    assert answered["baseline"] <= baselines
    for kind, ids in (("MaintenanceWindow", windows), ("PatchBaseline", baselines)):
        for id in ids - checked:
            assert client.list_tags_for_resource(ResourceType=kind, ResourceId=id)["TagList"] == TAGS
        checked |= ids


def check_commands(client: Any, answered: Answered, nodes: list[PaperNode]) -> None:
    """Check that all of them are there, each with an invocation on every node."""
    commands = {each["CommandId"]: each for each in all_pages(client, "list_commands", "Commands")}
    assert answered["command"] <= commands.keys()
    invocations: dict[str, set[str]] = {id: set() for id in commands}
    for each in all_pages(client, "list_command_invocations", "CommandInvocations"):
        invocations[each["CommandId"]].add(each["InstanceId"])
    every_node = {node.node_id for node in nodes}
    for id, command in commands.items():
        assert invocations[id] == every_node
        assert command["TargetCount"] == len(nodes)


def run_all(node: PaperNode) -> None:
    """Take every command that waits for the node, and say that it went well."""
    while messages := node.messages():
        for message in messages:
            node.call("ec2messages", "AcknowledgeMessage", MessageId=message["MessageId"])
            node.succeed(message["MessageId"], "runShellScript", "done")


def test_what_was_answered_is_there_and_whole_after_each_kill(plane: Plane, nodes: list[PaperNode]) -> None:
    clients = [plane.connect(plane.key) for _ in range(4)]
    checked: set[str] = set()
    sessions = [node.key for node in nodes]
    for seed in range(KILLS):
        answered = work_and_kill(plane, clients, seed)
        plane.server.start()
        check_windows_and_baselines(plane.client, answered, checked)
        check_commands(plane.client, answered, nodes)
        for node in nodes:
            node.ping()
    assert [node.key for node in nodes] == sessions, "sessions survive the server"

    for node in nodes:
        run_all(node)
    statuses = {each["Status"] for each in all_pages(plane.client, "list_commands", "Commands")}
    assert statuses == {"Success"}
    assert "Traceback" not in plane.server.log.read_text()


def test_a_client_token_still_counts_after_a_kill(plane: Plane) -> None:
    members = {"Name": "once", "ClientToken": "3d0a6d4e-4f4b-4d0a-9b59-2f1e6a1c7f10"}
    first = plane.client.create_patch_baseline(**members)["BaselineId"]
    plane.server.kill()
    plane.server.start()
    assert plane.client.create_patch_baseline(**members)["BaselineId"] == first
    with pytest.raises(plane.client.exceptions.IdempotentParameterMismatch):
        plane.client.create_patch_baseline(**members, Description="another")
