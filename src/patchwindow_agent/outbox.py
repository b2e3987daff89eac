"""Replies that the server has not accepted yet: on disk, in order, sent until they are."""

import itertools
import threading
import time
import uuid
from pathlib import Path
from typing import Any, Callable, Mapping, Optional

from patchwindow_agent import files
from patchwindow_agent.errors import Refused, StateProblem

# The server has given the command up long before.
_KEEP_S = 48 * 3600


class Outbox:
    """The replies still to be sent, one file each; the names give their order."""

    def __init__(self, folder: Path, *, log: Callable[[str], None], wall: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._log = log
        # What could not be written: sent from memory, which is better than not at all.
        self._unwritten: list[dict[str, Any]] = []
        self._wall = wall
        files.make_private(folder)
        self._lock = threading.Lock()
        last = max((int(path.stem) for path in folder.glob("*.json")), default=0)
        self._numbers = itertools.count(last + 1)
        # Set when there is something to send.
        self.filled = threading.Event()

    def put(self, message_id: str, payload: str) -> None:
        """Keep a reply until it is sent: on disk, and where that is full in memory."""
        told = {"MessageId": message_id, "Payload": payload, "ReplyId": str(uuid.uuid4()), "since": self._wall()}
        with self._lock:
            try:
                files.write_json(self._folder / f"{next(self._numbers):012d}.json", told)
            except StateProblem as problem:
                self._log(f"{problem}; the reply to {message_id} is kept in memory until it is sent")
                self._unwritten.append(told)
        self.filled.set()

    def flush(self, send: Callable[[Mapping[str, Any]], object]) -> None:
        """Send what is there, the oldest first, and forget what was accepted.

        A reply that the server refuses does not keep the others waiting.

        Raises:
            Unreachable: the server cannot be reached; the rest stays.
            Refused: the server did not accept at least one; it stays.
        """
        refusal = self._flush_unwritten(send)
        for path in sorted(self._folder.glob("*.json")):
            told = files.read_json(path)
            since = told.pop("since")
            try:
                send(told)
            except Refused as problem:
                refusal = problem
                if self._wall() - since < _KEEP_S:
                    continue
            path.unlink()
        if refusal is not None:
            raise refusal

    def _flush_unwritten(self, send: Callable[[Mapping[str, Any]], object]) -> Optional[Refused]:
        """Send what is in memory; return why one was refused, which is given up: memory is not for what nobody wants."""
        refusal = None
        with self._lock:
            unwritten = list(self._unwritten)
        for told in unwritten:
            try:
                send({name: value for name, value in told.items() if name != "since"})
            except Refused as problem:
                refusal = problem
            with self._lock:
                self._unwritten.remove(told)
        return refusal
