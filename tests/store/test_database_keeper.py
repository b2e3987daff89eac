"""Servers of tests end with the tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

STARTS_ONE: str = """
import sys
from pathlib import Path
from tests.fakes import databases
with databases.empty_url("postgresql", Path(".")):
    print(databases._server().pgdata, databases._server().get_pid(), flush=True)
    sys.stdin.read()
"""


def eventually(condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends_at, "it never came"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGKILL, None], ids=["killed", "by itself"])
def test_the_server_of_a_run_that_ends_is_stopped_and_its_folder_removed(end: signal.Signals | None) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as run:
        assert run.stdout is not None
        folder, pid = run.stdout.readline().split()
        os.kill(int(pid), 0)
        if end is not None:
            run.send_signal(end)
    eventually(lambda: not Path(folder).exists())
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
