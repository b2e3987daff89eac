"""Decisions, case by case."""

from dataclasses import replace
from datetime import date

import pytest

from patchwindow.domain.baseline import (
    Baseline,
    ComplianceLevel,
    PatchFilter,
    PatchFilterGroup,
    PatchRule,
    PatchRuleGroup,
)
from patchwindow.domain.baseline_check import check
from patchwindow.domain.decision import Decision, DecisionStatus, compile_baseline, remembered
from patchwindow.domain.decision import decide as decide_unchecked
from patchwindow.domain.filter_values import FilterKey
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch import Patch
from patchwindow.domain.predefined import default_for

TODAY = date(2026, 3, 14)


def rule(
    *,
    days: int | None = None,
    until: str | None = None,
    level: ComplianceLevel = ComplianceLevel.UNSPECIFIED,
    enable_non_security: bool = False,
    **filters: str,
) -> PatchRule:
    """Return a rule whose filters are given as `KEY="Value,Value"`."""
    return PatchRule(
        patch_filter_group=group(**filters),
        approve_after_days=days,
        approve_until_date=until,
        compliance_level=level,
        enable_non_security=enable_non_security,
    )


def group(**filters: str) -> PatchFilterGroup:
    return PatchFilterGroup(
        patch_filters=tuple(
            PatchFilter(key=FilterKey(key), values=tuple(values.split(","))) for key, values in filters.items()
        )
    )


def baseline(operating_system: OperatingSystem, *rules: PatchRule) -> Baseline:
    return Baseline(
        baseline_id="pb-0123456789abcdef0",
        name="own",
        operating_system=operating_system,
        approval_rules=PatchRuleGroup(patch_rules=rules),
    )


def decide(patch: Patch, baseline: Baseline, today: date = TODAY) -> Decision:
    """Decide as the product does: a baseline is checked before it is evaluated."""
    check(baseline)
    return decide_unchecked(patch, baseline, today)


AMAZON = baseline(OperatingSystem.AMAZON_LINUX_2, rule(CLASSIFICATION="Security", SEVERITY="Critical", days=7))
UBUNTU = baseline(OperatingSystem.UBUNTU, rule(PRIORITY="Important", days=100))
NOTICED = Patch(
    name="openssl",
    arch="x86_64",
    version="3.0.8",
    release="1.amzn2",
    classification="Security",
    severity="Critical",
    product="AmazonLinux2",
    advisory_ids=("ALAS-2026-1",),
    released_on=date(2026, 3, 7),
    is_security=True,
)
CANDIDATE = Patch(
    name="openssl",
    arch="amd64",
    version="3.0.2-0ubuntu1.18",
    classification="Security",
    priority="important",
    product="Ubuntu22.04",
    is_security=True,
)


class TestDates:
    """`ApproveAfterDays`: "all patches released on or before the day are approved", in whole UTC days."""

    def test_a_patch_is_approved_on_the_day_on_which_the_delay_ends(self) -> None:
        decision = decide(NOTICED, AMAZON)
        assert decision.status is DecisionStatus.APPROVED
        assert decision.rule_index == 0
        assert decision.reason == (
            "rule 1 approves it: CLASSIFICATION Security, SEVERITY Critical, published 2026-03-07 and 7 days old or more"
        )

    def test_a_patch_one_day_younger_waits_until_the_next_day(self) -> None:
        decision = decide(replace(NOTICED, released_on=date(2026, 3, 8)), AMAZON)
        assert decision.status is DecisionStatus.PENDING_APPROVAL
        assert decision.approval_date == date(2026, 3, 15)
        assert decision.reason.endswith("published 2026-03-08, to be approved on 2026-03-15")

    def test_a_revised_notice_waits_again_on_amazon_linux(self) -> None:
        revised = replace(NOTICED, released_on=date(2026, 1, 1), updated_on=date(2026, 3, 10))
        assert decide(revised, AMAZON).approval_date == date(2026, 3, 17)

    @pytest.mark.parametrize(("day", "expected"), [(8, DecisionStatus.APPROVED), (9, DecisionStatus.NOT_MATCHED)])
    def test_a_date_is_inclusive_and_what_comes_later_is_never_approved(
        self, day: int, expected: DecisionStatus
    ) -> None:
        until = baseline(OperatingSystem.AMAZON_LINUX_2, rule(CLASSIFICATION="Security", until="2026-03-08"))
        patch = replace(NOTICED, released_on=date(2026, 3, day))
        assert decide(patch, until).status is expected
        assert decide(patch, until, date(2029, 1, 1)).status is expected

    def test_no_delay_means_at_once(self) -> None:
        at_once = baseline(OperatingSystem.AMAZON_LINUX_2, rule(CLASSIFICATION="Security", days=0))
        assert decide(replace(NOTICED, released_on=TODAY), at_once).is_approved

    def test_apt_knows_no_dates_so_a_delay_is_ignored(self) -> None:
        decision = decide(replace(CANDIDATE, released_on=TODAY), UBUNTU)
        assert decision.status is DecisionStatus.APPROVED
        assert decision.reason == "rule 1 approves it: PRIORITY important, at once, since apt knows no dates"

    def test_apt_ignores_a_last_date_too(self) -> None:
        until = baseline(OperatingSystem.UBUNTU, rule(PRIORITY="*", until="2001-01-01"))
        assert decide(replace(CANDIDATE, released_on=TODAY), until).is_approved

    def test_a_baseline_may_go_by_when_a_version_was_first_seen(self) -> None:
        own = replace(UBUNTU, approves_by_first_seen=True)
        waiting = decide(replace(CANDIDATE, first_seen_on=date(2026, 3, 10)), own)
        assert waiting.approval_date == date(2026, 6, 18)
        assert waiting.reason.endswith("PRIORITY important, first seen 2026-03-10, to be approved on 2026-06-18")
        seen_long_ago = decide(replace(CANDIDATE, first_seen_on=date(2025, 12, 4)), own)
        assert seen_long_ago.reason.endswith("first seen 2025-12-04 and 100 days old or more")
        assert seen_long_ago.is_approved

    def test_by_first_sight_a_last_date_counts_too(self) -> None:
        own = replace(baseline(OperatingSystem.DEBIAN, rule(until="2026-03-01")), approves_by_first_seen=True)
        assert decide(replace(CANDIDATE, first_seen_on=date(2026, 3, 1)), own).is_approved
        assert not decide(replace(CANDIDATE, first_seen_on=date(2026, 3, 2)), own).is_approved

    def test_what_no_node_has_reported_waits_until_one_does(self) -> None:
        own = replace(UBUNTU, approves_by_first_seen=True)
        assert decide(CANDIDATE, own).reason == (
            "rule 1 misses it: no node has reported it yet, and the baseline counts from then"
        )

    def test_a_baseline_without_that_choice_decides_alike_whenever_a_version_was_seen(self) -> None:
        assert decide(replace(CANDIDATE, first_seen_on=TODAY), UBUNTU) == decide(CANDIDATE, UBUNTU)

    def test_without_any_date_a_security_rule_does_not_approve_and_another_does(self) -> None:
        undated = replace(NOTICED, released_on=None)
        assert decide(undated, AMAZON).reason == (
            "rule 1 misses it: it has no date, and the rule is for security patches only"
        )
        lenient = baseline(OperatingSystem.AMAZON_LINUX_2, rule(CLASSIFICATION="*", days=7, enable_non_security=True))
        assert decide(undated, lenient).reason == "rule 1 approves it: any patch, undated and 7 days old or more"

    def test_a_date_at_the_end_of_time_does_not_overflow(self) -> None:
        decision = decide(replace(NOTICED, released_on=date.max), AMAZON)
        assert decision.approval_date == date.max


class TestFilters:
    """Within a filter any value matches, all filters must match, and `*` is any value."""

    def test_a_patch_without_severity_is_matched_by_its_classification_alone(self) -> None:
        decision = decide(replace(NOTICED, severity=""), AMAZON)
        assert decision.is_approved
        assert "SEVERITY not given" in decision.reason

    def test_without_a_classification_in_the_rule_a_missing_severity_does_not_match(self) -> None:
        severity_only = baseline(OperatingSystem.AMAZON_LINUX_2, rule(SEVERITY="Critical", days=7))
        assert not decide(replace(NOTICED, severity=""), severity_only).is_approved

    @pytest.mark.parametrize("severity", ["Critical", "Low", "None", "", "whatever"])
    def test_a_star_matches_any_severity(self, severity: str) -> None:
        any_severity = baseline(OperatingSystem.AMAZON_LINUX_2, rule(SEVERITY="*", days=7))
        assert decide(replace(NOTICED, severity=severity), any_severity).is_approved

    @pytest.mark.parametrize("system", [OperatingSystem.AMAZON_LINUX_2023, OperatingSystem.REDHAT_ENTERPRISE_LINUX])
    def test_moderate_counts_as_medium(self, system: OperatingSystem) -> None:
        medium = baseline(system, rule(SEVERITY="Medium", days=7))
        assert decide(replace(NOTICED, severity="Moderate"), medium).is_approved

    def test_a_miss_says_what_did_not_fit(self) -> None:
        decision = decide(replace(NOTICED, severity="Low"), AMAZON)
        assert decision.status is DecisionStatus.NOT_MATCHED
        assert decision.reason == "rule 1 misses it: SEVERITY is Low, not Critical"

    def test_the_nearest_miss_is_told(self) -> None:
        two = baseline(
            OperatingSystem.AMAZON_LINUX_2,
            rule(CLASSIFICATION="Bugfix", SEVERITY="Low", days=1),
            rule(CLASSIFICATION="Security", SEVERITY="Low,Medium", days=1),
        )
        assert decide(NOTICED, two).reason == "rule 2 misses it: SEVERITY is Critical, not Low or Medium"

    def test_a_section_is_compared_whole(self) -> None:
        kernel = baseline(OperatingSystem.DEBIAN, rule(SECTION="kernel"))
        assert decide(replace(CANDIDATE, section="kernel"), kernel).is_approved
        assert not decide(replace(CANDIDATE, section="contrib/kernel"), kernel).is_approved

    def test_a_rule_without_filters_approves_every_security_patch(self) -> None:
        empty = baseline(OperatingSystem.DEBIAN, rule())
        assert decide(CANDIDATE, empty).is_approved
        assert not decide(replace(CANDIDATE, is_security=False), empty).is_approved

    def test_windows_rules_are_for_the_system_unless_they_say_application(self) -> None:
        update = Patch(
            name="Update", kb_number="KB1", classification="SecurityUpdates", severity="Critical", released_on=TODAY
        )
        system = baseline(OperatingSystem.WINDOWS, rule(CLASSIFICATION="SecurityUpdates", days=0))
        applications = baseline(OperatingSystem.WINDOWS, rule(PATCH_SET="APPLICATION", PRODUCT="*", days=0))
        office = replace(update, patch_set="APPLICATION")
        assert decide(update, system).is_approved
        assert not decide(office, system).is_approved
        assert decide(office, applications).is_approved
        assert not decide(update, applications).is_approved

    def test_a_windows_update_without_severity_is_unspecified(self) -> None:
        update = Patch(name="Update", kb_number="KB1", released_on=TODAY)
        unspecified = baseline(OperatingSystem.WINDOWS, rule(MSRC_SEVERITY="Unspecified", days=0))
        critical = baseline(OperatingSystem.WINDOWS, rule(MSRC_SEVERITY="Critical", days=0))
        assert decide(update, unspecified).is_approved
        assert decide(update, critical).reason == "rule 1 misses it: MSRC_SEVERITY is Unspecified, not Critical"


class TestSecurity:
    """`EnableNonSecurity`: without it, only what the publisher calls security is approved."""

    def test_a_candidate_of_the_updates_source_alone_is_not_approved(self) -> None:
        decision = decide(replace(CANDIDATE, is_security=False), UBUNTU)
        assert decision.status is DecisionStatus.NOT_MATCHED
        assert decision.reason == "rule 1 misses it: it does not come from the security source"

    def test_with_non_security_it_must_still_meet_the_filters(self) -> None:
        all_sources = baseline(OperatingSystem.UBUNTU, rule(PRIORITY="Important", enable_non_security=True))
        assert decide(replace(CANDIDATE, is_security=False), all_sources).is_approved
        assert not decide(replace(CANDIDATE, is_security=False, priority="optional"), all_sources).is_approved

    def test_the_default_of_centos_approves_what_no_notice_names(self) -> None:
        built = Patch(name="bash", arch="x86_64", version="5", release="1", built_on=date(2026, 3, 1))
        assert decide(built, default_for(OperatingSystem.CENTOS)).is_approved
        assert not decide(built, default_for(OperatingSystem.REDHAT_ENTERPRISE_LINUX)).is_approved

    def test_the_default_of_debian_approves_all_of_the_security_source(self) -> None:
        for priority in ("required", "important", "standard", "optional", "extra"):
            assert decide(replace(CANDIDATE, priority=priority), default_for(OperatingSystem.DEBIAN)).is_approved


class TestLists:
    """Approved patches add, rejected patches subtract, and rejected wins."""

    def test_an_approved_name_passes_the_global_filters(self) -> None:
        own = replace(UBUNTU, global_filters=group(PRODUCT="Ubuntu24.04"), approved_patches=("openssl",))
        assert decide(CANDIDATE, own).status is DecisionStatus.EXPLICIT_APPROVED
        assert decide(replace(CANDIDATE, name="bash"), own).reason == (
            "the global filters leave it out: PRODUCT is Ubuntu22.04, not Ubuntu24.04"
        )

    def test_an_approved_name_has_the_level_of_the_list(self) -> None:
        own = replace(UBUNTU, approved_patches=("openssl",), approved_patches_compliance_level=ComplianceLevel.HIGH)
        decision = decide(CANDIDATE, own)
        assert decision.compliance_level is ComplianceLevel.HIGH
        assert decision.reason == "ApprovedPatches names it with openssl"

    def test_an_approved_name_is_for_security_patches_unless_the_list_says_otherwise(self) -> None:
        own = replace(UBUNTU, approved_patches=("openssl",))
        plain = replace(CANDIDATE, is_security=False)
        assert decide(plain, own).status is DecisionStatus.NOT_MATCHED
        assert decide(plain, own).reason == (
            "ApprovedPatches names it with openssl, but it does not come from the security source, "
            "and ApprovedPatchesEnableNonSecurity is off"
        )
        assert decide(plain, replace(own, approved_patches_enable_non_security=True)).is_approved

    def test_a_rule_may_approve_what_the_list_cannot(self) -> None:
        own = replace(
            baseline(OperatingSystem.UBUNTU, rule(PRIORITY="*", enable_non_security=True)),
            approved_patches=("openssl",),
        )
        assert decide(replace(CANDIDATE, is_security=False), own).status is DecisionStatus.APPROVED

    def test_rejected_wins_over_both_and_keeps_the_level_it_would_have(self) -> None:
        own = replace(
            baseline(OperatingSystem.UBUNTU, rule(PRIORITY="*", level=ComplianceLevel.CRITICAL)),
            rejected_patches=("openssl",),
        )
        for either in (own, replace(own, approved_patches=("openssl",))):
            decision = decide(CANDIDATE, either)
            assert decision.status is DecisionStatus.REJECTED
            assert decision.reason == "RejectedPatches names it with openssl"
        assert decide(CANDIDATE, own).compliance_level is ComplianceLevel.CRITICAL

    def test_an_advisory_approves_its_packages(self) -> None:
        own = replace(AMAZON, approval_rules=PatchRuleGroup(), approved_patches=("ALAS-2026-1",))
        assert decide(NOTICED, own).status is DecisionStatus.EXPLICIT_APPROVED

    def test_a_baseline_that_says_nothing_approves_nothing(self) -> None:
        decision = decide(CANDIDATE, baseline(OperatingSystem.UBUNTU))
        assert decision.reason == "the baseline has no approval rule and no list that names it"


class TestSeveralRules:
    def test_one_whose_delay_is_over_approves_though_another_waits(self) -> None:
        two = baseline(
            OperatingSystem.AMAZON_LINUX_2, rule(CLASSIFICATION="*", days=30), rule(CLASSIFICATION="Security", days=1)
        )
        decision = decide(NOTICED, two)
        assert (decision.status, decision.rule_index) == (DecisionStatus.APPROVED, 1)

    def test_the_highest_level_of_those_that_approve_counts(self) -> None:
        three = baseline(
            OperatingSystem.AMAZON_LINUX_2,
            rule(CLASSIFICATION="*", days=1, level=ComplianceLevel.LOW),
            rule(CLASSIFICATION="*", days=1, level=ComplianceLevel.HIGH),
            rule(CLASSIFICATION="*", days=90, level=ComplianceLevel.CRITICAL),
        )
        decision = decide(NOTICED, three)
        assert (decision.rule_index, decision.compliance_level) == (0, ComplianceLevel.HIGH)

    def test_the_earliest_approval_is_the_date(self) -> None:
        two = baseline(
            OperatingSystem.AMAZON_LINUX_2,
            rule(CLASSIFICATION="*", days=30, level=ComplianceLevel.CRITICAL),
            rule(CLASSIFICATION="*", days=20, level=ComplianceLevel.LOW),
            rule(CLASSIFICATION="*", days=20, level=ComplianceLevel.HIGH),
        )
        decision = decide(NOTICED, two)
        assert (decision.rule_index, decision.approval_date) == (1, date(2026, 3, 27))
        assert decision.compliance_level is ComplianceLevel.HIGH


def test_a_memory_decides_each_patch_once_a_day() -> None:
    asked: list[date] = []
    compiled = compile_baseline(AMAZON)

    def counting(patch: Patch, today: date) -> Decision:
        asked.append(today)
        return compiled(patch, today)

    recall = remembered(counting, count_max=2)
    later = date(2026, 3, 15)
    young = replace(NOTICED, released_on=date(2026, 3, 8))
    assert recall(young, TODAY) == recall(replace(young), TODAY)
    assert not recall(young, TODAY).is_approved
    assert recall(young, later).is_approved
    assert asked == [TODAY, later]
    recall(replace(young, name="bash"), later)
    recall(replace(young, name="zsh"), later)
    recall(young, later)
    assert asked == [TODAY, later, later, later, later]
