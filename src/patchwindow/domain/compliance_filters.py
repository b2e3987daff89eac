"""Filters of the compliance operations: a key, values, and how to compare."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from patchwindow.domain.errors import InvalidFilter
from patchwindow.domain.opening import parse_instant

Value = str | datetime
Lookup = Callable[[str], Value]

TIME: Final = "ExecutionTime"
"""The one key whose values are instants; all others are text."""

EQUAL: Final = "EQUAL"
NOT_EQUAL: Final = "NOT_EQUAL"
BEGIN_WITH: Final = "BEGIN_WITH"
LESS_THAN: Final = "LESS_THAN"
GREATER_THAN: Final = "GREATER_THAN"
_OF_TEXT: Final = (EQUAL, NOT_EQUAL, BEGIN_WITH)
_OF_TIME: Final = (EQUAL, NOT_EQUAL, LESS_THAN, GREATER_THAN)

Comparison = Callable[[Any, Any], bool]

_COMPARISONS: Final[Mapping[str, Comparison]] = {
    EQUAL: lambda found, value: bool(found == value),
    BEGIN_WITH: lambda found, value: bool(found.startswith(value)),
    LESS_THAN: lambda found, value: bool(found < value),
    GREATER_THAN: lambda found, value: bool(found > value),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter: any of the values will do, and with NOT_EQUAL none of them."""

    key: str
    type: str
    values: tuple[Value, ...]

    def holds(self, found: Value) -> bool:
        """Return whether what was found under the key passes."""
        if self.type == NOT_EQUAL:
            return found not in self.values
        compare = _COMPARISONS[self.type]
        return any(compare(found, value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Conditions:
    """All filters of a request; they must all hold."""

    all: tuple[Condition, ...]

    def hold(self, lookup: Lookup) -> bool:
        """Return whether they hold for what *lookup* finds under a key."""
        return all(condition.holds(lookup(condition.key)) for condition in self.all)


def conditions(filters: Sequence[Mapping[str, Any]] | None, keys: Sequence[str]) -> Conditions:
    """Return the conditions that *filters* state; EQUAL where one has no Type.

    Raises:
        InvalidFilter: a key is not one of *keys*, has no values, or cannot be compared so.
    """
    return Conditions(tuple(_condition(each, keys) for each in filters or ()))


def _condition(each: Mapping[str, Any], keys: Sequence[str]) -> Condition:
    key, type_, values = each.get("Key", ""), each.get("Type", EQUAL), each.get("Values") or ()
    if key not in keys:
        raise InvalidFilter(f"filter key {key!r} is not known here; use one of {', '.join(keys)}")
    if not values:
        raise InvalidFilter(f"filter {key} has no Values; give at least one")
    types = _OF_TIME if key == TIME else _OF_TEXT
    if type_ not in types:
        raise InvalidFilter(f"filter {key} cannot be compared with {type_}; use one of {', '.join(types)}")
    return Condition(key, type_, tuple(parse_instant(key, value) if key == TIME else value for value in values))
