"""What steps write, sent to the server while they run, in pieces that are read from where the steps write them.

A piece says where it begins, and the answer says from where on the server lacks the rest: so nothing has to be
remembered, and after a restart or an hour without the server it goes on where it stopped. What a step that has ended
wrote is kept until the server has all of it, or for two days.
"""

import base64
import itertools
import threading
import time
from pathlib import Path
from typing import Any, Callable, Mapping, NamedTuple, Optional

from patchwindow_agent import files
from patchwindow_agent.errors import Refused, StateProblem
from patchwindow_agent.shell import KEPT_MAX

_PIECE = 128 * 1024
_KEEP_S = 48 * 3600
# Servers that know nothing of streams; what steps wrote is in the replies too, as far as those can hold it.
_UNKNOWN = frozenset({"UnknownOperationException", "UnknownOperation"})

Send = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class _Key(NamedTuple):
    command_id: str
    step_name: str
    stream: str


class _Stream:
    """One stream: the file that holds it, and how much of that the server has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # None: not asked yet.
        self.offset: Optional[int] = None
        self.is_full = False

    @property
    def size(self) -> int:
        try:
            # What is beyond was dropped, or will be.
            return min(self.path.stat().st_size, KEPT_MAX)
        except FileNotFoundError:
            return 0


class Streams:
    """The streams of steps that run, and of those that have ended and whose output the server does not have yet."""

    def __init__(self, folder: Path, *, node_id: str, wall: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._node_id = node_id
        self._wall = wall
        self._lock = threading.Lock()
        self._running: dict[_Key, _Stream] = {}
        self._is_known = True
        # Set when there may be something to send.
        self.filled = threading.Event()
        files.make_private(folder)
        last = max((int(path.stem) for path in folder.glob("*.json")), default=0)
        self._numbers = itertools.count(last + 1)
        for path in folder.glob("*.out"):
            # Moved here in the moment in which the machine stopped, and nobody knows what it was.
            if not path.with_suffix(".json").exists():
                path.unlink()
        self._ended: dict[Path, tuple[_Key, _Stream]] = {
            path: (_Key(*files.read_json(path)["key"]), _Stream(path.with_suffix(".out")))
            for path in sorted(folder.glob("*.json"))
        }
        if self._ended:
            self.filled.set()

    def begin(self, command_id: str, step_name: str, folder: Path) -> None:
        """Send what the step writes into *folder* from now on."""
        with self._lock:
            for name in ("stdout", "stderr"):
                self._running[_Key(command_id, step_name, name)] = _Stream(folder / name)
        self.filled.set()

    def end(self, command_id: str, step_name: str, folder: Path) -> None:
        """Keep what the step wrote into *folder* until the server has it.

        Raises:
            StateProblem: it cannot be kept.
        """
        for name in ("stdout", "stderr"):
            key = _Key(command_id, step_name, name)
            with self._lock:
                stream = self._running.pop(key, None) or _Stream(folder / name)
                if stream.path.exists():
                    self._keep(key, stream)
        self.filled.set()

    def pause(self, command_id: str, step_name: str) -> None:
        """Leave what the step wrote where it is: after a reboot it goes on writing there."""
        with self._lock:
            for name in ("stdout", "stderr"):
                self._running.pop(_Key(command_id, step_name, name), None)

    def flush(self, send: Send) -> bool:
        """Send what is there; return whether more may come without anybody saying so, because steps run.

        Raises:
            Unreachable: the server cannot be reached; the rest stays.
        """
        with self._lock:
            running, ended = list(self._running.items()), list(self._ended.items())
        for key, stream in running:
            self._send(send, key, stream, is_last=False)
        for path, (key, stream) in ended:
            if self._send(send, key, stream, is_last=True) or self._is_old(path):
                self._forget(path)
        return self._is_known and bool(self._running)

    def _keep(self, key: _Key, stream: _Stream) -> None:
        number = next(self._numbers)
        path = self._folder / f"{number:012d}.json"
        files.write_json(path, {"key": list(key), "since": self._wall()})
        kept = path.with_suffix(".out")
        try:
            stream.path.replace(kept)
        except OSError as problem:
            path.unlink()
            raise StateProblem(f"cannot keep {stream.path}: {problem.strerror}") from problem
        stream.path = kept
        self._ended[path] = (key, stream)

    def _send(self, send: Send, key: _Key, stream: _Stream, *, is_last: bool) -> bool:
        """Send what the server lacks of a stream; return whether it has all of it, or wants no more."""
        if not self._is_known:
            return True
        try:
            if stream.offset is None:
                self._note(stream, send(self._piece(key, 0, b"", is_last=False)))
            while not stream.is_full and (stream.offset or 0) < stream.size:
                at = stream.offset or 0
                content = _read(stream.path, at, min(_PIECE, stream.size - at))
                self._note(stream, send(self._piece(key, at, content, is_last=False)))
                if (stream.offset or 0) <= at:
                    break
            has_all = stream.is_full or (stream.offset or 0) >= stream.size
            if is_last and has_all:
                send(self._piece(key, stream.offset or 0, b"", is_last=True))
        except FileNotFoundError:
            # The step has ended in this moment, and its output was put where it is found next time.
            return False
        except Refused as problem:
            self._is_known = problem.code not in _UNKNOWN
            # What the server does not take, such as of a command that is gone, it will not take later.
            return problem.status < 500
        return has_all

    def _note(self, stream: _Stream, answer: Mapping[str, Any]) -> None:
        stream.offset = int(answer.get("NextOffset") or 0)
        stream.is_full = bool(answer.get("IsFull"))

    def _piece(self, key: _Key, offset: int, content: bytes, *, is_last: bool) -> Mapping[str, Any]:
        return {
            "CommandId": key.command_id,
            "InstanceId": self._node_id,
            "StepName": key.step_name,
            "Stream": key.stream,
            "Offset": offset,
            "Content": base64.b64encode(content).decode("ascii"),
            "IsLast": is_last,
        }

    def _is_old(self, path: Path) -> bool:
        try:
            since = float(files.read_json(path)["since"])
        except (FileNotFoundError, KeyError, ValueError):
            return True
        return self._wall() - since > _KEEP_S

    def _forget(self, path: Path) -> None:
        with self._lock:
            self._ended.pop(path, None)
        for gone in (path.with_suffix(".out"), path):
            if gone.exists():
                gone.unlink()


def _read(path: Path, at: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(size)
