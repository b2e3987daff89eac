"""What a baseline that is only proposed would mean for the nodes that would follow it."""

from collections import Counter
from datetime import UTC
from typing import Any, Final

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.baseline_check import check
from patchwindow.domain.errors import NotFound
from patchwindow.domain.preview import Preview, preview
from patchwindow.operations.call import Answer, Call, Request, bare_id
from patchwindow.operations.cohorts import baseline_of
from patchwindow.operations.evaluations import evaluation_by, facts_of
from patchwindow.protocol.records import from_members
from patchwindow.store.cohorts import Cohort
from patchwindow.store.work import Work

# How many titles are named of those that change; the others are counted.
_TITLES_MAX: Final = 100
# It is none, and is never looked up; whatever is known of baselines by their ids knows nothing of this one.
_PROPOSED: Final = "pb-00000000000000000"


def preview_baseline(call: Call, request: Request) -> Answer:
    """PreviewBaseline: by patch group, from the facts of the nodes' last scans; nothing is changed.

    Raises:
        Invalid: no baseline can be as it is proposed.
        NotFound: the one that it would take the place of does not exist.
    """
    replaced = call.work.baselines.get(bare_id(request["BaselineId"])) if "BaselineId" in request else None
    proposed = from_members(
        Baseline,
        {"Name": "proposed", **request["Baseline"]},
        baseline_id=_PROPOSED,
        # What a tag says of the one that is replaced is said of the other as well.
        approves_by_first_seen=None if replaced is None else replaced.baseline.approves_by_first_seen,
    )
    check(proposed)
    if "BaselineId" in request and replaced is None:
        raise NotFound(f"baseline {request['BaselineId']} does not exist; leave BaselineId out, or name one that does")
    counts = _node_counts(call)
    groups: dict[str, list[Cohort]] = {}
    for cohort in call.work.cohorts.with_nodes():
        if counts[cohort.cohort_id] and _would_follow(call.work, cohort, proposed, request):
            groups.setdefault(cohort.key.patch_group, []).append(cohort)
    shown = [
        {"PatchGroup": name, **_members(_preview(call, cohorts, proposed, counts))}
        for name, cohorts in sorted(groups.items())
    ]
    return {"InstanceCount": sum(group["InstanceCount"] for group in shown), "Groups": shown}


def _node_counts(call: Call) -> Counter[str]:
    counts: Counter[str] = Counter()
    for one in call.work.fleet.scanned(stale_before=call.now):
        counts[one.cohort_id] += one.node_count
    return counts


def _would_follow(work: Work, cohort: Cohort, proposed: Baseline, request: Request) -> bool:
    """Say whether the nodes of *cohort* follow the baseline that is replaced, or would be given the proposed one."""
    key = cohort.key
    if key.operating_system != proposed.operating_system:
        return False
    if "BaselineId" in request and cohort.baseline_id == bare_id(request["BaselineId"]):
        return True
    if key.patch_group and key.patch_group in request.get("PatchGroups", ()):
        return True
    has_own = bool(key.patch_group) and work.patch_groups.baseline_of(key.patch_group, key.operating_system) is not None
    return bool(request.get("IsDefault")) and not has_own


def _preview(call: Call, cohorts: list[Cohort], proposed: Baseline, counts: Counter[str]) -> Preview:
    today = call.now.astimezone(UTC).date()

    def both(cohort: Cohort) -> Any:
        digest, overlay = cohort.key.facts_digest, cohort.key.overlay
        facts = facts_of(call.work, digest)
        now = baseline_of(call.work, cohort.key.operating_system, cohort.key.patch_group).baseline
        return (
            evaluation_by(call.work, facts, digest, now, today, overlay=overlay),
            evaluation_by(call.work, facts, digest, proposed, today, overlay=overlay),
            counts[cohort.cohort_id],
        )

    return preview(both(cohort) for cohort in cohorts)


def _members(found: Preview) -> dict[str, Any]:
    return {
        "InstanceCount": found.node_count,
        "NewlyApprovedCount": len(found.approved),
        "NewlyApproved": _titles(found.approved),
        "NoLongerApprovedCount": len(found.no_longer),
        "NoLongerApproved": _titles(found.no_longer),
    }


def _titles(counts: Counter[str]) -> list[dict[str, Any]]:
    """Return those of the most nodes first, and by title where they are of as many."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"Title": title, "InstanceCount": count} for title, count in ordered[:_TITLES_MAX]]
