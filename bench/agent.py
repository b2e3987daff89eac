"""What the agent costs a machine while nothing happens."""

import os
import shutil
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

from bench.children import child, control, scratch
from bench.nodes import client_of, node_id, register, run_command
from bench.report import table, verdict

_COMMANDS: Final = 5
_IDLE_S: Final = 30.0
_GOAL_MIB: Final = 30
_GOAL_SHARE: Final = 0.001
_TICK_MS: Final = 1000 / os.sysconf("SC_CLK_TCK")
_AGENT_PATH: Final = "/agent/agent.pyz"


def run() -> None:
    """Let an agent work, let it rest, and print what it takes."""
    if not Path("/proc/self/status").exists():
        print("skipped: this machine has no /proc, where memory and processor time are read")
        return
    with scratch() as folder, control(folder / "data") as server:
        (state,) = register(server, folder, 1)
        program = folder / "agent.pyz"
        with urllib.request.urlopen(server.url + _AGENT_PATH) as answer, program.open("wb") as file:
            shutil.copyfileobj(answer, file)
        command = [sys.executable, "-P", str(program), "run", "--endpoint", server.url, "--state", str(state)]
        with child([*command, "--reboot-command", ""], folder / "agent.log") as agent:
            client = client_of(server)
            for _ in range(_COMMANDS):
                # Each ends a poll.
                run_command(client, node_id(state), "AWS-RunShellScript", {"commands": ["true"]})
            cpu_before_s, switches_before = _cpu_s(agent.process.pid), _switches(agent.process.pid)
            time.sleep(_IDLE_S)
            agent.check()
            cpu_s = _cpu_s(agent.process.pid) - cpu_before_s
            switches = _switches(agent.process.pid) - switches_before
            memory = _memory_mib(agent.process.pid)
    rows = [
        ["resident memory (VmRSS), MiB", f"{memory['VmRSS']:.1f}"],
        ["of it the process's own (RssAnon), MiB", f"{memory['RssAnon']:.1f}"],
        ["the most it ever was (VmHWM), MiB", f"{memory['VmHWM']:.1f}"],
        [f"processor time in {_IDLE_S:.0f} s, ms (counted in steps of {_TICK_MS:.0f})", f"{cpu_s * 1000:.0f}"],
        [f"context switches in {_IDLE_S:.0f} s", str(switches)],
    ]
    print(table([f"agent.pyz, idle after {_COMMANDS} commands", "figure"], rows))
    print()
    print(verdict(goal=f"under {_GOAL_MIB} MiB resident", is_met=memory["VmRSS"] < _GOAL_MIB))
    print(verdict(goal=f"under {_GOAL_SHARE:.1%} of a processor", is_met=cpu_s / _IDLE_S < _GOAL_SHARE))


def _memory_mib(pid: int) -> dict[str, float]:
    status = _status(pid)
    return {name: int(status[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon", "VmHWM")}


def _switches(pid: int) -> int:
    """Return how often all threads of the process were switched to and from."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        told = _read(task / "status")
        total += int(told["voluntary_ctxt_switches"]) + int(told["nonvoluntary_ctxt_switches"])
    return total


def _cpu_s(pid: int) -> float:
    """Return the processor time of the process so far, its own and the system's for it."""
    # The name in parentheses may hold spaces; user and system time are the 14th and 15th field.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status(pid: int) -> dict[str, Any]:
    return _read(Path(f"/proc/{pid}/status"))


def _read(path: Path) -> dict[str, Any]:
    lines = path.read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
