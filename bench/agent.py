"""What the agent costs a machine while nothing happens."""

import shutil
import sys
import time
import urllib.request
from typing import Final

from bench.children import child, control, scratch
from bench.nodes import client_of, node_id, register, run_command
from bench.processes import TICK_MS, cpu_s, is_told, memory_mib, switches
from bench.report import table, verdict

_COMMANDS: Final = 5
_IDLE_S: Final = 30.0
_GOAL_MIB: Final = 30
_GOAL_SHARE: Final = 0.001
_AGENT_PATH: Final = "/agent/agent.pyz"


def run() -> None:
    """Let an agent work, let it rest, and print what it takes."""
    if not is_told():
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
            pid = agent.process.pid
            cpu_before_s, switches_before = cpu_s(pid), switches(pid)
            time.sleep(_IDLE_S)
            agent.check()
            taken_s, switched, memory = cpu_s(pid) - cpu_before_s, switches(pid) - switches_before, memory_mib(pid)
    rows = [
        ["resident memory (VmRSS), MiB", f"{memory['VmRSS']:.1f}"],
        ["of it the process's own (RssAnon), MiB", f"{memory['RssAnon']:.1f}"],
        ["the most it ever was (VmHWM), MiB", f"{memory['VmHWM']:.1f}"],
        [f"processor time in {_IDLE_S:.0f} s, ms (counted in steps of {TICK_MS:.0f})", f"{taken_s * 1000:.0f}"],
        [f"context switches in {_IDLE_S:.0f} s", str(switched)],
    ]
    print(table([f"agent.pyz, idle after {_COMMANDS} commands", "figure"], rows))
    print()
    print(verdict(goal=f"under {_GOAL_MIB} MiB resident", is_met=memory["VmRSS"] < _GOAL_MIB))
    print(verdict(goal=f"under {_GOAL_SHARE:.1%} of a processor", is_met=taken_s / _IDLE_S < _GOAL_SHARE))
