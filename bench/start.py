"""How soon the server is ready, and how long `patchwindow up --once` takes where everything is in place."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.children import PATCHWINDOW, control, scratch
from bench.nodes import tidied
from bench.report import median, milliseconds, table
from tests.rig.toy_apt import build_repository, make_root

_RUNS: Final = 5
_UP_S: Final = 180.0


def run() -> None:
    """Measure and print."""
    first, again, up_first, up_again = [], [], [], []
    with scratch() as folder, tidied():
        for number in range(_RUNS):
            data = folder / f"data-{number}"
            first.append(_start_s(data))
            again.append(_start_s(data))
        environ = _environ(folder)
        for number in range(_RUNS):
            data = folder / f"up-{number}"
            up_first.append(_up_s(data, environ))
            up_again.append(_up_s(data, environ))
    where = "scans a toy root" if shutil.which("dpkg-deb") else "has no apt to scan with"
    rows = [
        ["server, new data directory, to its ready line", milliseconds(median(first)), milliseconds(max(first))],
        ["server, the same again", milliseconds(median(again)), milliseconds(max(again))],
        [f"`up --once`, new data directory; it {where}", milliseconds(median(up_first)), milliseconds(max(up_first))],
        ["`up --once`, the same again", milliseconds(median(up_again)), milliseconds(max(up_again))],
    ]
    print(table([f"of {_RUNS} runs each", "median ms", "most ms"], rows))


def _start_s(data: Path) -> float:
    with control(data) as server:
        return server.started_s


def _environ(folder: Path) -> Mapping[str, str]:
    """Return an environment in which apt needs no mirror: what is measured is this program."""
    if shutil.which("dpkg-deb") is None:
        return os.environ
    return make_root(build_repository(folder / "repository"), folder / "root").environ


def _up_s(data: Path, environ: Mapping[str, str]) -> float:
    began_at = time.perf_counter()
    command = [PATCHWINDOW, "up", "--once", "--data", str(data)]
    subprocess.run(command, check=True, capture_output=True, env=environ, timeout=_UP_S)
    return time.perf_counter() - began_at
