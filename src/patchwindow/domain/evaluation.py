"""What facts and a baseline make of a node: the state of each patch, and the counts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from patchwindow.domain.baseline import Baseline, ComplianceLevel, PatchAction
from patchwindow.domain.debian_version import sort_key
from patchwindow.domain.decision import Decide, Decision, DecisionStatus, compile_baseline
from patchwindow.domain.facts import Facts, Update, patches_of
from patchwindow.domain.patch import Patch
from patchwindow.domain.patch_state import Counts, PatchEntry, PatchState, counts

_NOTHING: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """An update that is offered and not wanted: it is not missing, and *decision* says why."""

    title: str
    kb_id: str
    source: str
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All patches of a node by title, their counts, and the updates that the baseline lets pass."""

    entries: tuple[PatchEntry, ...]
    passed: tuple[Passed, ...]
    counts: Counts


def evaluate(
    facts: Facts,
    baseline: Baseline,
    today: date,
    *,
    pending_reboot: Collection[str] = (),
    failed: Mapping[str, str] = _NOTHING,
    decide: Decide | None = None,
) -> Evaluation:
    """Return what *baseline* makes of a node with *facts* on *today*, a day in UTC.

    Every installed package is one entry, as what it is now, and every approved update one more: the version that is
    installed says nothing of the version that is missing.

    *pending_reboot* has the titles of what was installed without the reboot that should have followed, and *failed*
    the titles that the last operation could not install, with the reason.  *decide* is the compiled baseline, where
    the caller has it.
    """
    decide = decide or compile_baseline(baseline)
    patches = patches_of(facts)
    entries = [
        _installed(patch, index, decide(patch, today), baseline.rejected_patches_action, pending_reboot)
        for index, patch in enumerate(patches.installed)
    ]
    wanted: dict[str, tuple[Patch, Update, Decision]] = {}
    passed: list[Passed] = []
    for patch, update in zip(patches.offered, facts.updates, strict=True):
        decision = decide(patch, today)
        if not decision.is_approved:
            passed.append(Passed(title=patch.title, kb_id=patch.kb_id, source=patch.repository, decision=decision))
        # Of several approved versions of one package, the API considers only the newest.
        elif (other := wanted.get(patch.kb_id)) is None or sort_key(other[0].version) < sort_key(patch.version):
            wanted[patch.kb_id] = patch, update, decision
    entries += [_missing(patch, update, decision, failed) for patch, update, decision in wanted.values()]
    return Evaluation(
        entries=tuple(sorted(entries, key=lambda entry: (entry.title, entry.state))),
        passed=tuple(sorted(passed, key=lambda update: update.title)),
        counts=counts(entries, not_applicable_count=_not_applicable_count(facts, baseline)),
    )


def _installed(
    patch: Patch, index: int, decision: Decision, action: PatchAction, pending_reboot: Collection[str]
) -> PatchEntry:
    state, reason = _installed_state(patch, decision, action, pending_reboot)
    # What is beside the baseline has no level of the baseline.
    is_beside = state is PatchState.INSTALLED_OTHER
    return PatchEntry(
        title=patch.title,
        kb_id=patch.kb_id,
        classification=patch.classification,
        severity=patch.severity,
        state=state,
        compliance_level=ComplianceLevel.UNSPECIFIED if is_beside else decision.compliance_level,
        reason=reason,
        source=patch.repository,
        package_index=index,
    )


def _installed_state(
    patch: Patch, decision: Decision, action: PatchAction, pending_reboot: Collection[str]
) -> tuple[PatchState, str]:
    is_rejected = decision.status is DecisionStatus.REJECTED
    if is_rejected and action is PatchAction.BLOCK:
        return PatchState.INSTALLED_REJECTED, decision.reason
    if patch.title in pending_reboot:
        return PatchState.INSTALLED_PENDING_REBOOT, "it was installed without a reboot, and there was none since"
    if decision.is_approved:
        return PatchState.INSTALLED, decision.reason
    return PatchState.INSTALLED_OTHER, decision.reason


def _missing(patch: Patch, update: Update, decision: Decision, failed: Mapping[str, str]) -> PatchEntry:
    why_failed = failed.get(patch.title)
    reason = decision.reason
    if update.held:
        reason = f"{reason}; the node holds it at {update.installed}"
    if why_failed is not None:
        reason = f"{reason}; its installation failed: {why_failed}"
    return PatchEntry(
        title=patch.title,
        kb_id=patch.kb_id,
        classification=patch.classification,
        severity=patch.severity,
        state=PatchState.MISSING if why_failed is None else PatchState.FAILED,
        compliance_level=decision.compliance_level,
        reason=reason,
        source=patch.repository,
        cve_ids=patch.cve_ids,
    )


def _not_applicable_count(facts: Facts, baseline: Baseline) -> int:
    """Return how many packages the baseline approves by name that the node does not have."""
    present = {package.name for package in facts.packages}
    return len(set(baseline.approved_patches) - set(baseline.rejected_patches) - present)
