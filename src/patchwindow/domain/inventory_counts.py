"""Aggregators of inventory: how many nodes have which values, and how many pass the filters of a group."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from patchwindow.domain.errors import InvalidAggregator, InvalidInventoryGroup
from patchwindow.domain.inventory import Entry
from patchwindow.domain.inventory_filters import Attributes, Conditions, Known, attribute_key, read_conditions

Values = tuple[tuple[str, str], ...]
"""Attributes and their values, in the order of the expressions that ask for them."""


@dataclass(frozen=True, slots=True)
class Expression:
    """Counts nodes by an attribute of a type; each of *inner* divides them further."""

    type_name: str
    attribute: str
    inner: tuple["Expression", ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Counts the nodes that pass *conditions*, and those that do not."""

    name: str
    conditions: Conditions


class Tally:
    """What all aggregators of a request have counted so far."""

    def __init__(self, expressions: Sequence[Expression], groups: Sequence[Group]) -> None:
        self._expressions = expressions
        self._groups = groups
        self._values: Counter[tuple[str, Values]] = Counter()
        self._matching: Counter[str] = Counter()
        self._nodes = 0

    def add(self, known: Known) -> None:
        """Count a node of which *known* tells the entries; each of its values counts once."""
        self._nodes += 1
        self._values.update(
            {(one.type_name, values) for one in self._expressions for values in _values(one, known, None)}
        )
        self._matching.update(group.name for group in self._groups if group.conditions.hold(known))

    def data(self) -> dict[str, list[dict[str, str]]]:
        """Return the counts: of expressions by type, in order of value, and of groups by their name."""
        found: dict[str, list[dict[str, str]]] = {one.type_name: [] for one in self._expressions}
        for (type_name, values), count in sorted(self._values.items()):
            found[type_name].append({"Count": str(count), **dict(values)})
        for group in self._groups:
            matching = self._matching[group.name]
            found[group.name] = [
                {"notMatchingCount": str(self._nodes - matching)},
                {"matchingCount": str(matching)},
            ]
        return found


def read_aggregators(aggregators: Sequence[Mapping[str, Any]], attributes: Attributes) -> Tally:
    """Return the tally, still empty, that *aggregators* ask for.

    Raises:
        InvalidAggregator: one has neither an expression nor groups, or both, or names no attribute.
        InvalidInventoryGroup: two groups have one name.
        InvalidFilter: a filter of a group means nothing.
    """
    groups = [
        Group(each["Name"], read_conditions(each["Filters"], attributes))
        for one in aggregators
        for each in one.get("Groups", ())
    ]
    for name, count in Counter(group.name for group in groups).items():
        if count > 1 or attributes(name) is not None:
            raise InvalidInventoryGroup(f"group name {name!r} is taken; give each group a name of its own")
    expressions = [_expression(one, attributes) for one in aggregators if _has_expression(one)]
    return Tally(expressions, groups)


def _has_expression(one: Mapping[str, Any]) -> bool:
    if ("Expression" in one) is ("Groups" in one):
        raise InvalidAggregator("an aggregator has either an Expression or Groups, and this one has both or neither")
    if "Groups" in one and "Aggregators" in one:
        raise InvalidAggregator("an aggregator with Groups cannot have Aggregators; give them beside it")
    return "Expression" in one


def _expression(one: Mapping[str, Any], attributes: Attributes) -> Expression:
    text = one["Expression"]
    found = attribute_key(text, attributes)
    if found is None:
        raise InvalidAggregator(
            f"Expression {text!r} names no attribute of an inventory type, such as "
            "AWS:InstanceInformation.PlatformType; GetInventorySchema lists them"
        )
    inner = one.get("Aggregators", ())
    if not all(map(_has_expression, inner)):
        raise InvalidAggregator("an aggregator inside another has an Expression; give Groups at the top")
    return Expression(*found, tuple(_expression(each, attributes) for each in inner))


def _values(one: Expression, known: Known, entry: Entry | None) -> Iterator[Values]:
    """Yield what a node has of an expression and of those inside it.

    *entry* is the one that an expression of the same type around it is about: then this is about the same.
    """
    for each in known(one.type_name) if entry is None else (entry,):
        value = each.get(one.attribute)
        if value is None:
            continue
        own = ((one.attribute, value),)
        if not one.inner:
            yield own
        for inner in one.inner:
            same = each if inner.type_name == one.type_name else None
            yield from (own + rest for rest in _values(inner, known, same))
