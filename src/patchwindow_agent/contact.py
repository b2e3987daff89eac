"""When the server last answered this agent: the age of a file, which costs no disk to renew."""

import contextlib
import os
from pathlib import Path
from typing import Optional

FILE = "contact"


def note(state: Path) -> None:
    """Note that the server has answered now; a full disk does not keep that from being so."""
    path = state / FILE
    with contextlib.suppress(OSError):
        path.touch(mode=0o600)
        os.utime(path)


def last(state: Path) -> Optional[float]:
    """Return when that was, in seconds since 1970 by this machine's clock; None where it never was."""
    try:
        return (state / FILE).stat().st_mtime
    except OSError:
        return None
