"""Who waits longest is next."""

import threading
from collections import deque


class Turnstile:
    """A semaphore that is fair.

    The library's own lets him in who comes first to it when it is free. One who writes one transaction after another
    is always first, and the engine, whose thread has to be woken, waited a second for each of its steps.
    """

    def __init__(self, limit: int) -> None:
        self._free_count = limit
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def enter(self, timeout_s: float) -> bool:
        """Wait for a place among those inside, and take it; return False where *timeout_s* was too short."""
        with self._lock:
            if self._free_count:
                self._free_count -= 1
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout_s):
            return True
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        # The place was given to this one just when it gave up.
        return True

    def leave(self) -> None:
        """Give the place to whoever waits longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free_count += 1
