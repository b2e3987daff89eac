"""One script, run in a process group of its own, with bounds on its time and on what it writes."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Mapping, NamedTuple, Optional

from patchwindow_agent import files
from patchwindow_agent.results import STREAM_MAX, End, Ended

# What is shown of a stream; a character has at most four bytes.
_READ_MAX = STREAM_MAX * 4 + 4
# Of each stream so much is kept; a script may write without end, and must not fill the disk.
KEPT_MAX = 8 * 1024 * 1024
_LOOK_EVERY_S = 5.0

# While one thread writes a script, a child that another thread forks holds the open file until it has become its own
# program, and the kernel refuses to run a script that is open for writing: so never both at once.
_SPAWN = threading.Lock()


class Script(NamedTuple):
    """What is to be run."""

    text: str
    # Holds the script and what it writes; output is appended to what an earlier run left there.
    folder: Path
    environ: Mapping[str, str]
    working_directory: Optional[str]
    timeout_s: int
    # How long it may take to end by itself when it is cancelled, as one can that asks its server whether it may go on.
    grace_s: int = 0


class Stop:
    """A wish that a running script ends, with its reason. The first reason stays."""

    def __init__(self) -> None:
        self.reason: Optional[End] = None
        self._lock = threading.Lock()
        self._changed = threading.Event()

    def ask(self, reason: End) -> None:
        """Ask for the end."""
        with self._lock:
            self.reason = self.reason or reason
        self._changed.set()

    def wait(self, timeout_s: float) -> None:
        """Return when something has changed, or after *timeout_s*."""
        self._changed.wait(timeout_s)
        # Whoever waits looks at what has changed afterwards, so nothing is lost by clearing now.
        self._changed.clear()

    def nudge(self) -> None:
        """Wake whoever waits."""
        self._changed.set()


def run(script: Script, stop: Stop) -> Ended:
    """Run *script* until it ends, its time is over or *stop* is asked for; then its process group is killed.

    One with a grace that ends within it was cancelled, unless it says that it has done everything.
    """
    files.make_private(script.folder)
    stdout_path, stderr_path = script.folder / "stdout", script.folder / "stderr"
    with stdout_path.open("ab") as stdout, stderr_path.open("ab") as stderr:
        try:
            process = _spawn(script, stdout.fileno(), stderr.fileno())
        except OSError as problem:
            # The shell itself is there; what can be wrong is the directory that the document names.
            stderr.write(f"cannot start in {script.working_directory}: {problem.strerror}\n".encode())
            stderr.flush()
            return Ended(End.BY_ITSELF, 1, _head(stdout_path), _head(stderr_path))
        end = _wait(process, script, stop)
        if end is not End.BY_ITSELF:
            _kill_group(process)
        code = process.wait()
        if script.grace_s and stop.reason is End.CANCELLED and code != 0:
            end = End.CANCELLED
    # As a shell tells it: 128 and the number of the signal.
    exit_code = code if code >= 0 else 128 - code
    return Ended(end, exit_code, _head(stdout_path), _head(stderr_path))


def _spawn(script: Script, stdout: int, stderr: int) -> "subprocess.Popen[bytes]":
    path = script.folder / "_script.sh"
    with _SPAWN:
        files.write(path, script.text)
        path.chmod(0o700)
        return subprocess.Popen(
            ["/bin/sh", "-c", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=dict(script.environ),
            cwd=script.working_directory or None,
            start_new_session=True,
        )


def _wait(process: "subprocess.Popen[bytes]", script: Script, stop: Stop) -> End:
    def watch() -> None:
        process.wait()
        stop.nudge()

    threading.Thread(target=watch, daemon=True).start()
    ends_at = time.monotonic() + script.timeout_s
    is_cancelled = False
    while process.poll() is None:
        if stop.reason is not None and not is_cancelled:
            is_cancelled = stop.reason is End.CANCELLED and script.grace_s > 0
            if not is_cancelled:
                return stop.reason
            ends_at = min(ends_at, time.monotonic() + script.grace_s)
        left_s = ends_at - time.monotonic()
        if left_s <= 0:
            return stop.reason or End.TIMED_OUT
        stop.wait(min(left_s, _LOOK_EVERY_S))
        _bound_output(script.folder)
    return End.BY_ITSELF


def _bound_output(folder: Path) -> None:
    for name in ("stdout", "stderr"):
        path = folder / name
        # Not each time: a script that writes much would be held up for nothing.
        if path.stat().st_size > 2 * KEPT_MAX:
            os.truncate(path, KEPT_MAX)


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_READ_MAX).decode(errors="replace")
