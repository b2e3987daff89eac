"""Programs as a user runs them: in an environment that holds what the test says and nothing else."""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

PATCHWINDOW: Final = (str(Path(sys.executable).with_name("patchwindow")),)
AGENT: Final = (sys.executable, "-P", "-m", "patchwindow_agent")
_AWS: Final = (str(Path(sys.executable).with_name("aws")),)
_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    """What a program that has ended left."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.out)


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment in which no AWS setting of this machine is found."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "AWS_CONFIG_FILE": os.devnull,
        **(more or {}),
    }


def run(command: Sequence[str], environ: Mapping[str, str], *, exit_code: int = 0, stdin: str = "") -> Done:
    """Run *command* to its end, which must have *exit_code*."""
    done = subprocess.run(
        command, env=dict(environ), input=stdin, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    assert done.returncode == exit_code, (
        f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    )
    return Done(done.returncode, done.stdout, done.stderr)


def line_of(stream: IO[str], beginning: str) -> str:
    """Return the next line of a running program that has this *beginning*; it must not keep the test waiting."""
    said: list[str] = []
    ends_at = time.monotonic() + _TIMEOUT_S
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        # What is read goes past the stream's own buffer, or a line that stands there would be waited for in vain.
        while selector.select(ends_at - time.monotonic()) and (line := _read_line(stream)):
            if line.startswith(beginning):
                return line
            said.append(line)
    raise AssertionError(f"no line began with {beginning!r}:\n{''.join(said)}")


def _read_line(stream: IO[str]) -> str:
    found = bytearray()
    while not found.endswith(b"\n") and (byte := os.read(stream.fileno(), 1)):
        found += byte
    return found.decode()


@dataclass(frozen=True, slots=True)
class Shell:
    """A user's shell whose environment leads to one control plane."""

    environ: Mapping[str, str]

    def aws(self, *arguments: str, service: str = "ssm") -> Any:
        """Return what the AWS CLI's `aws ssm …` answers; None where it says nothing."""
        done = run([*_AWS, service, *arguments], self.environ)
        return json.loads(done.out) if done.out else None

    def aws_refuses(self, *arguments: str, service: str = "ssm") -> str:
        """Return the error of an `aws ssm …` that must fail: 255 is its exit code for that."""
        return run([*_AWS, service, *arguments], self.environ, exit_code=255).err.strip()

    def patchwindow(self, *arguments: str, exit_code: int = 0, stdin: str = "") -> Done:
        """Run the project's own command line."""
        return run([*PATCHWINDOW, *arguments], self.environ, exit_code=exit_code, stdin=stdin)


def write_credentials(path: Path, access_key_id: str, secret_access_key: str, *, region: str = "us-east-1") -> Path:
    """Write a credentials file whose default profile has this key, and return it."""
    path.write_text(
        f"[default]\naws_access_key_id = {access_key_id}\naws_secret_access_key = {secret_access_key}\nregion = {region}\n"
    )
    return path
