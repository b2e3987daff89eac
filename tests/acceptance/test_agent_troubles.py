"""An agent in trouble: its server goes away, its disk is full. Nothing is lost, nothing runs twice, and the log says so."""

import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.commandline import AGENT, environment
from tests.fakes.server import Plane, ServerProcess, register, until

RESTED = ("Success", "Failed", "TimedOut", "Cancelled")


class Node:
    """A registered machine whose agent runs as a process of its own."""

    def __init__(self, plane: Plane, folder: Path) -> None:
        self.plane = plane
        self.folder = folder
        self.environ = environment(folder)
        self.state = folder / "state"
        self.id = register(plane, plane.activation(), self.state, self.environ)

    @property
    def log(self) -> str:
        return (self.folder / "agent.log").read_text()

    @contextmanager
    def running(self) -> Iterator[int]:
        """Run the agent; yield its process id."""
        command = [*AGENT, "run", "--state", str(self.state), "--reboot-command", ""]
        with (self.folder / "agent.log").open("ab") as log:
            # The log is kept by another process, as by a journal: it has room when the agent has none.
            keeper = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=log)
        process = subprocess.Popen(command, env=self.environ, stdout=keeper.stdin, stderr=keeper.stdin)
        assert keeper.stdin is not None, "it is a pipe"
        keeper.stdin.close()
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            finally:
                process.kill()
                process.wait()
                keeper.wait(10)

    def send(self, *lines: str) -> str:
        sent = self.plane.client.send_command(
            InstanceIds=[self.id], DocumentName="AWS-RunShellScript", Parameters={"commands": list(lines)}
        )
        command_id: str = sent["Command"]["CommandId"]
        return command_id

    def ended(self, command_id: str) -> Any:
        found = self.plane.client.list_command_invocations(CommandId=command_id)["CommandInvocations"]
        return found[0]["Status"] if found and found[0]["Status"] in RESTED else None


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with ServerProcess(tmp_path / "data") as server:
        yield Node(Plane(server, tmp_path), tmp_path)


def test_what_a_command_came_to_while_the_server_was_down_arrives_when_it_is_back(node: Node, tmp_path: Path) -> None:
    with node.running():
        command_id = node.send(f"touch {tmp_path}/begun", f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done")
        until((tmp_path / "begun").exists, "the command")
        assert node.plane.server.stop() == 0
        (tmp_path / "go").touch()
        until(lambda: list((node.state / "replies").glob("*.json")), "a reply that waits")
        node.plane.server.start()
        assert until(lambda: node.ended(command_id), "the result") == "Success"
        until(lambda: not list((node.state / "replies").glob("*.json")), "the end of the waiting")
    assert "cannot reach 127.0.0.1:" in node.log


def test_a_result_survives_the_end_of_the_agent_while_the_server_is_down(node: Node, tmp_path: Path) -> None:
    with node.running():
        command_id = node.send(f"touch {tmp_path}/begun", f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done")
        until((tmp_path / "begun").exists, "the command")
        node.plane.server.kill()
        (tmp_path / "go").touch()
        until(lambda: len(list((node.state / "replies").glob("*.json"))) >= 2, "replies that wait")
    node.plane.server.start()
    with node.running():
        assert until(lambda: node.ended(command_id), "the result") == "Success"


@pytest.mark.slow
def test_on_a_full_disk_a_command_waits_with_the_server_and_then_runs_once(node: Node, tmp_path: Path) -> None:
    with node.running() as pid:
        until((node.state / "contact").exists, "the first answer of the server")
        # No file can grow: to the agent this is a disk without room, and to nobody else.
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        command_id = node.send(f"echo ran >>{tmp_path}/runs")
        until(lambda: "cannot write" in node.log, "a word of the full disk")
        assert not (tmp_path / "runs").exists()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        # The server gives it again after 10 seconds.
        assert until(lambda: node.ended(command_id), "the result", within_s=40) == "Success"
    assert (tmp_path / "runs").read_text() == "ran\n"
