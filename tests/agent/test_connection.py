"""A kept connection that the server closes while it is idle."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from patchwindow.tls.authority import Authority
from patchwindow_agent.connection import Connection, parse_endpoint
from patchwindow_agent.errors import Unreachable
from patchwindow_agent.way import Way

BODY: Final = b"the end of the request"
ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class ClosingServer:
    """Answers one request of each connection, and then closes it: with TLS as that wants it, or hard."""

    def __init__(self, folder: Path, *, is_tls: bool, is_hard: bool) -> None:
        self.ca = folder / "ca.pem"
        self.is_silent = False
        self.closed = threading.Semaphore(0)
        self._is_hard = is_hard
        self._context: ssl.SSLContext | None = None
        if is_tls:
            now = datetime.now(UTC)
            authority = Authority.make("1", now)
            self.ca.write_bytes(authority.pem)
            (folder / "server.pem").write_bytes(authority.issue(["127.0.0.1"], now))
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(folder / "server.pem")
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if is_tls else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                if self._context is not None:
                    connection = self._context.wrap_socket(connection, server_side=True)
                asked = b""
                while not asked.endswith(BODY):
                    asked += connection.recv(65536)
                if not self.is_silent:
                    connection.sendall(ANSWER)
                if isinstance(connection, ssl.SSLSocket) and not self._is_hard:
                    # Says that it ends, and does not wait for the answer to that.
                    connection.settimeout(0)
                    with contextlib.suppress(OSError):
                        connection.unwrap()
                connection.close()
                self.closed.release()


@pytest.fixture(params=[(False, False), (True, False), (True, True)], ids=str)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ClosingServer]:
    is_tls, is_hard = request.param
    with closing(ClosingServer(tmp_path, is_tls=is_tls, is_hard=is_hard)) as server:
        yield server


@pytest.fixture
def connection(server: ClosingServer) -> Iterator[Connection]:
    way = Way(str(server.ca)) if server.ca.exists() else Way()
    with closing(Connection(parse_endpoint(server.url), timeout_s=5, way=way)) as connection:
        yield connection


def test_a_request_on_a_connection_that_was_closed_meanwhile_goes_over_a_new_one(
    server: ClosingServer, connection: Connection
) -> None:
    for _ in range(3):
        assert connection.request("POST", "/", headers={}, body=BODY).body == b"ok"
        assert server.closed.acquire(timeout=5)


def test_a_new_connection_that_is_closed_without_an_answer_is_not_tried_again(
    server: ClosingServer, connection: Connection
) -> None:
    server.is_silent = True
    with pytest.raises(Unreachable, match="cannot reach 127"):
        connection.request("POST", "/", headers={}, body=BODY)
    assert server.closed.acquire(timeout=5)
    assert not server.closed.acquire(timeout=0.1)
