"""What comes along when one update is installed alone: an estimate from the relations of packages, without a solver.

A solver for each of a hundred updates would take minutes. What is told here explains which patches belong together and
which a rejected one keeps out; before anything is installed, the package manager's own solver has the last word.
Conditional relations (`(a if b)`) and conflicts are not looked at.
"""

import re
from collections import defaultdict
from typing import Callable, Iterable, Mapping, NamedTuple, Optional, Sequence, TypeVar

from patchwindow_agent import rpm_version
from patchwindow_agent.rpm_database import Links

_Owner = TypeVar("_Owner", int, str)
_RELATION = re.compile(r"(\S+)(?: ([<>=]+) (\S+))?")
# What rpm itself provides, and what holds for a kind of package and not for one.
_ALWAYS_THERE = ("rpmlib(", "config(")


class Relation(NamedTuple):
    """A name that is provided or required, with a version where one is given."""

    name: str
    operator: str = ""
    version: str = ""

    def meets(self, required: "Relation") -> bool:
        """Return whether what is provided here satisfies *required*."""
        return self.name == required.name and rpm_version.satisfies(self.version, required.operator, required.version)


class Update(NamedTuple):
    """An update with its relations; *replaces* is the key in the installed packages, None where it stands beside them."""

    version: str
    links: Links
    replaces: Optional[str]


class Along(NamedTuple):
    """What comes along with one update: indexes of other updates, and relations that nothing here satisfies."""

    pulls: Sequence[int]
    unmet: Sequence[str]


def relation(text: str) -> Optional[Relation]:
    """Return what *text* says, None where it is conditional or rpm's own affair."""
    match = _RELATION.fullmatch(text)
    if match is None or text.startswith(("(", *_ALWAYS_THERE)):
        return None
    return Relation(match[1], match[2] or "", match[3] or "")


def along(
    installed: Mapping[str, Links], updates: Sequence[Update], has_file: Callable[[str], bool]
) -> Sequence[Along]:
    """Return what comes directly along with each of *updates*, on a machine with *installed*."""
    here = _Here(installed, updates, has_file)
    return [here.with_update(index) for index in range(len(updates))]


class _Here:
    """The installed packages and the updates, by what they provide and require."""

    def __init__(
        self, installed: Mapping[str, Links], updates: Sequence[Update], has_file: Callable[[str], bool]
    ) -> None:
        self._updates = updates
        self._has_file = has_file
        self._provided = {key: _relations(links.provides) for key, links in installed.items()}
        self._providers = _by_name((key, self._provided[key]) for key in installed)
        self._requirers = _by_name((key, _relations(links.requires)) for key, links in installed.items())
        offered = [_relations(update.links.provides) for update in updates]
        self._offerers = _by_name(enumerate(offered))
        # A C library is required by everything there is, under dozens of names.
        self._offered = [_by_name([(index, relations)]) for index, relations in enumerate(offered)]
        self._updates_of: defaultdict[str, list[int]] = defaultdict(list)
        for index, update in enumerate(updates):
            if update.replaces is not None:
                self._updates_of[update.replaces].append(index)

    def with_update(self, index: int) -> Along:
        update = self._updates[index]
        pulls: set[int] = set()
        unmet: list[str] = []
        for required in _relations(update.links.requires):
            if self._is_met(required, index):
                continue
            found = [other for other, offered in self._offerers.get(required.name, ()) if offered.meets(required)]
            if found:
                pulls.add(self._best(found, update.version))
            else:
                unmet.append(" ".join(filter(None, required)))
        if update.replaces is not None:
            pulls |= self._left_behind(update.replaces, index)
        return Along(sorted(pulls - {index}), unmet)

    def _left_behind(self, replaced: str, index: int) -> set[int]:
        """Return the updates of packages that need what goes with *replaced*, as those of one source do."""
        found = set()
        for provided in self._provided.get(replaced, ()):
            for requirer, required in self._requirers.get(provided.name, ()):
                is_needed = requirer != replaced and provided.meets(required) and not self._is_met(required, index)
                if is_needed and self._updates_of[requirer]:
                    found.add(self._best(self._updates_of[requirer], self._updates[index].version))
        return found

    def _is_met(self, required: Relation, index: int) -> bool:
        """Return whether *required* holds once the update is installed alone."""
        if any(offered.meets(required) for _, offered in self._offered[index].get(required.name, ())):
            return True
        replaced = self._updates[index].replaces
        providers = self._providers.get(required.name, ())
        if any(key != replaced and provided.meets(required) for key, provided in providers):
            return True
        return required.name.startswith("/") and self._has_file(required.name)

    def _best(self, indexes: Sequence[int], version: str) -> int:
        """Return the one of *version*, which is of the same source as a rule, else the newest."""
        same = [index for index in indexes if self._updates[index].version == version]
        return same[0] if same else max(indexes, key=lambda index: rpm_version.sort_key(self._updates[index].version))


def _relations(texts: Iterable[str]) -> list[Relation]:
    return [found for text in texts if (found := relation(text)) is not None]


def _by_name(owned: "Iterable[tuple[_Owner, Sequence[Relation]]]") -> "dict[str, list[tuple[_Owner, Relation]]]":
    found: dict[str, list[tuple[_Owner, Relation]]] = {}
    for owner, relations in owned:
        for one in relations:
            found.setdefault(one.name, []).append((owner, one))
    return found
