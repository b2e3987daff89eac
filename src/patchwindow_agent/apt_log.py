"""What apt and dpkg said, where administrators look for it: apt's own log of its terminal."""

import contextlib
import time
from pathlib import Path
from typing import IO, Iterator, Optional

from patchwindow_agent.programs import OnLine

# The lines that are for programs.
_PROGRESS = ("dlstatus:", "pmstatus:", "pmerror:", "pmconffile:")


@contextlib.contextmanager
def terminal_log(path: Optional[Path]) -> Iterator[OnLine]:
    """Yield what writes lines to the log *path*, as apt does where dpkg has a terminal of its own; None: to nowhere.

    Where nothing is said, nothing is written. A log that cannot be written keeps nothing from being installed.
    """
    with contextlib.ExitStack() as stack:
        file: Optional[IO[str]] = None
        if path is not None:
            with contextlib.suppress(OSError):
                file = stack.enter_context(path.open("a", encoding="utf-8", errors="replace", buffering=1))

        has_begun = False

        def write(line: str) -> None:
            nonlocal has_begun
            if file is None or line.startswith(_PROGRESS):
                return
            with contextlib.suppress(OSError):
                if not has_begun:
                    has_begun = True
                    file.write(f"\nLog started: {_now()}\n")
                file.write(f"{line}\n")

        try:
            yield write
        finally:
            if has_begun:
                write(f"Log ended: {_now()}\n")


def _now() -> str:
    return time.strftime("%Y-%m-%d  %H:%M:%S")
