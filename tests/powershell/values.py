"""Values of PowerShell as the interpreter has them, and what converts to what.

Numbers, texts, truth values, bytes, instants and `None` for $null are Python's own; arrays are lists.  The rules are those
that Microsoft documents in about_Type_Conversion, about_Comparison_Operators, about_Arrays and about_Booleans.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tree_sitter import Node


class NotKnown(Exception):
    """The script uses what the interpreter does not know. Nothing catches it: the test fails."""


class Nothing:
    """What a command without output leaves; in a pipeline it is no value at all, elsewhere it is $null."""


NOTHING: Final = Nothing()


class Table:
    """A hash table; keys that are texts are found whatever their case."""

    def __init__(self, items: Mapping[Any, Any] | None = None) -> None:
        self._items: dict[Any, tuple[Any, Any]] = {}
        for key, value in (items or {}).items():
            self.put(key, value)

    def get(self, key: Any) -> Any:
        """Return what is under *key*, `None` without it."""
        return self._items.get(_folded(key), (None, None))[1]

    def put(self, key: Any, value: Any) -> None:
        """Put *value* under *key*."""
        folded = _folded(key)
        self._items[folded] = (self._items.get(folded, (key, None))[0], value)

    def remove(self, key: Any) -> Nothing:
        """Leave nothing under *key*."""
        self._items.pop(_folded(key), None)
        return NOTHING

    def has(self, key: Any) -> bool:
        """Return whether *key* is there."""
        return _folded(key) in self._items

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Yield keys and values; PowerShell promises no order, so it is not that of the writing."""
        yield from reversed(self._items.values())

    def __len__(self) -> int:
        return len(self._items)


@dataclass(frozen=True, slots=True)
class Parsed:
    """An object that ConvertFrom-Json made; what it does not have is $null."""

    members: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """Return a member, `None` without it."""
        return next((value for key, value in self.members.items() if key.casefold() == name.casefold()), None)


@dataclass(frozen=True, slots=True)
class Block:
    """A script block."""

    root: Node


@dataclass(frozen=True, slots=True)
class Kind:
    """A type, by the name that the script writes."""

    name: str

    @property
    def key(self) -> str:
        """The name as types are found by it: PowerShell looks past case, and past `System`."""
        return self.name.casefold().removeprefix("system.")


class Thrown(Exception):
    """An exception of .NET, with what a script can see of it."""

    def __init__(self, kind: str, message: str, *, inner: "Thrown | None" = None, **members: Any) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.inner = inner
        self.members = members

    def base(self) -> "Thrown":
        """Return the innermost one."""
        return self if self.inner is None else self.inner.base()


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """What `$_` is in a catch."""

    exception: Thrown


def _folded(key: Any) -> Any:
    return key.casefold() if isinstance(key, str) else key


def is_null(value: Any) -> bool:
    """Return whether *value* is $null."""
    return value is None or isinstance(value, Nothing)


def is_number(value: Any) -> bool:
    """Return whether *value* is a number, which truth values are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain(value: Any) -> Any:
    """Return *value* as arguments and tables have it, where no output is $null."""
    return None if isinstance(value, Nothing) else value


def truth(value: Any) -> bool:
    """Return what *value* is as a condition."""
    if is_null(value):
        return False
    if isinstance(value, list):
        return truth(value[0]) if len(value) == 1 else bool(value)
    return bool(value) if isinstance(value, str | int | float) else True


def as_text(value: Any) -> str:
    """Return what *value* is within a text."""
    if is_null(value):
        return ""
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, float) and "e" not in repr(value):
        return repr(value).removesuffix(".0")
    if isinstance(value, list):
        return " ".join(as_text(each) for each in value)
    raise NotKnown(f"a {type(value).__name__} within a text")


def as_number(value: Any) -> int | float | None:
    """Return the number that *value* converts to, `None` where it converts to none."""
    if is_null(value):
        return 0
    if isinstance(value, int | float):
        return int(value) if isinstance(value, bool) else value
    if not isinstance(value, str):
        raise NotKnown(f"a {type(value).__name__} as a number")
    if not value.strip():
        return 0
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return None


def enumerated(value: Any) -> Iterator[Any]:
    """Yield what *value* is in a pipeline: arrays and collections of COM are taken apart, and a table is not."""
    if isinstance(value, Nothing):
        return
    if isinstance(value, bytes):
        raise NotKnown("bytes in a pipeline")
    if isinstance(value, list):
        yield from value
    elif hasattr(value, "com_items"):
        yield from value.com_items
    else:
        yield value


def collected(values: list[Any]) -> Any:
    """Return what a variable gets of the output of a command."""
    return NOTHING if not values else values[0] if len(values) == 1 else values
