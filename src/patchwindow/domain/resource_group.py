"""Resource groups: named sets of nodes, each kept as a query over tags and asked anew whenever it is used.

Source: "Resource query", AWS Resource Groups API reference: keys are ANDed, the values of one key ORed; how many there may be
is what the tagging service's GetResources allows, by which such queries are defined.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from patchwindow.domain.errors import Invalid

ANY_TYPE: Final = "AWS::AllSupported"
NODE_TYPE: Final = "AWS::SSM::ManagedInstance"
"""What a node is listed as."""

# A node is a managed instance; groups that were defined for machines in the cloud name the other.
_NODE_TYPES: Final = frozenset({ANY_TYPE.lower(), NODE_TYPE.lower(), "aws::ec2::instance"})
_TYPE: Final = re.compile(r"AWS::(AllSupported|[a-zA-Z0-9]+::[a-zA-Z0-9]+)")
_TYPES_MAX: Final = 100
_FILTERS_MAX: Final = 50
_VALUES_MAX: Final = 20
_KEY_LENGTH_MAX: Final = 128
_VALUE_LENGTH_MAX: Final = 256
_EXAMPLE: Final = '{"ResourceTypeFilters":["AWS::AllSupported"],"TagFilters":[{"Key":"Stage","Values":["Test"]}]}'


class QueryType(StrEnum):
    """What language a query is written in."""

    TAG_FILTERS = "TAG_FILTERS_1_0"
    STACK = "CLOUDFORMATION_STACK_1_0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceQuery:
    """A query as it was given; its text is kept, so that it is read back character by character."""

    type: QueryType
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceGroup:
    """A group, as the API has it."""

    name: str
    description: str | None = None
    criticality: int | None = None
    owner: str | None = None
    display_name: str | None = None
    resource_query: ResourceQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class TagQuery:
    """What a query says: the types of resources, and of the tags each key with any of its values, or with whatever value."""

    types: tuple[str, ...]
    tags: tuple[tuple[str, tuple[str, ...]], ...]

    def includes(self, tags: Mapping[str, str]) -> bool:
        """Return whether the node that has these *tags* is among what is looked for."""
        return is_of_nodes(self.types) and all(
            key in tags and (not values or tags[key] in values) for key, values in self.tags
        )


def is_of_nodes(types: Collection[str]) -> bool:
    """Return whether nodes are among resources of these *types*, however their letters are cased."""
    return any(type.lower() in _NODE_TYPES for type in types)


def without_nodes(types: Collection[str]) -> list[str]:
    """Return those of *types* of which there can be none here."""
    return [type for type in types if type.lower() not in _NODE_TYPES]


def check_type(type: str) -> None:
    """Check that *type* has the form of a resource type.

    Raises:
        Invalid: it has not.
    """
    if not _TYPE.fullmatch(type):
        raise Invalid(f"resource type {type!r} has not the form AWS::<service>::<type>; use {ANY_TYPE} or {NODE_TYPE}")


def parse_query(query: ResourceQuery) -> TagQuery:
    """Return what *query* says.

    Raises:
        Invalid: it is of a type that is not served, is no JSON of the right form, or looks for every node.
    """
    if query.type is not QueryType.TAG_FILTERS:
        raise Invalid(f"ResourceQuery type {query.type} is not served here; use {QueryType.TAG_FILTERS}")
    try:
        members = json.loads(query.query)
    except (ValueError, RecursionError) as problem:
        raise Invalid(f"ResourceQuery: Query is not JSON ({problem}); write it as {_EXAMPLE}") from None
    types, filters = _lists(members)
    if not filters:
        # A group of whatever there is would grow without anybody's doing.
        raise Invalid("ResourceQuery: TagFilters has no filter; give at least one, so that not every node is meant")
    return TagQuery(types=types, tags=tuple(_filter(place, each) for place, each in enumerate(filters)))


def _lists(members: object) -> tuple[tuple[str, ...], list[Any]]:
    """Return the two lists of a query, the types checked."""
    if not isinstance(members, dict):
        raise Invalid(f"ResourceQuery: Query is no JSON object; write it as {_EXAMPLE}")
    if unknown := members.keys() - {"ResourceTypeFilters", "TagFilters"}:
        raise Invalid(f"ResourceQuery: Query has no member {min(unknown)!r}; write it as {_EXAMPLE}")
    types = _list("ResourceTypeFilters", members.get("ResourceTypeFilters"), _TYPES_MAX)
    if not types:
        raise Invalid(f"ResourceQuery: ResourceTypeFilters must name at least one type, such as {ANY_TYPE}")
    for type in types:
        check_type(str(type))
    return tuple(map(str, types)), _list("TagFilters", members.get("TagFilters", []), _FILTERS_MAX)


def _filter(place: int, given: object) -> tuple[str, tuple[str, ...]]:
    """Return key and values of one tag filter."""
    at = f"TagFilters[{place}]"
    if not isinstance(given, dict) or given.keys() - {"Key", "Values"}:
        raise Invalid(f"ResourceQuery: {at} is not of the form {{Key, Values}}; write the query as {_EXAMPLE}")
    key = _text(f"{at}.Key", given.get("Key"), _KEY_LENGTH_MAX)
    if not key:
        raise Invalid(f"ResourceQuery: {at}.Key is empty; name a tag")
    values = _list(f"{at}.Values", given.get("Values", []), _VALUES_MAX)
    return key, tuple(_text(f"{at}.Values[{number}]", value, _VALUE_LENGTH_MAX) for number, value in enumerate(values))


def _list(at: str, value: object, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise Invalid(f"ResourceQuery: {at} must be a list; write the query as {_EXAMPLE}")
    if len(value) > most:
        raise Invalid(f"ResourceQuery: {at} has {len(value)} entries; {most} are the most")
    return value


def _text(at: str, value: object, longest: int) -> str:
    if not isinstance(value, str):
        raise Invalid(f"ResourceQuery: {at} must be a string; write the query as {_EXAMPLE}")
    if len(value) > longest:
        raise Invalid(f"ResourceQuery: {at} has {len(value)} characters; {longest} are the most")
    return value
