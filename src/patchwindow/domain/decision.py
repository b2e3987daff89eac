"""What a baseline decides about a patch on a day, with the reason: a pure function, compiled for speed.

`explanation.py` says the same in parts, for those who ask why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from patchwindow.domain.patch_name import Matcher, matcher


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


@dataclass(frozen=True, slots=True)
class CompiledBaseline:
    """A baseline, ready to decide; it passed `baseline_check.check`."""

    baseline: Baseline
    scope: tuple[Condition, ...]
    rules: tuple[CompiledRule, ...]
    approves: Matcher
    rejects: Matcher

    @property
    def lists_security_only(self) -> bool:
        """Whether ApprovedPatches approves nothing but security patches."""
        is_linux = FAMILIES[self.baseline.operating_system] in LINUX
        return is_linux and not self.baseline.approved_patches_enable_non_security

    def decide(self, patch: Patch, today: date) -> Decision:
        """Return what the baseline decides about *patch* on *today*, a day in UTC."""
        found = self._by_list(patch)
        if found is None or not found.is_approved:
            decision = self._by_rules(patch, today)
            # A list that names the patch in vain is the nearest miss of all.
            found = found if found and decision.status is DecisionStatus.NOT_MATCHED else decision
        if (entry := self.rejects(patch)) is None:
            return found
        return Decision(
            status=DecisionStatus.REJECTED,
            reason=f"RejectedPatches names it with {entry}",
            compliance_level=found.compliance_level if found.is_approved else ComplianceLevel.UNSPECIFIED,
        )

    def _by_list(self, patch: Patch) -> Decision | None:
        entry = self.approves(patch)
        if entry is None:
            return None
        if self.lists_security_only and not patch.is_security:
            reason = (
                f"ApprovedPatches names it with {entry}, but {NO_SECURITY[FAMILIES[self.baseline.operating_system]]}, "
                "and ApprovedPatchesEnableNonSecurity is off"
            )
            return Decision(status=DecisionStatus.NOT_MATCHED, reason=reason)
        return Decision(
            status=DecisionStatus.EXPLICIT_APPROVED,
            reason=f"ApprovedPatches names it with {entry}",
            compliance_level=self.baseline.approved_patches_compliance_level,
        )

    def _by_rules(self, patch: Patch, today: date) -> Decision:
        """Return what the first rule that approves says, else the earliest that will, else the one that misses least."""
        for condition in self.scope:
            if not condition.holds(patch):
                return self._out_of_scope(patch)
        approved: list[Approved] = []
        pending: list[Pending] = []
        missed: list[Missed] = []
        for rule in self.rules:
            match rule.judge(patch, today):
                case Approved() as outcome:
                    approved.append(outcome)
                case Pending() as outcome:
                    pending.append(outcome)
                case Missed() as outcome:
                    missed.append(outcome)
        if approved:
            return _approval(DecisionStatus.APPROVED, approved, patch)
        if pending:
            day = min(outcome.day for outcome in pending)
            return _approval(
                DecisionStatus.PENDING_APPROVAL, [outcome for outcome in pending if outcome.day == day], patch
            )
        nearest = nearest_miss(missed)
        reason = "the baseline has no approval rule and no list that names it"
        if nearest is not None:
            reason = nearest.rule.sentence(patch, nearest)
        return Decision(status=DecisionStatus.NOT_MATCHED, reason=reason)

    def _out_of_scope(self, patch: Patch) -> Decision:
        misses = [condition.miss(patch) for condition in self.scope if not condition.holds(patch)]
        return Decision(
            status=DecisionStatus.NOT_MATCHED, reason=f"the global filters leave it out: {' and '.join(misses)}"
        )


def nearest_miss(missed: list[Missed]) -> Missed | None:
    """Return the one of *missed* with the fewest misses; one that nothing can pass is nobody's neighbour."""
    return min(missed, key=lambda one: (not one.rule.is_possible, one.miss_count), default=None)


def compiled(baseline: Baseline) -> CompiledBaseline:
    """Return *baseline* ready to decide; worth it from the second patch on."""
    family = FAMILIES[baseline.operating_system]
    scope = tuple(
        condition for filter in baseline.global_filters.patch_filters if (condition := condition_of(filter)) is not None
    )
    rule_count = len(baseline.approval_rules.patch_rules)
    return CompiledBaseline(
        baseline=baseline,
        scope=scope,
        rules=tuple(compile_rule(index, baseline, scope) for index in range(rule_count)),
        approves=matcher(baseline.approved_patches, family, rejects=False),
        rejects=matcher(baseline.rejected_patches, family, rejects=True),
    )


def compile_baseline(baseline: Baseline) -> Decide:
    """Return `decide` for this baseline."""
    return compiled(baseline).decide


def decide(patch: Patch, baseline: Baseline, today: date) -> Decision:
    """Return what *baseline* decides about *patch* on *today*, a day in UTC."""
    return compiled(baseline).decide(patch, today)


def remembered(decide: Decide, *, count_max: int = 500_000) -> Decide:
    """Return *decide* with a memory of what it decided about up to *count_max* patches on the last day asked for."""
    # Day and memory change together and are never changed in place, so that threads may share the function.
    state: tuple[date, dict[Patch, Decision]] = (date.min, {})

    def recall(patch: Patch, today: date) -> Decision:
        nonlocal state
        day, memory = state
        # The day is mostly the same object, and comparing dates costs a tenth of the whole.
        if day is not today and day != today:
            memory = {}
            state = (today, memory)
        try:
            return memory[patch]
        except KeyError:
            if len(memory) >= count_max:
                memory = {}
                state = (today, memory)
            decision = memory[patch] = decide(patch, today)
            return decision

    return recall


def _approval(status: DecisionStatus, outcomes: Sequence[Approved | Pending], patch: Patch) -> Decision:
    """Return what *outcomes*, of several rules that say the same, come to: the first, with the highest level of all."""
    first = outcomes[0]
    return Decision(
        status=status,
        reason=first.rule.sentence(patch, first),
        compliance_level=highest(outcome.rule.level for outcome in outcomes) if outcomes[1:] else first.rule.level,
        rule_index=first.rule.index,
        approval_date=first.timing.from_day,
    )
