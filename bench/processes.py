"""What a running process has taken, as /proc tells it."""

import os
from pathlib import Path
from typing import Final

TICK_MS: Final = 1000 / os.sysconf("SC_CLK_TCK")
"""The step in which processor time is counted."""


def is_told() -> bool:
    """Return whether this machine has /proc, where memory and processor time are read."""
    return Path("/proc/self/status").exists()


def cpu_s(pid: int) -> float:
    """Return the processor time of the process so far, its own and the system's for it."""
    # The name in parentheses may hold spaces; user and system time are the 14th and 15th field.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_MS / 1000


def memory_mib(pid: int) -> dict[str, float]:
    """Return the memory of the process: what is resident, what of it is its own, and the most that ever was."""
    told = _status(Path(f"/proc/{pid}"))
    return {name: int(told[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon", "VmHWM")}


def switches(pid: int) -> int:
    """Return how often all threads of the process were switched to and from."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        told = _status(task)
        total += int(told["voluntary_ctxt_switches"]) + int(told["nonvoluntary_ctxt_switches"])
    return total


def _status(folder: Path) -> dict[str, str]:
    lines = (folder / "status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
