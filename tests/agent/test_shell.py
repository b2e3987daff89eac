"""Scripts, run by the real shell."""

import os
import threading
from pathlib import Path

import pytest
from tests.agent.fake_server import eventually, is_running

from patchwindow_agent import shell
from patchwindow_agent.results import End, Ended
from patchwindow_agent.shell import Script, Stop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "step-0"


def run(
    text: str, folder: Path, *, timeout_s: int = 20, stop: Stop | None = None, cwd: str | None = None, grace_s: int = 0
) -> Ended:
    return shell.run(Script(text, folder, {**os.environ, "GREETING": "hello"}, cwd, timeout_s, grace_s), stop or Stop())


def test_a_script_has_its_environment_and_both_its_streams(folder: Path) -> None:
    ended = run('echo "$GREETING"\necho oops >&2\nexit 3\n', folder)
    assert ended == Ended(End.BY_ITSELF, 3, "hello\n", "oops\n")


def test_a_first_line_names_the_interpreter(folder: Path) -> None:
    assert run("#!/usr/bin/env python3\nprint(2**70)\n", folder).stdout == f"{2**70}\n"


def test_a_script_runs_in_the_directory_that_it_names(folder: Path, tmp_path: Path) -> None:
    assert run("pwd\n", folder, cwd=str(tmp_path)).stdout == f"{tmp_path}\n"


def test_a_directory_that_is_not_there_is_told_and_fails(folder: Path) -> None:
    ended = run("true\n", folder, cwd="/no/such/place")
    assert ended.exit_code == 1
    assert ended.stderr == "cannot start in /no/such/place: No such file or directory\n"


def test_a_time_out_kills_all_that_the_script_started(folder: Path, tmp_path: Path) -> None:
    ended = run(f"echo begun\n(sleep 60) &\necho $! > {tmp_path}/pid\nwait\n", folder, timeout_s=1)
    assert ended == Ended(End.TIMED_OUT, 137, "begun\n", "")
    eventually(lambda: not is_running(int((tmp_path / "pid").read_text())))


def test_a_cancellation_ends_a_running_script(folder: Path) -> None:
    stop = Stop()
    threading.Timer(0.2, stop.ask, [End.CANCELLED]).start()
    assert run("echo begun\nsleep 60\n", folder, stop=stop) == Ended(End.CANCELLED, 137, "begun\n", "")


@pytest.mark.parametrize(("code", "end"), [(0, End.BY_ITSELF), (1, End.CANCELLED), (194, End.CANCELLED)])
def test_what_knows_that_it_is_cancelled_may_end_by_itself(folder: Path, code: int, end: End) -> None:
    stop = Stop()
    stop.ask(End.CANCELLED)
    assert run(f"sleep 0.2\necho done\nexit {code}\n", folder, stop=stop, grace_s=10) == Ended(end, code, "done\n", "")


def test_what_does_not_end_within_its_grace_is_killed(folder: Path) -> None:
    stop = Stop()
    stop.ask(End.CANCELLED)
    assert run("echo begun\nsleep 60\n", folder, stop=stop, grace_s=1) == Ended(End.CANCELLED, 137, "begun\n", "")


def test_a_grace_is_for_cancellations_alone(folder: Path) -> None:
    stop = Stop()
    stop.ask(End.AGENT_STOPPED)
    assert run("sleep 60\n", folder, stop=stop, grace_s=60).end is End.AGENT_STOPPED


def test_a_process_left_behind_does_not_hold_the_step_open(folder: Path) -> None:
    ended = run("sleep 3 &\necho done\n", folder)
    assert ended == Ended(End.BY_ITSELF, 0, "done\n", "")


def test_a_second_run_appends_to_what_the_first_one_wrote(folder: Path) -> None:
    run("echo first\n", folder)
    assert run("echo second\n", folder).stdout == "first\nsecond\n"


def test_a_signal_is_told_as_a_shell_tells_it(folder: Path) -> None:
    assert run("kill -TERM $$\n", folder).exit_code == 143


def test_what_a_script_writes_without_end_does_not_fill_memory_or_reply(folder: Path) -> None:
    ended = run("head -c 3000000 /dev/zero | tr '\\0' x\n", folder)
    assert len(ended.stdout) < 100_000


def test_one_wish_to_stop_serves_several_scripts_in_a_row(folder: Path) -> None:
    stop = Stop()
    for number in range(3):
        assert run(f"exit {number}\n", folder, stop=stop).exit_code == number
    stop.ask(End.AGENT_STOPPED)
    stop.ask(End.CANCELLED)
    assert run("sleep 60\n", folder, stop=stop).end is End.AGENT_STOPPED
