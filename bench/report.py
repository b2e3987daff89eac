"""How figures are shown: tables that can be pasted into docs/figures.md, and the conditions they were made under."""

import math
import os
import platform
import sqlite3
from collections.abc import Sequence
from statistics import median
from typing import Final

__all__ = ["conditions", "median", "milliseconds", "percentile", "table", "verdict"]

_RIGHT: Final = "---:"
_LEFT: Final = "---"


def conditions() -> str:
    """Return what the figures depend on: the machine's cores, Python, SQLite, and how busy the machine is now."""
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"load {os.getloadavg()[0]:.1f} at the start"
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Return *rows* as a Markdown table whose first *left* columns are texts and the others numbers."""
    widths = [max(len(cell) for cell in cells) for cells in zip(columns, *rows, strict=True)]
    rule = [_LEFT if number < left else _RIGHT for number in range(len(columns))]
    widths = [max(pair) for pair in zip(widths, map(len, rule), strict=True)]
    rule[:left] = ("-" * width for width in widths[:left])
    rule[left:] = ("-" * (width - 1) + ":" for width in widths[left:])

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if number < left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    return "\n".join([line(columns), line(rule), *(line(row) for row in rows)])


def milliseconds(seconds: float) -> str:
    """Return *seconds* as milliseconds, with a digit after the point where it says something."""
    value = seconds * 1000
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the smallest of the *ordered* values that at least *percent* in a hundred do not exceed."""
    assert ordered, "there is nothing to choose from"
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def verdict(*, goal: str, is_met: bool) -> str:
    """Return one line that says whether the *goal* is met."""
    return f"goal {goal}: {'met' if is_met else 'MISSED'}"
