"""How other programs are run: by argument list, in the C locale, without a terminal, with what they say as a value.

A program runs in a session of its own and writes to files without a name, not to pipes. So a package manager outlives
a kill of the patch operation and finishes its transaction instead of dying in the middle of it, and a service that a
package starts may keep the program's output open without anybody waiting for it. The files are in memory where the system
can have that: apt-cache, apt-get and rpm do not notice that what they say finds no room on a disk.
"""

import codecs
import contextlib
import os
import signal
import subprocess
import tempfile
import time
from typing import IO, Callable, Mapping, NamedTuple, Optional, Protocol, Sequence

_TIMEOUT_S = 1800
# Lists of a whole distribution have some 100 MB and are never printed; nothing that is asked for here comes near.
_OUTPUT_MAX = 64 * 1024 * 1024
_LOOK_EVERY_S = 0.2
_READ_AT_ONCE = 1024 * 1024
_SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")


# Exit codes of programs that were killed because their time was over or they said too much, and of one that is not there.
TIMED_OUT = 124
TOO_MUCH = 125
NOT_STARTED = 127


class Completed(NamedTuple):
    """What a program said, and its exit code: its own, or one of the above; negative: the signal that killed it."""

    exit_code: int
    stdout: str
    stderr: str


# What hears each line of a program's output, in either stream, soon after it was written, without its end.
OnLine = Callable[[str], None]


class Run(Protocol):
    """Run a program to its end; one that cannot be started or does not end has a result like all others."""

    def __call__(
        self,
        command: Sequence[str],
        *,
        timeout_s: float = _TIMEOUT_S,
        environ: Optional[Mapping[str, str]] = None,
        on_line: Optional[OnLine] = None,
    ) -> Completed:
        """Return what *command* said; *environ* is added to the environment of all.

        When the time is over, the program is killed with all that it has started and that is still in its session.
        """


def runner(environ: Mapping[str, str], *, output_max: int = _OUTPUT_MAX) -> Run:
    """Return what runs programs in *environ*, in the language that the parsers read."""
    in_c = {**environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "PATH": _with_sbin(environ.get("PATH", ""))}

    def run(
        command: Sequence[str],
        *,
        timeout_s: float = _TIMEOUT_S,
        environ: Optional[Mapping[str, str]] = None,
        on_line: Optional[OnLine] = None,
    ) -> Completed:
        with _unnamed_file() as stdout, _unnamed_file() as stderr:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    env={**in_c, **(environ or {})},
                    start_new_session=True,
                    # What packages put on the machine is for all its users, however private our own files are.
                    umask=0o022,
                )
            except OSError as problem:
                return Completed(NOT_STARTED, "", f"{command[0]}: {os.strerror(problem.errno or 0)}")
            lines = [_Lines(stdout, on_line), _Lines(stderr, on_line)]
            try:
                problem_code = _wait(process, (stdout, stderr), lines, timeout_s=timeout_s, output_max=output_max)
            finally:
                # A line that nobody could take is no reason to leave the program alone.
                if process.poll() is None:
                    _kill(process)
            for stream in lines:
                stream.read()
            said = _text(stdout, output_max), _text(stderr, output_max)
        if problem_code == TIMED_OUT:
            return Completed(TIMED_OUT, said[0], f"{said[1]}{command[0]} did not end within {timeout_s:g} s")
        if problem_code == TOO_MUCH:
            return Completed(TOO_MUCH, said[0], f"{said[1]}\n{command[0]} wrote more than {output_max} bytes")
        return Completed(process.returncode, *said)

    return run


def _unnamed_file() -> IO[bytes]:
    # Linux alone has it, from 3.17 on.
    if hasattr(os, "memfd_create"):
        with contextlib.suppress(OSError):
            return os.fdopen(os.memfd_create("output"), "w+b")
    return tempfile.TemporaryFile()


def _with_sbin(path: str) -> str:
    """Return *path* with the folders that package managers and their scripts need, which not every caller has."""
    folders = [folder for folder in path.split(os.pathsep) if folder]
    return os.pathsep.join([*folders, *(folder for folder in _SBIN if folder not in folders)])


class _Lines:
    """What a program has written to *file* so far, as whole lines for *on_line*."""

    def __init__(self, file: IO[bytes], on_line: Optional[OnLine]) -> None:
        self._file = file
        self._on_line = on_line
        self._offset = 0
        self._rest = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def read(self) -> None:
        if self._on_line is None:
            return
        # Read at a place: the program writes where the shared position of the file is.
        while new := os.pread(self._file.fileno(), _READ_AT_ONCE, self._offset):
            self._offset += len(new)
            *whole, self._rest = (self._rest + self._decoder.decode(new)).split("\n")
            for line in whole:
                self._on_line(line)


def _wait(
    process: "subprocess.Popen[bytes]",
    outputs: Sequence[IO[bytes]],
    lines: Sequence[_Lines],
    *,
    timeout_s: float,
    output_max: int,
) -> int:
    """Wait for the end of *process*; return 0 where it came by itself, else the exit code that says why it was killed."""
    ends_at = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.0, min(_LOOK_EVERY_S, ends_at - time.monotonic())))
            return 0
        for stream in lines:
            stream.read()
        if time.monotonic() >= ends_at:
            _kill(process)
            return TIMED_OUT
        if any(os.fstat(output.fileno()).st_size > output_max for output in outputs):
            _kill(process)
            return TOO_MUCH


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill *process* and what it has started, so that two never work on one database."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _text(file: IO[bytes], most: int) -> str:
    file.seek(0)
    return file.read(most).decode("utf-8", errors="replace")
