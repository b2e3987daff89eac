"""From YAML nodes to records: every member against its specification, every problem with its place.

A member that is bad does not end the reading: something harmless stands in for it, the record remembers which
members are bad, and the rules across members leave those alone. So one look at a plan finds all that is wrong.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import yaml

from patchwindow.plans.nodes import BOOLEAN, DATE, INTEGER, NUMBER, TEXT, Path, hint, mark_of, places, words_for
from patchwindow.plans.problems import Mark, Problem
from patchwindow.plans.specs import (
    Choice,
    Flag,
    Many,
    Marks,
    Nested,
    Partial,
    Record,
    Scalar,
    Spec,
    Table,
    Text,
    Whole,
    key_of,
    members_of,
)

R = TypeVar("R", bound=Record)

# What messages call the plan itself.
ROOT: Final = "the plan"


class _Bad(Exception):
    """A value is not what its specification wants; the problem has been noted."""


@dataclass(frozen=True, slots=True)
class _Given:
    """What a mapping gives for the members of a record."""

    values: dict[str, Any]
    marks: Mapping[Path, Mark]
    bad: frozenset[str]


_NOTHING: Final = _Given({}, {}, frozenset())


class Reading:
    """One reading of one plan; *problems* grows while it lasts."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._defaults: dict[type[Record], _Given] = {}
        self.problems: list[Problem] = []

    def note(self, mark: Mark, message: str) -> None:
        """Note that something is wrong at *mark*."""
        self.problems.append(Problem(mark.file or self._file, mark, message))

    def record(self, cls: type[R], node: yaml.Node, what: str) -> R:
        """Return what *node* says about *what*, as a record of *cls*."""
        given = self._given(cls, node, what)
        defaults = self._defaults.get(cls, _NOTHING)
        inherited = (defaults.values.keys() | defaults.bad) - given.values.keys() - given.bad
        values = {name: value for name, value in defaults.values.items() if name in inherited} | given.values
        # What is bad in the defaults was reported there, once.
        bad = given.bad | (defaults.bad & inherited)
        for name, member in members_of(cls).items():
            if not member.required or name in values:
                continue
            if name not in bad:
                where = " here or in defaults" if member.inherits else ""
                self.note(mark_of(node), f"{what} needs {key_of(name)}{where}: {member.about}")
                bad |= {name}
            values[name] = _stand_in(member.spec)
        return cls(marks=Marks(mark_of(node), given.marks, bad, frozenset(inherited)), **values)

    def _given(self, cls: type[Record], node: yaml.Node, what: str) -> _Given:
        members = members_of(cls)
        names = {key_of(name): name for name in members}
        try:
            entries = self._entries(node, what)
        except _Bad:
            return _Given({}, {}, frozenset(members))
        found: dict[str, yaml.Node] = {}
        for key, key_node, value_node in entries:
            if key in names:
                found[names[key]] = value_node
            else:
                self.note(mark_of(key_node), f"{what} has no {key!r}; {hint(key, names)}")
        values: dict[str, Any] = {}
        bad = set()
        # In the order of the definition, not of the file: defaults must be known before what they are for.
        for name in (name for name in members if name in found):
            try:
                values[name] = self._value(members[name].spec, found[name], f"{what}: {key_of(name)}")
            except _Bad:
                bad.add(name)
        marks = dict(place for name, child in found.items() for place in places((name,), child))
        return _Given(values, marks, frozenset(bad))

    def _entries(self, node: yaml.Node, what: str) -> list[tuple[str, yaml.ScalarNode, yaml.Node]]:
        """Return key, key node and value node of a mapping; a key that comes again is a problem and is left out."""
        if not isinstance(node, yaml.MappingNode):
            raise self._refused(node, what, "a mapping")
        return list(self._distinct(node, what))

    def _distinct(self, node: yaml.MappingNode, what: str) -> Iterator[tuple[str, yaml.ScalarNode, yaml.Node]]:
        seen: dict[str, Mark] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.note(mark_of(key_node), f"{what}: a key must be a word, not {words_for(key_node)}")
            elif key_node.value in seen:
                first, mark = seen[key_node.value], mark_of(key_node)
                where = f"line {first.line}" + ("" if first.file == mark.file else f" of {first.file}")
                self.note(mark, f"{what}: {key_node.value!r} is here twice; the first is in {where}")
            else:
                seen[key_node.value] = mark_of(key_node)
                yield str(key_node.value), key_node, value_node

    def _value(self, spec: Spec, node: yaml.Node, what: str) -> Any:
        match spec:
            case Text():
                return self._text(spec, node, what)
            case Whole():
                return self._whole(spec, node, what)
            case Flag():
                return self._flag(node, what)
            case Choice():
                return self._choice(spec, node, what)
            case Many():
                return self._many(spec, node, what)
            case Table():
                return self._table(spec, node, what)
            case Scalar():
                return self._scalar(node, what)
            case Nested():
                return self.record(spec.cls, node, what)
            case Partial():
                return self._partial(spec.cls, node, what)

    def _partial(self, cls: type[Record], node: yaml.Node, what: str) -> dict[str, Any]:
        """Return the defaults for *cls*, and hold them for the records to come; not every member may be one."""
        members = members_of(cls)
        given = self._given(cls, node, what)
        for name in [name for name in given.values if not members[name].inherits]:
            possible = ", ".join(key_of(name) for name, member in members.items() if member.inherits)
            self.note(given.marks[name,], f"{what}: {key_of(name)} cannot be a default; these can: {possible}")
            del given.values[name]
        self._defaults[cls] = given
        return given.values

    def _text(self, spec: Text, node: yaml.Node, what: str) -> str:
        taken = {TEXT, DATE, INTEGER, NUMBER} if spec.numbers else {TEXT, DATE}
        if node.tag not in taken:
            quotes = "; put it in quotes" if isinstance(node, yaml.ScalarNode) and node.value else ""
            raise self._refused(node, what, spec.like + quotes)
        text = str(node.value)
        if spec.pattern is not None and not re.fullmatch(spec.pattern, text):
            raise self._wrong(node, f"{what} is {text!r}, expected {spec.like}")
        if len(text) < spec.low or (spec.high is not None and len(text) > spec.high):
            raise self._wrong(node, f"{what} has {len(text)} characters, expected {_range(spec.low, spec.high)}")
        return text

    def _whole(self, spec: Whole, node: yaml.Node, what: str) -> int:
        # Underscores, base 60 and hexadecimal are numbers to YAML 1.1; nobody who writes 1:30 means 90.
        if node.tag != INTEGER or not re.fullmatch(r"[-+]?[0-9]+", str(node.value)):
            raise self._refused(node, what, f"a whole number, {_range(spec.low, spec.high)}")
        number = int(node.value)
        if number < spec.low or (spec.high is not None and number > spec.high):
            raise self._wrong(node, f"{what} is {number}, expected {_range(spec.low, spec.high)}")
        return number

    def _flag(self, node: yaml.Node, what: str) -> bool:
        if node.tag != BOOLEAN:
            raise self._refused(node, what, "true or false")
        return str(node.value).lower() in {"true", "yes", "on"}

    def _choice(self, spec: Choice, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value:
            raise self._refused(node, what, f"one of {', '.join(spec.values)}")
        if node.value not in spec.values:
            raise self._wrong(node, f"{what} is {node.value!r}; {hint(node.value, spec.values)}")
        return str(node.value)

    def _scalar(self, node: yaml.Node, what: str) -> str:
        if node.tag not in {TEXT, DATE, INTEGER, NUMBER, BOOLEAN}:
            raise self._refused(node, what, "a text, a number, true or false")
        return str(node.value)

    def _many(self, spec: Many, node: yaml.Node, what: str) -> tuple[Any, ...]:
        if isinstance(node, yaml.SequenceNode):
            nodes: list[yaml.Node] = node.value
        elif spec.one_is_enough and isinstance(node, yaml.ScalarNode):
            nodes = [node]
        else:
            raise self._refused(node, what, "a list")
        self._count(node, what, len(nodes), spec)
        numbered = enumerate(nodes, start=1)
        return tuple(_all(numbered, lambda pair: self._value(spec.item, pair[1], _label(spec, what, str(pair[0])))))

    def _table(self, spec: Table, node: yaml.Node, what: str) -> dict[str, Any]:
        entries = self._entries(node, what)
        self._count(node, what, len(entries), spec)
        for _, key_node, _ in entries:
            try:
                self._value(spec.key, _as_text(key_node), f"{what}: the key")
            except _Bad:
                # The entry stays, so that what refers to it is not called wrong as well.
                continue
        return dict(
            _all(
                entries, lambda entry: (entry[0], self._value(spec.value, entry[2], _label(spec, what, repr(entry[0]))))
            )
        )

    def _count(self, node: yaml.Node, what: str, count: int, spec: Many | Table) -> None:
        if count < spec.low or (spec.high is not None and count > spec.high):
            self.note(mark_of(node), f"{what} has {count} entries, expected {_range(spec.low, spec.high)}")

    def _refused(self, node: yaml.Node, what: str, expected: str) -> _Bad:
        return self._wrong(node, f"{what} is {words_for(node)}, expected {expected}")

    def _wrong(self, node: yaml.Node, message: str) -> _Bad:
        self.note(mark_of(node), message)
        return _Bad()


def _all(items: Iterable[Any], read: Callable[[Any], Any]) -> list[Any]:
    """Return what *read* makes of *items*; raise only after the last, so that no problem hides another."""
    results, is_bad = [], False
    for item in items:
        try:
            results.append(read(item))
        except _Bad:
            is_bad = True
    if is_bad:
        raise _Bad
    return results


def _label(spec: Many | Table, what: str, which: str) -> str:
    """Return what messages call an entry of *what*, which ends in the member's key.

    ``window 'Web': tasks`` has ``window 'Web': task 'patch'``; a list of plain values has no name for each.
    """
    if not spec.each:
        return f"{what} {which}" if isinstance(spec, Table) else what
    owner = what.rpartition(": ")[0]
    return f"{spec.each} {which}" if owner == ROOT else f"{owner}: {spec.each} {which}"


def _as_text(key: yaml.ScalarNode) -> yaml.ScalarNode:
    """Return *key* as text whatever it looks like: a group may be called 2012, or yes."""
    return yaml.ScalarNode(TEXT, key.value, key.start_mark, key.end_mark)


def _range(low: int, high: int | None) -> str:
    if high is None:
        return f"at least {low}"
    return f"at most {high}" if low == 0 else f"{low} to {high}"


def _stand_in(spec: Spec) -> Any:
    """Return something harmless of the right type for a required member that is missing or bad."""
    match spec:
        case Text() | Scalar():
            return ""
        case Whole(low):
            return low
        case Flag():
            return False
        case Choice(values):
            return values[0]
        case Many():
            return ()
        case Table() | Partial():
            return {}
        case Nested():
            return None
