"""How long `patchwindow --help` takes above a Python that does nothing."""

import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

from bench.children import PATCHWINDOW
from bench.report import median, milliseconds, table, verdict

_RUNS: Final = 15
_GOAL_S: Final = 0.120


def run() -> None:
    """Measure in turns and print."""
    bare, helps = [], []
    for _ in range(_RUNS):
        bare.append(_wall_s([sys.executable, "-c", "pass"]))
        helps.append(_wall_s([PATCHWINDOW, "--help"]))
    above_s = median(helps) - median(bare)
    rows = [
        ["`python -c pass`", milliseconds(median(bare)), milliseconds(min(bare))],
        ["`patchwindow --help`", milliseconds(median(helps)), milliseconds(min(helps))],
        ["above", milliseconds(above_s), milliseconds(min(helps) - min(bare))],
    ]
    print(table([f"of {_RUNS} runs", "median ms", "least ms"], rows))
    print()
    print(verdict(goal=f"at most {_GOAL_S * 1000:.0f} ms above", is_met=above_s <= _GOAL_S))


def _wall_s(command: Sequence[str]) -> float:
    began_at = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began_at
