"""`python -m bench [NAME]`: the numbers, all groups or one."""

import sys
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Final

from bench.report import conditions

GROUPS: Final[Mapping[str, str]] = {
    "cli": "`patchwindow --help` above a bare Python start",
    "start": "the server's start, and `patchwindow up --once` the second time",
    "agent": "the agent at rest",
    "scan": "a scan above what apt itself takes",
    "install": "scans and installations above what apt and dnf take for the same, and the size of facts",
    "api": "requests over loopback, beside moto_server",
    "decisions": "decisions of baselines about patches, from memory and cold",
    "compliance": "compliance of 100,000 nodes: recomputed after a change, and counted",
    "patches": "the patches of 1,000 and 100,000 nodes: listed, and explained",
    "ingest": "reports of scans over HTTP",
    "console": "every page of the console with 10,000 nodes",
    "forecast": "eight weeks of openings for 10,000 nodes with 200 patches",
    "catalog": "a feed of 10,000 advisories: its import, its size, and what pages then cost",
    "schedule": "openings in a time zone, beside other libraries",
    "calendar_year": "the calendar of a year for 1,000 windows",
    "year": "a year of the reference plan with 1,000 simulated nodes",
    "rollout": "one command to 100, 1,000 and 10,000 simulated nodes",
    "opening": "from a window's instant to a node that polls",
    "plans": "a plan of 1,000 windows checked, and one of 500 objects compared with a server",
    "fleet": "500 agents on one server: at rest, and with a command to all",
}


def main(arguments: list[str]) -> int:
    """Run the groups that are named, or all, and return the exit code."""
    unknown = [name for name in arguments if name not in GROUPS]
    if unknown:
        print(f"bench: there is no group {unknown[0]!r}; the groups are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    print(f"{conditions()}\n")
    for name in arguments or GROUPS:
        print(f"## {name}: {GROUPS[name]}\n", flush=True)
        began_at = time.perf_counter()
        import_module(f"bench.{name}").run()
        print(f"\nmeasured in {time.perf_counter() - began_at:.0f} s\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
