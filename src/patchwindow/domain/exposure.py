"""How long nodes have been exposed: the age of their oldest security patch that is approved and not installed."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from patchwindow.domain.fleet_patches import STANDINGS, FleetPatch, Listing
from patchwindow.domain.named_patches import Standing
from patchwindow.domain.patch_state import is_security_class

AGES: Final = (0, 7, 14, 30, 90)
"""From how many days on an age is counted; the last one has no end."""

# Approved, and not on the node.
_LACKED: Final = frozenset({Standing.MISSING, Standing.FAILED})
# There are thousands of places in a listing, and few of them are of patches that are lacked.
_LACKED_PLACES: Final = re.compile(
    b"[" + re.escape(bytes(place for place, one in enumerate(STANDINGS) if one in _LACKED)) + b"]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A security patch that nodes lack: since when they could have had it, and what is known to be exploited."""

    patch: FleetPatch
    since: date
    is_exploited: bool
    due_on: date | None


@dataclass(slots=True, kw_only=True)
class Exposure:
    """How many nodes lack something, by the age of the oldest, and by what it means."""

    by_age: list[int]
    exploited_count: int = 0
    """Nodes that lack a patch of what is known to be exploited."""
    overdue_count: int = 0
    """Of these, nodes on which one should have been installed before today."""


def lacked(listing: Listing) -> Iterator[FleetPatch]:
    """Yield the patches of *listing* that are approved and not installed."""
    for found in _LACKED_PLACES.finditer(listing.places):
        yield listing.patches[found.start()]


def is_security(classification: str, cve_ids: Collection[str]) -> bool:
    """Return whether a patch counts as one of security: by its class, or since it closes a CVE."""
    return bool(cve_ids) or is_security_class(classification)


def age_of(since: date, today: date) -> int:
    """Return the place in `AGES` of what is known since *since*; what is dated ahead is new."""
    days = (today - since).days
    return max((place for place, least in enumerate(AGES) if days >= least), default=0)


def exposure(lacking: Collection[tuple[Collection[Hole], int]], today: date) -> Exposure:
    """Return how exposed nodes are: each entry is what so many nodes lack."""
    found = Exposure(by_age=[0] * len(AGES))
    for holes, node_count in lacking:
        if not holes:
            continue
        found.by_age[age_of(min(hole.since for hole in holes), today)] += node_count
        exploited = [hole for hole in holes if hole.is_exploited]
        found.exploited_count += node_count if exploited else 0
        if any(hole.due_on is not None and hole.due_on < today for hole in exploited):
            found.overdue_count += node_count
    return found


def by_weight(counts: Mapping[Hole, int]) -> list[tuple[Hole, int]]:
    """Return what nodes lack with how many do: what is exploited first, by when it is due, then what most nodes lack."""
    return sorted(
        counts.items(),
        key=lambda pair: (
            not pair[0].is_exploited,
            (pair[0].due_on or date.max) if pair[0].is_exploited else date.max,
            -pair[1],
            pair[0].since,
            pair[0].patch.key,
        ),
    )
