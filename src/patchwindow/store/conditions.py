"""Filters of the compliance operations as conditions of statements: nodes are selected, and not read one by one."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.compliance_filters import BEGIN_WITH, EQUAL, GREATER_THAN, LESS_THAN, NOT_EQUAL, Condition
from patchwindow.store.rows import like_prefix, ms
from patchwindow.store.tables import node


@dataclass(frozen=True, slots=True)
class Member:
    """A text in a record that is kept as JSON in *body*; where it is absent, it is the empty one."""

    body: "sa.Column[str]"
    name: str

    @property
    def table(self) -> sa.FromClause:
        return self.body.table

    def equals(self, value: str) -> sa.ColumnElement[bool]:
        found = self._has(f'"{self.name}":{json.dumps(value)}')
        return found if value else sa.or_(found, ~self._has(f'"{self.name}":"'))

    def begins_with(self, value: str) -> sa.ColumnElement[bool]:
        return self._has(f'"{self.name}":{json.dumps(value)[:-1]}') if value else sa.true()

    def _has(self, text: str) -> sa.ColumnElement[bool]:
        # Quotes are escaped in texts, so that this stands nowhere but where the member is. Both databases have `replace`.
        return sa.func.replace(self.body, text, "") != self.body


Place = sa.Column[Any] | Member | str
"""Where the value of a filter's key is kept; a text is the value of all."""

_NODE: Final = "AWS:InstanceInformation."
NODE_PLACES: Final[Mapping[str, Place]] = {
    f"{_NODE}AgentType": Member(node.c.body, "AgentName"),
    f"{_NODE}AgentVersion": node.c.agent_version,
    f"{_NODE}ComputerName": Member(node.c.body, "ComputerName"),
    f"{_NODE}IpAddress": Member(node.c.body, "IPAddress"),
    f"{_NODE}PlatformName": Member(node.c.body, "PlatformName"),
    f"{_NODE}PlatformType": node.c.platform_type,
    f"{_NODE}PlatformVersion": Member(node.c.body, "PlatformVersion"),
}
"""Where what nodes tell of themselves is."""


def all_hold(conditions: Iterable[Condition], places: Mapping[str, Place]) -> sa.ColumnElement[bool]:
    """Return the condition that all of *conditions* hold, whose keys are among *places*."""
    return sa.and_(sa.true(), *(_holds(one, places[one.key]) for one in conditions))


def _holds(condition: Condition, place: Place) -> sa.ColumnElement[bool]:
    if isinstance(place, str):
        return sa.true() if condition.holds(place) else sa.false()
    type = EQUAL if condition.type == NOT_EQUAL else condition.type
    found = sa.or_(sa.false(), *(_compared(type, place, value) for value in condition.values))
    return ~found if condition.type == NOT_EQUAL else found


def _compared(type: str, place: "sa.Column[Any] | Member", value: str | datetime) -> sa.ColumnElement[bool]:
    if isinstance(place, Member):
        assert isinstance(value, str), "instants are columns"
        return place.equals(value) if type == EQUAL else place.begins_with(value)
    if type == BEGIN_WITH:
        assert isinstance(value, str), "instants have no beginning"
        return like_prefix(place, value)
    kept = ms(value) if isinstance(value, datetime) else value
    if type == LESS_THAN:
        return place < kept
    return place > kept if type == GREATER_THAN else place == kept
