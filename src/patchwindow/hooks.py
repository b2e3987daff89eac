"""The real way to webhooks: one HTTP request on a connection of its own, to an address that was looked at.

No proxy, no cookies, no redirects, no repetition: what is to be done about an answer is decided elsewhere.
"""

import contextlib
import functools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPException
from ipaddress import ip_address
from urllib.parse import SplitResult

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from patchwindow.domain.errors import Invalid
from patchwindow.domain.webhook import BODY_MAX, Answer, Answered, Unanswered, WebhookRequest
from patchwindow.domain.webhook_address import Address, check_address, parse_url

LookUp = Callable[[str, int], Sequence[str]]


def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of *host*.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


class HttpHooks:
    """Webhooks behind HTTPS, and on loopback addresses behind HTTP."""

    def __init__(self, look_up: LookUp = look_up) -> None:
        self._look_up = look_up

    def call(self, request: WebhookRequest) -> Answer:
        """Send one request and return what came back; what goes wrong on the way is no answer."""
        until_s = time.monotonic() + request.timeout_s
        try:
            url = parse_url(request.url)
        except Invalid as problem:
            return Unanswered(str(problem))
        # Not its path and its query, which may be nobody else's business: details are shown to who may read.
        where = f"{url.scheme}://{url.netloc}"
        try:
            answer = self._first_answer(url, request, until_s)
        except (Invalid, HTTPError, HTTPException, OSError, ValueError) as problem:
            # `ValueError` is of certificates that cannot be read and names that cannot be looked up.
            answer = Unanswered(f"{where} gave no answer: {str(problem) or type(problem).__name__}")
        if time.monotonic() >= until_s:
            # What looks like an answer may have been cut off.
            return Unanswered(f"{where} did not answer within {request.timeout_s} seconds")
        return answer

    def _first_answer(self, url: SplitResult, request: WebhookRequest, until_s: float) -> Answer:
        """Return the answer of the first address behind *url* that takes a connection."""
        check = functools.partial(check_address, is_plain=url.scheme == "http")
        with connected(url, self._look_up, check, until_s, ca_pem=request.ca_pem) as connection:
            return _exchange(connection, url, request)


@contextlib.contextmanager
def connected(
    url: SplitResult,
    look_up: LookUp,
    check: Callable[[Address], None],
    until_s: float,
    *,
    ca_pem: str | None = None,
) -> Iterator[HTTPConnection]:
    """Be connected, until *until_s* at the latest, to the first address behind *url* that takes a connection.

    All of them are put to *check* before. The connection goes to an address that was looked at, not to the name again,
    which may stand for another then.

    Raises:
        Invalid: *check* refuses an address, or there is none.
        HTTPError, OSError: none takes a connection.
    """
    assert url.hostname is not None, "a parsed URL has a host"
    port = url.port or (80 if url.scheme == "http" else 443)
    addresses = look_up(url.hostname, port)
    for address in addresses:
        check(ip_address(address))
    for address in addresses:
        connection = _connection(url, address, port, max(0.1, until_s - time.monotonic()), ca_pem)
        with _closed_by(until_s, connection) as sockets:
            try:
                connection.connect()
            except (HTTPError, OSError):
                # Nothing was sent, so that another may be asked.
                if address == addresses[-1] or time.monotonic() >= until_s:
                    raise
                continue
            sockets.append(connection.sock)
            yield connection
            return
    raise Invalid(f"host {url.hostname} has no address")


@contextlib.contextmanager
def _closed_by(until_s: float, connection: HTTPConnection) -> Iterator[list[socket.socket]]:
    """Close the connection at the end, and wake who waits for it at *until_s*; take its socket once it has one.

    The timeout of a socket is for each piece of an answer, which may come in as many as it likes.
    """
    sockets: list[socket.socket] = []
    watch = threading.Timer(max(0.0, until_s - time.monotonic()), _hang_up, (connection, sockets))
    watch.daemon = True
    watch.start()
    try:
        yield sockets
    finally:
        watch.cancel()
        connection.close()


def _connection(url: SplitResult, address: str, port: int, timeout_s: float, ca_pem: str | None) -> HTTPConnection:
    if url.scheme == "http":
        return HTTPConnection(address, port, timeout=timeout_s)
    context = ssl.create_default_context(cadata=ca_pem)
    return HTTPSConnection(address, port, timeout=timeout_s, ssl_context=context, server_hostname=url.hostname)


def _exchange(connection: HTTPConnection, url: SplitResult, request: WebhookRequest) -> Answered:
    target = f"{url.path or '/'}{f'?{url.query}' if url.query else ''}"
    headers = {"Host": url.netloc, **request.headers}
    connection.request("POST", target, body=request.body, headers=headers, preload_content=False)
    response = connection.getresponse()
    body = b""
    while len(body) <= BODY_MAX and (piece := response.read(BODY_MAX + 1 - len(body), decode_content=False)):
        body += piece
    return Answered(response.status, body, response.headers.get("Retry-After", ""))


def _hang_up(connection: HTTPConnection, sockets: list[socket.socket]) -> None:
    """Wake the thread that waits for this connection, which forgets its socket once the answer is its last."""
    for sock in (*sockets, connection.sock):
        if sock is not None:
            with contextlib.suppress(OSError):
                # Not by the method of a TLS socket, which would go on in the clear.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
