"""The real clock, the real chance, the bell of one process, its open files, and its collector of garbage."""

import asyncio
import contextlib
import gc
import resource
import secrets
import string
import threading
import uuid
from datetime import UTC, datetime

_COLLECT_AFTER = 20_000
_OPEN_FILES = 65_536
_LETTERS_AND_DIGITS = string.ascii_letters + string.digits


class SystemClock:
    """The computer's clock."""

    def now(self) -> datetime:
        """Return the present instant, to the millisecond, as it is stored."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


class SystemIds:
    """The operating system's secure source of randomness."""

    def uuid(self) -> str:
        """Return a new random UUID as text."""
        return str(uuid.uuid4())

    def hex(self, digits: int) -> str:
        """Return *digits* random lower-case hexadecimal digits."""
        return secrets.token_hex((digits + 1) // 2)[:digits]

    def secret(self, length: int) -> str:
        """Return *length* random letters and digits."""
        return "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(length))


class LoopBell:
    """A bell whose waiters are coroutines of one event loop; anybody may ring it from any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._lock = threading.Lock()

    def ring(self, name: str) -> None:
        """Wake everybody who waits for *name*."""
        with self._lock:
            loop = self._loop if name in self._waiting else None
        if loop is not None:
            # On a loop that has just closed nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake, name)

    def listen(self, name: str) -> asyncio.Future[None]:
        """Return a future that the next ring of *name* completes.

        Listen first, look at the database second, wait third: so no ring between the two is lost.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._loop = loop
            self._waiting.setdefault(name, set()).add(future)
        future.add_done_callback(lambda done: self._forget(name, done))
        return future

    def _wake(self, name: str) -> None:
        with self._lock:
            waiting = tuple(self._waiting.get(name, ()))
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _forget(self, name: str, future: asyncio.Future[None]) -> None:
        with self._lock:
            waiting = self._waiting.get(name, set())
            waiting.discard(future)
            if not waiting:
                self._waiting.pop(name, None)


def collect_less() -> None:
    """Let the collector of cycles come seldom, and pass over all that is there now, which stays as long as the process.

    What requests leave behind is freed by counting references, but for very little. To look for that after every 700
    new objects took a tenth of the processor's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)


def allow_connections() -> None:
    """Let this process have as many files open as the system allows it, 65,536 at most.

    Every node that polls holds a connection. Processes usually begin with 1,024 open files and may have many more, and a
    server without another one to open answers nobody.
    """
    limit, limit_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if limit_max == resource.RLIM_INFINITY else min(_OPEN_FILES, limit_max)
    if limit != resource.RLIM_INFINITY and limit < wanted:
        # Some systems allow less than they say.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, limit_max))
