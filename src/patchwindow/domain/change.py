"""What a change was: who did it, by which operation, and how the thing was before and after."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

TEXT_MAX: Final = 20_000
"""Characters of one text that are kept."""
ENTRIES_MAX: Final = 200
"""Entries of one list that are kept."""
SECRETS: Final = frozenset({"ActivationCode", "ClientToken", "Link", "Password", "PublicKey", "SecretAccessKey"})
"""Members that are never kept, wherever they stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change that a person or program made."""

    change_id: str
    changed_at: datetime
    caller: str
    """`person/` and a name, the id of an access key, or `server`: the command line on the server's own data."""
    comment: str = ""
    """What the access key was said to be for, then."""
    address: str = ""
    """The IP address that it came from; empty where there is none."""
    operation: str
    resource: str = ""
    """The id or name of what was changed; empty where the operation is about nothing in particular."""
    before: str = ""
    """The thing as JSON; empty where there was none, or the operation has no way to look at it."""
    after: str = ""
    """The thing as JSON, or what was asked for where there is no way to look at it; empty where it is gone."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is not what it was; None where there is none."""

    place: str
    before: str | None
    after: str | None


def kept(value: Any) -> Any:
    """Return what is kept of members of the API: without secrets, with long texts and lists cut, instants and bytes as text."""
    if isinstance(value, Mapping):
        return {str(name): kept(inner) for name, inner in value.items() if name not in SECRETS}
    if isinstance(value, str):
        left = len(value) - TEXT_MAX
        return value if left <= 0 else f"{value[:TEXT_MAX]}… and {left} characters more"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Sequence):
        left = len(value) - ENTRIES_MAX
        return [kept(inner) for inner in value[:ENTRIES_MAX]] + ([f"and {left} more"] if left > 0 else [])
    return value


def differences(before: Any, after: Any) -> list[Difference]:
    """Return the values that differ between two JSON values, in the order of their places, such as `Targets[0].Key`."""
    was, now = dict(_leaves(before, "")), dict(_leaves(after, ""))
    return [
        Difference(place, was.get(place), now.get(place))
        for place in dict.fromkeys((*was, *now))
        if was.get(place) != now.get(place)
    ]


def _leaves(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list) and value:
        for at, inner in enumerate(value):
            yield from _leaves(inner, f"{place}[{at}]")
    elif value is not None and value not in ({}, []):
        yield place, str(value).lower() if isinstance(value, bool) else str(value)
