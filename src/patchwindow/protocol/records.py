"""Frozen dataclasses to and from the API's members, and to and from stored text.

A record's field `approve_after_days` is the API's member `ApproveAfterDays`; a field whose member is spelled otherwise
says so with `wire("KBId")`. `None` is an absent member. Fields of type `Mapping[str, Any]` are passed through as they are.
"""

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

T = TypeVar("T")
Convert = Callable[[Any], Any]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
Fields = tuple[tuple[str, str, Convert | None, Convert | None], ...]

_known: dict[type[Any], Fields] = {}
_readers: dict[type[Any], Convert] = {}


def to_members(record: Any) -> dict[str, Any]:
    """Return the members of *record*; absent ones are left out, enums are text, instants stay instants."""
    members = {}
    for name, member, encode, _ in _fields(type(record)):
        value = getattr(record, name)
        if value is not None:
            members[member] = value if encode is None else encode(value)
    return members


def attributes(cls: type[Any], members: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of *members* that *cls* has, as its attributes; fit for `dataclasses.replace`."""
    return {
        name: members[member] if decode is None else decode(members[member])
        for name, member, _, decode in _fields(cls)
        if member in members
    }


def from_members(cls: type[T], members: Mapping[str, Any], **more: Any) -> T:
    """Return a *cls* from *members*, which may hold more than it needs, and the attributes in *more*."""
    return cls(**{**attributes(cls, members), **more})


def dumps(record: Any) -> str:
    """Return *record* as the text that the store keeps: its members in JSON, instants as milliseconds."""
    return _encode(to_members(record))


def loads(cls: type[T], text: str) -> T:
    """Return the *cls* that `dumps` wrote.

    Records are immutable and are read far more often than they change, so the same text gives the same record.
    """
    read = _readers.get(cls)
    if read is None:
        read = _readers[cls] = functools.lru_cache(maxsize=4096)(lambda text: from_members(cls, json.loads(text)))
    record: T = read(text)
    return record


# Of one instant, as that of a call, there are many conversions in a row: a look into a cache is several times as fast.
@functools.lru_cache(maxsize=1024)
def to_ms(instant: datetime) -> int:
    """Return *instant* as whole milliseconds since 1970."""
    return round(instant.timestamp() * 1000)


@functools.lru_cache(maxsize=1024)
def from_ms(milliseconds: int) -> datetime:
    """Return the instant *milliseconds* after 1970, in UTC."""
    # Not by `fromtimestamp`, which goes through a fraction that is exact for this century only.
    return _EPOCH + milliseconds * _MILLISECOND


def _milliseconds(value: object) -> int:
    if isinstance(value, datetime):
        return to_ms(value)
    raise TypeError(f"{type(value).__name__} cannot be stored in a record")


# Made once: `json.dumps` with options makes a new one at each call.
_encode: Final = json.JSONEncoder(separators=(",", ":"), default=_milliseconds).encode


def _instant(value: object) -> object:
    return from_ms(value) if isinstance(value, int) else value


def _fields(cls: type[Any]) -> Fields:
    """Return name, member and the two conversions of each field of *cls*, worked out once."""
    fields = _known.get(cls)
    if fields is None:
        fields = _known[cls] = _read_fields(cls)
    return fields


def _read_fields(cls: type[Any]) -> Fields:
    hints = typing.get_type_hints(cls)
    return tuple(
        (field.name, field.metadata.get("wire") or _member(field.name), *_converters(hints[field.name]))
        for field in dataclasses.fields(cls)
    )


def _member(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _converters(hint: Any) -> tuple[Convert | None, Convert | None]:
    """Return the two conversions for a field of type *hint*; None where the value is passed through."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        (hint,) = (argument for argument in typing.get_args(hint) if argument is not type(None))
        return _converters(hint)
    if origin is tuple:
        encode, decode = _converters(typing.get_args(hint)[0])
        return (
            list if encode is None else lambda values: [encode(value) for value in values],
            tuple if decode is None else lambda values: tuple(decode(value) for value in values),
        )
    if hint is datetime:
        return None, _instant
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return to_members, functools.partial(from_members, hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return str, hint
    return None, None
