"""Rules across the members of baselines and patch groups, and between them."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Final

from patchwindow.domain.filter_values import ANY, FILTERS, FilterKey
from patchwindow.domain.operating_system import FAMILIES, LINUX, Family, OperatingSystem
from patchwindow.domain.patch_name import problem_of
from patchwindow.domain.predefined import PREDEFINED
from patchwindow.plans.definitions import Baseline, Plan, Rule
from patchwindow.plans.nodes import hint
from patchwindow.plans.problems import Mark

Note = Callable[[Mark, str], None]

PREDEFINED_SYSTEMS: Final[Mapping[str, OperatingSystem]] = {
    baseline.name: baseline.operating_system for baseline in PREDEFINED
}


def system_of(baseline: Baseline) -> OperatingSystem | None:
    """Return what *baseline* is for: what it says, or what its model is for; None where neither is usable."""
    if baseline.operating_system is not None:
        return OperatingSystem(baseline.operating_system)
    return PREDEFINED_SYSTEMS.get(baseline.copy_of or "")


def check_baselines(plan: Plan, note: Note) -> None:
    """Note what no baseline can be, alone or beside the others."""
    defaults: dict[OperatingSystem, str] = {}
    for name, baseline in plan.baselines.items():
        what = f"baseline {name!r}"
        if name in PREDEFINED_SYSTEMS:
            note(plan.marks.at("baselines", name), f"{what} is a predefined one; choose another name, and say copyOf")
        _check_origin(baseline, what, note)
        system = system_of(baseline)
        if system is None:
            continue
        _check_content(baseline, what, system, note)
        if baseline.default and system in defaults:
            first = defaults[system]
            note(baseline.marks.at("default"), f"{what} cannot be the default of {system}; {first!r} is already")
        elif baseline.default:
            defaults[system] = name


def check_groups(plan: Plan, note: Note) -> None:
    """Note references to baselines that do not exist, and groups with two baselines for one operating system."""
    for group_name, group in plan.patch_groups.items():
        taken: dict[OperatingSystem, str] = {}
        for index, name in enumerate(group.baselines):
            mark = group.marks.at("baselines", index)
            if name not in plan.baselines and name not in PREDEFINED_SYSTEMS:
                known = hint(name, [*plan.baselines, *PREDEFINED_SYSTEMS])
                note(mark, f"patch group {group_name!r}: there is no baseline {name!r}; {known}")
                continue
            system = system_of_name(plan, name)
            if system in taken:
                first = taken[system]
                note(
                    mark, f"patch group {group_name!r} has two baselines for {system}, {first!r} and {name!r}; keep one"
                )
            elif system is not None:
                taken[system] = name


def system_of_name(plan: Plan, name: str) -> OperatingSystem | None:
    """Return what the baseline *name* is for, one of the plan or a predefined one; None where that is not known."""
    return system_of(plan.baselines[name]) if name in plan.baselines else PREDEFINED_SYSTEMS.get(name)


def _check_origin(baseline: Baseline, what: str, note: Note) -> None:
    """Note a baseline that does not say its operating system, or says two."""
    if baseline.copy_of is None:
        if baseline.operating_system is None and baseline.sound("operating_system", "copy_of"):
            note(baseline.marks.record, f"{what} needs operatingSystem, or copyOf a predefined baseline")
        return
    model = PREDEFINED_SYSTEMS.get(baseline.copy_of)
    if model is None:
        known = hint(baseline.copy_of, PREDEFINED_SYSTEMS)
        note(baseline.marks.at("copy_of"), f"{what}: there is no predefined baseline {baseline.copy_of!r}; {known}")
    elif baseline.operating_system not in {None, model}:
        said = baseline.operating_system
        note(
            baseline.marks.at("operating_system"),
            f"{what} is for {said}, but {baseline.copy_of} is for {model}; leave operatingSystem out",
        )


def _check_content(baseline: Baseline, what: str, system: OperatingSystem, note: Note) -> None:
    """Note what a baseline for *system* cannot hold."""
    marks = baseline.marks
    at = partial(marks.at, "global_filters")
    _check_filters(baseline.global_filters or {}, system, f"{what}: globalFilters", at, note)
    for index, rule in enumerate(baseline.rules or ()):
        _check_rule(rule, f"{what}: rule {index + 1}", system, note)
    if FAMILIES[system] not in LINUX:
        if baseline.approved_patches_enable_non_security:
            mark = marks.at("approved_patches_enable_non_security")
            note(mark, f"{what}: approvedPatchesEnableNonSecurity is for Linux only, not for {system}; leave it out")
        if baseline.sources:
            note(marks.at("sources"), f"{what}: sources are for Linux only, not for {system}; leave them out")
    if baseline.available_security_updates_compliance_status and system is not OperatingSystem.WINDOWS:
        mark = marks.at("available_security_updates_compliance_status")
        note(
            mark,
            f"{what}: availableSecurityUpdatesComplianceStatus is for WINDOWS only, not for {system}; leave it out",
        )
    for member, key, entries in (
        ("approved_patches", "approvedPatches", baseline.approved_patches),
        ("rejected_patches", "rejectedPatches", baseline.rejected_patches),
    ):
        for index, entry in enumerate(entries or ()):
            if problem := problem_of(entry, FAMILIES[system]):
                note(marks.at(member, index), f"{what}: {key}: {entry!r} {problem}")


def _check_rule(rule: Rule, what: str, system: OperatingSystem, note: Note) -> None:
    """Note a rule that *system* cannot have, or that says no date where it needs one, or two."""
    _check_filters(rule.filters, system, f"{what}: filters", partial(rule.marks.at, "filters"), note)
    days, until = rule.approve_after_days, rule.approve_until_date
    if days is not None and until is not None:
        mark = rule.marks.at("approve_until_date")
        note(mark, f"{what} has approveAfterDays {days} and approveUntilDate {until}; keep one of them")
    dated = FAMILIES[system] is not Family.APT and rule.sound("approve_after_days", "approve_until_date")
    if dated and days is None and until is None:
        note(rule.marks.record, f"{what} needs approveAfterDays or approveUntilDate; approveAfterDays: 0 is at once")
    if until is not None and not _is_date(until):
        note(rule.marks.at("approve_until_date"), f"{what}: approveUntilDate is {until!r}, which no calendar has")
    if rule.enable_non_security and FAMILIES[system] not in LINUX:
        note(rule.marks.at("enable_non_security"), f"{what}: enableNonSecurity is for Linux only, not for {system}")


def _check_filters(
    filters: Mapping[str, tuple[str, ...]], system: OperatingSystem, what: str, at: Callable[..., Mark], note: Note
) -> None:
    """Note keys that *system* does not have and, where values are a closed list, values that are not in it."""
    served = {str(key): values for key, values in FILTERS[system].items()}
    for key, values in filters.items():
        if key not in served:
            # A key that no system has was refused when it was read.
            if key in FilterKey.__members__:
                note(at(key), f"{what}: {system} has no {key}; {hint(key, served)}")
            continue
        allowed = served[key]
        for index, value in enumerate(values):
            if allowed is not None and value != ANY and value not in allowed:
                note(at(key, index), f"{what}: {value!r} is no {key} of {system}; {hint(value, allowed)}")


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
