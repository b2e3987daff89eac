"""The patches of one node as they are judged: what is given, what comes out, and what all systems have in common."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from patchwindow.domain.baseline import Baseline, ComplianceLevel, PatchAction
from patchwindow.domain.decision import Decide, Decision, DecisionStatus
from patchwindow.domain.facts_patches import Readings, verdict
from patchwindow.domain.patch import Patch
from patchwindow.domain.patch_state import PatchEntry, PatchState


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """An update that is offered and not wanted: it is not missing, and *decision* says why.

    *comes_with* has the titles of missing patches that would bring it along all the same.
    """

    title: str
    kb_id: str
    source: str
    decision: Decision
    comes_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found out about the patches of a node, in no order."""

    entries: Sequence[PatchEntry]
    passed: Sequence[Passed]
    not_applicable_count: int = 0
    unreported_not_applicable_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What facts are judged by; the members are those of `evaluation.evaluate`."""

    baseline: Baseline
    today: date
    decide: Decide
    pending_reboot: Collection[str]
    failed: Mapping[str, str]
    after_install: bool

    @property
    def blocks(self) -> bool:
        """Whether a rejected patch may not even come along as a dependency."""
        return self.baseline.rejected_patches_action is PatchAction.BLOCK

    def verdict(self, readings: Readings) -> tuple[Patch, Decision]:
        """Return the reading that counts, with its decision."""
        return verdict(readings, self.today, self.decide)

    def installed(
        self, patch: Patch, decision: Decision, index: int, *, waits_for_reboot: str | None = None
    ) -> PatchEntry:
        """Return the entry of what is installed, at *index* of the facts; *waits_for_reboot* says why it is pending."""
        if waits_for_reboot is None and patch.title in self.pending_reboot:
            waits_for_reboot = "it was installed without a reboot, and there was none since"
        if decision.status is DecisionStatus.REJECTED and self.blocks:
            state, reason = PatchState.INSTALLED_REJECTED, decision.reason
        elif waits_for_reboot is not None:
            state, reason = PatchState.INSTALLED_PENDING_REBOOT, waits_for_reboot
        elif decision.is_approved:
            state, reason = PatchState.INSTALLED, decision.reason
        else:
            state, reason = PatchState.INSTALLED_OTHER, decision.reason
        return entry(patch, decision, state, reason, package_index=index)

    def missing(self, patch: Patch, decision: Decision, *remarks: str, blocked_by: str | None = None) -> PatchEntry:
        """Return the entry of what is approved and not installed; *blocked_by* says which dependency keeps it out."""
        why_failed = self.failed.get(patch.title)
        if why_failed is None and blocked_by is not None and self.after_install:
            why_failed = blocked_by
        elif blocked_by is not None:
            remarks = (*remarks, blocked_by)
        if why_failed is not None:
            remarks = (*remarks, f"its installation failed: {why_failed}")
        state = PatchState.MISSING if why_failed is None else PatchState.FAILED
        return entry(patch, decision, state, "; ".join([decision.reason, *remarks]))


def entry(
    patch: Patch, decision: Decision, state: PatchState, reason: str, *, package_index: int | None = None
) -> PatchEntry:
    """Return the entry of *patch* in *state*."""
    # What is beside the baseline has no level of the baseline.
    is_beside = state in {PatchState.INSTALLED_OTHER, PatchState.AVAILABLE_SECURITY_UPDATE}
    return PatchEntry(
        title=patch.title,
        kb_id=patch.kb_id,
        classification=patch.classification,
        severity=patch.severity,
        state=state,
        compliance_level=ComplianceLevel.UNSPECIFIED if is_beside else decision.compliance_level,
        reason=reason,
        source=patch.repository,
        cve_ids=patch.cve_ids,
        package_index=package_index,
    )
