"""How other programs are run: by argument list, in the C locale, with what they say as a value."""

import os
import subprocess
from typing import Callable, Mapping, NamedTuple, Sequence

_TIMEOUT_S = 1800


class Completed(NamedTuple):
    """What a program said."""

    exit_code: int
    stdout: str
    stderr: str


Run = Callable[[Sequence[str]], Completed]


def runner(environ: Mapping[str, str]) -> Run:
    """Return what runs programs in *environ*, in the language that the parsers read."""
    in_c = {**environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}

    def run(command: Sequence[str]) -> Completed:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                encoding="utf-8",
                errors="replace",
                env=in_c,
                timeout=_TIMEOUT_S,
            )
        except OSError as problem:
            return Completed(127, "", f"{command[0]}: {os.strerror(problem.errno or 0)}")
        except subprocess.TimeoutExpired:
            return Completed(124, "", f"{command[0]} did not end within {_TIMEOUT_S} s")
        return Completed(done.returncode, done.stdout, done.stderr)

    return run
