"""A year of the reference plan with 1,000 simulated nodes: engine, operations and store are real, time and nodes are not.

A node makes the fewest calls that the protocol allows: it polls when its bell rings, acknowledges, and replies when it is done.
Nothing waits: the clock is put to the next instant at which something is due. The file of the database is in memory where
the machine has such a folder, so that what is measured is processor time and no disk.
"""

import heapq
import json
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.installation import Installation
from bench.report import table, verdict

from patchwindow.domain.window_execution import TERMINAL
from patchwindow.operations.call import Answer, Caller
from patchwindow.plans.apply import apply, compare
from patchwindow.plans.read import parse_plan
from patchwindow.ports import ENGINE
from patchwindow.system import collect_less

_NODES: Final = 1000
_BEGINS_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_ENDS_AT: Final = datetime(2027, 1, 1, tzinfo=UTC)
_GOAL_S: Final = 60
_SEED: Final = 1
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  (a folder of its own is made in it)
_ENVIRONMENTS: Final = ("Sandbox", "Development", "Test", "Acceptance", "Production")
_SYSTEM_GROUPS: Final = ("Windows", "RHEL", "Windows2012")
_FUNCTION_GROUPS: Final = ("Management Server", "Web Server", "Application Server", "Database Server")
_SCAN_S: Final = (1, 5)
"""How long a scan takes on a node: whole seconds, drawn from these bounds; those that end in one second end at once."""
_STEPS: Final = ("PatchWindows", "PatchLinux", "PatchMacOS")

Asked = tuple[str, dict[str, Any], Caller]


def run() -> None:
    """Let a year pass, and print what it took."""
    with _folder() as folder:
        year = _Year(folder / "patchwindow.db")
        year.lay_out()
        # As the server does.
        collect_less()
        took_s, cpu_s = year.pass_by()
        year.installation.close()
        _tell(year, folder / "patchwindow.db", took_s, cpu_s)


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="patchwindow-bench-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)


class _Year:
    """The installation, its nodes, and what is to come."""

    def __init__(self, file: Path) -> None:
        self.installation = Installation(file, now=_BEGINS_AT, ring=self._ring)
        self.took_s = {"engine": 0.0, "operations": 0.0}
        self.calls = Counter[str]()
        self.turns = 0
        self._draw = random.Random(_SEED)
        self._nodes: dict[str, Caller] = {}
        self._rung: dict[str, None] = {}
        self._is_engine_rung = False
        self._to_come: list[tuple[datetime, str, str]] = []
        """When a node is done with a command: the instant, the node, the id of the command's message."""

    def lay_out(self) -> None:
        """Apply the plan and register the nodes, evenly over its groups, and over its environments within them."""
        plan = resources.files("patchwindow.plans") / "examples" / "reference.yaml"
        client = self.installation.client()
        wanted = parse_plan(plan.read_text(encoding="utf-8"), "reference.yaml")
        apply(client, compare(client, wanted, now=self.installation.clock.now()))
        groups = _SYSTEM_GROUPS + _FUNCTION_GROUPS
        for number in range(_NODES):
            group = groups[number % len(groups)]
            tags = {"Patch Group": group}
            if group in _SYSTEM_GROUPS:
                tags["Environment"] = _ENVIRONMENTS[number // len(groups) % len(_ENVIRONMENTS)]
            self._register(tags)

    def _register(self, tags: dict[str, str]) -> None:
        told = [{"Key": key, "Value": value} for key, value in tags.items()]
        activation = self.installation.perform("CreateActivation", {"IamRole": "bench", "Tags": told})
        key = {"PublicKey": "A" * 43 + "=", "PublicKeyType": "Hmac-Sha256", "Fingerprint": "bench"}
        made = self.installation.perform("RegisterManagedInstance", {**activation, **key}, Caller(id="unsigned"))
        node_id = str(made["InstanceId"])
        self._nodes[node_id] = caller = Caller(id=node_id, node_id=node_id)
        system = {"PlatformType": "Linux", "PlatformName": "Debian GNU/Linux", "PlatformVersion": "12"}
        self.installation.perform("UpdateInstanceInformation", {"InstanceId": node_id, **system}, caller)

    def pass_by(self) -> tuple[float, float]:
        """Let the year pass; return the seconds that it took, by the clock and of the processor."""
        began_at, cpu_at = time.perf_counter(), time.process_time()
        engine_at = self._turn()
        while (now := self._next(engine_at)) < _ENDS_AT:
            self.installation.clock.put(now)
            self._finish(now)
            while self._rung or self._is_engine_rung or (engine_at is not None and engine_at <= now):
                if self._rung:
                    self._take(now)
                else:
                    engine_at = self._turn()
        return time.perf_counter() - began_at, time.process_time() - cpu_at

    def _next(self, engine_at: datetime | None) -> datetime:
        return min(self._to_come[0][0] if self._to_come else _ENDS_AT, engine_at or _ENDS_AT)

    def _turn(self) -> datetime | None:
        began_at = time.process_time()
        self._is_engine_rung = False
        at = self.installation.engine.turn()
        self.turns += 1
        self.took_s["engine"] += time.process_time() - began_at
        return at

    def _ring(self, name: str) -> None:
        if name == ENGINE:
            self._is_engine_rung = True
        else:
            self._rung[name] = None

    def _take(self, now: datetime) -> None:
        """Let the nodes whose bell rang be given what waits for them, and accept it."""
        callers = [self._nodes[name] for name in self._rung]
        self._rung.clear()
        poll = {"MessagesRequestId": "1", "VisibilityTimeoutInSeconds": 10}
        answers = self._ask([("GetMessages", {"Destination": one.id, **poll}, one) for one in callers])
        accepted: list[Asked] = []
        for caller, answer in zip(callers, answers, strict=True):
            for message in answer["Messages"]:
                id = message["MessageId"]
                accepted.append(("AcknowledgeMessage", {"MessageId": id}, caller))
                done_at = now + timedelta(seconds=self._draw.randint(*_SCAN_S))
                heapq.heappush(self._to_come, (done_at, caller.id, id))
        self._ask(accepted)

    def _finish(self, now: datetime) -> None:
        """Let the nodes tell the end whose scan is done."""
        told: list[Asked] = []
        while self._to_come and self._to_come[0][0] <= now:
            _, node_id, id = heapq.heappop(self._to_come)
            told.append(("SendReply", _success(id, now), self._nodes[node_id]))
        self._ask(told)

    def _ask(self, asked: Sequence[Asked]) -> list[Answer]:
        if not asked:
            return []
        began_at = time.process_time()
        answers = self.installation.together(asked)
        self.took_s["operations"] += time.process_time() - began_at
        self.calls.update(operation for operation, _, _ in asked)
        return answers


def _success(id: str, now: datetime) -> dict[str, Any]:
    """Return the last reply to a command, in which all of its steps are told."""
    told = {"documentStatus": "Success", "documentTraceOutput": "", "runtimeStatus": _steps(now)}
    return {"MessageId": id, "ReplyId": "1", "Payload": json.dumps(told)}


def _steps(now: datetime) -> dict[str, Any]:
    """Return what the steps of AWS-RunPatchBaseline came to on Linux, in an agent's words."""
    at = now.isoformat()
    return {
        name: {
            "status": "Success" if name == "PatchLinux" else "Skipped",
            "code": 0,
            "name": "aws:runShellScript",
            "standardOutput": "scanned: 3 patches are missing" if name == "PatchLinux" else "",
            "standardError": "",
            "output": "",
            "startDateTime": at,
            "endDateTime": at,
        }
        for name in _STEPS
    }


def _tell(year: _Year, file: Path, took_s: float, cpu_s: float) -> None:
    with sqlite3.connect(file) as connection:
        executions = dict(connection.execute("SELECT status, count(*) FROM window_execution GROUP BY status"))
        commands = dict(connection.execute("SELECT status, count(*) FROM command GROUP BY status"))
        invocations = dict(connection.execute("SELECT details, count(*) FROM invocation GROUP BY details"))
        (window_parts,) = connection.execute(
            "SELECT (SELECT count(*) FROM task_execution) + (SELECT count(*) FROM task_invocation)"
        ).fetchone()
    connection.close()
    assert set(executions) <= TERMINAL, f"executions have not ended: {executions}"
    count = sum(invocations.values())
    # A command on a node is sent, acknowledged and ended; all else goes from Pending over InProgress to its end.
    transitions = 3 * count + 2 * (sum(executions.values()) + window_parts + sum(commands.values()))
    engine_s, operations_s = year.took_s["engine"], year.took_s["operations"]
    rows = [
        ["openings", f"{_counted(executions)}"],
        ["commands", f"{_counted(commands)}"],
        ["invocations", f"{_counted(invocations)}"],
        ["transitions", f"{transitions:,}"],
        ["calls of nodes", f"{year.calls.total():,}"],
        ["turns of the engine", f"{year.turns:,}"],
        ["engine, s", f"{engine_s:.1f}"],
        ["nodes' operations, s", f"{operations_s:.1f}"],
        ["the simulation itself, s", f"{cpu_s - engine_s - operations_s:.1f}"],
        ["all, s", f"{cpu_s:.1f}"],
        ["all by the clock, s", f"{took_s:.1f}"],
        ["a command on a node, ms", f"{cpu_s / count * 1000:.2f}"],
        ["a transition, ms", f"{cpu_s / transitions * 1000:.3f}"],
        ["database, MiB", f"{file.stat().st_size / 1024**2:.0f}"],
    ]
    where = "in memory" if file.is_relative_to(_MEMORY) else "on disk"
    print(table([f"{_NODES:,} nodes, {_BEGINS_AT:%Y}, SQLite {where}", "figure"], rows))
    print()
    print(verdict(goal=f"a year in under {_GOAL_S} s of one core", is_met=cpu_s < _GOAL_S))


def _counted(states: dict[str, int]) -> str:
    ended = ", ".join(f"{state} {count:,}" for state, count in sorted(states.items()))
    return f"{sum(states.values()):,} ({ended})"
