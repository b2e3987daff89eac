"""The agent as it is used: as a zip application, as a process that is started and killed."""

import json
import os
import shutil
import subprocess
import sys
import zipapp
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.agent.fake_server import ACTIVATION, NODE_ID, REGION, FakeServer, eventually, is_running, shell_step

import patchwindow_agent
from patchwindow_agent import identity
from patchwindow_agent.__main__ import Exit, perform

COMMANDS = ("register", "run", "patch", "facts")
Spawn = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the agent as the server hands it out."""
    folder = tmp_path_factory.mktemp("pyz")
    source = Path(patchwindow_agent.__file__).parent
    shutil.copytree(source, folder / "app/patchwindow_agent", ignore=shutil.ignore_patterns("__pycache__"))
    zipapp.create_archive(folder / "app", folder / "agent.pyz", main="patchwindow_agent.__main__:main")
    return folder / "agent.pyz"


@pytest.fixture
def spawn(pyz: Path) -> Iterator[Spawn]:
    """Return what starts the agent as a process; all are ended with the test."""
    with_pipes = []

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, str(pyz), *arguments], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        with_pipes.append(process)
        return process

    yield start
    for process in with_pipes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("arguments", [[], *([command] for command in COMMANDS)])
def test_every_command_explains_itself_and_its_exit_codes(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        perform([*arguments, "--help"])
    assert ended.value.code == 0
    assert "exit codes: 0 done, 1 failed, 2 misused" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["run", "--at-once", "0"],
        ["patch", "--url", "http://host/"],
        ["run", "--endpoint", "here", "--state", "s"],
    ],
)
def test_a_misused_command_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        perform(arguments)
    assert ended.value.code == Exit.MISUSED
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("url", [None, "ftp://host/"])
def test_a_patch_operation_without_its_url_says_where_it_is_looked_for(
    url: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PATCHWINDOW_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("PATCHWINDOW_URL", url)
    assert perform(["patch"]) == Exit.FAILED
    assert "PATCHWINDOW_URL does not hold the URL of a patch operation" in capsys.readouterr().err


def test_a_server_that_cannot_be_reached_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATCHWINDOW_URL", "http://127.0.0.1:9/x")
    assert perform(["patch"]) == Exit.FAILED
    assert capsys.readouterr().err == ("patchwindow-agent: cannot reach 127.0.0.1:9: [Errno 111] Connection refused\n")


def test_a_folder_without_a_registration_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert perform(["run", "--endpoint", "http://127.0.0.1:9", "--state", str(tmp_path)]) == Exit.FAILED
    assert f"{tmp_path} holds no registration" in capsys.readouterr().err


def test_a_machine_without_a_known_package_manager_has_an_exit_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert perform(["facts"]) == Exit.UNSUPPORTED
    assert "has no package manager that is known here" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt")
def test_the_zip_application_prints_the_facts_of_this_machine(pyz: Path, tmp_path: Path) -> None:
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, str(pyz), "facts"], check=True, capture_output=True, env=environ)
    assert json.loads(done.stdout)["manager"] == "apt"


def test_registering_prints_the_nodes_id_and_tells_of_the_machine(
    pyz: Path, server: FakeServer, tmp_path: Path
) -> None:
    options = ["--endpoint", server.url, "--state", str(tmp_path / "s"), "--region", REGION]
    credentials = ["--activation-id", ACTIVATION[0], "--activation-code", ACTIVATION[1], "--name", "db-1"]
    done = subprocess.run(
        [sys.executable, str(pyz), "register", *options, *credentials], check=True, capture_output=True, text=True
    )
    assert done.stdout == f"{NODE_ID}\n"
    assert identity.load(tmp_path / "s").name == "db-1"
    assert server.called("UpdateInstanceInformation")[0]["ComputerName"] == "db-1"


def run_options(server: FakeServer, state: Path) -> list[str]:
    return ["run", "--endpoint", server.url, "--state", str(state), "--reboot-command", ""]


def test_an_agent_ends_when_its_parent_does_and_ends_what_it_started(
    server: FakeServer, state: Path, spawn: Spawn, tmp_path: Path
) -> None:
    process = spawn(*run_options(server, state), "--stop-with-parent")
    id = server.send_command([shell_step("a", f"echo $$ > {tmp_path}/pid", "sleep 60")])
    eventually((tmp_path / "pid").exists)
    assert process.stdin is not None
    # What the kernel does to a parent that is killed.
    process.stdin.close()
    assert process.wait(10) == Exit.DONE
    assert server.statuses(id)[-1] == "Failed"
    eventually(lambda: not is_running(int((tmp_path / "pid").read_text())))


def test_an_agent_ends_in_order_when_it_is_told_to(server: FakeServer, state: Path, spawn: Spawn) -> None:
    process = spawn(*run_options(server, state))
    server.wait_for(lambda: server.called("GetMessages"))
    process.terminate()
    assert process.wait(10) == Exit.DONE


def test_a_command_that_was_cut_off_by_a_crash_fails_and_is_not_run_again(
    server: FakeServer, state: Path, spawn: Spawn, tmp_path: Path
) -> None:
    first = spawn(*run_options(server, state))
    id = server.send_command([shell_step("a", f"echo x >> {tmp_path}/runs", "sleep 2"), shell_step("b", "true")])
    server.wait_for(lambda: server.called("AcknowledgeMessage"))
    eventually((tmp_path / "runs").exists)
    first.kill()
    first.wait()
    server.calls.clear()

    spawn(*run_options(server, state))
    server.wait_for(lambda: server.statuses(id) == ["Failed"])
    step = server.replies(id)[0]["runtimeStatus"]["a"]
    assert (step["code"], step["name"]) == (1, "")
    assert "the agent or the machine stopped while the step ran" in step["output"]
    assert (tmp_path / "runs").read_text() == "x\n"


def test_a_resting_agent_takes_less_than_30_mib(server: FakeServer, state: Path, spawn: Spawn) -> None:
    process = spawn(*run_options(server, state))
    id = server.send_command([shell_step("a", "true")])
    server.wait_for(lambda: server.statuses(id)[-1:] == ["Success"])
    status = Path(f"/proc/{process.pid}/status").read_text()
    resident_kb = int(status.partition("VmRSS:")[2].split()[0])
    assert resident_kb < 30 * 1024
