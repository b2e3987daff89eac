"""Programs, really run."""

import os
import tempfile
import time
from pathlib import Path

import pytest
from tests.agent.fake_server import eventually, is_running

from patchwindow_agent.programs import Completed, runner

RUN = runner(os.environ)


def test_a_program_says_what_it_said_in_both_streams_in_the_c_locale() -> None:
    done = RUN(["sh", "-c", 'echo "$LC_ALL $GREETING"; echo oops >&2; exit 3'], environ={"GREETING": "hello"})
    assert done == Completed(3, "C hello\n", "oops\n")


def test_a_program_that_is_not_there_is_told() -> None:
    assert RUN(["no-such-program"]) == Completed(127, "", "no-such-program: No such file or directory")


def test_a_program_has_no_terminal_and_nothing_to_read() -> None:
    assert RUN(["sh", "-c", "cat; test -t 0 || test -t 1 || echo none"]).stdout == "none\n"


def test_lines_are_heard_while_the_program_runs_and_each_once(tmp_path: Path) -> None:
    go = tmp_path / "go"
    heard: list[str] = []

    def on_line(line: str) -> None:
        heard.append(line)
        go.touch()

    script = f"echo one; while ! test -e {go}; do sleep 0.05; done; printf 'two\\nthr'; printf 'ee\\nno end'"
    done = RUN(["sh", "-c", script], on_line=on_line, timeout_s=20)
    assert heard == ["one", "two", "three"]
    assert done == Completed(0, "one\ntwo\nthree\nno end", "")


def test_lines_of_both_streams_are_heard() -> None:
    heard: list[str] = []
    RUN(["sh", "-c", "echo one; echo two >&2"], on_line=heard.append)
    assert sorted(heard) == ["one", "two"]


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs files in memory, which Linux has")
def test_what_a_program_says_needs_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    # apt-cache says half of it on a full disk and ends with 0: then nothing would seem to be missing.
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    assert RUN(["sh", "-c", "echo all of it; echo oops >&2"]) == Completed(0, "all of it\n", "oops\n")


def test_a_program_that_does_not_end_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    done = RUN(["sh", "-c", f"echo begun; sleep 60 & echo $! > {pid}; wait"], timeout_s=0.5)
    assert done == Completed(124, "begun\n", "sh did not end within 0.5 s")
    eventually(lambda: not is_running(int(pid.read_text())))


def test_a_program_that_says_too_much_is_killed() -> None:
    done = runner(os.environ, output_max=1000)(["sh", "-c", "while :; do echo more and more; done"])
    assert (done.exit_code, len(done.stdout)) == (125, 1000)
    assert done.stderr.endswith("sh wrote more than 1000 bytes")


def test_a_service_that_keeps_the_output_open_is_not_waited_for() -> None:
    before = time.monotonic()
    assert RUN(["sh", "-c", "sleep 5 & echo done"]).stdout == "done\n"
    assert time.monotonic() - before < 4


def test_whoever_cannot_take_a_line_does_not_leave_the_program_running(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def on_line(line: str) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match="begun"):
        RUN(["sh", "-c", f"echo $$ > {pid}; echo begun; sleep 60"], on_line=on_line)
    eventually(lambda: not is_running(int(pid.read_text())))


def test_a_program_has_the_folders_of_the_administrator_and_the_usual_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        done = runner({"PATH": "/usr/bin:/bin:/usr/sbin"})(["sh", "-c", f"echo $PATH; touch {tmp_path}/file"])
    finally:
        os.umask(before)
    assert done.stdout == "/usr/bin:/bin:/usr/sbin:/usr/local/sbin:/sbin\n"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644
