"""One command to 100, 1,000 and 10,000 simulated nodes: engine, operations and the database in a file are real.

Nodes do what our agent does: poll when their bell rings, answer "in progress", acknowledge, and answer "success". Requests
that wait are carried out together, as the server does, and the engine turns after each such batch, which is more often than
it would; in the last rows each request is a batch, which is the most that a rollout can cost. The file is in memory where
the machine has such a folder, and what is counted is processor time.
"""

import json
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.installation import Installation
from bench.report import table, verdict

from patchwindow.domain.node import Node
from patchwindow.operations.call import Answer, Caller
from patchwindow.operations.tags import NODE
from patchwindow.ports import ENGINE

_SIZES: Final = (100, 1000, 10_000)
_ROUNDS: Final = {100: 9, 1000: 3, 10_000: 1}
_CASES: Final = (("50", True), ("100%", True), ("100%", False))
"""MaxConcurrency, and whether requests that wait are carried out together."""
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  (a folder of its own is made in it)
_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_PAUSE: Final = timedelta(milliseconds=10)
_GOAL_MS: Final = 1.0
_GROWTH: Final = 1.5
"""By so much the time per invocation may differ between the sizes and still be called the same."""
# Sent, acknowledged, ended.
_TRANSITIONS: Final = 3
_STEP: Final = "aws:runShellScript"

Asked = tuple[str, dict[str, Any], Caller]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one rollout took, in seconds of the processor."""

    node_count: int
    engine_s: float
    operations_s: float
    wall_s: float
    turn_count: int

    @property
    def total_s(self) -> float:
        """Engine and operations."""
        return self.engine_s + self.operations_s


class _Rollout:
    """An installation with nodes, to which commands are sent one after another."""

    def __init__(self, file: Path, node_count: int) -> None:
        self.installation = Installation(file, now=_AT, ring=self._ring)
        self._nodes = {id: Caller(id=id, node_id=id) for id in (f"mi-{number:017x}" for number in range(node_count))}
        self._rung: dict[str, None] = {}
        self._is_engine_rung = False
        self._register()

    def _register(self) -> None:
        with self.installation.database.write() as work:
            for id in self._nodes:
                node = Node(
                    instance_id=id,
                    activation_id="bench",
                    iam_role="bench",
                    registration_date=_AT,
                    last_ping_date_time=_AT,
                    fingerprint="",
                    public_key="",
                    public_key_type="",
                )
                work.nodes.put(node, operating_system="DEBIAN", patch_group="")
                work.tags.add(NODE, id, {"ring": "all"})

    def _ring(self, name: str) -> None:
        if name == ENGINE:
            self._is_engine_rung = True
        else:
            self._rung[name] = None

    def send(self, max_concurrency: str, *, is_together: bool) -> Figures:
        """Roll one command out until it has ended, and return what it took from its first step on."""
        command_id = self._create(max_concurrency)
        engine_s = operations_s = 0.0
        turn_count = 0
        batch_max = self.installation.database.together_max if is_together else 1
        to_do: deque[Asked] = deque()
        began_at = time.perf_counter()
        while True:
            at = time.process_time()
            if self._is_engine_rung:
                self._is_engine_rung = False
                self.installation.engine.turn()
                turn_count += 1
            engine_s += time.process_time() - at
            to_do.extend(self._polls())
            if not to_do:
                break
            batch = [to_do.popleft() for _ in range(min(len(to_do), batch_max))]
            at = time.process_time()
            answers = self.installation.together(batch)
            operations_s += time.process_time() - at
            self.installation.clock.put(self.installation.clock.now() + _PAUSE)
            to_do.extend(self._follow(batch, answers))
        wall_s = time.perf_counter() - began_at
        self._check(command_id)
        return Figures(len(self._nodes), engine_s, operations_s, wall_s, turn_count)

    def _create(self, max_concurrency: str) -> str:
        made = self.installation.perform(
            "SendCommand",
            {
                "DocumentName": "AWS-RunShellScript",
                "Parameters": {"commands": ["true"]},
                "Targets": [{"Key": "tag:ring", "Values": ["all"]}],
                "MaxConcurrency": max_concurrency,
                "MaxErrors": "0",
            },
        )
        return str(made["Command"]["CommandId"])

    def _polls(self) -> list[Asked]:
        """Return the polls of the nodes whose bell has rung."""
        rung, self._rung = list(self._rung), {}
        poll = {"MessagesRequestId": "1", "VisibilityTimeoutInSeconds": 10}
        return [("GetMessages", {"Destination": id, **poll}, self._nodes[id]) for id in rung]

    def _follow(self, batch: Sequence[Asked], answers: Sequence[Answer]) -> list[Asked]:
        """Return what nodes do after these requests: accept what they were given, and end what they have accepted."""
        next_: list[Asked] = []
        for (operation, request, caller), answer in zip(batch, answers, strict=True):
            if operation == "GetMessages":
                for message in answer["Messages"]:
                    id = message["MessageId"]
                    next_.append(("SendReply", _reply(id, "InProgress", None), caller))
                    next_.append(("AcknowledgeMessage", {"MessageId": id}, caller))
            elif operation == "AcknowledgeMessage":
                next_.append(("SendReply", _reply(request["MessageId"], "Success", _did(caller)), caller))
        return next_

    def _check(self, command_id: str) -> None:
        (kept,) = self.installation.perform("ListCommands", {"CommandId": command_id})["Commands"]
        with self.installation.database.read() as work:
            ended = Counter(one.details for one in work.invocations.of_command(command_id))
        assert kept["Status"] == "Success", f"the command is {kept['Status']}"
        assert ended == {"Success": len(self._nodes)}, f"the invocations are {ended}"


def run() -> None:
    """Measure, and print."""
    found: dict[tuple[str, bool], list[Figures]] = {case: [] for case in _CASES}
    memory = _MEMORY if _MEMORY.is_dir() else None
    with TemporaryDirectory(prefix="patchwindow-bench-", dir=memory) as folder:
        for size in _SIZES:
            rollout = _Rollout(Path(folder) / f"{size}.db", size)
            for concurrency, is_together in _CASES:
                rounds = [rollout.send(concurrency, is_together=is_together) for _ in range(_ROUNDS[size])]
                middle = sorted(rounds, key=lambda one: one.total_s)[len(rounds) // 2]
                found[concurrency, is_together].append(middle)
            rollout.installation.close()
    _tell(found)


def _tell(found: Mapping[tuple[str, bool], Sequence[Figures]]) -> None:
    rows, transitions, last_growths = [], [], []
    for (concurrency, is_together), sizes in found.items():
        first = sizes[0].total_s / sizes[0].node_count
        for one in sizes:
            each_s = one.total_s / one.node_count
            transitions.append(each_s / _TRANSITIONS * 1000)
            per_node = (one.engine_s / one.node_count, one.operations_s / one.node_count, each_s)
            rows.append(
                [
                    "together" if is_together else "one by one",
                    concurrency,
                    f"{one.node_count:,}",
                    *(f"{seconds * 1000:.3f}" for seconds in per_node),
                    f"{transitions[-1]:.3f}",
                    f"{each_s / first:.2f}",
                    f"{one.engine_s / one.turn_count * 1000:.2f}",
                    f"{one.wall_s:.1f}",
                ]
            )
        last_growths.append(sizes[-1].total_s / sizes[-1].node_count / first)
    columns = [
        "requests",
        "MaxConcurrency",
        "nodes",
        "engine ms",
        "operations ms",
        "both ms",
        "per transition ms",
        "growth",
        "engine turn ms",
        "wall s",
    ]
    print(table(columns, rows, left=1))
    print("\nmilliseconds of the processor for one invocation; its transitions are sent, acknowledged, ended")
    print(f"growth: beside what an invocation takes with {_SIZES[0]} nodes\n")
    print(verdict(goal=f"under {_GOAL_MS:.0f} ms per transition", is_met=max(transitions) < _GOAL_MS))
    linear = (
        f"linear: with {_SIZES[-1]:,} nodes an invocation takes at most {_GROWTH} times as long as with {_SIZES[0]}"
    )
    print(verdict(goal=linear, is_met=max(last_growths) <= _GROWTH))


def _reply(message_id: str, status: str, steps: dict[str, Any] | None) -> dict[str, Any]:
    told = {"documentStatus": status, "documentTraceOutput": "", "runtimeStatus": steps}
    return {"MessageId": message_id, "ReplyId": "1", "Payload": json.dumps(told)}


def _did(caller: Caller) -> dict[str, Any]:
    """Return what the step of AWS-RunShellScript came to, in an agent's words."""
    at = _AT.isoformat()
    return {
        _STEP: {
            "status": "Success",
            "code": 0,
            "name": _STEP,
            "standardOutput": f"done on {caller.id}",
            "standardError": "",
            "output": "",
            "startDateTime": at,
            "endDateTime": at,
        }
    }
