"""One approval rule, compiled: what it says about a patch on a day, and why.

All of a rule that does not depend on the patch is settled once, when it is compiled; hundreds of thousands of patches
are then put to it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Final, NamedTuple

from patchwindow.domain.approval_date import DATELESS, Dated, DateOf, dater
from patchwindow.domain.baseline import Baseline, ComplianceLevel, PatchFilter, PatchRule
from patchwindow.domain.filter_values import ANY, FilterKey
from patchwindow.domain.operating_system import FAMILIES, LINUX, Family
from patchwindow.domain.patch import Patch

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
    FilterKey.SECURITY: lambda patch: "true" if patch.is_security else "false",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must be true of a patch: that what *key* stands for is one of *wanted*, and *allowed* holds those
    in normal form.  An empty one in *wanted* is a patch without it.  *plea* says a miss in words of its own.
    """

    key: FilterKey
    wanted: tuple[str, ...]
    allowed: frozenset[str]
    value_of: Callable[[Patch], str]
    plea: str = ""

    def holds(self, patch: Patch) -> bool:
        return normal(self.value_of(patch)) in self.allowed

    def miss(self, patch: Patch) -> str:
        """Return in words how *patch* fails it."""
        if self.plea:
            return self.plea
        wanted = " or ".join(value for value in self.wanted if value)
        return f"{self.key} is {self.value_of(patch) or 'not given'}, not {wanted}"

    def hit(self, patch: Patch) -> str:
        """Return in words how *patch* meets it."""
        return f"{self.key} {self.value_of(patch) or 'not given'}"


def normal(value: str) -> str:
    """Return *value* in the one way in which values are compared."""
    # Publishers write Moderate where lists of values write Medium, and apt writes its priorities small.
    folded = value.casefold()
    return "medium" if folded == "moderate" else folded


def condition_of(filter: PatchFilter, *, takes_unset: bool = False) -> Condition | None:
    """Return what *filter* asks of a patch, or `None` where it lets every patch pass; empty ones if it *takes_unset*.

    The filter is one that baselines may have: `baseline_check.check` let it pass.
    """
    if ANY in filter.values:
        return None
    wanted = (*filter.values, "") if takes_unset else filter.values
    return Condition(filter.key, wanted, frozenset(map(normal, wanted)), _ATTRIBUTES[filter.key])


class Timing(NamedTuple):
    """What the date of a patch says on a day: *from_day* is when the delay is over, *latest* the last date that passes.

    *dated* is `None` where no date counts, or there is none; *is_never* says that no day to come will approve it.
    *form* is what it says in words, with the dates to be filled in.
    """

    # A tuple, since one is made for every patch and rule, and a frozen dataclass takes three times as long.
    form: str
    dated: Dated | None = None
    from_day: date | None = None
    latest: date | None = None
    is_never: bool = False

    @property
    def words(self) -> str:
        return self.form.format(dated=self.dated, from_day=self.from_day)


class Approved(NamedTuple):
    """The rule approves the patch."""

    rule: "CompiledRule"
    timing: Timing


class Pending(NamedTuple):
    """The rule will approve the patch, from *day* on."""

    rule: "CompiledRule"
    timing: Timing
    day: date


class Missed(NamedTuple):
    """The rule does not approve the patch, for so many reasons; *misses* are those that are not its date."""

    rule: "CompiledRule"
    timing: Timing
    miss_count: int
    misses: Sequence[Condition]


Outcome = Approved | Pending | Missed


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule of a baseline, ready to judge; *wanted* has what it and the global filters together leave of each key."""

    index: int
    level: ComplianceLevel
    conditions: tuple[Condition, ...]
    timing: Callable[[Patch, date], Timing]
    wanted: dict[FilterKey, tuple[str, ...]]

    @property
    def is_possible(self) -> bool:
        """Whether any patch can pass it and the global filters: two filters of one key may leave nothing."""
        return all(self.wanted.values())

    def judge(self, patch: Patch, today: date) -> Outcome:
        """Return what the rule says of *patch* on *today*."""
        misses = [condition for condition in self.conditions if not condition.holds(patch)]
        timing = self.timing(patch, today)
        if misses or timing.is_never:
            waits = timing.is_never or timing.from_day is not None
            return Missed(self, timing, len({condition.key for condition in misses}) + waits, misses)
        if timing.from_day is not None:
            return Pending(self, timing, timing.from_day)
        return Approved(self, timing)

    def sentence(self, patch: Patch, outcome: Outcome) -> str:
        """Return *outcome*, which the rule had for *patch*, in words."""
        name = f"rule {self.index + 1}"
        if isinstance(outcome, Missed):
            misses = [condition.miss(patch) for condition in outcome.misses] or [outcome.timing.words]
            return f"{name} misses it: {' and '.join(misses)}"
        hits = [condition.hit(patch) for condition in self.conditions if not condition.plea] or ["any patch"]
        verb = "approves" if isinstance(outcome, Approved) else "will approve"
        return f"{name} {verb} it: {', '.join([*hits, outcome.timing.words])}"


def compile_rule(index: int, baseline: Baseline, scope: Sequence[Condition]) -> CompiledRule:
    """Return the *index*-th rule of *baseline*, whose global filters are *scope*, ready to judge."""
    rule = baseline.approval_rules.patch_rules[index]
    conditions = tuple(_conditions(rule, FAMILIES[baseline.operating_system]))
    return CompiledRule(
        index=index,
        level=rule.compliance_level,
        conditions=conditions,
        timing=_timing(rule, baseline),
        wanted=_wanted([*scope, *conditions]),
    )


def _conditions(rule: PatchRule, family: Family) -> Iterable[Condition]:
    filters = rule.patch_filter_group.patch_filters
    keys = {filter.key for filter in filters}
    # "When a rule has Classification and Severity and the package has no severity, Classification decides".
    takes_unset = {FilterKey.SEVERITY} if FilterKey.CLASSIFICATION in keys else set[FilterKey]()
    found = [condition_of(filter, takes_unset=filter.key in takes_unset) for filter in filters]
    if family in LINUX and not rule.enable_non_security:
        found.append(security_condition(family))
    if family is Family.WINDOWS and FilterKey.PATCH_SET not in keys:
        found.append(condition_of(PatchFilter(key=FilterKey.PATCH_SET, values=("OS",))))
    return [condition for condition in found if condition is not None]


def security_condition(family: Family) -> Condition:
    """Return what asks a patch whether its publisher calls it a security patch."""
    key = FilterKey.SECURITY
    return Condition(key, ("true",), frozenset({"true"}), _ATTRIBUTES[key], NO_SECURITY[family])


def _wanted(conditions: Sequence[Condition]) -> dict[FilterKey, tuple[str, ...]]:
    """Return the values of each key that all of *conditions* let pass."""
    wanted: dict[FilterKey, tuple[str, ...]] = {}
    for condition in conditions:
        values = wanted.get(condition.key, condition.wanted)
        wanted[condition.key] = tuple(value for value in values if normal(value) in condition.allowed)
    return wanted


_AT_ONCE: Final = Timing("at once, since apt knows no dates")
_UNSEEN: Final = "no node has reported it yet, and the baseline counts from then"
_NO_DATE: Final = "it has no date, and the rule is for security patches only"


def _timing(rule: PatchRule, baseline: Baseline) -> Callable[[Patch, date], Timing]:
    system = baseline.operating_system
    is_dateless = FAMILIES[system] in DATELESS
    if is_dateless and not baseline.approves_by_first_seen:
        return lambda _patch, _today: _AT_ONCE

    date_of = dater(system, with_non_security=rule.enable_non_security)
    without_date = _UNSEEN if is_dateless else _NO_DATE
    if rule.approve_until_date is not None:
        until = date.fromisoformat(rule.approve_until_date)
        return _timing_until(until, date_of, without_date)
    return _timing_after(rule.approve_after_days or 0, date_of, without_date)


def _timing_until(until: date, date_of: DateOf, without_date: str) -> Callable[[Patch, date], Timing]:
    form = f"{{dated}}, approved until {until}"

    def timing(patch: Patch, _today: date) -> Timing:
        if (dated := date_of(patch)) is None:
            return Timing(without_date, latest=until, is_never=True)
        return Timing(form, dated, latest=until, is_never=dated.on > until)

    return timing


def _timing_after(days: int, date_of: DateOf, without_date: str) -> Callable[[Patch, date], Timing]:
    form = f"{{dated}} and {days} days old or more"

    def timing(patch: Patch, today: date) -> Timing:
        # Ordinals, since a date near the end of time cannot be added to.
        latest = date.fromordinal(max(today.toordinal() - days, 1))
        if (dated := date_of(patch)) is None:
            return Timing(without_date, latest=latest, is_never=True)
        if dated.on <= latest:
            return Timing(form, dated, latest=latest)
        from_day = date.fromordinal(min(dated.on.toordinal() + days, date.max.toordinal()))
        return Timing("{dated}, to be approved on {from_day}", dated, from_day=from_day, latest=latest)

    return timing
