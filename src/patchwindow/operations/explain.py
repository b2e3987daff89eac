"""Why a patch is in its state on a node: all that decided, from the same facts and baseline as every other view."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.decision import APPROVING, Decide, Decision, DecisionStatus, compile_baseline
from patchwindow.domain.errors import NotFound
from patchwindow.domain.evaluation import Evaluation, patches_to_judge
from patchwindow.domain.explanation import explain
from patchwindow.domain.facts_patches import Patches, verdict
from patchwindow.domain.named_patches import NodePatch, by_urgency, named, near, node_patches
from patchwindow.domain.patch_group import group_of
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.catalog_join import NOTHING, Known, known_of
from patchwindow.operations.evaluations import evaluation_of, facts_of
from patchwindow.operations.explanation_members import decision_members
from patchwindow.operations.first_sight import first_seen
from patchwindow.operations.judged_by import baseline_members, evaluation_members, override_members
from patchwindow.operations.node_patching import INSTALL, SCAN, Patching, next_opening, patching_of
from patchwindow.operations.nodes import stored
from patchwindow.operations.tags import NODE
from patchwindow.store.patch_states import PatchState

_PATCHES_MAX: Final = 50
_TICK: Final = timedelta(milliseconds=1)
_TO_COME: Final = APPROVING | {DecisionStatus.PENDING_APPROVAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Basis:
    """What a node was judged by, and what came of it."""

    baseline: Baseline
    day: date
    patches: Patches
    evaluation: Evaluation
    decide: Decide


def explain_patch(call: Call, request: Request) -> Answer:
    """ExplainPatch: of what a node has under that name; from the facts of its last operation."""
    node_id = stored(call, request["InstanceId"]).instance_id
    state = call.work.patch_states.get(node_id)
    if state is None:
        raise NotFound(f"node {node_id} has not been scanned, so nothing is known of its patches; scan it first")
    basis = _basis(call, state)
    patches = list(node_patches(basis.patches, basis.evaluation))
    found = named(patches, request["Patch"]) or _by_catalog(call, basis, patches, request["Patch"])
    if not found:
        raise NotFound(_unknown(node_id, request["Patch"], near(patches, request["Patch"])))
    group = group_of(call.work.tags.of(NODE, node_id))
    patching = patching_of(call, node_id)
    known = known_of(call.work, {_key(basis, one) for one in found[:_PATCHES_MAX]})
    coming = {
        "NextScan": next_opening(patching, SCAN, call.now),
        "NextInstall": next_opening(patching, INSTALL, call.now),
    }
    return {
        "InstanceId": node_id,
        "OperatingSystem": str(basis.baseline.operating_system),
        "PatchGroup": group,
        "Baseline": baseline_members(call, state, basis.baseline, group),
        "Override": override_members(state),
        "Evaluation": evaluation_members(call, state, basis.day),
        "Patches": [
            _explained(call, one, basis, state.installed_at, patching)
            | _known_members(one, known.get(_key(basis, one)))
            for one in found[:_PATCHES_MAX]
        ],
        "MatchCount": len(found),
        **{name: opening.members() for name, opening in coming.items() if opening is not None},
    }


def _basis(call: Call, state: PatchState) -> _Basis:
    baseline = call.work.baselines.revision(state.summary.baseline_id, state.baseline_revision)
    assert baseline is not None, "revisions are never deleted"
    day, facts = _day(call, state), facts_of(call.work, state.facts_digest)
    return _Basis(
        baseline=baseline,
        day=day,
        patches=patches_to_judge(facts, baseline, day, first_seen(call.work, baseline, facts)),
        evaluation=evaluation_of(call.work, state),
        decide=compile_baseline(baseline),
    )


def _day(call: Call, state: PatchState) -> date:
    """Return the last day until now of which the evaluation is true, so that days that are left are counted from it."""
    until = call.work.evaluations.get(state.evaluation_id).until
    today = call.now.astimezone(UTC).date()
    last = today if until is None else min(today, until - timedelta(days=1))
    return max(last, state.evaluated_on)


def _by_catalog(call: Call, basis: _Basis, patches: Sequence[NodePatch], term: str) -> list[NodePatch]:
    """Return the patches that imported notices join with *term*, a CVE or an advisory, where nodes do not tell it."""
    wanted = term.strip().upper()
    names = call.work.catalog.names_of({wanted, term.strip()})
    candidates = [one for one in patches if (one.readings[0].kb_number or one.readings[0].name) in names]
    known = known_of(call.work, {_key(basis, one) for one in candidates})

    def is_about(one: NodePatch) -> bool:
        told = known.get(_key(basis, one), NOTHING)
        return wanted in (id.upper() for id in (*told.cve_ids, *told.advisory_ids))

    return by_urgency(filter(is_about, candidates))


def _key(basis: _Basis, one: NodePatch) -> tuple[str, str, str]:
    patch = one.readings[0]
    return basis.baseline.operating_system, patch.title, patch.product


def _known_members(one: NodePatch, known: Known | None) -> dict[str, Any]:
    if known is None:
        return {}
    patch = one.readings[0]
    told = {"CVEIds": list(patch.cve_ids), "AdvisoryIds": list(patch.advisory_ids)}
    added = known.members() | {name: ids for name, ids in told.items() if ids}
    return {**added, "FirstSeen": known.first_seen_at}


def _explained(
    call: Call, one: NodePatch, basis: _Basis, installed_at: Sequence[int], patching: Sequence[Patching]
) -> dict[str, Any]:
    patch, decision = verdict(one.readings, basis.day, basis.decide)
    explanation = explain(patch, basis.baseline, basis.day)
    status = None if one.entry is None else basis.evaluation.compliance_of(one.entry)
    opening = _install(call, decision, patching) if one.is_offered else None
    return {
        "Title": patch.title,
        "KBId": patch.kb_id,
        "Classification": patch.classification,
        "Severity": patch.severity,
        "Source": patch.repository,
        "CVEIds": list(patch.cve_ids),
        "AdvisoryIds": list(patch.advisory_ids),
        "State": str(one.standing),
        "ComplianceStatus": None if status is None else str(status),
        "Reason": one.reason(decision),
        "InstalledTime": _installed_time(one, installed_at),
        "ComesWith": [] if one.passed is None else list(one.passed.comes_with),
        "Decision": decision_members(decision, explanation),
        "NextInstall": opening,
    }


def _install(call: Call, decision: Decision, patching: Sequence[Patching]) -> dict[str, Any] | None:
    """Return the first opening that could install what was decided about so: a day approves from its beginning."""
    if decision.status not in _TO_COME:
        return None
    after = call.now
    if decision.approval_date is not None:
        after = max(after, datetime.combine(decision.approval_date, time(), UTC) - _TICK)
    opening = next_opening(patching, INSTALL, after)
    return None if opening is None else opening.members()


def _installed_time(one: NodePatch, installed_at: Sequence[int]) -> datetime | None:
    index = None if one.entry is None else one.entry.package_index
    return datetime.fromtimestamp(installed_at[index], UTC) if index is not None and installed_at[index] else None


def _unknown(node_id: str, term: str, names: Sequence[str]) -> str:
    what = (
        f"node {node_id} has no patch {term!r}: none of that title, KBId, name, CVE or advisory is installed or offered"
    )
    return f"{what}; near it in name: {', '.join(names)}" if names else f"{what}; check how it is written"
