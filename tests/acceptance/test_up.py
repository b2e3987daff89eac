"""`patchwindow up`: the whole main job by one command, again and again, and however it ends."""

import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.fakes.commandline import PATCHWINDOW, Done, Shell, line_of, run
from tests.fakes.machine import INSTALLED, SECURITY, Machine
from tests.fakes.server import until


@dataclass(frozen=True, slots=True)
class Twice:
    """A data directory, and what two runs on it printed."""

    data: Path
    first: Done
    second: Done


@pytest.fixture(scope="module")
def twice(machine: Machine) -> Twice:
    """Run `up --once` twice on one data directory."""
    data = machine.home / "twice"
    command = (*PATCHWINDOW, "up", "--once", "--data", str(data))
    return Twice(data, run(command, machine.environ), run(command, machine.environ))


def serving(machine: Machine, data: Path) -> "subprocess.Popen[str]":
    """Start `up`, and return it once it says that it serves."""
    process = subprocess.Popen(
        [*PATCHWINDOW, "up", "--data", str(data)],
        env=machine.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None, "it is a pipe"
    try:
        line_of(process.stderr, "Serving until Ctrl-C")
    except AssertionError:
        process.kill()
        process.communicate()
        raise
    return process


@pytest.fixture
def up(machine: Machine, twice: Twice) -> Iterator["subprocess.Popen[str]"]:
    """An `up` that serves, once more on the same data directory."""
    process = serving(machine, twice.data)
    yield process
    process.kill()
    process.communicate()


def exports(printed: str) -> dict[str, str]:
    """Return the variables that the printed lines set."""
    words = [word for line in printed.splitlines() if line.startswith("export ") for word in line.split()[1:]]
    return dict(word.split("=", 1) for word in words)


def agents_of(data: Path) -> list[int]:
    """Return the processes that run as an agent with its state in *data*."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(data / "agent").encode() in words and b"run" in words:
            found.append(int(path.parent.name))
    return found


def test_it_tells_what_the_scan_found_and_when_windows_open(twice: Twice) -> None:
    for done in (twice.first, twice.second):
        lines = done.out.splitlines()
        node_id = next(line for line in lines if line.startswith("NON_COMPLIANT: ")).split()[1]
        assert node_id.startswith("mi-")
        assert any(line.startswith("baseline: Debian-Security (pb-") for line in lines)
        (counts,) = (line for line in lines if line.startswith("patches: "))
        assert f"{len(INSTALLED)} InstalledOther" in counts
        assert f" {len(SECURITY)} Missing" in counts
        for title in SECURITY:
            assert f"  {title}  Security  optional  from Debian-Security toy-security" in lines
        assert len(lines) - lines.index("Next openings") - 2 == 6


def test_a_second_run_finds_everything_in_place(twice: Twice) -> None:
    assert "2. Plan 'reference' is applied: 52 created, 0 updated, 0 found in place" in twice.first.err
    assert "2. Plan 'reference' is applied: 0 created, 0 updated, 52 found in place" in twice.second.err
    assert "is registered as managed node" in twice.first.err
    assert "already" in twice.second.err
    assert exports(twice.first.out) == exports(twice.second.out)


def test_only_the_owner_can_read_what_it_keeps(twice: Twice) -> None:
    kept = [twice.data, *twice.data.rglob("*")]
    assert {path.name for path in kept} >= {"credentials", "patchwindow.db", "identity.json", "agent.log"}
    for path in kept:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_the_printed_environment_serves_the_aws_cli_until_ctrl_c(
    up: "subprocess.Popen[str]", machine: Machine, twice: Twice
) -> None:
    assert up.stdout is not None, "it is a pipe"
    printed = exports(up.stdout.readline() + up.stdout.readline())
    assert printed.keys() == {"AWS_ENDPOINT_URL_SSM", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE"}
    shell = Shell({**machine.environ, **printed})
    (node,) = shell.aws("describe-instance-information")["InstanceInformationList"]
    assert node["PingStatus"] == "Online"
    assert shell.patchwindow("scan", "--group", "Management Server", "--json").json[0]["IsCompliant"] is False
    _ends(up, signal.SIGINT, twice.data)


@pytest.mark.slow
def test_it_ends_when_it_is_terminated_and_takes_its_agent_with_it(up: "subprocess.Popen[str]", twice: Twice) -> None:
    _ends(up, signal.SIGTERM, twice.data)


def _ends(up: "subprocess.Popen[str]", how: signal.Signals, data: Path) -> None:
    assert len(agents_of(data)) == 1
    up.send_signal(how)
    _, said = up.communicate(timeout=10)
    assert up.returncode == 0, said
    assert "Traceback" not in said
    assert not agents_of(data)


def test_a_killed_one_leaves_no_agent_behind(up: "subprocess.Popen[str]", twice: Twice) -> None:
    assert len(agents_of(twice.data)) == 1
    up.kill()
    up.communicate()
    until(lambda: not agents_of(twice.data), "the end of the agent", within_s=10)


@pytest.mark.slow
def test_it_stops_in_the_middle_of_a_step_when_asked(machine: Machine, tmp_path: Path) -> None:
    data = tmp_path / "data"
    process = subprocess.Popen(
        [*PATCHWINDOW, "up", "--data", str(data)],
        env=machine.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None, "it is a pipe"
    try:
        line_of(process.stderr, "2. Plan 'reference' is applied")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
        assert process.returncode == 1
        assert said.splitlines()[-1] == "patchwindow: stopped before the end"
    finally:
        process.kill()
        process.communicate()
    # What the interrupted run did not come to, the next one does.
    done = run([*PATCHWINDOW, "up", "--once", "--data", str(data)], machine.environ)
    assert "2. Plan 'reference' is applied: 0 created, 0 updated, 52 found in place" in done.err
    assert "NON_COMPLIANT: mi-" in done.out


def test_a_machine_without_a_package_manager_is_told_so_and_shown_the_rest(machine: Machine, tmp_path: Path) -> None:
    # All programs of this machine but those of package managers.
    programs = tmp_path / "bin"
    programs.mkdir()
    for folder in ("/usr/bin", "/bin"):
        for path in Path(folder).iterdir():
            if (
                not path.name.startswith(("apt", "dpkg", "dnf", "yum", "rpm", "zypper"))
                and not (programs / path.name).exists()
            ):
                (programs / path.name).symlink_to(path)
    environ = {**machine.environ, "PATH": str(programs)}
    done = run([*PATCHWINDOW, "up", "--once", "--data", str(tmp_path / "data")], environ)
    assert "This machine cannot be scanned, everything else works: " in done.err
    assert "has no package manager that is known here" in done.err
    assert "Next openings" in done.out


@pytest.mark.slow
def test_a_taken_port_is_named_and_another_one_used(twice: Twice, machine: Machine) -> None:
    port = int((twice.data / "port").read_text())
    with socket.socket() as taken:
        # The one of last time was ours, and its connections may linger.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = run([*PATCHWINDOW, "up", "--once", "--data", str(twice.data)], machine.environ)
        assert f"port {port}, which was used last time, is in use" in done.err
        assert exports(done.out)["AWS_ENDPOINT_URL_SSM"] != f"http://127.0.0.1:{port}"
        refused = run(
            [*PATCHWINDOW, "up", "--once", "--port", str(port), "--data", str(twice.data)], machine.environ, exit_code=1
        )
        assert refused.err.strip() == (
            f"patchwindow: 127.0.0.1:{port} is in use; give another with --listen HOST:PORT, for `up` with --port"
        )
