"""What a plan calls a resource: by its tags where the plan has made it, and, to write a plan of it, by its own name."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from patchwindow.plans.state import NAME_TAG, PLAN_TAG, Kind

NameOf = Callable[[Kind, Mapping[str, str], str], str | None]
"""From kind, tags and the API's own name to the name in the plan; None for what is somebody else's."""

_LEAST: Final = 3
_MOST: Final = 128


def made_by(plan_name: str) -> NameOf:
    """Return what knows the resources that the plan has made, by their tags alone."""

    def name_of(_kind: Kind, tags: Mapping[str, str], _own_name: str) -> str | None:
        return tags.get(NAME_TAG) if tags.get(PLAN_TAG) == plan_name else None

    return name_of


@dataclass(frozen=True, slots=True)
class Adopting:
    """Names what a plan has made as it does, and what no plan has made by its own name; *others* counts the rest."""

    plan_name: str
    others: Counter[str] = field(default_factory=Counter)
    taken: set[tuple[Kind, str]] = field(default_factory=set)

    def __call__(self, kind: Kind, tags: Mapping[str, str], own_name: str) -> str | None:
        """Return the name in the plan, one that no other resource of this kind has."""
        plan = tags.get(PLAN_TAG)
        if plan not in {None, self.plan_name}:
            self.others[plan or ""] += 1
            return None
        name = wanted = tags.get(NAME_TAG, _possible(own_name)) if plan else _possible(own_name)
        number = 1
        while (kind, name) in self.taken:
            number += 1
            name = f"{wanted[: _MOST - len(str(number)) - 1]}-{number}"
        self.taken.add((kind, name))
        return name


def _possible(name: str) -> str:
    """Return *name* as a plan may write it."""
    return re.sub(r"[^a-zA-Z0-9_\-.]", "-", name)[:_MOST].ljust(_LEAST, "-")
