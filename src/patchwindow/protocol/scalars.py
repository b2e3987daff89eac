"""Input shapes without others inside, each compiled into a function that reads and checks one JSON value."""

import base64
import binascii
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from patchwindow.domain.errors import Invalid
from patchwindow.protocol import violations as say
from patchwindow.protocol.patterns import compile_pattern

Shape = Mapping[str, Any]
Reader = Callable[[Any, str, list[str]], Any]
"""Takes a decoded JSON value, its path (each step led by a dot) and a list to which it adds the violations it finds."""

_JSON_TYPES: Final = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    dict: "an object",
    list: "a list",
}
_INTEGER_BITS: Final = {"integer": 31, "long": 63}
# Some of the model's patterns take quadratic time; no value that they are meant for is longer.
_PATTERN_LENGTH_MAX: Final = 2000


class Malformed(Invalid):
    """The body cannot be read as the operation's input at all."""


@dataclass(frozen=True, slots=True)
class Input:
    """A compiled shape: its reader, what it demands of a value, and how violations inside it are told.

    A shape `is_nested` where a structure lies within: then violations carry the path of the member that is wrong.
    """

    read: Reader
    demands: tuple[str, ...] = ()
    is_sensitive: bool = False
    is_nested: bool = False


def string(shape: Shape) -> Input:
    low, high = bounds(shape)
    is_sensitive = bool(shape.get("sensitive"))
    allowed = frozenset(shape.get("enum", ()))
    pattern: str = shape.get("pattern", "")
    matches = compile_pattern(pattern).fullmatch
    longest = min(high, _PATTERN_LENGTH_MAX) if pattern else high

    def broken(value: str) -> Iterator[str]:
        yield from broken_lengths(value, shape)
        if pattern and not (len(value) <= longest and matches(value)):
            yield say.matches(pattern)
        if allowed and value not in allowed:
            yield say.is_one_of(shape["enum"])

    def refuse(value: Any, at: str, found: list[str]) -> str:
        if type(value) is not str:
            raise wrong_type(value, at, "a string")
        found += (say.violation(value, at, demand, is_sensitive=is_sensitive) for demand in broken(value))
        return value

    # Most of a request is strings: what they have to satisfy is asked in one expression for each kind of them.
    def read(value: Any, at: str, found: list[str]) -> str:
        return value if type(value) is str and low <= len(value) <= longest else refuse(value, at, found)

    def read_matching(value: Any, at: str, found: list[str]) -> str:
        if type(value) is str and low <= len(value) <= longest and matches(value):
            return value
        return refuse(value, at, found)

    def read_one_of(value: Any, at: str, found: list[str]) -> str:
        return value if type(value) is str and value in allowed else refuse(value, at, found)

    demands = length_demands(shape)
    if pattern:
        demands += (say.matches(pattern),)
    if allowed:
        demands += (say.is_one_of(shape["enum"]),)
    return Input(read_one_of if allowed else read_matching if pattern else read, demands, is_sensitive)


def integer(shape: Shape) -> Input:
    edge = 1 << _INTEGER_BITS[shape["type"]]
    low, high = shape.get("min", -edge), shape.get("max", edge - 1)
    demands = ((say.no_more_than(high),) if "max" in shape else ()) + (
        (say.no_less_than(low),) if "min" in shape else ()
    )

    def read(value: Any, at: str, found: list[str]) -> int:
        if type(value) is not int:
            raise wrong_type(value, at, "a whole number")
        if not -edge <= value < edge:
            raise Malformed(f"{shown(at)} is too large or too small: give a whole number from {-edge} to {edge - 1}")
        if value > high:
            found.append(say.violation(value, at, say.no_more_than(high)))
        elif value < low:
            found.append(say.violation(value, at, say.no_less_than(low)))
        return value

    return Input(read, demands)


def boolean(_: Shape) -> Input:
    def read(value: Any, at: str, _: list[str]) -> bool:
        if type(value) is not bool:
            raise wrong_type(value, at, "a boolean")
        return value

    return Input(read)


def timestamp(_: Shape) -> Input:
    """Compile an instant: seconds since 1970 as the SDKs send it, or ISO 8601, in UTC unless it says otherwise."""

    def read(value: Any, at: str, _: list[str]) -> datetime:
        try:
            if type(value) is str:
                instant = datetime.fromisoformat(value)
                return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
            if type(value) is int or type(value) is float:
                return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            raise Malformed(f"{shown(at)} is {value!r}, which is no instant; give seconds since 1970") from None
        raise wrong_type(value, at, "a number of seconds since 1970")

    return Input(read)


def blob(shape: Shape) -> Input:
    is_sensitive = bool(shape.get("sensitive"))
    low, high = bounds(shape)

    def read(value: Any, at: str, found: list[str]) -> bytes:
        if type(value) is not str:
            raise wrong_type(value, at, "a string in base64")
        try:
            raw = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise Malformed(f"{shown(at)} is not base64; encode its bytes so") from None
        if not low <= len(raw) <= high:
            found += (
                say.violation(value, at, demand, is_sensitive=is_sensitive) for demand in broken_lengths(raw, shape)
            )
        return raw

    return Input(read, length_demands(shape), is_sensitive)


def bounds(shape: Shape) -> tuple[int, int]:
    return shape.get("min", 0), shape.get("max", sys.maxsize)


def length_demands(shape: Shape) -> tuple[str, ...]:
    longest = (say.no_longer_than(shape["max"]),) if "max" in shape else ()
    shortest = (say.no_shorter_than(shape["min"]),) if "min" in shape else ()
    return longest + shortest


def broken_lengths(value: Any, shape: Shape) -> Iterator[str]:
    low, high = bounds(shape)
    if len(value) > high:
        yield say.no_longer_than(high)
    if len(value) < low:
        yield say.no_shorter_than(low)


def wrong_type(value: Any, at: str, expected: str) -> Malformed:
    return Malformed(f"{shown(at)} must be {expected}, not {_JSON_TYPES.get(type(value), 'null')}")


def shown(at: str) -> str:
    return at.removeprefix(".") or "the request body"
