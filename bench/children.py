"""The programs that are measured, as children of this process that end with the block that started them."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.signing import Key

PATCHWINDOW: Final = str(Path(sys.executable).with_name("patchwindow"))
_START_S: Final = 60.0
_STOP_S: Final = 15.0
_LOOK_S: Final = 0.001
_READY: Final = re.compile(r"patchwindow is ready at (http://\S+)\n")
_HOST: Final = "127.0.0.1"
# What moto_server runs, without the line that it would otherwise write for each request.
_MOTO: Final = """\
import logging, sys
from moto.server import main
logging.getLogger("werkzeug").setLevel(logging.WARNING)
main(sys.argv[1:])
"""


class ChildFailed(Exception):
    """A program that is to be measured does not run."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running program and what it has written."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def said(self) -> str:
        """Return all that it has written."""
        return self.log.read_text(errors="replace")

    def check(self) -> None:
        """Raise `ChildFailed` where it has ended."""
        if self.process.poll() is not None:
            raise ChildFailed(
                f"{self.process.args!r} ended with status {self.process.returncode}: {self.said()[-2000:]}"
            )


@dataclass(frozen=True, slots=True)
class Control:
    """A patchwindow server, an administrator's key, and how long it took to be ready."""

    url: str
    key: Key
    data: Path
    started_s: float
    pid: int

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None, "the ready line names a host"
        assert parts.port is not None, "the ready line names a port"
        return parts.hostname, parts.port


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a folder that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="patchwindow-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def child(command: Sequence[str], log: Path, *, environ: Mapping[str, str] | None = None) -> Iterator[Child]:
    """Run *command*, with its output in *log*, and end it with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environ or os.environ
        )
    try:
        yield Child(process, log)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def control(data: Path, *, database_url: str | None = None) -> Iterator[Control]:
    """Run a patchwindow server with its data in *data*, its database at *database_url* if that is given."""
    data.mkdir(exist_ok=True)
    began_at = time.perf_counter()
    where = ["--data", str(data), *([] if database_url is None else ["--database-url", database_url])]
    command = [PATCHWINDOW, "server", *where, "--listen", f"{_HOST}:0"]
    with child(command, data.with_name(f"{data.name}.log")) as server:
        while (ready := _READY.search(server.said())) is None:
            server.check()
            if time.perf_counter() - began_at > _START_S:
                raise ChildFailed(f"the server was not ready after {_START_S:.0f} s: {server.said()[-2000:]}")
            time.sleep(_LOOK_S)
        started_s = time.perf_counter() - began_at
        yield Control(ready[1], _make_key(where), data, started_s, server.process.pid)


@contextmanager
def moto(folder: Path) -> Iterator[tuple[str, int]]:
    """Run a moto_server, quiet, and give its address."""
    address = (_HOST, _free_port())
    command = [sys.executable, "-c", _MOTO, "-H", address[0], "-p", str(address[1])]
    with child(command, folder / "moto.log") as server:
        _wait_listening(server, address)
        yield address


@contextmanager
def trivial(folder: Path) -> Iterator[tuple[str, int]]:
    """Run uvicorn with an application that does nothing, and give its address."""
    address = (_HOST, _free_port())
    options = ["--host", address[0], "--port", str(address[1]), "--no-access-log", "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", "bench.trivial:app", *options]
    with child(command, folder / "trivial.log") as server:
        _wait_listening(server, address)
        yield address


def _wait_listening(server: Child, address: tuple[str, int]) -> None:
    until = time.monotonic() + _START_S
    while True:
        server.check()
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise ChildFailed(
                    f"nothing listens at {address} after {_START_S:.0f} s: {server.said()[-2000:]}"
                ) from None
            time.sleep(0.01)
        else:
            return


def _make_key(where: Sequence[str]) -> Key:
    command = [PATCHWINDOW, "keys", "create", "--role", "admin", *where, "--json"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return Key(told["AccessKeyId"], told["SecretAccessKey"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
    return port
