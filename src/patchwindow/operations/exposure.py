"""GetExposure: how long nodes have lacked security patches, and which patches make most of it."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from patchwindow.domain.exposure import AGES, Hole, by_weight, exposure, is_security, lacked
from patchwindow.domain.fleet_patches import FleetPatch
from patchwindow.domain.node import CONNECTION_LOST_AFTER
from patchwindow.operations import retention
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.catalog_join import NOTHING, Known, known_of
from patchwindow.operations.patches import listing_in
from patchwindow.protocol.records import from_ms
from patchwindow.store.work import Work

_PAGE: Final = 50
_Key = tuple[str, str]


def get_exposure(call: Call, request: Request) -> Answer:
    """GetExposure: by the last scan of each node that is recent, while the node is heard of."""
    today = call.now.astimezone(UTC).date()
    counts, total_count = _known_nodes(call.work, call.now)
    evaluated = [one for one in call.work.fleet_patches.evaluated() if counts[one.evaluation_id]]
    lacking = {one.evaluation_id: list(lacked(listing_in(call.work, one))) for one in evaluated}
    seen: dict[FleetPatch, int] = {}
    for one in evaluated:
        for patch in lacking[one.evaluation_id]:
            seen[patch] = min(seen.get(patch, one.first_seen_ms), one.first_seen_ms)
    known = known_of(call.work, {patch.catalog_key for patch in seen})
    holes = _holes(seen, known)
    by_node = [
        ([holes[p] for p in lacking[one.evaluation_id] if p in holes], counts[one.evaluation_id]) for one in evaluated
    ]
    node_counts: Counter[Hole] = Counter()
    for some, node_count in by_node:
        for hole in some:
            node_counts[hole] += node_count
    found = exposure(by_node, today)
    known_count = counts.total()
    ordered = by_weight(node_counts)
    return {
        "InstanceCount": total_count,
        "UnknownCount": total_count - known_count,
        "NoneMissingCount": known_count - sum(found.by_age),
        "Ages": [
            {"FromDays": least, **({"BelowDays": beyond} if beyond else {}), "InstanceCount": count}
            for least, beyond, count in zip(AGES, (*AGES[1:], None), found.by_age, strict=True)
        ],
        "ExploitedInstanceCount": found.exploited_count,
        "OverdueInstanceCount": found.overdue_count,
        "PatchCount": len(ordered),
        "Patches": [
            _members(hole, count, known.get(hole.patch.catalog_key, NOTHING))
            for hole, count in ordered[: request.get("MaxResults") or _PAGE]
        ],
    }


def _known_nodes(work: Work, now: datetime) -> tuple[Counter[str], int]:
    """Return how many nodes have been scanned lately and are heard of, by evaluation; and how many there are in all."""
    stale_before = now - retention.of(work).stale_after
    cohorts = work.fleet.cohorts()
    counts: Counter[str] = Counter()
    total_count = sum(one.node_count for one in work.fleet.never_scanned())
    for one in work.fleet.scanned(stale_before=stale_before):
        counts[cohorts[one.cohort_id].evaluation_id] += one.node_count - one.stale_count
        total_count += one.node_count
    for one in work.fleet.scanned_but_lost(stale_before=stale_before, lost_before=now - CONNECTION_LOST_AFTER):
        counts[cohorts[one.cohort_id].evaluation_id] -= one.node_count - one.stale_count
    return counts, total_count


def _holes(seen: Mapping[FleetPatch, int], known: Mapping[tuple[str, str, str], Known]) -> dict[FleetPatch, Hole]:
    """Return the security patches of *seen*; those that are one patch in a fleet are one hole."""
    alike: defaultdict[_Key, list[FleetPatch]] = defaultdict(list)
    for patch in seen:
        told = known.get(patch.catalog_key, NOTHING)
        if is_security(patch.classification or told.classification, (*patch.cve_ids, *told.cve_ids)):
            alike[patch.key].append(patch)
    found: dict[FleetPatch, Hole] = {}
    for patches in alike.values():
        each = [known.get(patch.catalog_key, NOTHING) for patch in patches]
        richest = max(patches, key=lambda patch: patch.richness)
        due = [date.fromisoformat(cve.due_on) for one in each for cve in one.exploited if cve.due_on]
        hole = Hole(
            patch=richest,
            since=min(_since(one, seen[patch]) for one, patch in zip(each, patches, strict=True)),
            is_exploited=any(one.exploited for one in each),
            due_on=min(due, default=None),
        )
        found.update(dict.fromkeys(patches, hole))
    return found


def _since(known: Known, first_seen_ms: int) -> date:
    """Return since when the patch could be had: its notice says so, or else a node was the first to report it."""
    return known.published_on or (known.first_seen_at or from_ms(first_seen_ms)).astimezone(UTC).date()


def _members(hole: Hole, node_count: int, known: Known) -> dict[str, Any]:
    patch = hole.patch
    return {
        "Title": patch.title,
        "Product": patch.product,
        "Classification": patch.classification or known.classification,
        "Severity": patch.severity or known.severity,
        **known.members(),
        "CVEIds": list(patch.cve_ids or known.cve_ids),
        "Since": hole.since.isoformat(),
        "SinceIsPublished": known.published_on is not None,
        "InstanceCount": node_count,
    }
