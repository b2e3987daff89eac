"""The real way to webhooks: one HTTP request on a connection of its own, to an address that was looked at.

No proxy, no cookies, no redirects, no repetition: what is to be done about an answer is decided elsewhere.
"""

import contextlib
import socket
import ssl
import threading
import time
from http.client import HTTPException
from ipaddress import ip_address
from urllib.parse import SplitResult

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from patchwindow.domain.errors import Invalid
from patchwindow.domain.webhook import BODY_MAX, Answer, Answered, Unanswered, WebhookRequest
from patchwindow.domain.webhook_address import check_address, parse_url


class HttpHooks:
    """Webhooks behind HTTPS, and on loopback addresses behind HTTP."""

    def call(self, request: WebhookRequest) -> Answer:
        """Send one request and return what came back; what goes wrong on the way is no answer."""
        until_s = time.monotonic() + request.timeout_s
        try:
            url = parse_url(request.url)
            address, port = _resolved(url)
            connection = _connection(url, address, port, request)
        except (Invalid, OSError, ValueError) as problem:
            # `ValueError` is of certificates that cannot be read and names that cannot be looked up.
            return Unanswered(f"{request.url} cannot be called: {problem}")
        # The timeout of a socket is for each piece of an answer, which may come in as many as it likes.
        sockets: list[socket.socket] = []
        watch = threading.Timer(max(0.0, until_s - time.monotonic()), _hang_up, (connection, sockets))
        watch.daemon = True
        watch.start()
        try:
            connection.connect()
            sockets.append(connection.sock)
            answer: Answer = _exchange(connection, url, request)
        except (HTTPError, HTTPException, OSError, ValueError) as problem:
            answer = Unanswered(f"{request.url} gave no answer: {str(problem) or type(problem).__name__}")
        finally:
            watch.cancel()
            connection.close()
        if time.monotonic() >= until_s:
            # What looks like an answer may have been cut off.
            return Unanswered(f"{request.url} did not answer within {request.timeout_s} seconds")
        return answer


def _resolved(url: SplitResult) -> tuple[str, int]:
    """Return an address and the port behind *url*; all addresses of the name must be allowed.

    The connection goes to this address, not to the name again, which by then could stand for another.
    """
    assert url.hostname is not None, "a parsed URL has a host"
    is_plain = url.scheme == "http"
    port = url.port or (80 if is_plain else 443)
    found = socket.getaddrinfo(url.hostname, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    for address in addresses:
        check_address(ip_address(address), is_plain=is_plain)
    return addresses[0], port


def _connection(url: SplitResult, address: str, port: int, request: WebhookRequest) -> HTTPConnection:
    if url.scheme == "http":
        return HTTPConnection(address, port, timeout=request.timeout_s)
    context = ssl.create_default_context(cadata=request.ca_pem)
    return HTTPSConnection(
        address,
        port,
        timeout=request.timeout_s,
        ssl_context=context,
        server_hostname=url.hostname,
    )


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
