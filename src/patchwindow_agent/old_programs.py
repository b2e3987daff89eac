"""Programs of patch operations that servers have sent: one for each version, fetched by the step of a command."""

import contextlib
import time
from pathlib import Path
from typing import Mapping, Optional

# A command that was sent before the server's upgrade still names the old one, and may run again after a reboot.
KEEP_DAYS = 7


def remove(environ: Mapping[str, str], current: Optional[str], *, now: Optional[float] = None) -> list[Path]:
    """Remove those that are older than a week and not *current*, a SHA-256; return them.

    Call it while no command runs: an operation reads its program as it goes.
    """
    before = (time.time() if now is None else now) - KEEP_DAYS * 86_400
    removed = []
    for folder in _folders(environ):
        for path in sorted(folder.glob("program-*.pyz")):
            with contextlib.suppress(OSError):
                if path.name != f"program-{current}.pyz" and path.stat().st_mtime < before:
                    path.unlink()
                    removed.append(path)
    return removed


def _folders(environ: Mapping[str, str]) -> list[Path]:
    """Return where the step of a patch operation may have put its program (AWS-RunPatchBaseline)."""
    home = Path(environ.get("HOME", "/nonexistent"))
    state = Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    return [Path("/var/lib/patchwindow"), state / "patchwindow"]
