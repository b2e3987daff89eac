"""AWS-RunPatchBaselineWithHooks from SendCommand to its end: server, agent, documents of one's own, apt and dpkg, all real."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.machine import machine_of
from tests.fakes.server import Plane, register, running_agent, until
from tests.fakes.ssm_agent import SsmAgent
from tests.rig.toy_apt import Root, make_root

HOOKS: Final = {"PreInstallHookDocName": "Pre", "PostInstallHookDocName": "Post", "OnExitHookDocName": "Exit"}
VERSION: Final = "dpkg-query -W -f '${Version}' toy-base"


def content(script: str) -> str:
    step = {"action": "aws:runShellScript", "name": "hook", "inputs": {"runCommand": [script]}}
    return json.dumps({"schemaVersion": "2.2", "mainSteps": [step]})


@dataclass(frozen=True, slots=True)
class Node:
    """A node whose agent runs, and a file in which its hooks say that they ran."""

    client: Any
    id: str
    root: Root
    said: Path
    work: Callable[[str], None] = lambda _: None
    """Lets an agent that does nothing by itself run a command."""

    def hook(self, name: str, *, fails: bool = False) -> None:
        """Make the document *name*, which notes itself and the version of a package."""
        text = content(f'echo "{name} $({VERSION})" >> {self.said}' + ("; exit 3" if fails else ""))
        self.client.create_document(Name=name, Content=text, DocumentType="Command")

    def send(self, operation: str, **hooks: str) -> tuple[str, dict[str, Any]]:
        """Let a command run to its end, and return its status, and its steps by name."""
        given = {"Operation": [operation], "RebootOption": ["NoReboot"]}
        sent = self.client.send_command(
            DocumentName="AWS-RunPatchBaselineWithHooks",
            InstanceIds=[self.id],
            Parameters={**given, **{name: [value] for name, value in hooks.items()}},
        )

        self.work(sent["Command"]["CommandId"])

        def ended() -> Any:
            asked = {"CommandId": sent["Command"]["CommandId"], "Details": True}
            (told,) = self.client.list_command_invocations(**asked)["CommandInvocations"] or [{"Status": "Pending"}]
            return told if told["Status"] not in ("Pending", "InProgress", "Delayed") else None

        told = until(ended, "the end of the command", within_s=90)
        return told["Status"], {step["Name"]: step for step in told["CommandPlugins"]}

    def told(self) -> list[str]:
        """Return what hooks have said since they were asked last."""
        lines = self.said.read_text().splitlines() if self.said.exists() else []
        self.said.unlink(missing_ok=True)
        return lines


def failed(steps: dict[str, Any]) -> list[str]:
    """Return the steps that failed; the others, skipped ones too, are successes."""
    assert {step["Status"] for step in steps.values()} <= {"Success", "Failed"}
    return [name for name, step in steps.items() if step["Status"] == "Failed"]


@pytest.fixture
def node(plane: Plane, repository: Path, tmp_path: Path) -> Iterator[Node]:
    root = make_root(repository, tmp_path / "root", held=())
    machine = machine_of(root, tmp_path)
    state = tmp_path / "agent"
    id = register(plane, plane.activation(), state, machine.environ)
    with running_agent(plane, state, machine.environ):
        yield Node(plane.client, id, root, tmp_path / "said")


@pytest.mark.slow
def test_hooks_run_before_and_after_the_installation_and_one_that_fails_keeps_it_from_being(node: Node) -> None:
    for name in ("Pre", "Post", "Exit"):
        node.hook(name)
    node.hook("Fails", fails=True)

    status, steps = node.send("Install", **{**HOOKS, "PreInstallHookDocName": "Fails"})
    assert (status, failed(steps)) == ("Failed", ["PreInstallHook"])
    assert node.told() == ["Fails 1.0", "Exit 1.0"]

    status, steps = node.send("Install", **HOOKS)
    assert (status, failed(steps)) == ("Success", [])
    assert node.told() == ["Pre 1.0", "Post 1.0+deb99u1", "Exit 1.0+deb99u1"]

    # Nothing is left to do: what is installed waits for a reboot that is not to be.
    status, steps = node.send("Install", **HOOKS)
    assert (status, failed(steps)) == ("Success", [])
    assert node.told() == ["Exit 1.0+deb99u1"]

    assert node.send("Scan", **HOOKS)[0] == "Success"
    assert node.told() == []


def test_a_hook_that_is_no_document_is_named_and_nothing_is_installed(node: Node) -> None:
    status, steps = node.send("Install", PreInstallHookDocName="Nowhere")
    assert (status, failed(steps)) == ("Failed", ["PreInstallHook"])
    assert "document 'Nowhere' does not exist" in steps["PreInstallHook"]["Output"]
    assert node.root.run("dpkg-query", "-W", "-f", "${Version}", "toy-base") == "1.0"


@pytest.mark.slow
def test_the_amazon_ssm_agent_runs_hooks_in_the_same_order(plane: Plane, repository: Path, tmp_path: Path) -> None:
    root = make_root(repository, tmp_path / "root", held=())
    environ = machine_of(root, tmp_path).environ
    environ |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_STATE_HOME": str(tmp_path / "state")}
    agent = SsmAgent.register(plane.url, plane.activation(), tmp_path / "agent", environ)
    agent.start()

    def work(command_id: str) -> None:
        until(lambda: command_id in agent.work(), f"command {command_id}")

    node = Node(plane.client, agent.node_id, root, tmp_path / "said", work)
    for name in ("Before", "After", "Last"):
        node.hook(name)
    named = {"PreInstallHookDocName": "Nowhere", "PostInstallHookDocName": "After", "OnExitHookDocName": "Last"}
    status, steps = node.send("Install", **named)
    assert (status, failed(steps)) == ("Failed", ["PreInstallHook"])
    assert node.told() == ["Last 1.0"]
    status, steps = node.send("Install", **{**named, "PreInstallHookDocName": "Before"})
    assert (status, failed(steps)) == ("Success", [])
    assert node.told() == ["Before 1.0", "After 1.0+deb99u1", "Last 1.0+deb99u1"]
