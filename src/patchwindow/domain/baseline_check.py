"""What may not stand in a patch baseline, as far as the service model cannot say it."""

import re
from collections.abc import Iterator
from datetime import date

from patchwindow.domain.approval_date import DATELESS
from patchwindow.domain.baseline import Baseline, PatchFilter, PatchFilterGroup, PatchRule
from patchwindow.domain.errors import Invalid
from patchwindow.domain.filter_values import ANY, FILTERS
from patchwindow.domain.operating_system import FAMILIES, LINUX, Family, OperatingSystem
from patchwindow.domain.patch_name import problem_of

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def check(baseline: Baseline) -> None:
    """Return if *baseline* may be stored and evaluated.

    Raises:
        Invalid: it may not; the message names every problem.
    """
    problems = [
        *_check_groups(baseline),
        *_check_platform(baseline),
        *_check_names("ApprovedPatches", baseline.approved_patches, baseline.operating_system),
        *_check_names("RejectedPatches", baseline.rejected_patches, baseline.operating_system),
    ]
    if problems:
        raise Invalid("; ".join(problems))


def _check_groups(baseline: Baseline) -> Iterator[str]:
    system = baseline.operating_system
    yield from _check_filters(baseline.global_filters, system, "GlobalFilters")
    for index, rule in enumerate(baseline.approval_rules.patch_rules):
        path = f"ApprovalRules.PatchRules[{index}]"
        yield from _check_filters(rule.patch_filter_group, system, f"{path}.PatchFilterGroup")
        yield from _check_rule(rule, FAMILIES[system], path)


def _check_filters(group: PatchFilterGroup, system: OperatingSystem, path: str) -> Iterator[str]:
    for index, filter in enumerate(group.patch_filters):
        yield from _check_filter(filter, system, f"{path}.PatchFilters[{index}]")


def _check_filter(filter: PatchFilter, system: OperatingSystem, path: str) -> Iterator[str]:
    served = FILTERS[system]
    if filter.key not in served:
        yield f"{path}.Key: {filter.key} is no filter for {system}; use one of {', '.join(served)}"
        return
    allowed = served[filter.key]
    if allowed is None:
        return
    for value in filter.values:
        if value != ANY and value not in allowed:
            yield f"{path}.Values: {value!r} is no {filter.key} of {system}; use * or some of {', '.join(allowed)}"


def _check_rule(rule: PatchRule, family: Family, path: str) -> Iterator[str]:
    days, until = rule.approve_after_days, rule.approve_until_date
    if days is not None and until is not None:
        yield f"{path}: has ApproveAfterDays {days} and ApproveUntilDate {until}; give only one of them"
    # Package lists of apt carry no dates: a delay is taken there, as the API does, and means nothing.
    if days is None and until is None and family is not Family.APT:
        yield f"{path}: has neither ApproveAfterDays nor ApproveUntilDate; give one of them"
    if until is not None and not _is_date(until):
        yield f"{path}.ApproveUntilDate: {until!r} is no date; write it as YYYY-MM-DD"
    if rule.enable_non_security and family not in LINUX:
        yield f"{path}.EnableNonSecurity: is for Linux only; leave it out"


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _check_platform(baseline: Baseline) -> Iterator[str]:
    system = baseline.operating_system
    if FAMILIES[system] not in LINUX:
        if baseline.approved_patches_enable_non_security:
            yield f"ApprovedPatchesEnableNonSecurity: is for Linux only, and this baseline is for {system}; leave it out"
        if baseline.sources:
            yield f"Sources: are for Linux only, and this baseline is for {system}; leave them out"
    if baseline.approves_by_first_seen and FAMILIES[system] not in DATELESS:
        yield f"approval by first sight: is for systems of apt, and {system} has dates of its own; leave it out"
    if baseline.available_security_updates_compliance_status is not None and system is not OperatingSystem.WINDOWS:
        yield (
            "AvailableSecurityUpdatesComplianceStatus: is for WINDOWS only, "
            f"and this baseline is for {system}; leave it out"
        )


def _check_names(member: str, entries: tuple[str, ...], system: OperatingSystem) -> Iterator[str]:
    for index, entry in enumerate(entries):
        if problem := problem_of(entry, FAMILIES[system]):
            yield f"{member}[{index}]: {entry!r} {problem}"
