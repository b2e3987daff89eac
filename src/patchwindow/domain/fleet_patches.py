"""The patches of a whole fleet: which there are, and on how many nodes each is in which state.

Nodes of which one evaluation is true have the same patches in the same states, so nodes are counted by evaluation:
what this costs grows with the variety of a fleet, not with its size.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from patchwindow.domain.facts import Facts
from patchwindow.domain.named_patches import NodePatch, Standing
from patchwindow.domain.operating_system import product

Key = tuple[str, str]
"""Title and product: what is one patch in a fleet."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class FleetPatch:
    """A patch as lists tell of it; what a publisher does not say is empty."""

    title: str
    product: str
    kb_id: str
    classification: str
    severity: str
    cve_ids: tuple[str, ...]

    @property
    def key(self) -> Key:
        return self.title, self.product

    @property
    def richness(self) -> tuple[bool, bool, int]:
        """Return how much is known of it: nodes with other sources may know more."""
        return bool(self.classification), bool(self.severity), len(self.cve_ids)


Listing = Mapping[Key, tuple[FleetPatch, Standing]]
"""The patches of all nodes of one evaluation, each once."""


@dataclass(slots=True)
class Tally:
    """A patch, the number of its nodes by state, and when a node first reported facts that have it."""

    patch: FleetPatch
    first_seen_ms: int
    counts: Counter[Standing] = field(default_factory=Counter)


_Words = tuple[str, str, str, str, str, tuple[str, ...]]
# Most patches are on nodes of many evaluations, whose listings share them.
_known: WeakValueDictionary[_Words, FleetPatch] = WeakValueDictionary()


def listing(facts: Facts, patches: Iterable[NodePatch]) -> Listing:
    """Return the listing of nodes with *facts*, whose patches are *patches*; of two that are alike, the first."""
    system = facts.operating_system
    product_name = product(system, facts.os.version_id) if system else facts.os.name
    found: dict[Key, tuple[FleetPatch, Standing]] = {}
    for one in patches:
        patch = _shared(one, product_name)
        found.setdefault(patch.key, (patch, one.standing))
    return found


def tally(groups: Iterable[tuple[Listing, int, int]]) -> list[Tally]:
    """Return the patches of all *groups* in order: each has a listing, so many nodes, and when its facts came first."""
    tallies: dict[Key, Tally] = {}
    for patches, node_count, first_seen_ms in groups:
        for key, (patch, standing) in patches.items():
            one = tallies.get(key)
            if one is None:
                one = tallies[key] = Tally(patch, first_seen_ms)
            elif patch is not one.patch and patch.richness > one.patch.richness:
                one.patch = patch
            one.counts[standing] += node_count
            one.first_seen_ms = min(one.first_seen_ms, first_seen_ms)
    return [tallies[key] for key in sorted(tallies)]


def _shared(one: NodePatch, product_name: str) -> FleetPatch:
    patch = one.readings[0]
    words = (patch.title, product_name, patch.kb_id, patch.classification, patch.severity, patch.cve_ids)
    known = _known.get(words)
    if known is None:
        known = _known[words] = FleetPatch(*words)
    return known
