"""The line that installs an agent, run as it is printed: with each tool that may fetch, and against a server that lies."""

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.commandline import environment, run
from tests.fakes.server import Plane, ServerProcess, until

_TOOLS: Final = ("sh", "mktemp", "rm", "mv", "cat", "id", "base64", "tr", "fold", "sha256sum")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may install the agent; run the tests as root")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """A control plane on loopback with a CA of its own."""
    folder = tmp_path_factory.mktemp("secured")
    with ServerProcess(folder / "data", "--tls", "on") as server:
        yield Plane(server, folder)


def line(plane: Plane) -> str:
    """Return the line that an operator gets."""
    return plane.shell().patchwindow("activations", "create", "--line", "shell").out.strip()


def machine(folder: Path, fetcher: str) -> dict[str, str]:
    """Return the environment of a machine that has *fetcher*, and otherwise what every system has."""
    tools = folder / "bin"
    tools.mkdir()
    wanted = [*_TOOLS, *([] if fetcher == "python3" else [fetcher])]
    for name in wanted:
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"this machine has no {name}; install the package of that name")
        (tools / name).symlink_to(found)
    # Not a link: an interpreter looks for its library beside itself.
    (tools / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tools / "python3").chmod(0o755)
    return {**environment(folder), "PATH": str(tools), "TMPDIR": str(folder)}


def install(given: str, environ: dict[str, str], state: Path, *options: str, exit_code: int = 0) -> Any:
    """Run the line of an installation as a shell does, with options at its end."""
    told = " ".join([given, "--state", str(state), "--no-service", *options])
    return run(["/bin/sh", "-c", told], environ, exit_code=exit_code)


def agent(state: Path, environ: dict[str, str], *arguments: str, exit_code: int = 0) -> Any:
    """Run the installed agent's own command."""
    command = [sys.executable, "-I", str(state / "agent.pyz"), *arguments, "--state", str(state)]
    return run(command, environ, exit_code=exit_code)


@contextmanager
def service(state: Path, environ: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the agent as its service does."""
    with (state.parent / "agent.log").open("ab") as log:
        process = subprocess.Popen(["/bin/sh", str(state / "start.sh")], env=environ, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        finally:
            process.kill()
            process.wait()


@needs_root
@pytest.mark.needs_root
@pytest.mark.parametrize("fetcher", ["curl", "wget", "python3"])
def test_the_line_makes_a_machine_a_node_that_trusts_the_ca_of_the_line_alone(
    secured: Plane, tmp_path: Path, fetcher: str
) -> None:
    state, environ = tmp_path / "state", machine(tmp_path, fetcher)
    node_id = install(line(secured), environ, state, "--name", f"by-{fetcher}").out.strip()
    (node,) = secured.client.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [node_id]}])[
        "InstanceInformationList"
    ]
    assert node["ComputerName"] == f"by-{fetcher}"
    assert secured.ca_bundle is not None
    assert (state / "ca.pem").read_text() == Path(secured.ca_bundle).read_text()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("tmp.")] == [], "nothing is left behind"


@needs_root
@pytest.mark.needs_root
def test_an_installed_agent_runs_says_how_it_is_and_goes_without_a_trace(secured: Plane, tmp_path: Path) -> None:
    state, environ = tmp_path / "state", machine(tmp_path, "curl")
    node_id = install(line(secured), environ, state).out.strip()
    assert "the agent does not run" in agent(state, environ, "status", exit_code=1).err
    with service(state, environ):
        until((state / "contact").exists, "the first answer of the server")
        told = agent(state, environ, "status", "--json").json
        assert (told["node"], told["running"], told["server"], told["problems"]) == (node_id, True, secured.url, [])
        # Settled: what runs is the server's own program.
        assert not (state / "agent.pyz.old").exists()
        said = agent(state, environ, "uninstall", exit_code=1).err
        assert f"an agent still runs with the state folder {state}" in said
    again = install(line(secured), environ, state)
    assert again.out.strip() == node_id
    assert f"this machine is {node_id} already; the activation was not used" in again.err
    said = agent(state, environ, "uninstall").err
    assert f"`patchwindow nodes deregister {node_id}`" in said
    assert not state.exists()


@needs_root
@pytest.mark.needs_root
def test_an_agent_becomes_the_servers_program_and_goes_on_as_the_same_process(secured: Plane, tmp_path: Path) -> None:
    state, environ = tmp_path / "state", machine(tmp_path, "curl")
    install(line(secured), environ, state)
    current = (state / "agent.pyz").read_bytes()
    with zipfile.ZipFile(state / "agent.pyz", "a") as archive:
        # It runs as before, and is another program all the same.
        archive.comment = b"an older version"
    with service(state, environ) as process:
        until(lambda: (state / "agent.pyz").read_bytes() == current, "the server's program")
        until(lambda: not (state / "agent.pyz.old").exists(), "the word of the server to the new program")
        assert process.poll() is None
        told = agent(state, environ, "status", "--json").json
        assert (told["running"], told["problems"]) == (True, [])
    said = (tmp_path / "agent.log").read_text()
    assert said.count("becoming the server's program") == 1
    assert said.count("running as ") == 2


@needs_root
@pytest.mark.needs_root
def test_a_server_with_another_ca_than_the_lines_is_not_believed(secured: Plane, tmp_path: Path) -> None:
    state, environ = tmp_path / "state", machine(tmp_path, "curl")
    given = line(secured)
    fingerprint = next(word for word in given.split() if len(word) == 64)
    done = install(given.replace(fingerprint, "0" * 64), environ, state, exit_code=1)
    assert done.err == f"patchwindow: the CA of {secured.url} is not the one of this line; nothing was installed\n"
    assert not state.exists()


def test_the_code_of_the_activation_is_no_argument_of_any_program(secured: Plane) -> None:
    given = line(secured)
    code = given.split()[2]
    # printf is part of every shell, and no program of its own.
    assert given.count(code) == 1
    assert given.startswith(f"printf '%s\\n' {code} | sh -c '")
