"""What apt and dpkg said, where administrators look for it: apt's own log of its terminal."""

import contextlib
from pathlib import Path
from typing import IO, Iterator, Optional

from patchwindow_agent.programs import OnLine

# The lines that are for programs.
_PROGRESS = ("dlstatus:", "pmstatus:", "pmerror:", "pmconffile:")


@contextlib.contextmanager
def terminal_log(path: Optional[Path]) -> Iterator[OnLine]:
    """Yield what writes lines to the log *path*, as apt does where dpkg has a terminal of its own; None: to nowhere.

    When each transaction began and ended, apt writes there itself. A log that cannot be written keeps nothing from
    being installed.
    """
    with contextlib.ExitStack() as stack:
        file: Optional[IO[str]] = None
        if path is not None:
            with contextlib.suppress(OSError):
                file = stack.enter_context(path.open("a", encoding="utf-8", errors="replace", buffering=1))

        def write(line: str) -> None:
            if file is not None and not line.startswith(_PROGRESS):
                with contextlib.suppress(OSError):
                    file.write(f"{line}\n")

        yield write
