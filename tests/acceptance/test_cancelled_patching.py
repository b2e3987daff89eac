"""A patch command that is cancelled while its node installs: nothing more begins, and what is there is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.fakes.machine import Machine, machine_of
from tests.fakes.server import Plane, all_pages, register, running_agent, until
from tests.rig.toy_apt import Root
from tests.rig.toy_troubles import build_troubles, make_troubled_root

NAMES = ("good-one", "slow")


@dataclass(frozen=True, slots=True)
class Node:
    """A registered node whose agent does not run yet; its package `slow` waits in its script until it is let go."""

    plane: Plane
    machine: Machine
    root: Root
    state: Path
    id: str

    def install(self) -> str:
        """Send an installation, with a reboot if needed."""
        given = {"Operation": ["Install"], "RebootOption": ["RebootIfNeeded"]}
        sent = self.plane.client.send_command(
            DocumentName="AWS-RunPatchBaseline", InstanceIds=[self.id], Parameters=given
        )
        return str(sent["Command"]["CommandId"])

    def status(self, command_id: str) -> str:
        """Return where the command stands on the node."""
        told = self.plane.client.get_command_invocation(CommandId=command_id, InstanceId=self.id)
        return str(told["Status"])

    def output(self, command_id: str) -> str:
        """Return what the step said."""
        told = self.plane.client.get_command_invocation(CommandId=command_id, InstanceId=self.id)
        return str(told["StandardOutputContent"])

    def states(self) -> dict[str, str]:
        """Return the state of each patch, by its title."""
        patches = all_pages(self.plane.client, "describe_instance_patches", "Patches", InstanceId=self.id)
        return {patch["Title"]: patch["State"] for patch in patches}

    def cancel_in_the_middle(self, command_id: str) -> None:
        """Cancel the command when the script of a package runs."""
        until((self.root.path / "run/waiting").exists, "the script of the package", within_s=60)
        self.plane.client.cancel_command(CommandId=command_id)
        until(lambda: self.status(command_id) == "Cancelling", "the cancellation")

    def let_go(self) -> None:
        """Let the package manager come to its end."""
        (self.root.path / "run/go").touch()


@pytest.fixture
def node(plane: Plane, tmp_path: Path) -> Iterator[Node]:
    root = make_troubled_root(build_troubles(tmp_path / "repository"), tmp_path / "root", *NAMES)
    machine, state = machine_of(root, tmp_path), tmp_path / "agent"
    yield Node(plane, machine, root, state, register(plane, plane.activation(), state, machine.environ))
    (root.path / "run/go").touch()


def test_the_transaction_at_hand_is_finished_and_told_and_no_reboot_is_asked_for(node: Node) -> None:
    with running_agent(node.plane, node.state, node.machine.environ):
        command_id = node.install()
        node.cancel_in_the_middle(command_id)
        node.let_go()
        until(lambda: node.status(command_id) == "Cancelled", "the end of the command", within_s=60)
    assert f"which was not asked for: command {command_id} is cancelled" in node.output(command_id)
    assert {node.states()[f"{name}.all:2.0"] for name in NAMES} == {"InstalledPendingReboot"}


@pytest.mark.slow
def test_an_agent_that_comes_back_to_a_cancelled_installation_only_reports(node: Node) -> None:
    with running_agent(node.plane, node.state, node.machine.environ):
        command_id = node.install()
        until((node.root.path / "run/waiting").exists, "the script of the package", within_s=60)
    node.cancel_in_the_middle(command_id)
    node.let_go()
    with running_agent(node.plane, node.state, node.machine.environ):
        # The agent may hear of the cancellation before the operation has ended by itself, or after.
        until(lambda: node.status(command_id) in ("Cancelled", "Failed"), "the end of the command", within_s=60)
    output = node.output(command_id)
    assert f"cancelled: nothing more was installed: command {command_id} is cancelled" in output
    assert node.states(), "it has been reported"
