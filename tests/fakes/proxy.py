"""An HTTP proxy on loopback that knows CONNECT and nothing else, and keeps whom it was asked for."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Where it listens, what it wants to be told, and what it was asked."""

    port: int
    # The value of Proxy-Authorization without which it refuses; empty for none.
    password: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address, as a setting names it."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_proxy(password: str = "") -> Iterator[Proxy]:
    """Run a proxy until the end of the block; whatever it carries is cut then."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.proxy = Proxy(server.server_address[1], password)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.proxy
        finally:
            server.shutdown()
            server.cut()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    proxy: Proxy

    def __init__(self, address: tuple[str, int], handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(address, handler)
        self.carried: list[socket.socket] = []

    def cut(self) -> None:
        for each in self.carried:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        method, target, _ = self.rfile.readline().decode().split()
        headers = dict(iter(self._header, ("", "")))
        self.server.proxy.asked.append(f"{method} {target}")
        if self.server.proxy.password and headers.get("proxy-authorization") != self.server.proxy.password:
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port)), 10) as there:
            there.settimeout(None)
            self.server.carried += [self.connection, there]
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_carry, args=(there, self.connection), daemon=True)
            back.start()
            _carry(self.connection, there)
            back.join()

    def _header(self) -> tuple[str, str]:
        name, _, value = self.rfile.readline().decode().partition(":")
        return name.strip().lower(), value.strip()


def _carry(source: socket.socket, target: socket.socket) -> None:
    """Hand bytes on until one side ends, then end the other."""
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
