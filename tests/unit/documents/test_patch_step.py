"""The steps of AWS-RunPatchBaseline for Linux and macOS, run by the shell of this machine against a server on loopback."""

import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.fakes.web import WebServer, answering, serving

from patchwindow.documents import library

EXIT_CODE = 194


def zipped(program: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("__main__.py", program)
    return buffer.getvalue()


PROGRAM = zipped(f"import os, sys; print('ran', *sys.argv[1:], os.environ['PATCHWINDOW_URL']); sys.exit({EXIT_CODE})")


@dataclass
class Node:
    """A machine with one folder to keep things in, and the server that it asks."""

    root: Path
    server: WebServer
    path: str = os.environ["PATH"]
    sent: bytes = PROGRAM
    step: str = "PatchLinux"

    @property
    def url(self) -> str:
        """Where its operation is."""
        return f"{self.server.url}/operation/token"

    @property
    def kept(self) -> list[Path]:
        """What is kept on the node."""
        return sorted((self.root / "var").glob("*"))

    def run(self, digest: str | None = None, url: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run the step."""
        (step,) = (
            step for step in library.get("AWS-RunPatchBaseline").content["mainSteps"] if step["name"] == self.step
        )
        values = {
            "PatchwindowUrl": self.url if url is None else url,
            "PatchwindowDigest": digest or hashlib.sha256(self.sent).hexdigest(),
        }
        lines = "\n".join(step["inputs"]["runCommand"]).replace("/var/lib/patchwindow", str(self.root / "var"))
        script = re.sub(r"\{\{ (\w+) \}\}", lambda found: values[found[1]], lines)
        environment = {"PATH": self.path, "HOME": str(self.root / "home")}
        return subprocess.run(
            ["/bin/sh", "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=30
        )


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    def act(handler: BaseHTTPRequestHandler) -> None:
        answering(200 if handler.path == "/operation/token/program" else 403, here.sent)(handler)

    with serving(act) as server:
        here = Node(tmp_path, server)
        yield here


def test_the_program_is_fetched_once_and_its_exit_code_is_passed_on(node: Node) -> None:
    first, second = node.run(), node.run()
    for result in (first, second):
        assert (result.returncode, result.stdout, result.stderr) == (EXIT_CODE, f"ran patch {node.url}\n", "")
    assert node.server.paths == ["/operation/token/program"]
    assert [path.name for path in node.kept] == [f"program-{hashlib.sha256(PROGRAM).hexdigest()}.pyz"]
    assert node.kept[0].stat().st_mode & 0o077 == 0


def test_the_step_of_macos_does_the_same_with_the_python_of_the_developer_tools(node: Node) -> None:
    node.step = "PatchMacOS"
    result = node.run()
    assert (result.returncode, result.stdout, result.stderr) == (EXIT_CODE, f"ran patch {node.url}\n", "")


def test_nothing_else_than_the_program_is_run_or_kept(node: Node) -> None:
    result = node.run(digest="0" * 64)
    assert result.returncode == 1
    assert result.stdout == ""
    assert f"has the SHA-256 {hashlib.sha256(PROGRAM).hexdigest()}, not {'0' * 64}" in result.stderr
    assert node.kept == []


def test_a_program_that_was_tampered_with_is_fetched_again(node: Node) -> None:
    node.run()
    node.kept[0].write_bytes(zipped("print('tampered')"))
    assert node.run().stdout == f"ran patch {node.url}\n"
    assert node.kept[0].read_bytes() == PROGRAM


def test_a_refusal_of_the_server_is_shown_without_the_secret_url(node: Node) -> None:
    result = node.run(url=f"{node.url}-ended")
    assert result.returncode == 1
    assert result.stderr == "patchwindow: the server did not send the patch operation: HTTP Error 403: Forbidden\n"


def test_where_the_first_folder_cannot_be_written_the_second_is_used(node: Node) -> None:
    (node.root / "var").write_text("a file in the way")
    assert node.run().returncode == EXIT_CODE
    assert len(list((node.root / "home/.local/state/patchwindow").iterdir())) == 1


def test_a_node_with_no_folder_to_write_is_told(node: Node) -> None:
    (node.root / "var").write_text("a file in the way")
    (node.root / "home").write_text("a file in the way")
    result = node.run()
    assert (result.returncode, result.stdout) == (1, "")
    assert "make one writable" in result.stderr


def test_a_node_without_a_new_enough_python_is_told(node: Node) -> None:
    tools = node.root / "bin"
    tools.mkdir()
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    node.path = str(tools)
    result = node.run()
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("patchwindow: found no Python 3.9 or newer")


def test_a_later_name_of_python_will_do(node: Node) -> None:
    tools = node.root / "bin"
    tools.mkdir()
    (tools / "python3.9").symlink_to(sys.executable)
    (tools / "mkdir").symlink_to("/bin/mkdir")
    node.path = str(tools)
    assert node.run().returncode == EXIT_CODE


def test_a_command_of_another_server_is_told_apart(node: Node) -> None:
    result = node.run(url="{{ PatchwindowUrl }}")
    assert result.returncode == 1
    assert result.stderr.startswith("patchwindow: this command carries no address of a patch operation")
