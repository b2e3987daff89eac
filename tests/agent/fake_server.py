"""A server that speaks the wire as far as an agent hears it, and keeps what it was told."""

import gzip
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NODE_ID = "mi-0123456789abcdef0"
REGION = "pw-home-1"
ACTIVATION = ("11111111-2222-3333-4444-555555555555", "an-activation-code-of-ours")


class RefusedError(Exception):
    """An error for the caller: its code, its message."""


@dataclass
class FakeServer:
    """Set its fields before the agent calls; read them afterwards."""

    public_key: str = ""
    fingerprint: str = ""
    token_life_s: float = 3600.0
    clock_offset_s: float = 0.0
    # Operation → the codes that it still refuses with, the next one first.
    refusals: dict[str, list[str]] = field(default_factory=dict)
    # What the agent called, in order: operation and body.
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    # Capability answers by path, as status and body.
    documents: dict[str, tuple[int, Mapping[str, Any]]] = field(default_factory=dict)
    reports: list[dict[str, Any]] = field(default_factory=list)
    progress: list[dict[str, Any]] = field(default_factory=list)
    # Why commands may begin nothing more, as replies are answered.
    over: str = ""

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._messages: list[dict[str, str]] = []
        self._is_closed = False
        self._token_count = 0
        self._keys: dict[str, tuple[str, str]] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def send_command(self, steps: list[dict[str, Any]], **payload: Any) -> str:
        """Hand a command with these steps to the agent; return its id."""
        document = {"schemaVersion": "2.2", "mainSteps": steps, "parameters": payload.pop("declared", {})}
        command_id = str(uuid.uuid4())
        self.deliver(command_id, json.dumps({"DocumentContent": document, "CommandId": command_id, **payload}))
        return command_id

    def cancel(self, command_id: str) -> str:
        """Ask the agent to cancel; return the id of the cancelling itself."""
        own_id = str(uuid.uuid4())
        self.deliver(own_id, json.dumps({"CancelMessageId": message_id(command_id)}), topic="aws.ssm.cancelCommand")
        return own_id

    def deliver(self, command_id: str, payload: str, *, topic: str = "aws.ssm.sendCommand.pw-home-1") -> None:
        message = {"Destination": NODE_ID, "MessageId": message_id(command_id), "Payload": payload, "Topic": topic}
        with self._changed:
            self._messages.append({**message, "CreatedDate": "2026-11-23T01:04:37.868Z"})
            self._changed.notify_all()

    def replies(self, command_id: str) -> list[dict[str, Any]]:
        return [
            json.loads(body["Payload"])
            for operation, body in list(self.calls)
            if operation == "SendReply" and body["MessageId"] == message_id(command_id)
        ]

    def statuses(self, command_id: str) -> list[str]:
        return [reply["documentStatus"] for reply in self.replies(command_id)]

    def called(self, operation: str) -> list[dict[str, Any]]:
        return [body for name, body in list(self.calls) if name == operation]

    def wait_for(self, condition: Callable[[], object], *, timeout_s: float = 10.0) -> None:
        """Return when *condition* holds; it is looked at after each call."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout_s), f"it never came; the calls were {self.calls}"

    def answer(self, operation: str, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(content)
        with self._changed:
            self.calls.append((operation, body))
            self._changed.notify_all()
            if self.refusals.get(operation):
                raise RefusedError(self.refusals[operation].pop(0), "refused on purpose")
        if operation == "RegisterManagedInstance":
            if (body["ActivationId"], body["ActivationCode"]) != ACTIVATION:
                raise RefusedError("InvalidActivation", "no such activation")
            self.public_key, self.fingerprint = body["PublicKey"], body["Fingerprint"]
            return {"InstanceId": NODE_ID}
        self._check_signature(operation, headers, content)
        if operation == "RequestManagedInstanceRoleToken":
            return self._token()
        if operation == "SendReply" and self.over:
            return {"Over": self.over}
        return self._get_messages(body) if operation == "GetMessages" else {}

    def now(self) -> float:
        return time.time() + self.clock_offset_s

    def _token(self) -> dict[str, Any]:
        self._token_count += 1
        key_id = f"ASIA{self._token_count:016d}"
        self._keys[key_id] = (f"secret {self._token_count}", f"token/{self._token_count}+==")
        return {
            "AccessKeyId": key_id,
            "SecretAccessKey": self._keys[key_id][0],
            "SessionToken": self._keys[key_id][1],
            "TokenExpirationDate": self.now() + self.token_life_s,
            "UpdateKeyPair": False,
        }

    def _get_messages(self, body: Mapping[str, Any]) -> dict[str, Any]:
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._is_closed, min(body["WaitSeconds"], 20))
            messages, self._messages = self._messages, []
        return {"Destination": NODE_ID, "MessagesRequestId": body["MessagesRequestId"], "Messages": messages}

    def _check_signature(self, operation: str, headers: Mapping[str, str], content: bytes) -> None:
        """Compute the signature as the public SDK does, and compare."""
        _, credential, names, signature = headers["authorization"].replace(",", "").split(" ")
        key_id, _, region, service, _ = credential.removeprefix("Credential=").split("/")
        signed = names.removeprefix("SignedHeaders=").split(";")
        if operation == "RequestManagedInstanceRoleToken":
            assert signed == ["content-type", "host", "x-amz-date", "x-amz-target"]
            assert key_id == NODE_ID
            secret, token = self.public_key, None
        elif key_id not in self._keys:
            raise RefusedError("UnrecognizedClientException", "no such access key")
        else:
            secret, token = self._keys[key_id]
        request = AWSRequest("POST", f"{self.url}/", data=content, headers={name: headers[name] for name in signed})
        request.context["timestamp"] = headers["x-amz-date"]
        signer = SigV4Auth(Credentials(key_id, secret, token), service, region)
        to_sign = signer.string_to_sign(request, signer.canonical_request(request))
        if f"Signature={signer.signature(to_sign, request)}" != signature:
            raise RefusedError("InvalidSignatureException", "the signature does not match")
        signed_at = time.mktime(time.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ")) - time.timezone
        if abs(signed_at - self.now()) > 300:
            raise RefusedError("InvalidSignatureException", "Signature expired")


def eventually(condition: Callable[[], object], *, timeout_s: float = 10.0) -> None:
    """Return when *condition* holds; for what the server does not see."""
    ends_at = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends_at, "it never came"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Return whether the process lives; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def message_id(command_id: str) -> str:
    return f"aws.ssm.{command_id}.{NODE_ID}"


def shell_step(name: str, *lines: str, **inputs: Any) -> dict[str, Any]:
    return {"action": "aws:runShellScript", "name": name, "inputs": {"runCommand": list(lines), **inputs}}


def _handler_for(server: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._say(*server.documents.get(self.path, (403, {"error": "the URL is not valid"})))

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            target = headers.get("x-amz-target")
            if target is None:
                told = server.progress if self.path.endswith("/progress") else server.reports
                told.append(json.loads(gzip.decompress(content)))
                self._say(*server.documents.get(self.path, (403, {"error": "the URL is not valid"})))
                return
            try:
                self._say(200, server.answer(target.rpartition(".")[2], headers, content))
            except RefusedError as refusal:
                self._say(400, {"__type": refusal.args[0], "message": refusal.args[1]})

        def _say(self, status: int, body: Mapping[str, Any]) -> None:
            content = json.dumps(body).encode()
            try:
                self.send_response_only(status)
                self.send_header("Date", formatdate(server.now(), usegmt=True))
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                # An agent that was killed does not wait for its answer.
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output free of access logs."""

    return Handler
