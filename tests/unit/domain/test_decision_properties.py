"""What holds for every baseline and patch."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.baseline import (
    Baseline,
    ComplianceLevel,
    PatchFilter,
    PatchFilterGroup,
    PatchRule,
    PatchRuleGroup,
)
from patchwindow.domain.baseline_check import check
from patchwindow.domain.decision import DecisionStatus, compile_baseline, decide
from patchwindow.domain.filter_values import FILTERS, FilterKey
from patchwindow.domain.operating_system import FAMILIES, Family, OperatingSystem
from patchwindow.domain.patch import Patch

TODAY = date(2026, 3, 14)
NAMES = ("openssl", "bash", "linux-image-amd64")
SYSTEMS = (
    OperatingSystem.DEBIAN,
    OperatingSystem.AMAZON_LINUX_2023,
    OperatingSystem.REDHAT_ENTERPRISE_LINUX,
    OperatingSystem.WINDOWS,
)

days = st.integers(-400, 400).map(lambda count: TODAY + timedelta(days=count))
maybe_days = st.none() | days
levels = st.sampled_from(ComplianceLevel)


def filters(system: OperatingSystem) -> st.SearchStrategy[PatchFilterGroup]:
    def values(key: FilterKey) -> st.SearchStrategy[PatchFilter]:
        allowed = st.sampled_from(("*", *(FILTERS[system][key] or ("A", "B"))))
        return st.lists(allowed, min_size=1, max_size=3).map(lambda chosen: PatchFilter(key=key, values=tuple(chosen)))

    one = st.sampled_from(sorted(FILTERS[system])).flatmap(values)
    return st.lists(one, max_size=3).map(lambda chosen: PatchFilterGroup(patch_filters=tuple(chosen)))


def rules(system: OperatingSystem) -> st.SearchStrategy[PatchRule]:
    is_linux = FAMILIES[system] is not Family.WINDOWS
    after = st.builds(
        PatchRule,
        patch_filter_group=filters(system),
        compliance_level=levels,
        approve_after_days=st.integers(0, 360),
        enable_non_security=st.booleans() if is_linux else st.just(value=False),
    )
    until = st.builds(
        lambda rule, day: replace(rule, approve_after_days=None, approve_until_date=str(day)), after, days
    )
    return after | until


def baselines(system: OperatingSystem) -> st.SearchStrategy[Baseline]:
    names = st.lists(st.sampled_from(NAMES), max_size=2).map(tuple)
    return st.builds(
        Baseline,
        name=st.just("own"),
        operating_system=st.just(system),
        global_filters=filters(system),
        approval_rules=st.lists(rules(system), max_size=3).map(lambda some: PatchRuleGroup(patch_rules=tuple(some))),
        approved_patches=names,
        approved_patches_compliance_level=levels,
        rejected_patches=names,
    )


patches = st.builds(
    Patch,
    name=st.sampled_from(NAMES),
    kb_number=st.sampled_from(["", "KB1"]),
    classification=st.sampled_from(["", "Security", "Bugfix", "SecurityUpdates"]),
    severity=st.sampled_from(["", "Critical", "Moderate", "Medium", "Low"]),
    priority=st.sampled_from(["", "required", "optional"]),
    section=st.sampled_from(["A", "utils"]),
    product=st.sampled_from(["A", "Debian12"]),
    patch_set=st.sampled_from(["OS", "APPLICATION"]),
    released_on=maybe_days,
    updated_on=maybe_days,
    built_on=maybe_days,
    is_security=st.booleans(),
)

any_system = st.sampled_from(SYSTEMS)
any_baseline = any_system.flatmap(baselines)
with_rule = any_system.flatmap(lambda system: st.tuples(baselines(system), rules(system)))


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
