"""Agents that are coroutines: what ours says to the server, signed by its own code, from nodes on which nothing runs.

As with the real one, a poll is held on one connection, replies go over a second and output over a third, and each
is opened again where the server has closed it. A command's step ends at once, and has written nothing.
"""

import asyncio
import json
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bench.load import BadAnswer
from bench.signing import REGION

from patchwindow_agent import documents, machine
from patchwindow_agent.connection import Endpoint
from patchwindow_agent.identity import Identity, new_secret
from patchwindow_agent.journal import command_id_of
from patchwindow_agent.results import Result, Status, reply
from patchwindow_agent.sigv4 import Key, Scope, signed

PING_EVERY_S: Final = 300.0
_SERVICES: Final = {"ssm": "AmazonSSM", "ec2messages": "EC2WindowsMessageDeliveryService"}
_STREAMS: Final = ("stdout", "stderr")


class Line:
    """One kept-alive connection; not for two coroutines at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return the body of the answer.

        Raises:
            BadAnswer: it is no 200.
            OSError, EOFError: there is none.
        """
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(["POST / HTTP/1.1", *lines, f"Content-Length: {len(body)}", "", ""])
        if self._streams is not None:
            try:
                return await self._exchange(*self._streams, head.encode() + body)
            except (ConnectionError, EOFError):
                # A server may close a connection that was idle; that says nothing about a new one.
                await self.close()
        self._streams = await asyncio.open_connection(self._endpoint.host, self._endpoint.port)
        return await self._exchange(*self._streams, head.encode() + body)

    async def close(self) -> None:
        """Give up the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        _, found, rest = head.partition(b"\r\ncontent-length:")
        if not found:
            raise BadAnswer(f"the server answered without Content-Length: {head[:300]!r}")
        answer = await reader.readexactly(int(rest.partition(b"\r\n")[0]))
        if not head.startswith(b"http/1.1 200"):
            raise BadAnswer(f"the server answered {head[:60]!r} {answer[:600]!r}")
        return answer


@dataclass(slots=True)
class Counted:
    """What all agents have done so far."""

    calls: int = 0
    given_at: dict[str, list[float]] = field(default_factory=dict)
    """By command id: the instants of the clock that never jumps at which nodes had it in their hands."""


class SimulatedAgent:
    """One node's agent."""

    def __init__(self, endpoint: Endpoint, identity: Identity, counted: Counted, *, poll_s: int) -> None:
        self._endpoint = endpoint
        self._identity = identity
        self._counted = counted
        self._poll_s = poll_s
        self._polling, self._sending, self._streaming = (Line(endpoint) for _ in range(3))
        self._is_sending, self._is_streaming = asyncio.Lock(), asyncio.Lock()
        self._key = Key(identity.node_id, identity.secret)

    async def run(self) -> None:
        """Fetch a role token, then poll and ping until cancelled."""
        told = await self._call(
            self._polling, "ssm", "RequestManagedInstanceRoleToken", {"Fingerprint": self._identity.fingerprint}
        )
        self._key = Key(told["AccessKeyId"], told["SecretAccessKey"], told["SessionToken"])
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ping_forever())
                group.create_task(self._poll_forever(group))
        finally:
            for line in (self._polling, self._sending, self._streaming):
                await line.close()

    async def _ping_forever(self) -> None:
        body = machine.full_ping(self._identity, (self._endpoint.host, self._endpoint.port))
        await self._send("UpdateInstanceInformation", machine.short_ping(self._identity), service="ssm")
        # A fleet that has run for a while pings, and polls, evenly over the time.
        pause_s = random.uniform(0, PING_EVERY_S)
        while True:
            await self._send("UpdateInstanceInformation", body, service="ssm")
            await asyncio.sleep(pause_s)
            pause_s = PING_EVERY_S

    async def _poll_forever(self, group: asyncio.TaskGroup) -> None:
        wait_s = random.randint(1, self._poll_s)
        while True:
            body = {
                "Destination": self._identity.node_id,
                "MessagesRequestId": str(uuid.uuid4()),
                "VisibilityTimeoutInSeconds": 10,
                "WaitSeconds": wait_s,
            }
            answer = await self._call(self._polling, "ec2messages", "GetMessages", body)
            for message in answer["Messages"]:
                await self._take(message, group)
            wait_s = self._poll_s

    async def _take(self, message: Mapping[str, str], group: asyncio.TaskGroup) -> None:
        id, at = message["MessageId"], time.time()
        self._counted.given_at.setdefault(command_id_of(id), []).append(time.monotonic())
        (step,) = documents.parse_payload(message["Payload"])
        accepted = {"MessageId": id, "Payload": reply(Status.IN_PROGRESS, at=at), "ReplyId": str(uuid.uuid4())}
        await self._call(self._polling, "ec2messages", "SendReply", accepted)
        await self._call(self._polling, "ec2messages", "AcknowledgeMessage", {"MessageId": id})
        results = {step.name: Result(Status.SUCCESS, 0, step.action, at, at)}
        group.create_task(self._tell(id, results, step.name))
        group.create_task(self._stream(command_id_of(id), step.name))

    async def _tell(self, message_id: str, results: Mapping[str, Result], name: str) -> None:
        for status in (Status.IN_PROGRESS, Status.SUCCESS):
            said = reply(status, at=time.time(), results=results, shown=[name])
            await self._send("SendReply", {"MessageId": message_id, "Payload": said, "ReplyId": str(uuid.uuid4())})

    async def _stream(self, command_id: str, step: str) -> None:
        async with self._is_streaming:
            for is_last in (False, True):
                for stream in _STREAMS:
                    piece = {"Offset": 0, "Content": "", "IsLast": is_last, "StepName": step, "Stream": stream}
                    body = {"CommandId": command_id, "InstanceId": self._identity.node_id, **piece}
                    await self._call(self._streaming, "ec2messages", "PutStepOutput", body)

    async def _send(self, operation: str, body: Mapping[str, Any], *, service: str = "ec2messages") -> None:
        async with self._is_sending:
            await self._call(self._sending, service, operation, body)

    async def _call(self, line: Line, service: str, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._counted.calls += 1
        content = json.dumps(body, separators=(",", ":")).encode()
        headers = signed(
            _headers(self._endpoint, service, operation),
            content,
            path="/",
            key=self._key,
            scope=Scope(REGION, service),
            at=time.time(),
        )
        answer: dict[str, Any] = json.loads(await line.post(headers, content))
        return answer


async def register(endpoint: Endpoint, activation_id: str, activation_code: str) -> Identity:
    """Return a node that did not exist before."""
    secret, fingerprint = new_secret(), str(uuid.uuid4())
    body = {
        "ActivationId": activation_id,
        "ActivationCode": activation_code,
        "Fingerprint": fingerprint,
        "PublicKey": secret,
        "PublicKeyType": "Hmac-Sha256",
    }
    line = Line(endpoint)
    try:
        headers = _headers(endpoint, "ssm", "RegisterManagedInstance")
        answer = json.loads(await line.post(headers, json.dumps(body).encode()))
    finally:
        await line.close()
    return Identity(answer["InstanceId"], REGION, secret, fingerprint)


def _headers(endpoint: Endpoint, service: str, operation: str) -> dict[str, str]:
    return {
        "Host": endpoint.host_header,
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"{_SERVICES[service]}.{operation}",
    }
