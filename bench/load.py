"""A load generator that costs little: one thread, raw sockets, requests that were encoded and signed beforehand.

Each connection has one request under way and sends the next when the answer is complete. Connections are kept where the
server keeps them, and opened anew where it says that it closes them.
"""

import re
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

from bench.report import percentile

_WAIT_S: Final = 30.0
"""How long no answer at all may come."""

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES: Final = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_RECEIVE_MAX: Final = 1 << 16


class BadAnswer(Exception):
    """The server answered something else than it should; its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Requests:
    """What is sent, byte for byte, and what each answer's body must contain."""

    encoded: list[bytes]
    expected: bytes
    is_repeatable: bool
    """Whether the same bytes may be sent again and again; otherwise the run ends when they are used up."""

    def __iter__(self) -> Iterator[bytes]:
        """Return the requests in order, without end where they are repeatable."""
        return cycle(self.encoded) if self.is_repeatable else iter(self.encoded)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run showed."""

    per_second: float
    p50_s: float
    p99_s: float
    client_cpu_s: float
    """Processor time of this process for one request."""


@dataclass(slots=True)
class _Line:
    """One connection and the answer that comes in on it."""

    address: tuple[str, int]
    stream: socket.socket = field(init=False)
    began_at: float = 0.0
    received: bytes = b""
    length: int = -1
    """Bytes of the whole answer; -1 while its header is not complete."""

    def open(self) -> None:
        self.stream = socket.create_connection(self.address, timeout=_WAIT_S)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> None:
        self.received, self.length = b"", -1
        self.stream.sendall(request)

    def is_complete(self) -> bool:
        """Take in what has arrived, and return whether the answer is complete."""
        piece = self.stream.recv(_RECEIVE_MAX)
        if not piece:
            raise BadAnswer(f"{self.address} closed a connection in the middle of an answer: {self.received[:300]!r}")
        # Nearly every answer comes in one piece.
        self.received = self.received + piece if self.received else piece
        if self.length < 0:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return False
            found = _LENGTH.search(self.received, 0, end)
            if found is None:
                raise BadAnswer(f"{self.address} answered without Content-Length: {self.received[:300]!r}")
            self.length = end + 4 + int(found[1])
        return len(self.received) >= self.length


def put_under_load(
    address: tuple[str, int], requests: Requests, *, connections: int, seconds: float, warm_up_s: float
) -> Measured:
    """Send *requests* over so many connections for so long after the warm-up, and return how the server did.

    Raises:
        BadAnswer: an answer is no 200, or not what it should be.
    """
    source = iter(requests)
    lines = [_Line(address) for _ in range(connections)]
    with selectors.DefaultSelector() as selector:
        for line in lines:
            line.open()
            selector.register(line.stream, selectors.EVENT_READ, line)
        try:
            _drive(selector, lines, source, requests.expected, warm_up_s)
            # What was begun in the warm-up has been answered: the clock starts with idle connections.
            cpu_began_s = time.process_time()
            began_at = time.perf_counter()
            latencies = _drive(selector, lines, source, requests.expected, seconds)
            wall_s = time.perf_counter() - began_at
            cpu_s = time.process_time() - cpu_began_s
        finally:
            for line in lines:
                line.stream.close()
    if not latencies:
        raise BadAnswer(f"{address} answered nothing in {seconds} s, or the requests were used up in the warm-up")
    latencies.sort()
    return Measured(
        per_second=len(latencies) / wall_s,
        p50_s=percentile(latencies, 50),
        p99_s=percentile(latencies, 99),
        client_cpu_s=cpu_s / len(latencies),
    )


def _drive(
    selector: selectors.BaseSelector, lines: list[_Line], source: Iterator[bytes], expected: bytes, seconds: float
) -> list[float]:
    """Keep every line busy for so long, let what is under way end, and return how long each answer took."""
    latencies: list[float] = []
    clock = time.perf_counter
    until = clock() + seconds
    busy = 0
    for line in lines:
        request = next(source, None)
        if request is not None:
            line.began_at = clock()
            line.send(request)
            busy += 1
    while busy:
        ready = selector.select(_WAIT_S)
        if not ready:
            raise BadAnswer(f"{lines[0].address} gave no answer for {_WAIT_S:.0f} s")
        for key, _ in ready:
            line = key.data
            if not line.is_complete():
                continue
            now = clock()
            latencies.append(now - line.began_at)
            _check(line, expected)
            if _CLOSES.search(line.received):
                _open_anew(selector, line)
            request = next(source, None) if now < until else None
            if request is None:
                busy -= 1
            else:
                line.began_at = clock()
                line.send(request)
    return latencies


def _check(line: _Line, expected: bytes) -> None:
    received = line.received
    if received[9:12] != b"200" or len(received) != line.length or expected not in received:
        raise BadAnswer(f"{line.address} answered {received[:600]!r}, which is not 200 with {expected!r}")


def _open_anew(selector: selectors.BaseSelector, line: _Line) -> None:
    """Replace a connection that the server closes."""
    selector.unregister(line.stream)
    line.stream.close()
    line.open()
    selector.register(line.stream, selectors.EVENT_READ, line)
