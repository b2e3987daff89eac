"""The members of facts, as JSON has them: each is checked here by its kind, and refused by its place."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar

from patchwindow.domain.errors import Invalid

# Longer than any name, version or sentence that a package manager has for us.
_TEXT_LENGTH_MAX: Final = 1024
# More than any node has of anything, and than any notice has of CVEs and bugs.
_ENTRIES_MAX: Final = 20_000
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_T = TypeVar("_T")
_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Item:
    """An object of the facts at *path*; of one that is *whole*, as in schema 1, no member may be absent.

    Each method returns a member, what says nothing where it is absent, and raises `Invalid` where it is not of its
    kind.
    """

    members: Mapping[str, Any]
    path: str
    whole: bool

    @property
    def later(self) -> "Item":
        """Return it with what schema 2 added; of schema 1, with nothing."""
        return Item({}, self.path, whole=False) if self.whole else self

    def text(self, name: str) -> str:
        data = self.members.get(name)
        return "" if data is None and not self.whole else _string(data, f"{self.path}.{name}")

    def filled(self, name: str) -> str:
        """Return a text that must be there and not be empty."""
        if not (text := _string(self.members.get(name), f"{self.path}.{name}")):
            raise Invalid(f"{self.path}.{name}: is empty; each has one")
        return text

    def day(self, name: str) -> str:
        """Return a day such as `2026-03-07`, empty where it is absent."""
        if (text := self.text(name)) and not _is_day(text):
            raise Invalid(f"{self.path}.{name}: {shown(text)} is no day; write it as YYYY-MM-DD, or leave it out")
        return text

    def choice(self, name: str, of: type[_Choice]) -> _Choice:
        """Return one of the choices of *of*; where it is absent, the empty one if there is one."""
        data = self.members.get(name, "")
        if not isinstance(data, str) or data not in of.__members__.values():
            choices = ", ".join(choice for choice in of if choice)
            raise Invalid(f"{self.path}.{name}: {shown(data)} is not known; write one of {choices}")
        return of(data)

    def count(self, name: str) -> int:
        data = self._given(name, 0)
        if not isinstance(data, int) or isinstance(data, bool) or not 0 <= data < 2**63:
            raise Invalid(f"{self.path}.{name}: expected a whole number, 0 or more, got {shown(data)}")
        return data

    def flag(self, name: str) -> bool:
        data = self._given(name, otherwise=False)
        if not isinstance(data, bool):
            raise Invalid(f"{self.path}.{name}: expected true or false, got {shown(data)}")
        return data

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of a list, each once, in order."""
        return tuple(sorted({_string(data, path) for data, path in self._entries(name)}))

    def indexes(self, name: str, of: str, count: int) -> tuple[int, ...]:
        """Return the indexes of a list, as they are, each of one of the *count* entries of the list called *of*."""
        found = []
        for index, _ in self._entries(name):
            if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < count:
                raise Invalid(f"{self.path}.{name}: {shown(index)} is no index of one of the {count} {of}")
            found.append(index)
        return tuple(found)

    def size(self, name: str) -> int:
        """Return how many entries a list has."""
        return sum(1 for _ in self._entries(name))

    def item(self, name: str) -> "Item":
        return item_of(self.members.get(name), f"{self.path}.{name}", whole=self.whole)

    def items(self, name: str, read: Callable[["Item"], _T], *, needed: bool = False) -> list[_T]:
        """Return what *read* makes of each object of a list; one that is *needed* must be there."""
        return [read(item_of(data, path, whole=self.whole)) for data, path in self._entries(name, needed=needed)]

    def _entries(self, name: str, *, needed: bool = False) -> Iterator[tuple[object, str]]:
        path = f"{self.path}.{name}"
        data = self.members.get(name) if needed else self._given(name, [])
        if not isinstance(data, list):
            raise Invalid(f"{path}: expected a list, got {shown(data)}")
        if len(data) > _ENTRIES_MAX:
            raise Invalid(f"{path}: has {len(data)} entries; at most {_ENTRIES_MAX} are read")
        return ((entry, f"{path}[{index}]") for index, entry in enumerate(data))

    def _given(self, name: str, otherwise: object) -> object:
        return self.members.get(name, None if self.whole else otherwise)


def item_of(data: object, path: str, *, whole: bool) -> Item:
    """Return the object that *data* is.

    Raises:
        Invalid: it is none.
    """
    if not isinstance(data, dict):
        raise Invalid(f"{path}: expected an object, got {shown(data)}")
    return Item(data, path, whole)


def shown(data: object) -> str:
    """Return *data* as a message shows it."""
    match data:
        case None:
            return "nothing"
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            text = repr(data)
            return text if len(text) <= 40 else f"{text[:37]}…"


def _string(data: object, path: str) -> str:
    # Printable: neither database takes a lone surrogate, nor PostgreSQL a zero byte.
    if not isinstance(data, str) or len(data) > _TEXT_LENGTH_MAX or not data.isprintable():
        raise Invalid(f"{path}: expected at most {_TEXT_LENGTH_MAX} printable characters, got {shown(data)}")
    return data


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
