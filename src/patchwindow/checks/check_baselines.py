"""Baselines and groups that decide nothing, and approvals that come too late for every version."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from patchwindow.checks.codes import CheckCode, found
from patchwindow.checks.openings import openings
from patchwindow.checks.snapshot import Baseline, Node, Release, Rule, Snapshot, Window
from patchwindow.domain.filter_values import ANY
from patchwindow.domain.lint_finding import named
from patchwindow.domain.list_scheduling import median
from patchwindow.domain.patch_group import baseline_for
from patchwindow.plans.check_windows import is_patch_document
from patchwindow.plans.finding import Finding

# A pace needs two steps, so three versions, within a time that still says something of today.
_STEPS_LEAST: Final = 2
_LOOKED_BACK: Final = timedelta(days=365)


def unused(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield own baselines that are no default and of no group."""
    registered = {group.baseline_id for group in snapshot.groups}
    for baseline in snapshot.baselines:
        if baseline.is_own and not baseline.is_default and baseline.id not in registered:
            sentence = f"it is neither the default of {baseline.system} nor registered for a patch group"
            yield found(CheckCode.BASELINE_UNUSED, baseline, sentence, "register it, or delete it")


def groups_without_nodes(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield registered groups that no node is in."""
    inhabited = {node.group for node in snapshot.nodes.values()}
    for name in sorted({group.name for group in snapshot.groups} - inhabited):
        sentence = "it is registered with a baseline, and no node is in it"
        remedy = "tag its nodes, or deregister the group"
        yield found(CheckCode.GROUP_WITHOUT_NODES, f"patch group {name!r}", sentence, remedy)


def starving(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield baselines whose delay outlives a version, so that the next one restarts it before the former is installed.

    A version is there to be installed from the end of its delay until the next one comes out.  Where that takes no longer
    than the delay, it never is; where it is shorter than the time between two windows, it may be missed.
    """
    for baseline, nodes in _judged(snapshot):
        gap = _longest_gap(snapshot, {node.id for node in nodes})
        products = {node.product for node in nodes}
        for rule in baseline.rules if baseline.has_dates and gap is not None else ():
            assert gap is not None, "else there is no rule to look at"
            delay = timedelta(days=rule.days)
            paces = _paces(snapshot, rule, products)
            starved = sorted(name for name, pace in paces.items() if pace <= delay)
            missed = sorted(name for name, pace in paces.items() if delay < pace < delay + gap)
            told = f"it approves {rule.days} days after the release, and its nodes' windows are up to {gap.days} days apart"
            if starved:
                sentence = f"{told}; a newer version comes out before that, of {_few(starved, paces)}"
                remedy = "approve sooner, or approve these by name"
                yield found(CheckCode.APPROVAL_STARVES, baseline, sentence, remedy)
            if missed:
                sentence = (
                    f"{told}; an approved version may be replaced before a window opens, of {_few(missed, paces)}"
                )
                remedy = "approve sooner, or let windows open more often"
                yield found(CheckCode.APPROVAL_MAY_STARVE, baseline, sentence, remedy)
            if delay > gap and not any(release.product in products for release in snapshot.releases):
                sentence = f"{told}; whether newer versions come out before that is not known here"
                remedy = "approve within the time between two windows"
                yield found(CheckCode.APPROVAL_MAY_STARVE, baseline, sentence, remedy)


def _judged(snapshot: Snapshot) -> Iterator[tuple[Baseline, list[Node]]]:
    """Yield each baseline with the nodes that it decides about."""
    registered = {(group.name, str(group.system)): group.baseline_id for group in snapshot.groups}
    defaults = {str(baseline.system): baseline.id for baseline in snapshot.baselines if baseline.is_default}
    nodes: dict[str, list[Node]] = defaultdict(list)
    for node in snapshot.nodes.values():
        if node.system is not None:
            id = baseline_for(
                group=node.group,
                operating_system=node.system,
                registered=lambda group, system: registered.get((group, system)),
                default=lambda system: defaults.get(system, ""),
            )
            nodes[id].append(node)
    return ((baseline, nodes[baseline.id]) for baseline in snapshot.baselines if baseline.id in nodes)


def _longest_gap(snapshot: Snapshot, nodes: Collection[str]) -> timedelta | None:
    """Return the longest time between two openings that install on the same of *nodes*, None where none does."""
    by_node: dict[str, list[str]] = defaultdict(list)
    opened: dict[str, list[datetime]] = {}
    for window in snapshot.windows:
        if reached := _installed_on(window) & frozenset(nodes):
            opened[window.id] = openings(window, snapshot.taken_at)
            for node in reached:
                by_node[node].append(window.id)
    together = {tuple(ids) for ids in by_node.values()}
    merged = [sorted({at for id in ids for at in opened[id]}) for ids in together]
    return max((later - former for all_at in merged for former, later in pairwise(all_at)), default=None)


def _installed_on(window: Window) -> frozenset[str]:
    tasks = (task for task in window.tasks if is_patch_document(task.document) and task.operation == "Install")
    return frozenset[str]().union(*(part for task in tasks for part in task.parts))


def _paces(snapshot: Snapshot, rule: Rule, products: Collection[str]) -> Mapping[str, timedelta]:
    """Return the usual time between two versions of each package that *rule* is for and whose releases are known."""
    since = (snapshot.taken_at - _LOOKED_BACK).date()
    days: dict[str, set[date]] = defaultdict(set)
    for release in snapshot.releases:
        if release.product in products and release.on >= since and _is_for(rule, release):
            days[release.name].add(release.on)
    steps = {name: [later - former for former, later in pairwise(sorted(dates))] for name, dates in days.items()}
    return {name: median(each) for name, each in steps.items() if len(each) >= _STEPS_LEAST}


def _is_for(rule: Rule, release: Release) -> bool:
    """Say whether *rule* can be for *release*, by what the list of releases tells."""
    told = {"PRODUCT": release.product, "CLASSIFICATION": release.classification, "SEVERITY": release.severity}
    return all(ANY in rule.filters.get(key, (ANY,)) or value in rule.filters[key] for key, value in told.items())


def _few(names: Iterable[str], paces: Mapping[str, timedelta]) -> str:
    return named([f"{name} (every {paces[name].days} days)" for name in names])
