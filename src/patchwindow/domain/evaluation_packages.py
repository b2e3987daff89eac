"""Packages, as apt, yum, dnf, zypper and the ways of macOS have them: the state of each.

"Every installed package is one entry, plus one entry per missing or failed update."  What is not applicable is counted
and has no entry.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.decision import Decision, DecisionStatus
from patchwindow.domain.facts import MANAGER_FAMILIES, Facts, Update
from patchwindow.domain.facts_patches import Patches, sort_key_for
from patchwindow.domain.node_patches import Circumstances, Found, Passed
from patchwindow.domain.operating_system import Family
from patchwindow.domain.patch import Patch
from patchwindow.domain.patch_name import finder
from patchwindow.domain.patch_state import PatchEntry

Judged = Sequence[tuple[Patch, Decision]]


def evaluate_packages(facts: Facts, patches: Patches, here: Circumstances) -> Found:
    """Return the states of the packages of *facts*, whose patches are *patches*."""
    entries: list[PatchEntry] = []
    for index, readings in enumerate(patches.installed):
        patch, decision = here.verdict(readings)
        entries.append(here.installed(patch, decision, index))
    offered = [here.verdict(readings) for readings in patches.offered]
    wanted = wanted_updates(facts, offered)
    blocked = (
        blocked_updates(facts, offered, [here.verdict(readings) for readings in patches.added]) if here.blocks else {}
    )
    for index in wanted:
        patch, decision = offered[index]
        entries.append(here.missing(patch, decision, *_remarks(facts.updates[index]), blocked_by=blocked.get(index)))
    pulled = _pulled(facts, [index for index in wanted if index not in blocked], offered)
    return Found(
        entries=entries,
        passed=[
            Passed(
                title=patch.title,
                kb_id=patch.kb_id,
                source=patch.repository,
                decision=decision,
                comes_with=pulled.get(index, ()),
            )
            for index, (patch, decision) in enumerate(offered)
            if not decision.is_approved
        ],
        not_applicable_count=_not_applicable_count(patches, here.baseline, MANAGER_FAMILIES[facts.manager]),
    )


def wanted_updates(facts: Facts, offered: Judged) -> list[int]:
    """Return the indexes of the updates to install: of several approved versions of one package, the newest alone."""
    sort_key = sort_key_for(facts.manager)
    newest: dict[str, int] = {}
    for index, (patch, decision) in enumerate(offered):
        if decision.is_approved:
            other = newest.setdefault(patch.kb_id, index)
            if sort_key(facts.updates[other].candidate) < sort_key(facts.updates[index].candidate):
                newest[patch.kb_id] = index
    return list(newest.values())


def blocked_updates(facts: Facts, offered: Judged, added: Judged) -> Mapping[int, str]:
    """Return, for each update that would pull in a rejected patch, directly or not, why it cannot be installed."""
    parents: defaultdict[int, list[int]] = defaultdict(list)
    parents_of_added: defaultdict[int, list[int]] = defaultdict(list)
    for index, update in enumerate(facts.updates):
        for pulled in update.pulls:
            parents[pulled].append(index)
        for addition in update.adds:
            parents_of_added[addition].append(index)
    blocked: dict[int, str] = {}
    for judged, above in ((offered, parents), (added, parents_of_added)):
        for index, (patch, decision) in enumerate(judged):
            if decision.status is DecisionStatus.REJECTED:
                reason = f"it needs {patch.title}, which is blocked: {decision.reason}"
                _block(above[index], parents, reason, blocked)
    return blocked


def _block(first: Sequence[int], parents: Mapping[int, Sequence[int]], reason: str, blocked: dict[int, str]) -> None:
    """Note *reason* for all that are *first*, for their parents, and so on; each keeps the reason it had."""
    waiting = list(first)
    while waiting:
        index = waiting.pop()
        if index not in blocked:
            blocked[index] = reason
            waiting.extend(parents.get(index, ()))


def _pulled(facts: Facts, wanted: Sequence[int], offered: Judged) -> Mapping[int, tuple[str, ...]]:
    """Return, for each update that comes along with wanted ones, the titles of those."""
    pulled: defaultdict[int, list[str]] = defaultdict(list)
    for index in wanted:
        for other in facts.updates[index].pulls:
            pulled[other].append(offered[index][0].title)
    return {index: tuple(sorted(titles)) for index, titles in pulled.items()}


def _remarks(update: Update) -> list[str]:
    return [f"the node holds it at {update.installed}"] if update.held else []


def _not_applicable_count(patches: Patches, baseline: Baseline, family: Family) -> int:
    """Return how many patches the baseline approves by name that the node has no use for."""
    idle = set(baseline.approved_patches) - set(baseline.rejected_patches)
    if idle:
        entries_for = finder(tuple(idle), family, rejects=False)
        for readings in (*patches.installed, *patches.offered):
            idle.difference_update(entries_for(readings[0]))
    return len(idle)
