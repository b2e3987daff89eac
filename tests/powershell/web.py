"""Requests of .NET to the real edge of a server, without sockets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.edge import HOST, Edge, Received, Sent
from tests.powershell.values import NOTHING, Nothing, NotKnown, Thrown


@dataclass(slots=True)
class Web:
    """The way from a machine to its server: *point* is told each request, before it and after its answer."""

    edge: Edge
    point: Callable[[str], None]
    # Answers to come instead of the server's, the next one first, by the last part of the path: 0 is no answer.
    troubles: dict[str, list[int]] = field(default_factory=dict)
    proxies: set[str] = field(default_factory=set)
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def ask(self, method: str, url: str, body: bytes, proxy: "Proxy | None") -> Received:
        """Return the answer to one request.

        Raises:
            Thrown: there is none, or it refuses.
        """
        parts = urlsplit(url)
        name = parts.path.rpartition("/")[2]
        if proxy is not None:
            self.proxies.add(proxy.address)
        self.point(f"before {name}")
        left = self.troubles.get(name)
        trouble = left.pop(0) if left else None
        if trouble == 0:
            raise Thrown("WebException", "Unable to connect to the remote server", response=None)
        if trouble is not None:
            received = Received(trouble, {}, b'{"error": "not now"}')
        else:
            self.sent.append((name, body))
            headers = {"Host": HOST, "Content-Type": "application/json"}
            received = self.edge.ask(Sent([body], method, parts.path, parts.query, headers))
        self.point(f"after {name}")
        if received.status >= 400:
            message = f"The remote server returned an error: ({received.status})."
            raise Thrown("WebException", message, response=Response(received))
        return received


@dataclass(frozen=True, slots=True)
class Proxy:
    """A WebProxy."""

    address: str


@dataclass(slots=True)
class Request:
    """An HttpWebRequest; *timeout*: milliseconds."""

    web: Web
    url: str
    method: str = "GET"
    timeout: int = 100_000
    allow_auto_redirect: bool = True
    content_type: str = ""
    proxy: Proxy | None = None
    body: bytes = b""

    def get_request_stream(self) -> "RequestStream":
        return RequestStream(self)

    def get_response(self) -> "Response":
        if self.allow_auto_redirect or (self.body and self.content_type != "application/json"):
            raise NotKnown("a request that follows redirections, or whose body is of no type")
        return Response(self.web.ask(self.method, self.url, self.body, self.proxy))


@dataclass(frozen=True, slots=True)
class RequestStream:
    """The body of a request, as it is written."""

    request: Request

    def write(self, data: bytes, offset: int, count: int) -> Nothing:
        self.request.body += data[offset : offset + count]
        return NOTHING

    def close(self) -> Nothing:
        return NOTHING


@dataclass(frozen=True, slots=True)
class Response:
    """An HttpWebResponse."""

    received: Received

    @property
    def status_code(self) -> int:
        return self.received.status

    def get_response_stream(self) -> Any:
        return self.received.body

    def close(self) -> Nothing:
        return NOTHING


@dataclass(frozen=True, slots=True)
class Reader:
    """A StreamReader over an answer."""

    content: bytes

    def read_to_end(self) -> str:
        return self.content.decode()


@dataclass(slots=True)
class Client:
    """A WebClient."""

    web: Web
    proxy: Proxy | None = None

    def download_data(self, url: str) -> bytes:
        return self.web.ask("GET", url, b"", self.proxy).body
