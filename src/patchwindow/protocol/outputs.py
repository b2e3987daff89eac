"""Output shapes of a service model, compiled into functions that turn members into what JSON can say.

A shape is a list of what may leave the server: members that it does not have are left out, and so are absent (None) ones.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from patchwindow.protocol.scalars import Shape

Writer = Callable[[Any], Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class OutputCompiler:
    """Compiles the shapes of one service model, each of them once."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self._shapes = shapes
        self._compiled: dict[str, Writer | None] = {}

    def compile(self, name: str, parents: frozenset[str] = frozenset()) -> Writer | None:
        """Return the writer of the shape *name*, or None where JSON has the value as it is."""
        if name in parents:
            return self._later(name)
        if name not in self._compiled:
            self._compiled[name] = self._compile(self._shapes[name], parents | {name})
        return self._compiled[name]

    def _later(self, name: str) -> Writer:
        """Return a stand-in for the shape *name*, which contains itself and is complete when the stand-in is called."""

        def write(value: Any) -> Any:
            writer = self._compiled[name]
            assert writer is not None
            return writer(value)

        return write

    def _compile(self, shape: Shape, parents: frozenset[str]) -> Writer | None:
        match shape["type"]:
            case "structure":
                return _structure({n: self.compile(m["shape"], parents) for n, m in shape["members"].items()})
            case "list":
                return _list(self.compile(shape["member"]["shape"], parents))
            case "map":
                return _map(self.compile(shape["value"]["shape"], parents))
            case "timestamp":
                return _seconds
            case "blob":
                return _base64
            case _:
                return None


def _structure(writers: Mapping[str, Writer | None]) -> Writer:
    def write(members: Mapping[str, Any]) -> dict[str, Any]:
        written = {}
        for name, value in members.items():
            if value is not None and name in writers:
                writer = writers[name]
                written[name] = value if writer is None else writer(value)
        return written

    return write


def _list(writer: Writer | None) -> Writer:
    if writer is None:
        return list
    return lambda values: [writer(value) for value in values]


def _map(writer: Writer | None) -> Writer:
    if writer is None:
        return dict
    return lambda values: {name: writer(value) for name, value in values.items()}


def _seconds(instant: datetime) -> float:
    """Return *instant* as seconds since 1970, to the millisecond, which is what the API's clients expect."""
    milliseconds = (instant - _EPOCH) // _MILLISECOND
    whole, rest = divmod(milliseconds, 1000)
    return milliseconds / 1000 if rest else whole


def _base64(blob: bytes) -> str:
    return base64.b64encode(blob).decode()
