"""Ends a PostgreSQL server of tests with the process that started it, however that ends.

Run as `database_keeper.py FOLDER`, its standard input a pipe from that process, which says nothing: it closes when the
process ends, also by a kill, after which nobody else would stop the server.
"""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

_STOPS_WITHIN_S = 10.0


def main(folder: Path) -> None:
    """Wait for the end of the other process; then stop the server whose data are in *folder*, if it runs, and remove them."""
    sys.stdin.read()
    with suppress(FileNotFoundError):
        _stop(int((folder / "postmaster.pid").read_text().split("\n", 1)[0]))
    shutil.rmtree(folder, ignore_errors=True)


def _stop(pid: int) -> None:
    ends_at = time.monotonic() + _STOPS_WITHIN_S
    with suppress(ProcessLookupError):
        # At once: what is in it need not survive.
        os.kill(pid, signal.SIGQUIT)
        while time.monotonic() < ends_at:
            os.kill(pid, 0)
            time.sleep(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
