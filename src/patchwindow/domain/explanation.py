"""Why a baseline decides as it does about a patch, in parts: what a program can show, check and apply.

The sentence of the same is `Decision.reason`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from patchwindow.domain.approval_date import Dated
from patchwindow.domain.approval_rule import CompiledRule, Condition, security_condition
from patchwindow.domain.baseline import Baseline
from patchwindow.domain.decision import CompiledBaseline, Decision, DecisionStatus, compiled
from patchwindow.domain.filter_values import FilterKey
from patchwindow.domain.operating_system import FAMILIES
from patchwindow.domain.patch import Patch
from patchwindow.domain.patch_name import entry_for, finder


class Beyond(StrEnum):
    """What is compared beside the attributes of a patch that have a filter."""

    DATE = "DATE"
    DAY = "DAY"
    APPROVED_PATCHES = "APPROVED_PATCHES"
    REJECTED_PATCHES = "REJECTED_PATCHES"


Field = FilterKey | Beyond


@dataclass(frozen=True, slots=True)
class Comparison:
    """What *field* is, and what it is wanted to be: any of *wanted*, where an empty text is a patch without it.

    A DATE is wanted to be the one given or an earlier one, the DAY of the decision the one given or a later one, and
    the name of the patch to stand in APPROVED_PATCHES, or *value* to be taken out of REJECTED_PATCHES.
    """

    field: Field
    value: str
    wanted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """What dates did: *dated* is `None` where the patch has no date that counts, and then nothing is known further.

    Of *delay_days* and *until* one is given, as the rule has it. *days_left* is 0 where the rule's date lets the patch
    pass, and `None` where it never will.
    """

    dated: Dated | None
    delay_days: int | None
    until: date | None
    approval_on: date | None
    days_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A decision in parts.

    *rule_index* is that of the rule that approves or will, else of the one that misses least; `None` where a list
    decides or no rule could ever approve. *compared* is what that rule and the global filters ask, met or not, and
    *dates* what its date says; `None` where dates do not count.

    *differences* is the nearest miss: all of it together would approve the patch.  It is empty for one that is
    approved, and `None` where nothing can approve it.
    """

    decision: Decision
    rule_index: int | None = None
    compared: tuple[Comparison, ...] = ()
    dates: Dates | None = None
    approved_entries: tuple[str, ...] = ()
    rejected_entries: tuple[str, ...] = ()
    differences: tuple[Comparison, ...] | None = ()


def explain(patch: Patch, baseline: Baseline, today: date) -> Explanation:
    """Return why *baseline* decides as it does about *patch* on *today*, a day in UTC."""
    family = FAMILIES[baseline.operating_system]
    approved = tuple(dict.fromkeys(finder(baseline.approved_patches, family, rejects=False)(patch)))
    rejected = tuple(dict.fromkeys(finder(baseline.rejected_patches, family, rejects=True)(patch)))
    # What would be decided if nothing were rejected: rejection stands before it, and adds to its differences.
    ready = compiled(replace(baseline, rejected_patches=()))
    free = _free(ready, patch, today, is_listed=bool(approved))
    differences = free.differences
    if differences is not None:
        differences = (*(Comparison(Beyond.REJECTED_PATCHES, entry, ()) for entry in rejected), *differences)
    return replace(
        free,
        decision=compiled(baseline).decide(patch, today),
        approved_entries=approved,
        rejected_entries=rejected,
        differences=differences,
    )


def _free(ready: CompiledBaseline, patch: Patch, today: date, *, is_listed: bool) -> Explanation:
    decision = ready.decide(patch, today)
    if decision.status is DecisionStatus.EXPLICIT_APPROVED:
        return Explanation(decision=decision)
    if decision.rule_index is not None:
        return _by_rule(ready, ready.rules[decision.rule_index], decision, patch, today)
    if is_listed:
        return Explanation(decision=decision, differences=tuple(_list_differences(ready, patch)))
    rule = min(
        (rule for rule in ready.rules if rule.is_possible),
        key=lambda rule: len(list(_differences(ready, rule, patch, today))),
        default=None,
    )
    if rule is not None:
        return _by_rule(ready, rule, decision, patch, today)
    entry = entry_for(patch, FAMILIES[ready.baseline.operating_system])
    if entry is None:
        return Explanation(decision=decision, differences=None)
    named = Comparison(Beyond.APPROVED_PATCHES, "", (entry,))
    return Explanation(decision=decision, differences=(named, *_list_differences(ready, patch)))


def _by_rule(ready: CompiledBaseline, rule: CompiledRule, decision: Decision, patch: Patch, today: date) -> Explanation:
    return Explanation(
        decision=decision,
        rule_index=rule.index,
        compared=tuple(
            _comparison(rule, condition, patch) for condition in _one_each([*ready.scope, *rule.conditions])
        ),
        dates=_dates(ready.baseline, rule, patch, today),
        differences=tuple(_differences(ready, rule, patch, today)),
    )


def _one_each(conditions: list[Condition]) -> list[Condition]:
    return list({condition.key: condition for condition in conditions}.values())


def _comparison(rule: CompiledRule, condition: Condition, patch: Patch) -> Comparison:
    return Comparison(condition.key, condition.value_of(patch), rule.wanted[condition.key])


def _differences(ready: CompiledBaseline, rule: CompiledRule, patch: Patch, today: date) -> Iterator[Comparison]:
    misses = [condition for condition in (*ready.scope, *rule.conditions) if not condition.holds(patch)]
    for condition in _one_each(misses):
        yield _comparison(rule, condition, patch)
    timing = rule.timing(patch, today)
    if timing.is_never:
        yield Comparison(Beyond.DATE, str(timing.dated.on) if timing.dated else "", (str(timing.latest),))
    elif timing.from_day is not None:
        yield Comparison(Beyond.DAY, str(today), (str(timing.from_day),))


def _list_differences(ready: CompiledBaseline, patch: Patch) -> Iterator[Comparison]:
    if ready.lists_security_only and not patch.is_security:
        condition = security_condition(FAMILIES[ready.baseline.operating_system])
        yield Comparison(condition.key, condition.value_of(patch), condition.wanted)


def _dates(baseline: Baseline, rule: CompiledRule, patch: Patch, today: date) -> Dates | None:
    timing = rule.timing(patch, today)
    if timing.latest is None:
        return None
    source = baseline.approval_rules.patch_rules[rule.index]
    until = date.fromisoformat(source.approve_until_date) if source.approve_until_date is not None else None
    delay_days = None if until else source.approve_after_days or 0
    if timing.dated is None or timing.is_never:
        return Dates(dated=timing.dated, delay_days=delay_days, until=until, approval_on=None, days_left=None)
    approval_on = timing.from_day or date.fromordinal(timing.dated.on.toordinal() + (delay_days or 0))
    days_left = max((approval_on - today).days, 0) if timing.from_day else 0
    return Dates(dated=timing.dated, delay_days=delay_days, until=until, approval_on=approval_on, days_left=days_left)
