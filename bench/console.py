"""Every page of the console with 10,000 nodes: how long it takes, and what it weighs."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.report import median, milliseconds, table, verdict
from tests.console.places import PATHS, places
from tests.fakes.browser import Browser
from tests.fakes.databases import migrated_url
from tests.fakes.fleet import HOSTILE, Fleet

from patchwindow.console.app import ROOT

_NODES: Final = 10_000
_ROUNDS: Final = 5
_TIME_GOAL_S: Final = 0.150
_WEIGHT_GOAL_BYTES: Final = 300_000
_ASKED: Final = {"/search": {"q": "web-00"}}
"""What a page is asked for, where it says nothing otherwise."""


def run() -> None:
    """Measure, and print."""
    with TemporaryDirectory() as folder, migrated_url("sqlite", Path(folder)) as url:
        fleet = Fleet(url, count=_NODES)
        browser = Browser(fleet.world)
        browser.sign_in()
        there = places(fleet)
        rows, slow, heavy = [], [], []
        for path in PATHS:
            times, size = _measured(browser, path, ROOT + path.format(**there))
            rows.append([path, *(milliseconds(one) for one in (times[0], median(times[1:]))), f"{size / 1000:.0f}"])
            slow += [path] * (max(times[0], median(times[1:])) >= _TIME_GOAL_S)
            heavy += [path] * (size >= _WEIGHT_GOAL_BYTES)
        browser.close()
        fleet.close()
    print(table(["page", "first ms", f"median of {_ROUNDS} ms", "kB"], rows))
    print()
    for name, missed in (
        (f"under {_TIME_GOAL_S * 1000:.0f} ms, the first time too", slow),
        (f"under {_WEIGHT_GOAL_BYTES // 1000} kB", heavy),
    ):
        print(verdict(goal=f"{_NODES:,} nodes: every page {name}", is_met=not missed), *missed)


def _measured(browser: Browser, path: str, url: str) -> tuple[list[float], int]:
    """Return how long each load took, in seconds, and how many bytes the page has."""
    times, size = [], 0
    for _ in range(_ROUNDS + 1):
        began_at = time.perf_counter()
        loaded = browser.get(url, **_ASKED.get(path, {}))
        times.append(time.perf_counter() - began_at)
        assert loaded.status == 200, loaded.body
        assert HOSTILE not in loaded.body, "a name is escaped"
        size = len(loaded.body.encode())
    return times, size
