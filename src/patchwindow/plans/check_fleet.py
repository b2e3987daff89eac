"""A plan beside the nodes that it is for: who is forgotten, and which words mean nobody."""

from collections.abc import Collection, Iterator
from typing import Final

from patchwindow.plans.check_baselines import PREDEFINED_SYSTEMS, system_of
from patchwindow.plans.check_windows import installs
from patchwindow.plans.codes import PlanCode, found, severity_of
from patchwindow.plans.definitions import Plan
from patchwindow.plans.finding import Finding, Where
from patchwindow.plans.fleet import Fleet

_NAMED_MAX: Final = 3
# Two nodes or one are patched at once or not at all.
_FEW: Final = 3


def windows_by_nodes(plan: Plan, fleet: Fleet) -> dict[str, list[str]]:
    """Return the enabled windows of each node that has several, under a word for all nodes that have the same."""
    windows: dict[str, list[str]] = {}
    for name, window in plan.windows.items():
        if window.enabled:
            for id in set().union(*(fleet.meant(target) for target in window.targets.values())):
                windows.setdefault(id, []).append(name)
    alike: dict[tuple[str, ...], list[str]] = {}
    for id, names in windows.items():
        alike.setdefault(tuple(names), []).append(id)
    return {_named(ids): list(names) for names, ids in alike.items() if len(names) > 1}


def forgotten(plan: Plan, fleet: Fleet) -> Iterator[Finding]:
    """Yield nodes in no window, groups that the plan does not have, and targets that mean no node."""
    reached: set[str] = set()
    for name, window in plan.windows.items():
        for target_name, target in window.targets.items():
            nodes = fleet.meant(target)
            if window.enabled:
                reached |= nodes
            if not nodes:
                mark = window.marks.at("targets", target_name)
                sentence = f"window {name!r}: target {target_name!r} means none of the {len(fleet.nodes)} nodes"
                yield found(plan, PlanCode.TARGET_WITHOUT_NODES, mark, sentence, "correct it, or tag its nodes")
    if left := fleet.nodes - reached:
        sentence = f"{_counted(left)} in no enabled window, so nothing patches them: {_named(left)}"
        yield _of_fleet(fleet, PlanCode.NODE_IN_NO_WINDOW, sentence, "give them a tag that a window asks for")
    yield from _unknown(plan, fleet)


def boundless(plan: Plan, fleet: Fleet) -> Iterator[Finding]:
    """Yield installing tasks whose limits are numbers that their nodes never reach, and so hold nothing back."""
    for name, window in plan.windows.items():
        for task_name, task in window.tasks.items():
            nodes = set().union(*(fleet.meant(window.targets[each]) for each in task.targets or window.targets))
            if not installs(task) or len(nodes) < _FEW:
                continue
            what, mark = f"window {name!r}: task {task_name!r}", window.marks.at("tasks", task_name)
            if _reaches(task.max_concurrency, len(nodes)):
                sentence = f"{what} installs on its {len(nodes)} nodes with maxConcurrency {task.max_concurrency}, so on all at once"
                remedy = "use a share such as 10%, so that a bad patch meets a few nodes first"
                yield found(plan, PlanCode.ALL_AT_ONCE, mark, sentence, remedy)
            if _reaches(task.max_errors, len(nodes)):
                sentence = f"{what} installs on its {len(nodes)} nodes with maxErrors {task.max_errors}, so it goes on however many fail"
                yield found(plan, PlanCode.ERRORS_NEVER_STOP, mark, sentence, "use a share such as 5%")


def _reaches(limit: str, node_count: int) -> bool:
    """Say whether a *limit* is a number, and as many as there are nodes; shares are looked at without any nodes."""
    return limit.isdigit() and int(limit) >= node_count


def _unknown(plan: Plan, fleet: Fleet) -> Iterator[Finding]:
    for group, nodes in sorted(fleet.groups.items()):
        if group not in plan.patch_groups:
            sentence = f"{_counted(nodes)} in patch group {group!r}, which the plan does not have: {_named(nodes)}"
            remedy = "correct the tag, or give the group its baselines"
            yield _of_fleet(fleet, PlanCode.NODE_IN_UNKNOWN_GROUP, sentence, remedy)
            continue
        known = {_system(plan, name) for name in plan.patch_groups[group].baselines}
        for system in sorted({fleet.systems[id] for id in nodes if id in fleet.systems} - known):
            those = [id for id in nodes if fleet.systems.get(id) == system]
            sentence = (
                f"{_counted(those)} in patch group {group!r}, which has no baseline for {system}, so the default of that "
                f"system decides: {_named(those)}"
            )
            remedy = f"correct the tag, or give the group a baseline for {system}"
            yield _of_fleet(fleet, PlanCode.NODE_IN_UNKNOWN_GROUP, sentence, remedy)


def _system(plan: Plan, baseline: str) -> str | None:
    return system_of(plan.baselines[baseline]) if baseline in plan.baselines else PREDEFINED_SYSTEMS[baseline]


def _of_fleet(fleet: Fleet, code: PlanCode, sentence: str, remedy: str) -> Finding:
    return Finding(code, severity_of(code), Where(fleet.file), sentence, remedy)


def _counted(nodes: Collection[str]) -> str:
    return f"{len(nodes)} node{' is' if len(nodes) == 1 else 's are'}"


def _named(nodes: Collection[str]) -> str:
    first = sorted(nodes)[:_NAMED_MAX]
    more = len(nodes) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")
