"""What a member of a plan may hold, as values: a reader and a schema are both written from these."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from patchwindow.plans.problems import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string; *like* says in words what *pattern* demands, *numbers* that a bare number is taken as its text."""

    pattern: str | None = None
    like: str = "text"
    low: int = 1
    high: int | None = None
    numbers: bool = False


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer between two bounds; no upper bound where *high* is None."""

    low: int
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value of any type, kept as its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """A list; where *one_is_enough*, a single item may stand without brackets; messages call an item *each*."""

    item: "Spec"
    each: str = ""
    low: int = 0
    high: int | None = None
    one_is_enough: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A mapping whose keys the plan's author chooses; messages call an entry *each*."""

    key: Text | Choice
    value: "Spec"
    each: str = ""
    low: int = 0
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Nested:
    """A mapping with the members of *cls*."""

    cls: type["Record"]


@dataclass(frozen=True, slots=True)
class Partial:
    """Members of *cls* that hold wherever one of its mappings does not say otherwise."""

    cls: type["Record"]


Spec = Text | Whole | Flag | Choice | Scalar | Many | Table | Nested | Partial


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a record as the plan's author meets it."""

    spec: Spec
    about: str
    required: bool
    inherits: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """Where a record and its members stand in the file, which of them were bad, and which came from the defaults."""

    record: Mark
    members: Mapping[tuple[str | int, ...], Mark] = field(default_factory=dict)
    bad: frozenset[str] = frozenset()
    inherited: frozenset[str] = frozenset()

    def at(self, *path: str | int) -> Mark:
        """Return the place of the member at *path*, or of the nearest thing around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.members:
                return self.members[path[:length]]
        return self.record


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A mapping of the plan: a frozen dataclass whose fields are made by ``member``."""

    marks: Marks = field(compare=False, repr=False)

    def sound(self, *names: str) -> bool:
        """Say whether these members were read without a problem, so that rules across them may be checked."""
        return self.marks.bad.isdisjoint(names)


_MEMBER: Final = "member"


def member(spec: Spec, about: str, *, default: Any = None, inherits: bool = False) -> Any:
    """Return a dataclass field that may be left out; *inherits* says that ``defaults`` may give it."""
    metadata = {_MEMBER: Member(spec, about, required=False, inherits=inherits)}
    if isinstance(spec, Table | Partial):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


def required(spec: Spec, about: str, *, inherits: bool = False) -> Any:
    """Return a dataclass field that must be given, here or, where it *inherits*, in ``defaults``."""
    return field(metadata={_MEMBER: Member(spec, about, required=True, inherits=inherits)})


def members_of(cls: type[Record]) -> dict[str, Member]:
    """Return the members of *cls* by field name."""
    return {entry.name: entry.metadata[_MEMBER] for entry in dataclasses.fields(cls) if _MEMBER in entry.metadata}


def key_of(name: str) -> str:
    """Return the key in the file of the field *name*: ``approve_after_days`` is written ``approveAfterDays``.

    A last underscore keeps a field apart from a word of Python, and is not in the key.
    """
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name.removesuffix("_"))
