"""Managed nodes without machines: what an agent says over the wire, at the word of a test and without running anything."""

import gzip
import json
import time
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from patchwindow_agent import identity
from patchwindow_agent.connection import Connection, parse_endpoint
from patchwindow_agent.register import greet, register
from patchwindow_agent.results import Result, Status, reply
from patchwindow_agent.session import Session
from patchwindow_agent.settings import Kept
from patchwindow_agent.sigv4 import Key

_TIMEOUT_S: Final = 30.0


class PaperNode:
    """A node that answers when it is told to."""

    def __init__(self, endpoint: str, state: Path) -> None:
        """Take up the registration that is in *state*."""
        self.identity = identity.load(state)
        self.node_id = self.identity.node_id
        self.key: Key | None = None
        """What its session signs with, once it has one."""
        self._connection = Connection(parse_endpoint(endpoint), timeout_s=_TIMEOUT_S)
        self._session = Session(self.identity, on_token=self._keep)

    @classmethod
    def registered(cls, endpoint: str, activation: tuple[str, str], state: Path) -> Self:
        """Register a new node, and let it say what it is."""
        options: Mapping[str, Any] = {"region": "us-east-1", "name": "paper", "is_forced": False, "environ": {}}
        kept = Kept(endpoint)
        made = register(kept, activation_id=activation[0], activation_code=activation[1], state=state, **options)
        greet(made, kept, state, {})
        return cls(endpoint, state)

    def _keep(self, key: Key) -> None:
        self.key = key

    def call(self, service: str, operation: str, **members: Any) -> dict[str, Any]:
        """Carry out one operation that agents speak, with this node's session."""
        return self._session.call(self._connection, service, operation, members)

    def ping(self) -> None:
        """Give a sign of life."""
        self.call("ssm", "UpdateInstanceInformation", InstanceId=self.node_id)

    def messages(self, *, wait_s: int = 1) -> list[dict[str, str]]:
        """Return what waits for the node, after *wait_s* seconds at most."""
        told = self.call(
            "ec2messages",
            "GetMessages",
            Destination=self.node_id,
            MessagesRequestId=str(uuid.uuid4()),
            VisibilityTimeoutInSeconds=10,
            WaitSeconds=wait_s,
        )
        found: list[dict[str, str]] = told["Messages"]
        return found

    def take(self, *, wait_s: int = 10) -> tuple[str, dict[str, Any]]:
        """Take the one command that waits, and return the id of its message and what it says."""
        (message,) = self.messages(wait_s=wait_s)
        return self.accept(message)

    def accept(self, message: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        """Say that *message* has come, and return its id and what it says."""
        self.call("ec2messages", "AcknowledgeMessage", MessageId=message["MessageId"])
        return message["MessageId"], json.loads(message["Payload"])

    def succeed(self, message_id: str, step: str, output: str) -> None:
        """Say that the command ended well, and what its *step* wrote."""
        now = time.time()
        result = Result(Status.SUCCESS, 0, "aws:runShellScript", now, now, output)
        payload = reply(Status.SUCCESS, at=now, results={step: result}, shown=[step])
        self.call("ec2messages", "SendReply", MessageId=message_id, Payload=payload, ReplyId=str(uuid.uuid4()))

    def scan(self, facts: Mapping[str, Any]) -> None:
        """Take the scan that waits, and report *facts*."""
        (message,) = self.messages(wait_s=10)
        self.report(message, facts)

    def report(self, message: Mapping[str, str], facts: Mapping[str, Any]) -> None:
        """Answer *message*, which is a patch operation, with *facts*."""
        message_id, command = self.accept(message)
        now = time.time()
        report = {
            "schema": 1,
            "operation": command["Parameters"]["Operation"],
            "startedAt": now,
            "endedAt": now,
            "bootId": "",
            "lists": {"refreshed": True, "asOf": int(now), "problem": None},
            "facts": facts,
            "installedAt": [0] * len(facts["packages"]),
        }
        verdict = post(f"{command['Parameters']['PatchwindowUrl']}/report", report)
        self.succeed(message_id, "PatchLinux", json.dumps(verdict))

    def close(self) -> None:
        """Close its connection."""
        self._connection.close()


def post(url: str, report: Mapping[str, Any]) -> Any:
    """Send a report, and return the verdict."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    request = urllib.request.Request(url, gzip.compress(json.dumps(report).encode()), headers)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        return json.load(answer)
