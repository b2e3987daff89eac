"""What a baseline is refused for."""

from dataclasses import replace

import pytest

from patchwindow.domain.baseline import (
    Baseline,
    ComplianceStatus,
    PatchFilter,
    PatchFilterGroup,
    PatchRule,
    PatchRuleGroup,
    PatchSource,
)
from patchwindow.domain.baseline_check import check
from patchwindow.domain.errors import Invalid
from patchwindow.domain.filter_values import FILTERS, FilterKey
from patchwindow.domain.operating_system import OperatingSystem

DEBIAN = Baseline(name="web", operating_system=OperatingSystem.DEBIAN)
REDHAT = Baseline(name="web", operating_system=OperatingSystem.REDHAT_ENTERPRISE_LINUX)
WINDOWS = Baseline(name="web")


def group(key: FilterKey, *values: str) -> PatchFilterGroup:
    return PatchFilterGroup(patch_filters=(PatchFilter(key=key, values=values),))


ANY_PRODUCT = group(FilterKey.PRODUCT, "*")


def with_rule(baseline: Baseline, rule: PatchRule) -> Baseline:
    return replace(baseline, approval_rules=PatchRuleGroup(patch_rules=(rule,)))


def with_filter(baseline: Baseline, filters: PatchFilterGroup) -> Baseline:
    return with_rule(baseline, PatchRule(patch_filter_group=filters, approve_after_days=1))


def rule(*, days: int | None = None, until: str | None = None, enable_non_security: bool = False) -> PatchRule:
    return PatchRule(
        patch_filter_group=ANY_PRODUCT,
        approve_after_days=days,
        approve_until_date=until,
        enable_non_security=enable_non_security,
    )


SOURCE = PatchSource(name="own", products=("*",), configuration="deb https://mirror.example.net/debian bookworm main")


@pytest.mark.parametrize(
    "baseline",
    [
        DEBIAN,
        with_rule(DEBIAN, rule()),
        with_rule(DEBIAN, rule(days=100)),
        with_rule(DEBIAN, rule(days=7, enable_non_security=True)),
        with_rule(REDHAT, rule(until="2026-03-08")),
        with_rule(WINDOWS, rule(days=0)),
        with_filter(DEBIAN, group(FilterKey.SECTION, "kernel")),
        with_filter(REDHAT, group(FilterKey.SEVERITY, "Moderate", "Medium")),
        with_filter(WINDOWS, group(FilterKey.PATCH_SET, "APPLICATION")),
        replace(DEBIAN, sources=(SOURCE,), approved_patches_enable_non_security=True),
        replace(DEBIAN, approved_patches=("openssl", "libstdc++6", "python3.11")),
        replace(REDHAT, approved_patches=("RHSA-2017:0864", "CVE-2018-1234567", "kernel*")),
        replace(WINDOWS, available_security_updates_compliance_status=ComplianceStatus.NON_COMPLIANT),
    ],
)
def test_what_the_api_takes_passes(baseline: Baseline) -> None:
    check(baseline)


@pytest.mark.parametrize(
    ("baseline", "words"),
    [
        (
            with_filter(DEBIAN, group(FilterKey.SEVERITY, "Critical")),
            "ApprovalRules.PatchRules[0].PatchFilterGroup.PatchFilters[0].Key: SEVERITY is no filter for DEBIAN; use one of PRODUCT",
        ),
        (
            replace(DEBIAN, global_filters=group(FilterKey.CVE_ID, "CVE-2026-1")),
            "GlobalFilters.PatchFilters[0].Key: CVE_ID is no filter for DEBIAN",
        ),
        (
            with_filter(DEBIAN, group(FilterKey.PRIORITY, "Urgent")),
            "PatchFilters[0].Values: 'Urgent' is no PRIORITY of DEBIAN; use * or some of Required, Important",
        ),
        (with_rule(REDHAT, rule()), "PatchRules[0]: has neither ApproveAfterDays nor ApproveUntilDate"),
        (
            with_rule(DEBIAN, rule(days=3, until="2026-03-08")),
            "PatchRules[0]: has ApproveAfterDays 3 and ApproveUntilDate 2026-03-08; give only one of them",
        ),
        (with_rule(REDHAT, rule(until="2026-02-30")), "ApproveUntilDate: '2026-02-30' is no date"),
        (with_rule(REDHAT, rule(until="20260208")), "write it as YYYY-MM-DD"),
        (with_rule(WINDOWS, rule(days=1, enable_non_security=True)), "EnableNonSecurity: is for Linux only"),
        (replace(WINDOWS, approved_patches_enable_non_security=True), "ApprovedPatchesEnableNonSecurity: is for Linux"),
        (replace(WINDOWS, sources=(SOURCE,)), "Sources: are for Linux only, and this baseline is for WINDOWS"),
        (
            replace(DEBIAN, available_security_updates_compliance_status=ComplianceStatus.COMPLIANT),
            "AvailableSecurityUpdatesComplianceStatus: is for WINDOWS only, and this baseline is for DEBIAN",
        ),
        (replace(DEBIAN, rejected_patches=("openssl", "linux-*")), "RejectedPatches[1]: 'linux-*' has a wildcard"),
        (
            replace(DEBIAN, approved_patches=("openssl.amd64",)),
            "ApprovedPatches[0]: 'openssl.amd64' is no package name",
        ),
        (replace(DEBIAN, approved_patches=("openssl=3.0",)), "write the bare name, without architecture and version"),
        (replace(REDHAT, rejected_patches=("*kernel*",)), "RejectedPatches[0]: '*kernel*' has more than one *"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_place(baseline: Baseline, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(baseline)
    assert words in str(refused.value)


def test_one_refusal_names_every_problem() -> None:
    baseline = replace(
        with_rule(WINDOWS, rule(days=3, until="tomorrow")),
        sources=(SOURCE,),
        global_filters=group(FilterKey.SECTION, "x"),
    )
    with pytest.raises(Invalid) as refused:
        check(baseline)
    assert str(refused.value).count("; ") >= 3
    for words in ("SECTION is no filter", "has ApproveAfterDays 3", "'tomorrow' is no date", "Sources: are"):
        assert words in str(refused.value)


@pytest.mark.parametrize("system", OperatingSystem)
def test_every_listed_value_passes_for_its_system(system: OperatingSystem) -> None:
    for key, values in FILTERS[system].items():
        check(
            with_filter(
                Baseline(name="web", operating_system=system),
                PatchFilterGroup(patch_filters=(PatchFilter(key=key, values=("*", *(values or ("anything",)))),)),
            )
        )


def test_first_sight_is_for_systems_without_dates() -> None:
    check(replace(DEBIAN, approves_by_first_seen=True))
    check(replace(REDHAT, approves_by_first_seen=False))
    with pytest.raises(Invalid) as refused:
        check(replace(REDHAT, approves_by_first_seen=True))
    assert str(refused.value) == (
        "approval by first sight: is for systems of apt, and REDHAT_ENTERPRISE_LINUX has dates of its own; leave it out"
    )
