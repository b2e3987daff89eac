"""Servers of tests end with the tests."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.agent.fake_server import eventually, is_running

STARTS_ONE: str = """
import sys
from pathlib import Path
from tests.fakes import databases
with databases.empty_url("postgresql", Path(".")):
    print(databases._server().pgdata, databases._server().get_pid(), flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGKILL, None], ids=["killed", "by itself"])
def test_the_server_of_a_run_that_ends_is_stopped_and_its_folder_removed(end: signal.Signals | None) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as run:
        assert run.stdout is not None
        folder, pid = run.stdout.readline().split()
        assert is_running(int(pid))
        if end is not None:
            run.send_signal(end)
    eventually(lambda: not Path(folder).exists(), timeout_s=20)
    eventually(lambda: not is_running(int(pid)))
