"""What a baseline decides about a patch on a day, with the reason: a pure function, compiled for speed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from patchwindow.domain.approval_rule import (
    NO_SECURITY,
    Approved,
    CompiledRule,
    Condition,
    Missed,
    Pending,
    compile_rule,
    condition_of,
)
from patchwindow.domain.baseline import Baseline, ComplianceLevel, highest
from patchwindow.domain.operating_system import FAMILIES, LINUX
from patchwindow.domain.patch import Patch
from patchwindow.domain.patch_name import matcher


class DecisionStatus(StrEnum):
    """The API's PatchDeploymentStatus, and what it has no word for: not matched."""

    APPROVED = "APPROVED"
    EXPLICIT_APPROVED = "EXPLICIT_APPROVED"
    PENDING_APPROVAL = "PENDING_APPROVAL"
    REJECTED = "EXPLICIT_REJECTED"
    NOT_MATCHED = "NOT_MATCHED"


APPROVING: Final = frozenset({DecisionStatus.APPROVED, DecisionStatus.EXPLICIT_APPROVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided, and why in one sentence.

    *rule_index* is that of the rule that approves, or will; *approval_date* the day on which it will.  The compliance
    level of a rejected patch is that which it would have if it were not rejected.
    """

    status: DecisionStatus
    reason: str
    compliance_level: ComplianceLevel = ComplianceLevel.UNSPECIFIED
    rule_index: int | None = None
    approval_date: date | None = None

    @property
    def is_approved(self) -> bool:
        return self.status in APPROVING


Decide = Callable[[Patch, date], Decision]


def decide(patch: Patch, baseline: Baseline, today: date) -> Decision:
    """Return what *baseline* decides about *patch* on *today*, a day in UTC."""
    return compile_baseline(baseline)(patch, today)


def compile_baseline(baseline: Baseline) -> Decide:
    """Return `decide` for this baseline, which passed `baseline_check.check`; worth it from the second patch on."""
    family = FAMILIES[baseline.operating_system]
    by_list, by_rules = _compile_list(baseline), _compile_rules(baseline)
    rejects = matcher(baseline.rejected_patches, family, rejects=True)

    def decide(patch: Patch, today: date) -> Decision:
        found = by_list(patch)
        if found is None or not found.is_approved:
            decision = by_rules(patch, today)
            # A list that names the patch in vain is the nearest miss of all.
            found = found if found and decision.status is DecisionStatus.NOT_MATCHED else decision
        if (entry := rejects(patch)) is None:
            return found
        return Decision(
            status=DecisionStatus.REJECTED,
            reason=f"RejectedPatches names it with {entry}",
            compliance_level=found.compliance_level if found.is_approved else ComplianceLevel.UNSPECIFIED,
        )

    return decide


def remembered(decide: Decide, *, count_max: int = 500_000) -> Decide:
    """Return *decide* with a memory of what it decided about up to *count_max* patches on the last day asked for."""
    # Day and memory change together and are never changed in place, so that threads may share the function.
    state: tuple[date, dict[Patch, Decision]] = (date.min, {})

    def recall(patch: Patch, today: date) -> Decision:
        nonlocal state
        day, memory = state
        if day != today or len(memory) >= count_max:
            memory = {}
            state = (today, memory)
        if (decision := memory.get(patch)) is None:
            decision = memory[patch] = decide(patch, today)
        return decision

    return recall


def _compile_list(baseline: Baseline) -> Callable[[Patch], Decision | None]:
    family = FAMILIES[baseline.operating_system]
    approves = matcher(baseline.approved_patches, family, rejects=False)
    security_only = family in LINUX and not baseline.approved_patches_enable_non_security

    def by_list(patch: Patch) -> Decision | None:
        entry = approves(patch)
        if entry is None:
            return None
        if security_only and not patch.is_security:
            reason = (
                f"ApprovedPatches names it with {entry}, but {NO_SECURITY[family]}, "
                "and ApprovedPatchesEnableNonSecurity is off"
            )
            return Decision(status=DecisionStatus.NOT_MATCHED, reason=reason)
        return Decision(
            status=DecisionStatus.EXPLICIT_APPROVED,
            reason=f"ApprovedPatches names it with {entry}",
            compliance_level=baseline.approved_patches_compliance_level,
        )

    return by_list


def _compile_rules(baseline: Baseline) -> Decide:
    system = baseline.operating_system
    scope = [
        condition for filter in baseline.global_filters.patch_filters if (condition := condition_of(filter)) is not None
    ]
    rules = [compile_rule(rule, index + 1, system) for index, rule in enumerate(baseline.approval_rules.patch_rules)]

    def by_rules(patch: Patch, today: date) -> Decision:
        for condition in scope:
            if not condition.holds(patch):
                return _out_of_scope(patch, scope)
        return _judge(rules, patch, today)

    return by_rules


def _out_of_scope(patch: Patch, scope: list[Condition]) -> Decision:
    misses = [condition.miss(patch) for condition in scope if not condition.holds(patch)]
    return Decision(
        status=DecisionStatus.NOT_MATCHED, reason=f"the global filters leave it out: {' and '.join(misses)}"
    )


def _judge(rules: list[CompiledRule], patch: Patch, today: date) -> Decision:
    """Return what the first rule that approves says, else the earliest that will, else the one that misses least."""
    approved: Decision | None = None
    pending: Decision | None = None
    nearest: Missed | None = None
    for index, judge in enumerate(rules):
        match judge(patch, today):
            case Approved(level, reason):
                approved = _merged(
                    approved,
                    Decision(status=DecisionStatus.APPROVED, reason=reason, compliance_level=level, rule_index=index),
                )
            case Pending(level, reason, day):
                later = Decision(
                    status=DecisionStatus.PENDING_APPROVAL,
                    reason=reason,
                    compliance_level=level,
                    rule_index=index,
                    approval_date=day,
                )
                if pending is None or pending.approval_date is None or day < pending.approval_date:
                    pending = later
                elif day == pending.approval_date:
                    pending = _merged(pending, later)
            case Missed() as missed:
                if nearest is None or missed.miss_count < nearest.miss_count:
                    nearest = missed
    if decision := approved or pending:
        return decision
    reason = nearest.reason if nearest else "the baseline has no approval rule and no list that names it"
    return Decision(status=DecisionStatus.NOT_MATCHED, reason=reason)


def _merged(first: Decision | None, other: Decision) -> Decision:
    """Return *first* with the higher of both levels: several rules say the same."""
    if first is None:
        return other
    return replace(first, compliance_level=highest((first.compliance_level, other.compliance_level)))
