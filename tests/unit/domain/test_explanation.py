"""Explanations: their parts, that they replay to the same verdict, and that a nearest miss, applied, flips it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

import pytest
from hypothesis import assume, given
from tests.unit.domain.decision_strategies import any_baseline, days, patches
from tests.unit.domain.test_decision import AMAZON, CANDIDATE, NOTICED, TODAY, UBUNTU, baseline, group, rule

from patchwindow.domain.approval_date import Dated, DateKind
from patchwindow.domain.baseline import Baseline, PatchRuleGroup
from patchwindow.domain.baseline_check import check
from patchwindow.domain.decision import DecisionStatus, decide
from patchwindow.domain.explanation import Beyond, Comparison, Dates, Explanation, explain
from patchwindow.domain.filter_values import FilterKey
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch import Patch

ATTRIBUTES: Final = {
    FilterKey.PATCH_SET: "patch_set",
    FilterKey.PRODUCT: "product",
    FilterKey.PRODUCT_FAMILY: "product_family",
    FilterKey.CLASSIFICATION: "classification",
    FilterKey.MSRC_SEVERITY: "severity",
    FilterKey.SEVERITY: "severity",
    FilterKey.PRIORITY: "priority",
    FilterKey.SECTION: "section",
}
DATES: Final = {
    DateKind.PUBLISHED: "released_on",
    DateKind.CHANGED: "updated_on",
    DateKind.BUILT: "built_on",
    DateKind.FIRST_SEEN: "first_seen_on",
    DateKind.NONE: "released_on",
}

Case = tuple[Patch, Baseline, date]


def applied(case: Case, differences: Sequence[Comparison], dates: Dates | None) -> Case:
    """Return the case as it would be if *differences* were gone."""
    patch, baseline, today = case
    changes: dict[str, Any] = {}
    for one in differences:
        match one.field:
            case Beyond.DAY:
                today = date.fromisoformat(one.wanted[0])
            case Beyond.DATE:
                day = date.fromisoformat(one.wanted[0])
                known = dates is not None and dates.dated
                undated = ("first_seen_on",) if baseline.approves_by_first_seen else ("released_on",)
                changes |= dict.fromkeys((DATES[known.kind],) if known else undated, day)
            case Beyond.APPROVED_PATCHES:
                baseline = replace(baseline, approved_patches=one.wanted)
            case Beyond.REJECTED_PATCHES:
                kept = tuple(entry for entry in baseline.rejected_patches if entry != one.value)
                baseline = replace(baseline, rejected_patches=kept)
            case FilterKey.SECURITY:
                changes["is_security"] = one.wanted == ("true",)
            case key:
                changes[ATTRIBUTES[key]] = one.wanted[-1]
    return replace(patch, **changes), baseline, today


def alone(baseline: Baseline, explanation: Explanation) -> Baseline:
    """Return *baseline* without all that the explanation does not name."""
    index = explanation.rule_index
    some = () if index is None else (baseline.approval_rules.patch_rules[index],)
    return replace(
        baseline,
        approval_rules=PatchRuleGroup(patch_rules=some),
        approved_patches=explanation.approved_entries,
        rejected_patches=explanation.rejected_entries,
    )


@given(any_baseline, patches, days)
def test_an_explanation_replays_to_the_same_verdict(baseline: Baseline, patch: Patch, today: date) -> None:
    explanation = explain(patch, baseline, today)
    replayed = decide(patch, alone(baseline, explanation), today)
    assert explanation.decision == decide(patch, baseline, today)
    assert replayed.status is explanation.decision.status
    assert replayed.approval_date == explanation.decision.approval_date


@given(any_baseline, patches, days)
def test_the_nearest_miss_applied_approves_the_patch(baseline: Baseline, patch: Patch, today: date) -> None:
    explanation = explain(patch, baseline, today)
    assert (explanation.differences == ()) == explanation.decision.is_approved
    if explanation.differences is not None:
        case = applied((patch, baseline, today), explanation.differences, explanation.dates)
        assert decide(*case).is_approved


@given(any_baseline, patches, days)
def test_no_part_of_the_nearest_miss_is_idle(baseline: Baseline, patch: Patch, today: date) -> None:
    explanation = explain(patch, baseline, today)
    own = alone(baseline, explanation)
    assume(explanation.differences)
    for left_out in range(len(explanation.differences or ())):
        some = [one for index, one in enumerate(explanation.differences or ()) if index != left_out]
        assert not decide(*applied((patch, own, today), some, explanation.dates)).is_approved


@given(any_baseline, patches, days)
def test_the_reason_names_the_rule_of_the_explanation(baseline: Baseline, patch: Patch, today: date) -> None:
    explanation = explain(patch, baseline, today)
    reason = explanation.decision.reason
    if reason.startswith("rule ") and explanation.rule_index is not None:
        assert reason.startswith(f"rule {explanation.rule_index + 1} ")


@given(any_baseline, patches, days)
def test_days_left_end_on_the_day_of_approval(baseline: Baseline, patch: Patch, today: date) -> None:
    explanation = explain(patch, baseline, today)
    if explanation.decision.status is DecisionStatus.PENDING_APPROVAL:
        assert explanation.dates is not None
        approval_on = explanation.decision.approval_date
        assert approval_on == explanation.dates.approval_on
        assert approval_on is not None
        assert explanation.dates.days_left == (approval_on - today).days > 0


def test_an_approved_patch_is_explained_by_its_rule_and_its_date() -> None:
    explanation = explain(NOTICED, AMAZON, TODAY)
    assert explanation.rule_index == 0
    assert explanation.differences == ()
    assert explanation.compared == (
        Comparison(FilterKey.CLASSIFICATION, "Security", ("Security",)),
        Comparison(FilterKey.SEVERITY, "Critical", ("Critical", "")),
        Comparison(FilterKey.SECURITY, "true", ("true",)),
    )
    assert explanation.dates == Dates(
        dated=Dated(date(2026, 3, 7), DateKind.PUBLISHED),
        delay_days=7,
        until=None,
        approval_on=date(2026, 3, 14),
        days_left=0,
    )


def test_a_waiting_patch_is_approved_when_the_day_has_come() -> None:
    explanation = explain(replace(NOTICED, released_on=date(2026, 3, 12)), AMAZON, TODAY)
    assert explanation.differences == (Comparison(Beyond.DAY, "2026-03-14", ("2026-03-19",)),)
    assert explanation.dates is not None
    assert explanation.dates.days_left == 5


def test_a_patch_after_the_last_date_would_have_to_be_older() -> None:
    until = baseline(OperatingSystem.AMAZON_LINUX_2, rule(CLASSIFICATION="Security", until="2026-03-01"))
    explanation = explain(NOTICED, until, TODAY)
    assert explanation.differences == (Comparison(Beyond.DATE, "2026-03-07", ("2026-03-01",)),)
    assert explanation.dates is not None
    assert (explanation.dates.approval_on, explanation.dates.days_left) == (None, None)


def test_where_dates_do_not_count_there_are_none() -> None:
    assert explain(CANDIDATE, UBUNTU, TODAY).dates is None


def test_by_first_sight_the_date_is_that_of_the_ledger() -> None:
    own = replace(UBUNTU, approves_by_first_seen=True)
    dates = explain(replace(CANDIDATE, first_seen_on=date(2026, 3, 10)), own, TODAY).dates
    assert dates is not None
    assert (dates.dated, dates.days_left) == (Dated(date(2026, 3, 10), DateKind.FIRST_SEEN), 96)


def test_the_nearest_of_several_rules_is_told_with_all_that_would_have_to_differ() -> None:
    own = replace(
        baseline(
            OperatingSystem.AMAZON_LINUX_2,
            rule(CLASSIFICATION="Bugfix", SEVERITY="Low", days=0),
            rule(CLASSIFICATION="Security", SEVERITY="Low,Medium", days=30),
        ),
        global_filters=group(PRODUCT="AmazonLinux2,AmazonLinux2.1"),
    )
    explanation = explain(NOTICED, own, TODAY)
    assert explanation.rule_index == 0
    assert explanation.differences == (
        Comparison(FilterKey.CLASSIFICATION, "Security", ("Bugfix",)),
        Comparison(FilterKey.SEVERITY, "Critical", ("Low", "")),
    )
    nearer = explain(replace(NOTICED, released_on=date(2026, 1, 1), product="AmazonLinux1"), own, TODAY)
    assert nearer.rule_index == 1
    assert nearer.differences == (
        Comparison(FilterKey.PRODUCT, "AmazonLinux1", ("AmazonLinux2", "AmazonLinux2.1")),
        Comparison(FilterKey.SEVERITY, "Critical", ("Low", "Medium", "")),
    )


def test_a_rule_that_nothing_can_pass_is_no_near_miss() -> None:
    own = replace(
        baseline(
            OperatingSystem.UBUNTU,
            rule(PRODUCT="Ubuntu24.04"),
            rule(PRIORITY="Required,Extra", SECTION="kernel"),
        ),
        global_filters=group(PRODUCT="Ubuntu22.04"),
    )
    explanation = explain(CANDIDATE, own, TODAY)
    assert explanation.rule_index == 1
    assert explanation.decision.reason.startswith("rule 2 misses it: PRIORITY is important")
    assert explanation.differences == (
        Comparison(FilterKey.PRIORITY, "important", ("Required", "Extra")),
        Comparison(FilterKey.SECTION, "", ("kernel",)),
    )


def test_a_rejected_patch_would_have_to_leave_the_list_and_what_else_keeps_it_out() -> None:
    rejecting = replace(AMAZON, rejected_patches=("openssl*", "bash", "openssl.x86_64"))
    explanation = explain(replace(NOTICED, severity="Low"), rejecting, TODAY)
    assert explanation.rejected_entries == ("openssl.x86_64", "openssl*")
    assert explanation.differences == (
        Comparison(Beyond.REJECTED_PATCHES, "openssl.x86_64", ()),
        Comparison(Beyond.REJECTED_PATCHES, "openssl*", ()),
        Comparison(FilterKey.SEVERITY, "Low", ("Critical", "")),
    )


def test_a_name_in_vain_would_have_to_be_a_security_patch() -> None:
    own = replace(UBUNTU, approved_patches=("openssl",))
    explanation = explain(replace(CANDIDATE, is_security=False, priority="extra"), own, TODAY)
    assert explanation.approved_entries == ("openssl",)
    assert explanation.differences == (Comparison(FilterKey.SECURITY, "false", ("true",)),)


@pytest.mark.parametrize(
    ("patch", "system", "name"),
    [
        (CANDIDATE, OperatingSystem.UBUNTU, "openssl"),
        (NOTICED, OperatingSystem.AMAZON_LINUX_2, "openssl"),
        (Patch(name="2026-03 Update", kb_number="KB5034123"), OperatingSystem.WINDOWS, "KB5034123"),
    ],
)
def test_without_any_rule_only_the_list_could_approve(patch: Patch, system: OperatingSystem, name: str) -> None:
    own = baseline(system)
    explanation = explain(patch, own, TODAY)
    assert explanation.differences == (Comparison(Beyond.APPROVED_PATCHES, "", (name,)),)
    check(replace(own, approved_patches=(name,)))


def test_a_windows_update_without_any_number_cannot_be_named() -> None:
    assert explain(Patch(name="Driver"), baseline(OperatingSystem.WINDOWS), TODAY).differences is None
