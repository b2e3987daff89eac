"""Which patches of a fleet a list is asked for; what only the catalogue knows is looked up for few of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from patchwindow.domain.errors import InvalidFilter
from patchwindow.domain.fleet_patches import Tally
from patchwindow.domain.named_patches import Standing
from patchwindow.operations.call import Call
from patchwindow.operations.catalog_join import NOTHING, Known, known_of
from patchwindow.protocol.records import to_ms
from patchwindow.store.work import Work

KEYS: Final = (
    *("CVE", "AdvisoryId", "KnownExploited", "Name", "Classification", "Severity", "State", "Product"),
    *("MinAgeDays", "MaxAgeDays"),
)

_DAYS_MAX: Final = 36_500
_STATES: Final = {standing.casefold(): standing for standing in Standing}
_TRUTHS: Final = {"true": True, "false": False}

_Passes = Callable[[Tally], bool]


def passing(call: Call, tallies: Sequence[Tally], filters: Mapping[str, Sequence[str]]) -> list[Tally]:
    """Return those of *tallies* that pass all *filters*, in their order.

    Raises:
        InvalidFilter: a filter has a value that means nothing.
    """
    # What the catalogue is asked for comes last, when few are left.
    for make in (_by_attributes, _by_age, _by_catalog):
        for key, values in filters.items():
            if (passes := make(call, key, values, tallies)) is not None:
                tallies = [one for one in tallies if passes(one)]
    return list(tallies)


def _by_attributes(_call: Call, key: str, values: Sequence[str], _tallies: Sequence[Tally]) -> _Passes | None:
    wanted = frozenset(value.casefold() for value in values)
    match key:
        case "State":
            states = [_state(value) for value in values]
            return lambda one: any(one.counts[state] for state in states)
        case "Name":
            return lambda one: any(
                value in text.casefold() for value in wanted for text in (one.patch.title, one.patch.kb_id)
            )
        case "Classification" | "Severity" | "Product":
            attribute = key.lower()
            return lambda one: getattr(one.patch, attribute).casefold() in wanted
        case _:
            return None


def _by_age(call: Call, key: str, values: Sequence[str], _tallies: Sequence[Tally]) -> _Passes | None:
    if key not in ("MinAgeDays", "MaxAgeDays"):
        return None
    limits = [to_ms(call.now - timedelta(days=_days(key, value))) for value in values]
    sights = call.work.fleet_patches.first_sights()

    def first_seen_ms(one: Tally) -> int:
        return sights.get(one.patch.catalog_key, one.first_seen_ms)

    if key == "MinAgeDays":
        return lambda one: first_seen_ms(one) <= max(limits)
    return lambda one: first_seen_ms(one) >= min(limits)


def _by_catalog(call: Call, key: str, values: Sequence[str], tallies: Sequence[Tally]) -> _Passes | None:
    if key == "CVE":
        wanted = {value.upper() for value in values}
        known = _known_by_name(call.work, tallies, call.work.catalog.names_of(wanted))
        return lambda one: (
            not wanted.isdisjoint((*one.patch.cve_ids, *known.get(one.patch.catalog_key, NOTHING).cve_ids))
        )
    if key == "AdvisoryId":
        # Publishers differ in how they spell their ids; most write them in capitals.
        wanted = {value.upper() for value in values}
        known = _known_by_name(call.work, tallies, call.work.catalog.names_of(wanted.union(values)))
        return lambda one: any(id.upper() in wanted for id in known.get(one.patch.catalog_key, NOTHING).advisory_ids)
    if key == "KnownExploited":
        truths = {_truth(value) for value in values}
        known = _known_by_name(call.work, tallies, call.work.fleet_patches.exploited_names())
        return lambda one: bool(known.get(one.patch.catalog_key, NOTHING).exploited) in truths
    return None


def _known_by_name(work: Work, tallies: Sequence[Tally], names: set[str]) -> Mapping[tuple[str, str, str], Known]:
    return known_of(work, {one.patch.catalog_key for one in tallies if one.patch.name in names})


def _truth(value: str) -> bool:
    truth = _TRUTHS.get(value.casefold())
    if truth is None:
        raise InvalidFilter(f"filter KnownExploited has the value {value!r}; use true or false")
    return truth


def _state(value: str) -> Standing:
    state = _STATES.get(value.replace("_", "").casefold())
    if state is None:
        raise InvalidFilter(f"filter State has the value {value!r}; use one of {', '.join(Standing)}")
    return state


def _days(key: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and int(value) <= _DAYS_MAX):
        raise InvalidFilter(f"filter {key} has the value {value!r}; give whole days, from 0 to {_DAYS_MAX}")
    return int(value)
