"""How soon after its instant a window opens, and its command is with a node that polls: over HTTP, with a real server.

The nodes are threads of this process. Each holds a poll as our agent does, over the agent's own connection and session, and
answers a command with Success. The server has nothing else to do.
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.children import ChildFailed, Control, control, scratch
from bench.nodes import client_of
from bench.report import median, milliseconds, table, verdict
from bench.signing import REGION

from patchwindow_agent.connection import Connection, parse_endpoint
from patchwindow_agent.errors import AgentError
from patchwindow_agent.identity import Identity
from patchwindow_agent.register import register
from patchwindow_agent.results import Status, reply
from patchwindow_agent.session import Session
from patchwindow_agent.settings import Kept

_ROUNDS: Final = 5
_MANY: Final = 50
_AHEAD_S: Final = {1: 2, _MANY: 5}
"""So many seconds at least before their instant the windows are made, by their number."""
_PATIENCE_S: Final = 30.0
_LOOK_S: Final = 0.02
_GOAL_S: Final = {1: 1.0, _MANY: 2.0}
_POLL_S: Final = 15


def run() -> None:
    """Measure and print."""
    rows = []
    verdicts = []
    with scratch() as folder, control(folder / "data") as server, _polling(server, folder, _MANY) as nodes:
        for count in (1, _MANY):
            rounds = [_Round(server, nodes[:count]) for _ in range(_ROUNDS)]
            results = [one.measure() for one in rounds]
            opened = [each for opened, _ in results for each in opened]
            given = [each for _, given in results for each in given]
            label = "one window" if count == 1 else f"{count} windows at one instant"
            for what, latencies in (("StartTime of its execution", opened), ("its command is with the node", given)):
                shown = [milliseconds(median(latencies)), milliseconds(max(latencies))]
                rows.append([label, what, *shown])
            goal = f"{label}: handed out at most {_GOAL_S[count]:.0f} s after the instant"
            verdicts.append(verdict(goal=goal, is_met=max(opened + given) <= _GOAL_S[count]))
    print(table([f"of {_ROUNDS} rounds", "after the instant until", "median ms", "most ms"], rows, left=2))
    print()
    print("\n".join(verdicts))


class _Node:
    """A managed node that holds a poll, and notes when it was given a command."""

    def __init__(self, identity: Identity, url: str) -> None:
        self.id = identity.node_id
        self.given_at: float | None = None
        self.is_polling = threading.Event()
        self._session = Session(identity)
        self._endpoint = parse_endpoint(url)
        self._is_stopping = False
        self._thread = threading.Thread(target=self._poll_forever, daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def stop(self) -> None:
        """Let the poll that is held be the last."""
        self._is_stopping = True

    def _poll_forever(self) -> None:
        with closing(Connection(self._endpoint, timeout_s=_POLL_S + 25)) as connection:
            while not self._is_stopping:
                try:
                    self._poll(connection)
                except AgentError:
                    # The server ends before this thread does.
                    if not self._is_stopping:
                        raise

    def _poll(self, connection: Connection) -> None:
        body = {"Destination": self.id, "MessagesRequestId": "1", "VisibilityTimeoutInSeconds": 10}
        self.is_polling.set()
        answer = self._call(connection, "GetMessages", {**body, "WaitSeconds": _POLL_S})
        for message in answer["Messages"]:
            self.given_at = time.time()
            id = message["MessageId"]
            said = reply(Status.SUCCESS, at=time.time())
            self._call(connection, "SendReply", {"MessageId": id, "Payload": said, "ReplyId": "1"})

    def _call(self, connection: Connection, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._session.call(connection, "ec2messages", operation, body)


@contextmanager
def _polling(server: Control, folder: Path, count: int) -> Iterator[list[_Node]]:
    """Register *count* nodes and let them poll."""
    activation = client_of(server).create_activation(IamRole="bench", RegistrationLimit=count)
    nodes = []
    for number in range(count):
        identity = register(
            Kept(server.url),
            activation_id=activation["ActivationId"],
            activation_code=activation["ActivationCode"],
            region=REGION,
            state=folder / f"node-{number}",
            name="",
            is_forced=False,
            environ={},
        )
        nodes.append(_Node(identity, server.url))
    for node in nodes:
        node.start()
    for node in nodes:
        if not node.is_polling.wait(_PATIENCE_S):
            raise ChildFailed(f"node {node.id} does not poll")
    try:
        yield nodes
    finally:
        for node in nodes:
            node.stop()


class _Round:
    """Windows that open at one instant, each with a node of its own."""

    def __init__(self, server: Control, nodes: Sequence[_Node]) -> None:
        self._client = client_of(server)
        self._nodes = nodes

    def measure(self) -> tuple[list[float], list[float]]:
        """Let the windows open; return the seconds until their executions started, and until the nodes had the commands."""
        opens_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1 + _AHEAD_S.get(len(self._nodes), 5))
        windows = [self._window(node, opens_at) for node in self._nodes]
        if datetime.now(UTC) > opens_at - timedelta(seconds=1):
            raise ChildFailed(f"making {len(windows)} windows took too long for them to be there in time")
        until = time.monotonic() + (opens_at - datetime.now(UTC)).total_seconds() + _PATIENCE_S
        while any(node.given_at is None for node in self._nodes):
            if time.monotonic() > until:
                missing = sum(node.given_at is None for node in self._nodes)
                raise ChildFailed(f"{missing} of {len(self._nodes)} nodes were given no command in {_PATIENCE_S:.0f} s")
            time.sleep(_LOOK_S)
        given = [(node.given_at or 0) - opens_at.timestamp() for node in self._nodes]
        opened = [self._started_at(window) - opens_at.timestamp() for window in windows]
        for window in windows:
            self._client.delete_maintenance_window(WindowId=window)
        return opened, given

    def _window(self, node: _Node, opens_at: datetime) -> str:
        node.given_at = None
        window = str(
            self._client.create_maintenance_window(
                Name=f"bench-{node.id}",
                Schedule=f"at({opens_at:%Y-%m-%dT%H:%M:%S})",
                Duration=1,
                Cutoff=0,
                AllowUnassociatedTargets=True,
            )["WindowId"]
        )
        self._client.register_task_with_maintenance_window(
            WindowId=window,
            Targets=[{"Key": "InstanceIds", "Values": [node.id]}],
            TaskArn="AWS-RunShellScript",
            TaskType="RUN_COMMAND",
            MaxConcurrency="1",
            MaxErrors="0",
            TaskInvocationParameters={"RunCommand": {"Parameters": {"commands": ["true"]}}},
        )
        return window

    def _started_at(self, window: str) -> float:
        told = self._client.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"]
        if len(told) != 1:
            raise ChildFailed(f"window {window} opened {len(told)} times, not once: {json.dumps(told, default=str)}")
        started: datetime = told[0]["StartTime"]
        return started.timestamp()
