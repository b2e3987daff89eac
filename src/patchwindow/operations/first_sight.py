"""Approval by first sight: on apt systems, whose lists carry no dates, a baseline may count from when a node first
reported a version.  A tag of ours on the baseline says so, since the API has no member for it.
"""

import dataclasses
from collections.abc import Collection
from datetime import date
from typing import Final

from patchwindow.domain.approval_date import DATELESS
from patchwindow.domain.baseline import Baseline
from patchwindow.domain.baseline_check import check
from patchwindow.domain.errors import Invalid
from patchwindow.domain.facts import Facts
from patchwindow.domain.facts_patches import FirstSeen, Readings, patches_of, sighting
from patchwindow.domain.operating_system import FAMILIES, OperatingSystem
from patchwindow.operations.call import Call
from patchwindow.store.work import Work

TAG: Final = "patchwindow:ApproveByFirstSeen"

_MEANINGS: Final = {"true": True, "false": None}
_NONE: Final[FirstSeen] = {}


def note_tags(call: Call, resource_type: str, resource_id: str, keys: Collection[str]) -> None:
    """Let a baseline whose tags under *keys* have changed go by first sight, or not any more, as they now say.

    Raises:
        Invalid: the tag has another value than true and false, or the baseline is for a system that has dates.
    """
    if resource_type != "PatchBaseline" or TAG not in keys:
        return
    stored = call.work.baselines.lock(resource_id)
    assert stored is not None, "only what is there is tagged"
    written = call.work.tags.of(resource_type, resource_id).get(TAG, "false")
    if written not in _MEANINGS:
        raise Invalid(
            f"tag {TAG} is {written!r}; it says whether the baseline goes by first sight: write true or false"
        )
    changed = dataclasses.replace(stored.baseline, approves_by_first_seen=_MEANINGS[written])
    check(changed)
    call.work.baselines.put(changed, owner=stored.owner)


def goes_by_first_sight(baseline: Baseline) -> bool:
    """Return whether *baseline* counts from when a node first reported a version."""
    return bool(baseline.approves_by_first_seen) and FAMILIES[baseline.operating_system] in DATELESS


def first_seen(work: Work, baseline: Baseline, facts: Facts) -> FirstSeen:
    """Return when the patches of *facts* were first reported by any node, where *baseline* counts from that.

    The ledger has the patches of facts before these are evaluated, and what it has of them never changes.
    """
    if not goes_by_first_sight(baseline):
        return _NONE
    patches = patches_of(facts)
    readings = [*patches.installed, *patches.offered, *patches.added]
    return sights(work, baseline.operating_system, readings)


def sights(work: Work, system: OperatingSystem, readings: Collection[Readings]) -> dict[tuple[str, str, str], date]:
    """Return when each of *readings* was first reported by any node; those that never were are left out."""
    patches = [several[0] for several in readings]
    found = work.catalog.first_seen(system, {patch.title for patch in patches})
    return {
        sighting(patch): at.date()
        for patch in patches
        if (at := found.get((patch.repository, patch.title))) is not None
    }
