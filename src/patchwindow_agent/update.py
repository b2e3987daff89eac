"""How the agent takes the server's program over: beside the old one, tried, switched, and gone back from if it fails.

The new program first proves itself in a process of its own, which starts as the agent does and speaks with the server.
Then it takes the place of the old one, which stays beside it until the new one has heard from the server; the script
that starts the agent (service.py) goes back to it where that does not come to be.
"""

import hashlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Mapping, Optional

from patchwindow_agent import files
from patchwindow_agent.errors import NotTaken

_TRIAL_S = 60.0
# After a failure: servers of two versions behind one address must not make a node go to and fro.
_AGAIN_S = 3600.0
_SAID_MAX = 300

Try = Callable[[Path], str]
"""Runs a program on trial; returns what is wrong with it, empty for nothing."""


class Updater:
    """The program of an agent that keeps up with its server."""

    def __init__(self, program: Path, *, try_out: Try, steady: Callable[[], float] = time.monotonic) -> None:
        self.program = program
        self._try_out = try_out
        self._steady = steady
        self._new, self._old, self._bad = (program.with_name(program.name + end) for end in (".new", ".old", ".bad"))
        self._starts = program.with_name("starts")
        # What runs; the file may be another later.
        self._digest = _digest(program)
        self._again_at = float("-inf")

    def wants(self, digest: str) -> bool:
        """Return whether the program with this SHA-256 is to be taken over now."""
        if digest == self._digest or self._steady() < self._again_at:
            return False
        # It was taken over before and did not come up: wait for another.
        return digest != _digest(self._bad)

    def take(self, digest: str, fetch: Callable[[], bytes]) -> None:
        """Put the program with this SHA-256, which *fetch* gets, in the place of the one that runs.

        Raises:
            NotTaken: it is another, it cannot be written, or it fails its trial; nothing has changed then.
            StateProblem: it cannot be kept.
        """
        self._again_at = self._steady() + _AGAIN_S
        content = fetch()
        found = hashlib.sha256(content).hexdigest()
        if found != digest:
            raise NotTaken(f"the server sent a program with the SHA-256 {found}, not {digest}; nothing of it was run")
        files.write_bytes(self._new, content)
        try:
            wrong = self._try_out(self._new)
            if wrong:
                raise NotTaken(f"the program {digest[:12]} of the server fails on this machine: {wrong}")
            files.write_bytes(self._old, self.program.read_bytes())
            self._starts.unlink(missing_ok=True)
            files.replace(self._new, self.program)
        finally:
            self._new.unlink(missing_ok=True)

    def settle(self) -> None:
        """Give up the way back: the program that runs has heard from the server."""
        self._old.unlink(missing_ok=True)
        self._starts.unlink(missing_ok=True)


def trial(state: Path, environ: Mapping[str, str]) -> Try:
    """Return what tries a program with the registration in *state*."""

    def try_out(program: Path) -> str:
        command = [sys.executable, "-I", str(program), "run", "--state", str(state), "--trial"]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                encoding="utf-8",
                errors="replace",
                env=dict(environ),
                timeout=_TRIAL_S,
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            return str(problem)
        said = done.stderr.strip()[-_SAID_MAX:]
        return "" if done.returncode == 0 else f"it ended with {done.returncode}: {said}"

    return try_out


def _digest(path: Path) -> Optional[str]:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
