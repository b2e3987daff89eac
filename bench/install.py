"""Scans and installations above what apt and dnf themselves take for the same, and how large the facts of a node are.

On toy roots, whose packages are nearly empty: what is left is what an operation costs, whatever is installed. The native
tool is told the very packages that the operation installs, on a root of its own. The operation runs in this process with
a server that only decides; with apt, whose root the environment names, also from SendCommand until its end.
"""

import functools
import gzip
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.children import child, control, scratch
from bench.compliance import facts_of
from bench.nodes import AGENT, client_of, node_id, register, run_command, tidied
from bench.report import median, milliseconds, table
from tests.agent.apt_orders import apt
from tests.agent.dnf_operations import Server, dnf, install
from tests.rig import toy_apt, toy_rpm

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import default_for
from patchwindow_agent import managers
from patchwindow_agent.package_manager import PackageManager, Wanted

_RUNS: Final = 5
_LEVEL: Final = 6
"""Of gzip, as the patch operation packs a report."""
_UPDATES_THERE: Final = 100
"""With which dnf check-update says that there are updates."""


@dataclass(frozen=True, slots=True)
class _Tool:
    """A native tool, and roots to try it on."""

    system: OperatingSystem
    make_root: Callable[[Path], Any]
    manager: Callable[[Any], PackageManager]
    look: Sequence[Sequence[str]]
    """Its commands that do its part of a scan; the first fetches its lists."""
    install: Sequence[str]
    form: Callable[[Wanted], str]


def run() -> None:
    """Measure with those tools that are there, and print."""
    if os.geteuid() != 0:
        print("skipped: only root may install, on a toy root too")
        return
    with scratch() as folder, tidied():
        tools = _tools(folder)
        rows = [row for name, tool in tools.items() for row in _beside(name, tool, folder / name)]
        if "apt" in tools:
            rows.append(_from_the_command(tools["apt"], folder / "whole"))
        print(table([f"of {_RUNS} runs", "alone, median ms", "ours, median ms", "above, ms", "ours, most ms"], rows))
        print()
        print(table(["facts of", "packages", "updates", "KiB", "gzip, KiB"], _sizes(tools, folder)))


def _tools(folder: Path) -> dict[str, _Tool]:
    found = {}
    if shutil.which("dpkg-deb") is None:
        print("apt is left out: needs dpkg-deb\n")
    else:
        found["apt"] = _Tool(
            OperatingSystem.DEBIAN,
            # Where a package is held, an installation that should have it fails.
            functools.partial(toy_apt.make_root, toy_apt.build_repository(folder / "debs"), held=()),
            apt,
            (("apt-get", "-q", "update"), ("apt", "list", "--upgradable")),
            ("apt-get", "-qy", "install"),
            lambda one: f"{one.name}={one.version}",
        )
    if toy_rpm.MISSING:
        print(f"dnf is left out: {toy_rpm.MISSING}\n")
    else:
        root = toy_rpm.make_root(toy_rpm.build_repository(folder / "rpms"), folder / "root")
        found["dnf"] = _Tool(
            OperatingSystem.ROCKY_LINUX,
            functools.partial(toy_rpm.copy_root, root),
            dnf,
            (
                ("dnf", "-q", "makecache", "--refresh"),
                ("dnf", "-q", "check-update"),
                ("dnf", "-q", "updateinfo", "list"),
            ),
            ("dnf", "-qy", "install"),
            lambda one: f"{one.name}-{one.version}.{one.arch}",
        )
    return found


def _beside(name: str, tool: _Tool, folder: Path) -> list[list[str]]:
    """Return how long scans and installations take, in turns with the tool's own, after a round that does not count."""
    folder.mkdir()
    rounds = [_Round(tool, folder / str(number)) for number in range(_RUNS + 1)][1:]
    count = len(rounds[0].wanted)
    return [
        _row(f"{name}: scan", [each.look_s for each in rounds], [each.scan_s for each in rounds]),
        _row(
            f"{name}: installation of {count} packages",
            [each.alone_s for each in rounds],
            [each.install_s for each in rounds],
        ),
    ]


class _Round:
    """One look and one installation by the tool, and one of each by us, on two new roots, so that no cache is warm."""

    def __init__(self, tool: _Tool, folder: Path) -> None:
        folder.mkdir()
        native, ours = (tool.make_root(folder / who) for who in ("native", "ours"))
        self.look_s = _commands_s(tool.look, native.environ)
        began_at = time.perf_counter()
        manager = tool.manager(ours)
        manager.refresh()
        manager.facts()
        self.scan_s = time.perf_counter() - began_at
        server = Server(default_for(tool.system))
        began_at = time.perf_counter()
        ended = install(ours, folder / "state", server, manager=tool.manager(ours))
        self.install_s = time.perf_counter() - began_at
        self.wanted = server.plans[0].wanted
        installed = [one.title for one in self.wanted if one.title not in server.reports[-1]["failed"]]
        assert installed, f"nothing was installed: {ended.text}"
        command = [*tool.install, *(tool.form(one) for one in self.wanted if one.title in installed)]
        self.alone_s = _commands_s((tool.look[0], command), native.environ)


def _from_the_command(tool: _Tool, folder: Path) -> list[str]:
    """Return a row about installations with server and agent; each registers a node, as each needs a new root."""
    folder.mkdir()
    alone, whole = [], []
    with control(folder / "data") as server:
        client = client_of(server)
        for number in range(_RUNS + 1):
            here = folder / str(number)
            one = _Round(tool, here)
            root = tool.make_root(here / "third")
            (state,) = register(server, here, 1)
            command = [*AGENT, "run", "--endpoint", server.url, "--state", str(state), "--reboot-command", ""]
            environ = {**root.environ, "XDG_STATE_HOME": str(here / "kept"), "XDG_CACHE_HOME": str(here / "cached")}
            with child(command, here / "agent.log", environ=environ):
                # The program is fetched with the first operation of a node, which is mostly a scan.
                run_command(client, node_id(state), "AWS-RunPatchBaseline", {"Operation": ["Scan"]})
                asked = {"Operation": ["Install"], "RebootOption": ["NoReboot"]}
                took_s = run_command(client, node_id(state), "AWS-RunPatchBaseline", asked)
            if number:
                alone.append(one.alone_s)
                whole.append(took_s)
    return _row("apt: such an installation, from SendCommand", alone, whole)


def _row(label: str, alone: Sequence[float], ours: Sequence[float]) -> list[str]:
    times = (median(alone), median(ours), median(ours) - median(alone), max(ours))
    return [label, *map(milliseconds, times)]


def _commands_s(commands: Sequence[Sequence[str]], environ: Mapping[str, str]) -> float:
    began_at = time.perf_counter()
    for command in commands:
        done = subprocess.run(command, check=False, env=environ, capture_output=True, text=True)
        assert done.returncode in (0, _UPDATES_THERE), f"{command}: {done.stdout}{done.stderr}"
    return time.perf_counter() - began_at


def _sizes(tools: Mapping[str, _Tool], folder: Path) -> list[list[str]]:
    found: dict[str, Mapping[str, Any]] = {}
    for name, tool in tools.items():
        manager = tool.manager(tool.make_root(folder / f"facts-{name}"))
        manager.refresh()
        found[f"a toy root of {name}"] = manager.facts()[0]
    if shutil.which("apt-get"):
        # By the lists as they are: no mirror is asked.
        found["this machine"] = managers.find(os.environ, cache=None).facts()[0]
    found["a made-up node, as in `ingest`"] = facts_of(0)
    rows = []
    for name, facts in found.items():
        text = json.dumps(facts, separators=(",", ":"), ensure_ascii=False).encode()
        sizes = (len(text), len(gzip.compress(text, _LEVEL)))
        rows.append(
            [
                name,
                *(str(len(facts[key])) for key in ("packages", "updates")),
                *(f"{size / 1024:.1f}" for size in sizes),
            ]
        )
    return rows
