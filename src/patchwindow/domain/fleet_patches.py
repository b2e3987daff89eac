"""The patches of a whole fleet: which there are, and on how many nodes each is in which state.

Nodes of which one evaluation is true have the same patches in the same states, so nodes are counted by evaluation:
what this costs grows with the variety of a fleet, not with its size.
"""

import functools
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final
from weakref import WeakValueDictionary

from patchwindow.domain.facts import Facts
from patchwindow.domain.named_patches import NodePatch, Standing
from patchwindow.domain.operating_system import product
from patchwindow.domain.patch import Patch

Key = tuple[str, str]
"""Title and product: what is one patch in a fleet."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class FleetPatch:
    """A patch as nodes tell of it; what a publisher does not say is empty.  Equal ones are one object, as a rule.

    *name* is that under which notices name it: the package, or the KB.
    """

    title: str
    product: str
    operating_system: str
    name: str
    kb_id: str
    classification: str
    severity: str
    cve_ids: tuple[str, ...]

    @property
    def key(self) -> Key:
        return self.title, self.product

    @property
    def catalog_key(self) -> tuple[str, str, str]:
        """Return under what the catalogue has it."""
        return self.operating_system, self.title, self.product

    @property
    def richness(self) -> tuple[bool, bool, int]:
        """Return how much is known of it: nodes with other sources may know more."""
        return bool(self.classification), bool(self.severity), len(self.cve_ids)


@dataclass(frozen=True, slots=True)
class Listing:
    """The patches of all nodes of one evaluation, each once, and beside each the place of its state in `STANDINGS`."""

    # There are thousands of these in memory, so that they are kept short.

    patches: tuple[FleetPatch, ...]
    places: bytes

    def of(self, title: str, product: str | None) -> Standing | None:
        """Return the state of the patch, `None` where the nodes have none of this title."""
        for patch, place in zip(self.patches, self.places, strict=True):
            if patch.title == title and product in (None, patch.product):
                return STANDINGS[place]
        return None


@dataclass(slots=True)
class Tally:
    """A patch, the number of its nodes by state, and when a node first reported facts that have it."""

    patch: FleetPatch
    first_seen_ms: int
    counts: Counter[Standing]


STANDINGS: Final = tuple(Standing)
_PLACES: Final = {standing: place for place, standing in enumerate(STANDINGS)}

_Words = tuple[str, str, str, str, str, str, str, tuple[str, ...]]
_words: Final = attrgetter(*FleetPatch.__annotations__)
# Most patches are on nodes of many evaluations, whose listings share them.
_known: WeakValueDictionary[_Words, FleetPatch] = WeakValueDictionary()


def listing(facts: Facts, patches: Iterable[NodePatch]) -> Listing:
    """Return the listing of nodes with *facts*, whose patches are *patches*; of two that are alike, the first."""
    system = facts.operating_system
    product_name = product(system, facts.os.version_id) if system else facts.os.name
    found: dict[str, tuple[FleetPatch, int]] = {}
    for one in patches:
        patch = _shared(one.readings[0], product_name, system or "")
        if patch.title not in found:
            found[patch.title] = patch, _PLACES[one.standing]
    return Listing(tuple(patch for patch, _ in found.values()), bytes(place for _, place in found.values()))


def dump(patches: Iterable[FleetPatch]) -> str:
    """Return *patches* as text, of which `load` makes the same objects."""
    return json.dumps(list(map(_words, patches)), separators=(",", ":"))


def load(text: str) -> tuple[FleetPatch, ...]:
    """Return the patches that `dump` wrote."""
    return tuple(_known_as((*words, tuple(cve_ids))) for *words, cve_ids in json.loads(text))


def tally(groups: Iterable[tuple[Listing, int, int]]) -> list[Tally]:
    """Return the patches of all *groups* in order: each has a listing, so many nodes, and when its facts came first."""
    counted: dict[FleetPatch, list[int]] = {}
    # Evaluations of the same facts have the same patches in the same order, which are looked up once.
    alike: dict[tuple[FleetPatch, ...], tuple[list[list[int]], int]] = {}
    for one, node_count, first_seen_ms in groups:
        known = alike.get(one.patches)
        if known is None or first_seen_ms < known[1]:
            known = alike[one.patches] = [_row(counted, patch, first_seen_ms) for patch in one.patches], first_seen_ms
        for row, place in zip(known[0], one.places, strict=True):
            row[place] += node_count
    return _merged(counted)


def _row(counted: dict[FleetPatch, list[int]], patch: FleetPatch, first_seen_ms: int) -> list[int]:
    """Return the counts of *patch* by place, beyond which stands when it came first."""
    row = counted.get(patch)
    if row is None:
        row = counted[patch] = [*_ZEROS, first_seen_ms]
    row[-1] = min(row[-1], first_seen_ms)
    return row


def _merged(counted: Mapping[FleetPatch, Sequence[int]]) -> list[Tally]:
    tallies: dict[Key, Tally] = {}
    for patch, row in counted.items():
        counts = Counter({standing: count for standing, count in zip(STANDINGS, row, strict=False) if count})
        known = tallies.setdefault(patch.key, Tally(patch, row[-1], counts))
        if known.patch is patch:
            continue
        known.counts += counts
        known.first_seen_ms = min(known.first_seen_ms, row[-1])
        if patch.richness > known.patch.richness:
            known.patch = patch
    return [tallies[key] for key in sorted(tallies)]


_ZEROS: Final = (0,) * len(STANDINGS)


# Evaluations of one fleet have most of their patches in common, which `facts_patches.py` makes but once.
@functools.lru_cache(maxsize=65_536)
def _shared(patch: Patch, product_name: str, system: str) -> FleetPatch:
    return _known_as(
        (
            patch.title,
            patch.product or product_name,
            system,
            patch.kb_number or patch.name,
            patch.kb_id,
            patch.classification,
            patch.severity,
            patch.cve_ids,
        )
    )


def _known_as(words: _Words) -> FleetPatch:
    known = _known.get(words)
    if known is None:
        known = _known[words] = FleetPatch(*words)
    return known
