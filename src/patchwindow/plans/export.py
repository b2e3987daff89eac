"""A plan of what is there: read as an apply reads it, written as a plan says it, and compared with what was read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from patchwindow.client import SsmClient, call
from patchwindow.plans import written
from patchwindow.plans.current import read_current
from patchwindow.plans.definitions import Plan
from patchwindow.plans.desired import desired_state
from patchwindow.plans.difference import Action, difference
from patchwindow.plans.naming import Adopting
from patchwindow.plans.problems import PlanProblems
from patchwindow.plans.read import parse_plan
from patchwindow.plans.state import BASELINE, FREEZES, NAME_TAG, PLAN_TAG, Address, Found, Kind

# What the tagging operations call the kinds that can be tagged.
_TAGGED: Final = {
    Kind.BASELINE: "PatchBaseline",
    Kind.FREEZE: "Document",
    Kind.WINDOW: "MaintenanceWindow",
    Kind.ASSOCIATION: "Association",
}
# Which operation names what is in a window, and by which member it knows it.
_NAMED: Final = {
    Kind.TARGET: ("UpdateMaintenanceWindowTarget", "WindowTargetId"),
    Kind.TASK: ("UpdateMaintenanceWindowTask", "WindowTaskId"),
}


@dataclass(frozen=True, slots=True)
class Export:
    """A plan as *sections* and as a file's *text*, what it does not say, and what no plan has made, which an apply would make again."""

    plan_name: str
    sections: Mapping[str, Any]
    text: str
    notes: tuple[str, ...]
    adoptable: tuple[Found, ...]
    nameless: tuple[tuple[str, Found], ...]
    """Targets and tasks without a name, each with the id of its window; the plan calls them by their own ids."""


def export(client: SsmClient, plan_name: str) -> Export:
    """Return a plan of what *client* has, but for what plans of other names have made.

    Raises:
        ClientProblem: the API could not be asked.
    """
    naming = Adopting(plan_name)
    current = read_current(client, naming, models=frozenset(), predefined=None)
    found = [each for each in current.found if each.address.kind not in {Kind.DEFAULT, Kind.GROUP} or _is_known(each)]
    sections = _sections(plan_name, found)
    text = yaml.safe_dump(sections, sort_keys=False, allow_unicode=True, width=120)
    notes = [
        *(
            f"left out: {count} resource{'' if count == 1 else 's'} of plan {name!r}; --name {name} exports that plan"
            for name, count in sorted(naming.others.items())
        ),
        *(f"left out: {each.address}, whose baseline is in no plan" for each in current.found if each not in found),
        *_unsaid(text, found),
    ]
    adoptable = tuple(each for each in found if each.address.kind in _TAGGED and not each.is_ours)
    windows = {each.address.path: each.id for each in found if each.address.kind is Kind.WINDOW}
    nameless = tuple(
        (windows[each.address.path[:1]], each)
        for each in found
        if each.address.kind in _NAMED and each.members["Name"] is None
    )
    return Export(plan_name, sections, text, tuple(notes), adoptable, nameless)


def adopt(client: SsmClient, exported: Export) -> None:
    """Tag what no plan has made as made by this one, so that an apply of it takes it over.

    Raises:
        ClientProblem: the API could not be asked, or it refused; what came before stays tagged.
    """
    for each in exported.adoptable:
        tags = [
            {"Key": PLAN_TAG, "Value": exported.plan_name},
            {"Key": NAME_TAG, "Value": each.address.path[0]},
        ]
        call(client, "AddTagsToResource", ResourceType=_TAGGED[each.address.kind], ResourceId=each.id, Tags=tags)
    for window_id, each in exported.nameless:
        operation, member = _NAMED[each.address.kind]
        call(client, operation, WindowId=window_id, **{member: each.id}, Name=each.address.path[1])


def _is_known(found: Found) -> bool:
    """Say whether a default or a group has a baseline with a name, and not one of another plan, told by its id."""
    return bool(found.members[BASELINE] != found.id)


def _sections(plan_name: str, found: Iterable[Found]) -> dict[str, Any]:
    there = {each.address: each.members for each in found}
    groups: dict[str, list[str]] = {}
    for address in _of(there, Kind.GROUP):
        groups.setdefault(address.path[0], []).append(there[address][BASELINE])
    names = frozenset(groups)
    freezes = {address.path[0]: written.freeze(there[address]) for address in _of(there, Kind.FREEZE)}
    defaults = {members[BASELINE] for address, members in there.items() if address.kind is Kind.DEFAULT}
    sections = {
        "baselines": {
            address.path[0]: written.baseline(there[address], is_default=address.path[0] in defaults)
            for address in _of(there, Kind.BASELINE)
        },
        "patchGroups": {name: {"baselines": baselines} for name, baselines in groups.items()},
        "freezes": freezes,
        "windows": dict(_windows(there, names, frozenset(freezes))),
        "associations": _known(
            (address, written.association(_heeding(there[address], "CalendarNames", frozenset(freezes)), names))
            for address in _of(there, Kind.ASSOCIATION)
        ),
    }
    return {"name": plan_name} | {name: section for name, section in sections.items() if section}


def _windows(
    there: Mapping[Address, Mapping[str, Any]], groups: frozenset[str], freezes: frozenset[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for address in _of(there, Kind.WINDOW):
        (name,) = address.path
        inside = [each for each in there if len(each.path) == 2 and each.path[0] == name]
        targets = _known(
            (each, written.target(there[each], groups)) for each in sorted(inside, key=str) if each.kind is Kind.TARGET
        )
        tasks = _known((each, written.task(there[each])) for each in sorted(inside, key=str) if each.kind is Kind.TASK)
        # A task of a target that a plan has no words for would be refused; it is told as unsaid.
        tasks = {each: task for each, task in tasks.items() if targets.keys() >= set(task["targets"])}
        yield name, written.window(_heeding(there[address], FREEZES, freezes), targets, tasks)


def _heeding(members: Mapping[str, Any], member: str, freezes: frozenset[str]) -> dict[str, Any]:
    """Return *members* with the freezes alone that the plan has; others are of another plan, and told as unsaid."""
    return {**members, member: [name for name in members[member] if name in freezes]}


def _of(there: Mapping[Address, Any], kind: Kind) -> list[Address]:
    return sorted((address for address in there if address.kind is kind), key=str)


def _known(pairs: Iterable[tuple[Address, dict[str, Any] | None]]) -> dict[str, dict[str, Any]]:
    return {address.path[-1]: said for address, said in pairs if said is not None}


def _unsaid(text: str, found: Iterable[Found]) -> Iterator[str]:
    """Yield what the plan in *text* does not say of what was *found*, by comparing as an apply does."""
    try:
        plan: Plan = parse_plan(text, "the plan")
    except PlanProblems as refused:
        yield from (f"not as plans are: {problem}" for problem in refused.problems)
        return
    result = difference(desired_state(plan, {}), found)
    yield from (f"not one plan's: {message}" for _, message in result.obstacles)
    for change in result.changes:
        match change.action:
            case Action.UPDATE:
                yield f"not said exactly: {change.address}; an apply changes {', '.join(change.changed)}"
            case Action.LEAVE:
                yield f"not said: {change.address} ({change.id}), for which plans have no words"
            case Action.CREATE | Action.KEEP | Action.DELETE:
                pass
