"""What one carrying-out of changes knows, and how requests are made of a change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from patchwindow.client import SsmClient
from patchwindow.plans.difference import Change
from patchwindow.plans.state import DEFAULTS, FIXED, NAME_TAG, PLAN_TAG, Address, Kind


@dataclass(frozen=True, slots=True)
class Work:
    """What one carrying-out knows: whom it asks, for which plan, and the id of everything so far."""

    client: SsmClient
    plan_name: str
    predefined_ids: Mapping[str, str]
    ids: dict[Address, str] = field(default_factory=dict)

    def baseline_id(self, name: str) -> str:
        """Return the id of a baseline of the plan, or of a predefined one."""
        return self.ids.get(Address(Kind.BASELINE, (name,))) or self.predefined_ids[name]

    def window_id(self, address: Address) -> str:
        """Return the id of the window that a target or task is in."""
        return self.ids[Address(Kind.WINDOW, address.path[:1])]

    def tags(self, address: Address) -> list[dict[str, str]]:
        """Return the tags by which a later look knows what the plan has made."""
        return [{"Key": PLAN_TAG, "Value": self.plan_name}, {"Key": NAME_TAG, "Value": address.path[0]}]


def set_members(change: Change) -> dict[str, Any]:
    """Return the members that are set; one that holds its default need not be said."""
    defaults = DEFAULTS[change.address.kind]
    return {name: value for name, value in change.members.items() if value != defaults[name]}


def changed_members(change: Change) -> dict[str, Any]:
    """Return the request of an update: the changed members, or all where one of them must become absent.

    Without ``Replace``, a member that is not sent stays as it is, so only a replacement can take one away.
    """
    if any(change.members[name] is None for name in change.changed):
        fixed = FIXED[change.address.kind]
        return {name: value for name, value in set_members(change).items() if name not in fixed} | {"Replace": True}
    return {name: change.members[name] for name in change.changed}
