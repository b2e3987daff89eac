"""The edge of a server without sockets: signed requests into the ASGI application, its answers out."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlencode

import botocore.session
from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.serialize import create_serializer
from tests.fakes.site import FINGERPRINT, PUBLIC_KEY, Installation, as_node

from patchwindow.domain.errors import Invalid
from patchwindow.protocol.rest import load_routes
from patchwindow.protocol.service import load_operations
from patchwindow.store.settings import AccessKey, Role
from patchwindow.system import LoopBell
from patchwindow.wire.app import App

JSON: Final = "application/x-amz-json-1.1"
HOST: Final = "patch.example.net"
PROGRAM: Final = b"#!/usr/bin/env python3\n"
MODELS: Final = {model.name: model for model in load_operations().values()}


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it goes out; *pieces* is its body, chunk by chunk."""

    pieces: Sequence[bytes] = (b"",)
    method: str = "POST"
    path: str = "/"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def scope(self) -> dict[str, Any]:
        """Return it as a server hands it over."""
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": unquote(self.path),
            "raw_path": self.path.encode(),
            "query_string": self.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in self.headers.items()],
            "server": (HOST, 80),
            "client": ("192.0.2.1", 40000),
        }


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as it comes in."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class Connection:
    """One request of a client that may go away, and what is answered to it."""

    def __init__(self, edge: "Edge", sent: Sent) -> None:
        self._gone = asyncio.Event()
        self._answer: dict[str, Any] = {}
        self._pieces = list(sent.pieces)
        self._task = asyncio.ensure_future(edge.app(sent.scope(), self._receive, self._send))

    def go_away(self) -> None:
        """Let the client give up."""
        self._gone.set()

    async def answer(self, *, timeout_s: float = 5.0) -> Received | None:
        """Return the answer; None where the server is done without one."""
        await asyncio.wait_for(self._task, timeout_s)
        return Received(**self._answer) if self._answer else None

    async def is_waiting(self) -> bool:
        """Return whether there is no answer although everything that could run has run."""
        done, _ = await asyncio.wait({self._task}, timeout=0.1)
        return not done

    async def _receive(self) -> MutableMapping[str, Any]:
        if self._pieces:
            piece = self._pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(self._pieces)}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = {name.decode(): value.decode() for name, value in message["headers"]}
            self._answer = {"status": message["status"], "headers": headers, "body": b""}
        else:
            self._answer["body"] += message["body"]


class Edge:
    """A server's edge over an installation, with keys to sign with."""

    def __init__(self, folder: Path) -> None:
        self.here = Installation(folder)
        self.bell = LoopBell()
        self.here.database.on_wake(self.bell.ring)
        self.is_background_running = False
        self.files: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.while_fetching: Callable[[], object] = lambda: None
        self.app = App(
            self.here.service,
            load_operations(),
            load_routes(),
            bell=self.bell,
            program=PROGRAM,
            fetch=self.fetch,
            background=self._background,
        )
        self.keys = {role.value: self._key(role) for role in Role}
        self.keys["disabled"] = self._key(Role.ADMIN, name="DISABLED", is_enabled=False)
        self.keys["unknown"] = Credentials("AKIAUNKNOWN", "s" * 40)
        self.keys["wrong"] = Credentials(self.keys["admin"].access_key, "w" * 40)

    def close(self) -> None:
        """Give up threads and database."""
        self.app._rpc.close()
        self.here.close()

    def fetch(self, url: str, _: int) -> bytes:
        """Return what is at *url*, of what a test has put there."""
        self.fetched.append(url)
        self.while_fetching()
        if url not in self.files:
            raise Invalid(f"{url} cannot be fetched: it is not there")
        return self.files[url]

    def node(self) -> tuple[str, Credentials, Credentials]:
        """Register a node; return its id, its own key, and a session."""
        node_id = self.here.node()
        session = self.here.perform("RequestManagedInstanceRoleToken", as_node(node_id), Fingerprint=FINGERPRINT)
        return (
            node_id,
            Credentials(node_id, PUBLIC_KEY),
            Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]),
        )

    def signed(
        self,
        operation: str,
        members: Mapping[str, Any] | bytes,
        credentials: Credentials,
        *,
        at: datetime | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Sent:
        """Return a request for an operation, signed as SDKs sign."""
        model = MODELS.get(operation)
        target = operation if model is None else model.target
        service = "ssm" if model is None or target.startswith("AmazonSSM.") else "ec2messages"
        body = members if isinstance(members, bytes) else json.dumps(members).encode()
        sent = Sent([body], headers={"Host": HOST, "X-Amz-Target": target, "Content-Type": JSON, **(headers or {})})
        return sign(sent, credentials, at=at or self.here.clock.now(), service=service)

    def signed_group(self, operation: str, members: Mapping[str, Any], credentials: Credentials) -> Sent:
        """Return a request for an operation of Resource Groups, as SDKs form and sign it."""
        model = botocore.session.get_session().get_service_model("resource-groups").operation_model(operation)
        formed = create_serializer("rest-json", include_validation=False).serialize_to_request(members, model)
        sent = Sent(
            [formed["body"] or b""],
            method=formed["method"],
            path=formed["url_path"],
            query=urlencode(formed["query_string"]),
            headers={"Host": HOST, **formed["headers"]},
        )
        return sign(sent, credentials, at=self.here.clock.now(), service="resource-groups")

    def ask(self, sent: Sent) -> Received:
        """Return the answer to one request."""

        async def exchange() -> Received | None:
            return await Connection(self, sent).answer()

        received = asyncio.run(exchange())
        assert received is not None
        return received

    def call(self, operation: str, members: Mapping[str, Any], key: str = "admin") -> Any:
        """Return what a successful request is answered."""
        received = self.ask(self.signed(operation, members, self.keys[key]))
        assert received.status == 200, received
        return received.json

    def _key(self, role: Role, *, name: str | None = None, is_enabled: bool = True) -> Credentials:
        key = AccessKey(
            access_key_id=f"AKIA{name or role.upper()}",
            secret_access_key=f"{role:s<40}",
            role=role,
            is_enabled=is_enabled,
        )
        with self.here.database.write() as work:
            work.access_keys.add(key, self.here.clock.now())
        return Credentials(key.access_key_id, key.secret_access_key)

    def _background(self) -> Coroutine[Any, Any, None]:
        async def run() -> None:
            self.is_background_running = True
            try:
                await asyncio.Event().wait()
            finally:
                self.is_background_running = False

        return run()


def sign(sent: Sent, credentials: Credentials, *, at: datetime, service: str = "ssm") -> Sent:
    """Return *sent* with the signature that botocore gives it at *at*."""
    request = AWSRequest(
        sent.method,
        f"http://{HOST}{sent.path}?{sent.query}".rstrip("?"),
        headers=dict(sent.headers),
        data=b"".join(sent.pieces),
    )
    _SignerAt(credentials, service, "eu-central-1", at).add_auth(request)
    return replace(sent, headers=dict(request.headers.items()))


class _SignerAt(SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """botocore's signer, told the time."""

    def __init__(self, credentials: Credentials, service: str, region: str, at: datetime) -> None:
        super().__init__(credentials, service, region)
        self._at = at

    def _set_necessary_date_headers(self, request: AWSRequest) -> None:
        request.context["timestamp"] = self._at.strftime(SIGV4_TIMESTAMP)
        super()._set_necessary_date_headers(request)
