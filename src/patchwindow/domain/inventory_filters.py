"""Filters of inventory: whether what is known of a node passes them.

Filters of one type are about one and the same entry: a name and a version mean the application that has both. An entry
that has what NotEqual forbids is not allowed at all, among those that pass the other filters of the type.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from patchwindow.domain.errors import InvalidFilter
from patchwindow.domain.inventory import Entry, is_custom

Known = Callable[[str], Sequence[Entry]]
"""Returns a node's entries of a type."""

Attributes = Callable[[str], Sequence[str] | None]
"""Returns the attributes of a type, None where there is no such type."""

TYPE_NAME: Final = "TypeName"
"""The key under which Exists asks whether a node has entries of a type at all."""


class Comparison(StrEnum):
    """How a filter compares what an entry has with its values."""

    EQUAL = "Equal"
    NOT_EQUAL = "NotEqual"
    BEGIN_WITH = "BeginWith"
    LESS_THAN = "LessThan"
    GREATER_THAN = "GreaterThan"
    EXISTS = "Exists"


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter on an attribute of a type; any of the values will do."""

    type_name: str
    attribute: str
    comparison: Comparison
    values: tuple[str, ...]

    def holds(self, entry: Entry) -> bool:
        """Return whether *entry* has what is asked for; of NotEqual, what is forbidden."""
        found = entry.get(self.attribute)
        if self.comparison is Comparison.EXISTS:
            return bool(found) == (self.values[0].lower() == "true")
        if found is None:
            return False
        return any(_COMPARISONS[self.comparison](found, value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Conditions:
    """All filters of a request or a group; they must all hold.

    *types* are alternatives of types of which a node must have entries; of each group of alternatives at least one.
    """

    of_entries: tuple[Condition, ...] = ()
    types: tuple[tuple[str, ...], ...] = ()

    def hold(self, known: Known) -> bool:
        """Return whether they hold for a node of which *known* tells the entries."""
        by_type: dict[str, list[Condition]] = {}
        for condition in self.of_entries:
            by_type.setdefault(condition.type_name, []).append(condition)
        return all(any(known(name) for name in names) for names in self.types) and all(
            _any_entry(known(name), conditions) for name, conditions in by_type.items()
        )

    def passing(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return those of *entries*, all of one type, that pass each filter by themselves."""
        return [entry for entry in entries if all(_passes(condition, entry) for condition in self.of_entries)]


def read_conditions(
    filters: Sequence[Mapping[str, Any]] | None, attributes: Attributes, *, only_type: str | None = None
) -> Conditions:
    """Return the conditions that *filters* state; Equal where one has no Type.

    With *only_type*, all are about that type, whose name their keys may leave out.

    Raises:
        InvalidFilter: a key names no attribute of a type, or has values that cannot be compared so.
    """
    of_entries, types = [], []
    for each in filters or ():
        key, values = each["Key"], tuple(each["Values"])
        comparison = Comparison(each.get("Type", Comparison.EQUAL))
        if key == TYPE_NAME and only_type is None:
            types.append(_types(comparison, values, attributes))
        else:
            of_entries.append(_condition(key, comparison, values, attributes, only_type))
    return Conditions(tuple(of_entries), tuple(types))


def attribute_key(key: str, attributes: Attributes) -> tuple[str, str] | None:
    """Return the type and the attribute that `AWS:Type.Attribute` names; None where there is no such attribute."""
    type_name, _, attribute = key.rpartition(".")
    found = attributes(type_name)
    if not attribute or found is None or not (attribute in found or is_custom(type_name)):
        return None
    return type_name, attribute


def _types(comparison: Comparison, values: tuple[str, ...], attributes: Attributes) -> tuple[str, ...]:
    if comparison is not Comparison.EXISTS:
        raise InvalidFilter(f"filter {TYPE_NAME} cannot be compared with {comparison}; use {Comparison.EXISTS}")
    for value in values:
        if attributes(value) is None:
            raise InvalidFilter(f"filter {TYPE_NAME} has the value {value!r}, which is no inventory type")
    return values


def _condition(
    key: str, comparison: Comparison, values: tuple[str, ...], attributes: Attributes, only_type: str | None
) -> Condition:
    whole = key if only_type is None or key.startswith(f"{only_type}.") else f"{only_type}.{key}"
    found = attribute_key(whole, attributes)
    if found is None:
        raise InvalidFilter(
            f"filter key {key!r} names no attribute of an inventory type, such as AWS:InstanceInformation.PlatformType; "
            "GetInventorySchema lists them"
        )
    if comparison is Comparison.EXISTS and (len(values) != 1 or values[0].lower() not in ("true", "false")):
        raise InvalidFilter(f"filter {key} with {comparison} has the values {', '.join(values)}; give true or false")
    return Condition(*found, comparison, values)


def _any_entry(entries: Sequence[Entry], conditions: Sequence[Condition]) -> bool:
    wanted = [one for one in conditions if one.comparison is not Comparison.NOT_EQUAL]
    forbidden = [one for one in conditions if one.comparison is Comparison.NOT_EQUAL]
    found = [entry for entry in entries if all(one.holds(entry) for one in wanted)]
    return bool(found or not wanted) and not any(one.holds(entry) for one in forbidden for entry in found)


def _passes(condition: Condition, entry: Entry) -> bool:
    return condition.holds(entry) is not (condition.comparison is Comparison.NOT_EQUAL)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[str, str], bool]:
    def holds(found: str, value: str) -> bool:
        try:
            return compare(float(found), float(value))
        except ValueError:
            # Not both are numbers: as text they have an order too, which suits times.
            return compare(found, value)

    return holds


_COMPARISONS: Final[Mapping[Comparison, Callable[[str, str], bool]]] = {
    Comparison.EQUAL: operator.eq,
    # What NotEqual forbids.
    Comparison.NOT_EQUAL: operator.eq,
    Comparison.BEGIN_WITH: str.startswith,
    Comparison.LESS_THAN: _ordered(operator.lt),
    Comparison.GREATER_THAN: _ordered(operator.gt),
}
