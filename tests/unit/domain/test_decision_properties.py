"""What holds for every baseline and patch."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.decision_strategies import NAMES, any_baseline, days, patches, with_rule

from patchwindow.domain.baseline import Baseline, PatchFilterGroup, PatchRule, PatchRuleGroup
from patchwindow.domain.baseline_check import check
from patchwindow.domain.decision import DecisionStatus, compile_baseline, decide
from patchwindow.domain.patch import Patch


@given(any_baseline, patches, days)
def test_a_baseline_that_passes_the_check_decides_every_patch_and_says_why(
    baseline: Baseline, patch: Patch, today: date
) -> None:
    check(baseline)
    decision = decide(patch, baseline, today)
    assert decision.reason
    assert "\n" not in decision.reason
    assert (decision.approval_date is not None) == (decision.status is DecisionStatus.PENDING_APPROVAL)


@given(with_rule, patches, days, st.integers(0, 3))
def test_adding_a_rule_never_removes_an_approved_patch(
    pair: tuple[Baseline, PatchRule], patch: Patch, today: date, place: int
) -> None:
    """ "A patch is approved when any rule approves it." """
    baseline, rule = pair
    some = list(baseline.approval_rules.patch_rules)
    some.insert(place, rule)
    wider = replace(baseline, approval_rules=PatchRuleGroup(patch_rules=tuple(some)))
    assert decide(patch, wider, today).is_approved or not decide(patch, baseline, today).is_approved


@given(any_baseline, patches, days, st.sampled_from(NAMES))
def test_rejecting_never_adds_and_approving_never_removes(
    baseline: Baseline, patch: Patch, today: date, name: str
) -> None:
    """ "ApprovedPatches add to the approved set, RejectedPatches subtract; rejected wins." """
    before = decide(patch, baseline, today).is_approved
    narrower = replace(baseline, rejected_patches=(*baseline.rejected_patches, name))
    wider = replace(baseline, approved_patches=(*baseline.approved_patches, name))
    assert before or not decide(patch, narrower, today).is_approved
    assert decide(patch, wider, today).is_approved or not before


@given(any_baseline, patches, days, st.integers(0, 400))
def test_a_later_day_never_disapproves(baseline: Baseline, patch: Patch, today: date, more: int) -> None:
    """ "Approved when date(patch) + N days <= today", so on every later day too."""
    before = decide(patch, baseline, today)
    after = decide(patch, baseline, today + timedelta(days=more))
    assert after.is_approved or not before.is_approved


@given(any_baseline, patches, days)
def test_a_pending_patch_is_approved_on_its_date_and_not_before(baseline: Baseline, patch: Patch, today: date) -> None:
    compiled = compile_baseline(baseline)
    decision = compiled(patch, today)
    if decision.approval_date is not None:
        on = compiled(patch, decision.approval_date)
        assert on.status is DecisionStatus.APPROVED
        assert on.rule_index == decision.rule_index
        assert compiled(patch, decision.approval_date - timedelta(days=1)).status is DecisionStatus.PENDING_APPROVAL


@given(any_baseline, patches, days)
def test_global_filters_only_ever_narrow_the_rules(baseline: Baseline, patch: Patch, today: date) -> None:
    """ "A patch that fails them is out of scope of the rules." """
    unscoped = replace(baseline, global_filters=PatchFilterGroup())
    assert decide(patch, unscoped, today).is_approved or not decide(patch, baseline, today).is_approved
