"""One approval rule, compiled: what it says about a patch on a day, and why.

All of a rule that does not depend on the patch is settled once, when it is compiled; hundreds of thousands of patches
are then put to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Final

from patchwindow.domain.approval_date import DATELESS, UNDATED, date_of
from patchwindow.domain.baseline import ComplianceLevel, PatchFilter, PatchRule
from patchwindow.domain.filter_values import ANY, FilterKey
from patchwindow.domain.operating_system import FAMILIES, LINUX, Family, OperatingSystem
from patchwindow.domain.patch import Patch


@dataclass(frozen=True, slots=True)
class Approved:
    """The rule approves the patch."""

    level: ComplianceLevel
    reason: str


@dataclass(frozen=True, slots=True)
class Pending:
    """The rule will approve the patch, from *day* on."""

    level: ComplianceLevel
    reason: str
    day: date


@dataclass(frozen=True, slots=True)
class Missed:
    """The rule does not approve the patch, for so many reasons."""

    miss_count: int
    reason: str


Outcome = Approved | Pending | Missed
CompiledRule = Callable[[Patch, date], Outcome]


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must be true of a patch; *miss* says in words how a patch fails it, *hit* how it meets it."""

    holds: Callable[[Patch], bool]
    miss: Callable[[Patch], str]
    hit: Callable[[Patch], str] | None = None


# What the publisher calls security, in words, where a patch is not that.
NO_SECURITY: Final[dict[Family, str]] = {
    Family.APT: "it does not come from the security source",
    Family.RPM: "no update notice names it",
    Family.ZYPPER: "it belongs to no zypper patch",
}

_ATTRIBUTES: Final[dict[FilterKey, Callable[[Patch], str]]] = {
    FilterKey.PATCH_SET: attrgetter("patch_set"),
    FilterKey.PRODUCT: attrgetter("product"),
    FilterKey.PRODUCT_FAMILY: attrgetter("product_family"),
    FilterKey.CLASSIFICATION: attrgetter("classification"),
    FilterKey.MSRC_SEVERITY: lambda patch: patch.severity or "Unspecified",
    FilterKey.SEVERITY: attrgetter("severity"),
    FilterKey.PRIORITY: attrgetter("priority"),
    FilterKey.SECTION: attrgetter("section"),
}


def _normal(value: str) -> str:
    # Publishers write Moderate where lists of values write Medium, and apt writes its priorities small.
    folded = value.casefold()
    return "medium" if folded == "moderate" else folded


def condition_of(filter: PatchFilter, *, takes_unset: bool = False) -> Condition | None:
    """Return what *filter* asks of a patch, or `None` where it lets every patch pass; empty ones if it *takes_unset*.

    The filter is one that baselines may have: `baseline_check.check` let it pass.
    """
    if ANY in filter.values:
        return None
    value_of = _ATTRIBUTES[filter.key]
    allowed = frozenset([*map(_normal, filter.values), *([""] if takes_unset else [])])
    wanted = " or ".join(filter.values)
    return Condition(
        holds=lambda patch: _normal(value_of(patch)) in allowed,
        miss=lambda patch: f"{filter.key} is {value_of(patch) or 'not given'}, not {wanted}",
        hit=lambda patch: f"{filter.key} {value_of(patch) or 'not given'}",
    )


def _conditions(rule: PatchRule, family: Family) -> list[Condition]:
    filters = rule.patch_filter_group.patch_filters
    keys = {filter.key for filter in filters}
    # "When a rule has Classification and Severity and the package has no severity, Classification decides".
    takes_unset = {FilterKey.SEVERITY} if FilterKey.CLASSIFICATION in keys else set[FilterKey]()
    found = [condition_of(filter, takes_unset=filter.key in takes_unset) for filter in filters]
    if family in LINUX and not rule.enable_non_security:
        no_security = NO_SECURITY[family]
        found.append(Condition(holds=attrgetter("is_security"), miss=lambda _: no_security))
    if family is Family.WINDOWS and FilterKey.PATCH_SET not in keys:
        found.append(condition_of(PatchFilter(key=FilterKey.PATCH_SET, values=("OS",))))
    return [condition for condition in found if condition is not None]


def compile_rule(rule: PatchRule, number: int, operating_system: OperatingSystem) -> CompiledRule:
    """Return what *rule*, the *number*-th from 1, says about a patch on a day."""
    family = FAMILIES[operating_system]
    conditions = _conditions(rule, family)
    timing = _timing(rule, operating_system)

    def judge(patch: Patch, today: date) -> Outcome:
        if misses := [condition.miss(patch) for condition in conditions if not condition.holds(patch)]:
            return Missed(len(misses), f"rule {number} misses it: {' and '.join(misses)}")
        verdict = timing(patch, today)
        if verdict.is_never:
            return Missed(1, f"rule {number} misses it: {verdict.words}")
        hits = [condition.hit(patch) for condition in conditions if condition.hit]
        words = ", ".join([*(hits or ["any patch"]), verdict.words])
        if verdict.from_day is not None:
            return Pending(rule.compliance_level, f"rule {number} will approve it: {words}", verdict.from_day)
        return Approved(rule.compliance_level, f"rule {number} approves it: {words}")

    return judge


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Whether the date lets the patch pass: now, from a day on, or never; and the words for it."""

    words: str
    from_day: date | None = None
    is_never: bool = False


def _timing(rule: PatchRule, operating_system: OperatingSystem) -> Callable[[Patch, date], _Verdict]:
    if FAMILIES[operating_system] in DATELESS:
        at_once = _Verdict("at once, since apt knows no dates")
        return lambda _patch, _today: at_once

    days = rule.approve_after_days
    until = date.fromisoformat(rule.approve_until_date) if rule.approve_until_date is not None else None

    def time(patch: Patch, today: date) -> _Verdict:
        dated = date_of(patch, operating_system, with_non_security=rule.enable_non_security)
        if dated is None:
            return _Verdict("it has no date, and the rule is for security patches only", is_never=True)
        name = "undated" if dated == UNDATED else f"dated {dated}"
        if until is not None:
            return _Verdict(f"{name}, approved until {until}", is_never=dated > until)
        # Ordinals, since a date near the end of time cannot be added to.
        approved_on = dated.toordinal() + (days or 0)
        if approved_on <= today.toordinal():
            return _Verdict(f"{name} and {days or 0} days old or more")
        from_day = date.fromordinal(min(approved_on, date.max.toordinal()))
        return _Verdict(f"{name}, to be approved on {from_day}", from_day=from_day)

    return time
