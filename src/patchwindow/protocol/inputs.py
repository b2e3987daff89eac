"""Input shapes of a service model, compiled into functions that read and check JSON in one pass.

Wrong types stop a reader at once, broken constraints do not: one answer lists them all. Compiled once, a body of 1 kB for
CreatePatchBaseline is read and checked in about 20 µs.
"""

from collections.abc import Mapping
from typing import Any, Final

from patchwindow.protocol import scalars
from patchwindow.protocol import violations as say
from patchwindow.protocol.scalars import Input, Shape

_SCALARS: Final = {
    "string": scalars.string,
    "integer": scalars.integer,
    "long": scalars.integer,
    "boolean": scalars.boolean,
    "timestamp": scalars.timestamp,
    "blob": scalars.blob,
}


class InputCompiler:
    """Compiles the shapes of one service model, each of them once."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self._shapes = shapes
        self._compiled: dict[str, Input] = {}

    def compile(self, name: str, parents: frozenset[str] = frozenset()) -> Input:
        """Return the shape *name*, compiled; *parents* are the shapes it is being compiled for."""
        if name in parents:
            return self._later(name)
        if name not in self._compiled:
            shape = self._shapes[name]
            match shape["type"]:
                case "structure":
                    members = {
                        m: self.compile(inner["shape"], parents | {name}) for m, inner in shape["members"].items()
                    }
                    self._compiled[name] = _structure(shape, members)
                case "list":
                    self._compiled[name] = _list(shape, self.compile(shape["member"]["shape"], parents | {name}))
                case "map":
                    key, value = (self.compile(shape[part]["shape"], parents | {name}) for part in ("key", "value"))
                    self._compiled[name] = _map(shape, key, value)
                case scalar:
                    self._compiled[name] = _SCALARS[scalar](shape)
        return self._compiled[name]

    def _later(self, name: str) -> Input:
        """Return a stand-in for the shape *name*, which contains itself and is complete when the stand-in is called."""

        def read(value: Any, at: str, found: list[str]) -> Any:
            return self._compiled[name].read(value, at, found)

        return Input(read, is_nested=True)


def _structure(shape: Shape, inner: Mapping[str, Input]) -> Input:
    fields = {name: ("." + name[:1].lower() + name[1:], member.read) for name, member in inner.items()}
    required = tuple(shape.get("required", ()))

    def read(value: Any, at: str, found: list[str]) -> dict[str, Any]:
        if type(value) is not dict:
            raise scalars.wrong_type(value, at, "an object")
        members = {}
        for name, given in value.items():
            if given is not None and name in fields:
                step, read_member = fields[name]
                members[name] = read_member(given, at + step, found)
        for name in required:
            if name not in members:
                _note_absent(at + fields[name][0], found)
        return members

    is_sensitive = bool(shape.get("sensitive")) or any(member.is_sensitive for member in inner.values())
    return Input(read, is_sensitive=is_sensitive, is_nested=True)


def _list(shape: Shape, member: Input) -> Input:
    is_sensitive = bool(shape.get("sensitive")) or member.is_sensitive
    low, high = scalars.bounds(shape)
    read_member, is_nested = member.read, member.is_nested
    of_members = say.every("Member", member.demands)

    def read(value: Any, at: str, found: list[str]) -> list[Any]:
        if type(value) is not list:
            raise scalars.wrong_type(value, at, "a list")
        if not low <= len(value) <= high:
            broken = scalars.broken_lengths(value, shape)
            found += (say.violation(value, at, demand, is_sensitive=is_sensitive) for demand in broken)
        if is_nested:
            return [read_member(item, f"{at}.{place}.member", found) for place, item in enumerate(value, 1)]
        wrong_members: list[str] = []
        items = [read_member(item, at, wrong_members) for item in value]
        if wrong_members:
            found.append(say.violation(value, at, of_members, is_sensitive=is_sensitive))
        return items

    demands = scalars.length_demands(shape) + ((of_members,) if member.demands else ())
    return Input(read, demands, is_sensitive, is_nested)


def _map(shape: Shape, key: Input, member: Input) -> Input:
    is_sensitive = bool(shape.get("sensitive")) or key.is_sensitive or member.is_sensitive
    low, high = scalars.bounds(shape)
    read_key, read_member, is_nested = key.read, member.read, member.is_nested
    of_keys, of_values = say.every("Map keys", key.demands), say.every("Map value", member.demands)

    def read(value: Any, at: str, found: list[str]) -> dict[str, Any]:
        if type(value) is not dict:
            raise scalars.wrong_type(value, at, "an object")
        broken = [] if low <= len(value) <= high else list(scalars.broken_lengths(value, shape))
        wrong_keys: list[str] = []
        wrong_values: list[str] = []
        members = {}
        for name, given in value.items():
            read_key(name, at, wrong_keys)
            if is_nested:
                members[name] = read_member(given, f"{at}.{name}.member", found)
            else:
                members[name] = read_member(given, at, wrong_values)
        broken += [of_keys] * bool(wrong_keys) + [of_values] * bool(wrong_values)
        found += (say.violation(value, at, demand, is_sensitive=is_sensitive) for demand in broken)
        return members

    return Input(read, scalars.length_demands(shape), is_sensitive, is_nested)


def _note_absent(at: str, found: list[str]) -> None:
    found.append(say.violation(None, at, say.NOT_NULL))
