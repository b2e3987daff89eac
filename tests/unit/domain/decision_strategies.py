"""Baselines, patches and days for properties: whatever a baseline may have, and patches that it may or may not fit."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st

from patchwindow.domain.approval_date import DATELESS
from patchwindow.domain.baseline import (
    Baseline,
    ComplianceLevel,
    PatchFilter,
    PatchFilterGroup,
    PatchRule,
    PatchRuleGroup,
)
from patchwindow.domain.filter_values import FILTERS, FilterKey
from patchwindow.domain.operating_system import FAMILIES, LINUX, OperatingSystem
from patchwindow.domain.patch import Patch

TODAY = date(2026, 3, 14)
NAMES = ("openssl", "bash", "linux-image-amd64")
SYSTEMS = (
    OperatingSystem.DEBIAN,
    OperatingSystem.AMAZON_LINUX_2023,
    OperatingSystem.REDHAT_ENTERPRISE_LINUX,
    OperatingSystem.SUSE,
    OperatingSystem.WINDOWS,
    OperatingSystem.MACOS,
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
    is_linux = FAMILIES[system] in LINUX
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
        approved_patches_enable_non_security=st.booleans() if FAMILIES[system] in LINUX else st.just(value=False),
        rejected_patches=names,
        approves_by_first_seen=st.sampled_from([None, True, False]) if FAMILIES[system] in DATELESS else st.none(),
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
    first_seen_on=maybe_days,
    is_security=st.booleans(),
)

any_system = st.sampled_from(SYSTEMS)
any_baseline = any_system.flatmap(baselines)
with_rule = any_system.flatmap(lambda system: st.tuples(baselines(system), rules(system)))
