"""What was asked for last, remembered up to a number."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The answers that were asked for last; threads may share it."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._found: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()

    def recall(self, key: K, make: Callable[[], V]) -> V:
        """Return the answer under *key*; *make* it where it is not remembered."""
        with self._lock:
            found = self._found.get(key)
            if found is not None:
                self._found.move_to_end(key)
                return found
        # Outside the lock: two threads may make the same, which costs time and nothing else.
        made = make()
        with self._lock:
            self._found[key] = made
            while len(self._found) > self._count_max:
                self._found.popitem(last=False)
        return made
