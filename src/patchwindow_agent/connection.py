"""One kept-alive HTTP connection to the server. Not for two threads at once."""

import http.client
import ssl
from email.utils import parsedate_to_datetime
from typing import Mapping, NamedTuple, Optional, Union
from urllib.parse import urlsplit

from patchwindow_agent.errors import Unreachable
from patchwindow_agent.way import Way

_BODY_MAX = 32 * 1024 * 1024
_DIRECT = Way()
# How a connection ends that the server has closed while it was idle: with TLS it has two ways more, a kind one and a hard one.
_CLOSED = (
    http.client.RemoteDisconnected,
    BrokenPipeError,
    ConnectionResetError,
    ssl.SSLZeroReturnError,
    ssl.SSLEOFError,
)


class Answer(NamedTuple):
    """What the server answered."""

    status: int
    body: bytes
    # The server's clock, in seconds since 1970.
    date: Optional[float]


class Endpoint(NamedTuple):
    """Where the server is: the parts of its URL."""

    is_tls: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """Return the host as the `Host` header names it: with its port, unless that is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


def parse_endpoint(url: str) -> Endpoint:
    """Return the parts of *url*.

    Raises:
        ValueError: it is no http or https URL with a host.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not an http:// or https:// URL with a host name")
    is_tls = parts.scheme == "https"
    port = parts.port if parts.port is not None else (443 if is_tls else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(is_tls, parts.hostname, port, path)


class Connection:
    """A connection that is opened when it is needed and kept."""

    def __init__(self, endpoint: Endpoint, *, timeout_s: float, way: Way = _DIRECT) -> None:
        self.endpoint = endpoint
        self._timeout_s = timeout_s
        self._way = way
        self._open: Optional[http.client.HTTPConnection] = None

    @property
    def peer(self) -> tuple[str, int]:
        """Return the host and the port that the connection really goes to: the server's, or the proxy's."""
        proxy = self._way.proxy
        return (self.endpoint.host, self.endpoint.port) if proxy is None else (proxy.host, proxy.port)

    def request(self, method: str, path: str, *, headers: Mapping[str, str], body: Optional[bytes] = None) -> Answer:
        """Return the server's answer, whatever its status.

        Raises:
            Unreachable: there is none.
        """
        is_kept = self._open is not None
        try:
            return self._exchange(method, path, headers, body)
        except _CLOSED as problem:
            if not is_kept:
                raise self._unreachable(problem) from problem
        except (OSError, http.client.HTTPException) as problem:
            raise self._unreachable(problem) from problem
        # A server may close a connection that was idle; that says nothing about a new one.
        try:
            return self._exchange(method, path, headers, body)
        except (OSError, http.client.HTTPException) as problem:
            raise self._unreachable(problem) from problem

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: Optional[bytes]) -> Answer:
        if self._open is None:
            self._open = _connect(self.endpoint, self._timeout_s, self._way)
        try:
            self._open.request(method, path, body=body, headers=dict(headers))
            response = self._open.getresponse()
            content = response.read(_BODY_MAX + 1)
        except BaseException:
            # What is half read cannot be used again.
            self.close()
            raise
        if len(content) > _BODY_MAX:
            self.close()
            raise http.client.HTTPException(f"the answer is longer than {_BODY_MAX} bytes")
        return Answer(response.status, content, _date(response.getheader("Date")))

    def _unreachable(self, problem: Union[OSError, http.client.HTTPException]) -> Unreachable:
        reason = str(problem) or type(problem).__name__
        if isinstance(problem, ssl.SSLCertVerificationError):
            reason = f"its certificate is not accepted: {problem.verify_message}"
        by = "" if self._way.proxy is None else " through the proxy {}:{}".format(*self.peer)
        return Unreachable(f"cannot reach {self.endpoint.host_header}{by}: {reason}")


def _connect(endpoint: Endpoint, timeout_s: float, way: Way) -> http.client.HTTPConnection:
    if not endpoint.is_tls:
        return http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=timeout_s)
    context = _context(way)
    if way.proxy is None:
        return http.client.HTTPSConnection(endpoint.host, endpoint.port, timeout=timeout_s, context=context)
    through = http.client.HTTPSConnection(way.proxy.host, way.proxy.port, timeout=timeout_s, context=context)
    headers = {"Proxy-Authorization": way.proxy.authorization} if way.proxy.authorization else {}
    through.set_tunnel(endpoint.host, endpoint.port, headers)
    return through


def _context(way: Way) -> ssl.SSLContext:
    try:
        # Read at each new connection: a file that was replaced counts from then on.
        context = ssl.create_default_context(cafile=way.ca)
    except OSError as problem:
        raise Unreachable(f"cannot use the CA in {way.ca}: {problem}") from problem
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _date(text: Optional[str]) -> Optional[float]:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (TypeError, ValueError):
        return None
