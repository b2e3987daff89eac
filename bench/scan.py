"""A scan's time above that of `apt-get update` and `apt list --upgradable`, which do the part that is apt's.

A scan is what a user waits for: from SendCommand until the invocation is Success, with server, agent and patch operation
between. Both are timed in turns, on this machine and on a small root beside it whose repository is a folder.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.children import child, control, scratch
from bench.nodes import AGENT, client_of, node_id, register, run_command, tidied
from bench.report import median, milliseconds, table, verdict
from tests.rig.toy_apt import build_repository, make_root

_RUNS: Final = 5
_GOAL_S: Final = 1.0
_APT: Final = (("apt-get", "-q", "update"), ("apt", "list", "--upgradable"))


def run() -> None:
    """Measure where there is an apt, and print."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        print("skipped: this machine has no apt")
        return
    with tidied():
        _run()


def _run() -> None:
    rows, above_s = [], []
    with scratch() as folder:
        roots = {"a toy root": make_root(build_repository(folder / "repository"), folder / "root").environ}
        if os.geteuid() == 0:
            roots["this machine"] = dict(os.environ)
        else:
            print("this machine is left out: only root may run its apt-get update\n")
        for number, (name, environ) in enumerate(roots.items()):
            here = folder / str(number)
            here.mkdir()
            apt, scans = _in_turns(here, environ)
            above_s.append(median(scans) - median(apt))
            rows.append([name, *map(milliseconds, (median(apt), median(scans), above_s[-1], max(scans)))])
    columns = [f"of {_RUNS} runs", "apt alone, median ms", "scan, median ms", "above, ms", "scan, most ms"]
    print(table(columns, rows))
    print()
    print(verdict(goal=f"under {_GOAL_S:.0f} s above", is_met=max(above_s) < _GOAL_S))


def _in_turns(folder: Path, environ: Mapping[str, str]) -> tuple[list[float], list[float]]:
    """Return how long apt's own commands took, and how long scans took, each after one that does not count."""
    apt, scans = [], []
    with control(folder / "data") as server:
        (state,) = register(server, folder, 1)
        command = [*AGENT, "run", "--endpoint", server.url, "--state", str(state), "--reboot-command", ""]
        client = client_of(server)
        with child(command, folder / "agent.log", environ=environ):
            for number in range(_RUNS + 1):
                apt_s = _apt_s(environ)
                scan_s = run_command(client, node_id(state), "AWS-RunPatchBaseline", {"Operation": ["Scan"]})
                if number:
                    apt.append(apt_s)
                    scans.append(scan_s)
    return apt, scans


def _apt_s(environ: Mapping[str, str]) -> float:
    began_at = time.perf_counter()
    for command in _APT:
        subprocess.run(command, check=True, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began_at
