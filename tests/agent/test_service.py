"""The agent as a service: what systemd and launchd are told, and the script that they start."""

import os
import plistlib
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from patchwindow_agent import service
from patchwindow_agent.errors import ServiceProblem
from patchwindow_agent.programs import Completed


@dataclass
class Recorder:
    """Runs nothing; keeps what was to be run, and answers by the first words that fit."""

    answers: Mapping[str, Completed] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)

    def __call__(self, command: Sequence[str], **_: object) -> Completed:
        self.ran.append(" ".join(command))
        fitting = (answer for words, answer in self.answers.items() if self.ran[-1].startswith(words))
        return next(fitting, Completed(0, "", ""))


@pytest.fixture
def systemd(tmp_path: Path) -> Path:
    """Return the root of a machine that systemd runs."""
    root = tmp_path / "root"
    (root / "run/systemd/system").mkdir(parents=True)
    return root


def test_what_runs_a_machine_is_told_by_what_is_there(systemd: Path, tmp_path: Path) -> None:
    assert service.find(systemd) is service.SYSTEMD
    mac = tmp_path / "mac"
    (mac / "bin").mkdir(parents=True)
    (mac / "bin/launchctl").touch()
    assert service.find(mac) is service.LAUNCHD
    assert service.find(tmp_path / "other") is None


def test_systemd_is_told_of_the_service_and_starts_it_at_every_boot(systemd: Path, tmp_path: Path) -> None:
    run = Recorder()
    service.install(service.SYSTEMD, tmp_path / "state", root=systemd, run=run)
    assert run.ran == [
        "systemctl daemon-reload",
        "systemctl enable patchwindow-agent.service",
        "systemctl restart patchwindow-agent.service",
    ]
    unit = systemd / "etc/systemd/system/patchwindow-agent.service"
    assert unit.stat().st_mode & 0o777 == 0o644
    assert f'ExecStart=/bin/sh "{tmp_path}/state/start.sh"' in unit.read_text()


def test_a_service_that_does_not_start_is_told_with_where_to_look(systemd: Path, tmp_path: Path) -> None:
    run = Recorder({"systemctl restart": Completed(1, "", "Job failed\n")})
    with pytest.raises(ServiceProblem, match=r"restart patchwindow-agent.service` failed: Job failed; `journalctl -u"):
        service.install(service.SYSTEMD, tmp_path, root=systemd, run=run)


def test_the_tool_that_restarts_services_after_upgrades_leaves_the_agent_alone(systemd: Path, tmp_path: Path) -> None:
    told = systemd / "etc/needrestart/conf.d/patchwindow-agent.conf"
    service.install(service.SYSTEMD, tmp_path, root=systemd, run=Recorder())
    assert not told.exists(), "it is not there"
    told.parent.mkdir(parents=True)
    service.install(service.SYSTEMD, tmp_path, root=systemd, run=Recorder())
    assert "patchwindow-agent\\.service$)} = 0;" in told.read_text()
    service.remove(service.SYSTEMD, root=systemd, run=Recorder())
    assert not told.exists()


def test_a_service_is_removed_once_it_has_stopped(systemd: Path, tmp_path: Path) -> None:
    run = Recorder()
    service.remove(service.SYSTEMD, root=systemd, run=run)
    assert run.ran == [], "there is none"
    service.install(service.SYSTEMD, tmp_path, root=systemd, run=run)
    stuck = Recorder({"systemctl disable": Completed(1, "", "timed out")})
    with pytest.raises(ServiceProblem, match="the agent still runs: timed out"):
        service.remove(service.SYSTEMD, root=systemd, run=stuck)
    assert service.is_installed(service.SYSTEMD, systemd)
    service.remove(service.SYSTEMD, root=systemd, run=run)
    assert not service.is_installed(service.SYSTEMD, systemd)
    assert run.ran[-2:] == ["systemctl disable --now patchwindow-agent.service", "systemctl daemon-reload"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze; install systemd")
def test_systemd_itself_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    state = tmp_path / "a folder with 100% odd $name"
    state.mkdir()
    service.write_script(state)
    unit = tmp_path / service.UNIT
    unit.write_text(service.SYSTEMD.text(state))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    about_it = [line for line in done.stderr.splitlines() if service.UNIT in line]
    assert (done.returncode, about_it) == (0, []), done.stderr


def test_launchd_reads_what_it_is_told(tmp_path: Path) -> None:
    told = plistlib.loads(service.LAUNCHD.text(tmp_path / "state & more").encode())
    assert told["ProgramArguments"] == ["/bin/sh", f"{tmp_path}/state & more/start.sh"]
    assert (told["RunAtLoad"], told["KeepAlive"], told["AbandonProcessGroup"]) == (True, True, True)


def start(state: Path) -> str:
    """Start what the script starts, and return what it says."""
    environ = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["/bin/sh", str(state / service.SCRIPT)], env=environ, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_the_script_starts_the_program_with_its_folder(tmp_path: Path) -> None:
    state = tmp_path / "it's a folder"
    state.mkdir()
    service.write_script(state)
    (state / service.PROGRAM).write_text("import sys; print(sys.argv[1:], sys.flags.isolated)")
    assert start(state) == f"{['run', '--state', str(state), '--self-update']} 1\n"


def test_a_new_program_that_does_not_come_up_gives_way_to_the_old_one(tmp_path: Path) -> None:
    service.write_script(tmp_path)
    (tmp_path / service.PROGRAM).write_text("raise SystemExit('the new one fails')")
    (tmp_path / f"{service.PROGRAM}.old").write_text("print('the old one runs')")
    assert [start(tmp_path) for _ in range(3)] == ["the new one fails\n"] * 3
    said = start(tmp_path)
    assert "did not come up in 3 starts; going back to the old one" in said
    assert "the old one runs" in said
    assert (tmp_path / f"{service.PROGRAM}.bad").read_text() == "raise SystemExit('the new one fails')"
    assert not (tmp_path / f"{service.PROGRAM}.old").exists()


@pytest.mark.parametrize("noted", ["", "many", "-1"])
def test_a_count_of_starts_that_is_none_does_not_keep_the_agent_from_starting(tmp_path: Path, noted: str) -> None:
    service.write_script(tmp_path)
    (tmp_path / service.PROGRAM).write_text("print('it runs')")
    (tmp_path / "starts").write_text(noted)
    assert start(tmp_path) == "it runs\n"
