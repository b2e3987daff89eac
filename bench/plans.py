"""Plans: a large one checked, and one of 500 objects compared with a server."""

import resource
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml
from bench.children import PATCHWINDOW, control
from bench.forecast import fleet_of, write
from bench.nodes import client_of
from bench.report import median, table, verdict

from patchwindow.domain.forecast_facts import ForecastNode
from patchwindow.plans import apply, compare, parse_plan
from patchwindow.system import SystemClock

_WINDOWS: Final = 1_000
_KINDS: Final = 100
_RUNS: Final = 5
_CHECK_GOAL_S: Final = 2.0
_DIFF_GOAL_S: Final = 5.0
_ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York")
_DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI")


def run() -> None:
    """Measure and print."""
    with TemporaryDirectory(prefix="patchwindow-bench-") as folder:
        path = Path(folder) / "plan.yaml"
        path.write_text(_text(_WINDOWS), encoding="utf-8")
        nodes = Path(folder) / "fleet.jsonl"
        fleet = fleet_of(_KINDS)
        write(replace(fleet, nodes=tuple(_tagged(number, node) for number, node in enumerate(fleet.nodes))), nodes)
        arguments = ["plan", "check", str(path), "--nodes", str(nodes)]
        check_s = median([_processor_s(arguments) for _ in range(_RUNS)])
    count = len(fleet.nodes)
    what = f"plan check, {_WINDOWS:,} windows and the facts of {count:,} nodes, with the start of the program; of the processor"
    rows = [[what, f"{check_s:.2f}"]]
    with TemporaryDirectory(prefix="patchwindow-bench-") as folder, control(Path(folder)) as server:
        client, plan = client_of(server), parse_plan(_text(167), "plan.yaml")
        began_at = time.perf_counter()
        done = apply(client, compare(client, plan, now=SystemClock().now()))
        rows.append([f"plan apply, {len(done.created)} objects that are not there", f"{_since(began_at):.2f}"])
        times_s = []
        for _ in range(_RUNS):
            began_at = time.perf_counter()
            assert compare(client, plan, now=SystemClock().now()).coming == ()
            times_s.append(_since(began_at))
        rows.append([f"plan diff, {len(done.created)} objects that are there", f"{median(times_s):.2f}"])
    print(table(["what", "s"], rows))
    print()
    print(
        verdict(
            goal=f"check of {_WINDOWS:,} windows and the facts of {count:,} nodes under {_CHECK_GOAL_S:.0f} s",
            is_met=check_s < _CHECK_GOAL_S,
        )
    )
    print(verdict(goal=f"diff of 500 objects under {_DIFF_GOAL_S:.0f} s", is_met=median(times_s) < _DIFF_GOAL_S))


def _text(window_count: int) -> str:
    """Return a plan of so many windows, each with a target and a task, over the days, hours and zones."""
    plan: dict[str, Any] = {
        "name": "large",
        "defaults": {"task": {"maxConcurrency": "10%", "maxErrors": "5%", "rebootOption": "RebootIfNeeded"}},
        "windows": {f"Window-{number:04}": _window(number) for number in range(window_count)},
    }
    return yaml.safe_dump(plan, sort_keys=False)


def _window(number: int) -> dict[str, Any]:
    day = f"{_DAYS[number % 5]}#{number % 4 + 1}" if number % 10 else "MON-FRI"
    return {
        "schedule": f"cron({number % 60} {number % 24} ? * {day} *)",
        "timezone": _ZONES[number % 3],
        "duration": 4,
        "cutoff": 1,
        "targets": {"nodes": {"tags": {"Site": f"site-{number // 2}", "Ring": str(number % 3)}}},
        "tasks": {"patch": {"operation": "Install"}},
    }


def _tagged(number: int, node: ForecastNode) -> ForecastNode:
    """Return *node* with tags by which each window of the plan has as many."""
    site, ring = number % _WINDOWS // 2, number % _WINDOWS % 3
    return replace(node, tags={"Site": f"site-{site}", "Ring": str(ring), "Environment": "Production"})


def _processor_s(arguments: list[str]) -> float:
    """Return how much of the processor a command takes: other work makes that hardly more."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([PATCHWINDOW, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _since(began_at: float) -> float:
    return time.perf_counter() - began_at
