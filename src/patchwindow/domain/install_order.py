"""What is to be installed on a node: decided from its facts, by its baseline or by a list that takes the place of that.

The same decisions say afterwards what is missing, so that nothing approved is left, and nothing else is installed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from patchwindow.domain.baseline import Baseline, PatchAction
from patchwindow.domain.decision import Decide, Decision, DecisionStatus, compile_baseline
from patchwindow.domain.evaluation import patches_to_judge
from patchwindow.domain.evaluation_packages import Judged, blocked_updates, wanted_updates
from patchwindow.domain.facts import MANAGER_FAMILIES, Facts, Manager, UpdateState
from patchwindow.domain.facts_patches import FirstSeen, verdict
from patchwindow.domain.operating_system import Family
from patchwindow.domain.override import Candidate, InstallList, chosen
from patchwindow.domain.patch import Patch

MAY_REMOVE_TAG: Final = "patchwindow:may-remove"
"""The tag of a window whose tasks may remove packages that nothing replaces: its value is then `true`, and no other."""

_NO_SIGHTS: Final[FirstSeen] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPatch:
    """One patch to install. On Windows *name* is the KB number, or the title without one, and *version* the id of the update."""

    title: str
    name: str
    arch: str = ""
    version: str = ""
    advisories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedPatch:
    """What must not be installed, not even as a dependency; an empty architecture or version means any."""

    name: str
    arch: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallOrder:
    """What is to be installed, what must not be, and why patches that were to be installed cannot be, by title."""

    wanted: tuple[WantedPatch, ...] = ()
    blocked: tuple[BlockedPatch, ...] = ()
    failed: Mapping[str, str]


def install_order(
    facts: Facts,
    baseline: Baseline,
    today: date,
    *,
    install_list: InstallList | None = None,
    first_seen: FirstSeen = _NO_SIGHTS,
    decide: Decide | None = None,
) -> InstallOrder:
    """Return what an installation on a node with *facts* installs by *baseline* on *today*, a day in UTC.

    "Of several versions keep the latest."  An *install_list* replaces what rules and lists approve on Linux and macOS, and
    narrows it on Windows.  What the baseline rejects with BLOCK is never installed, whatever names it: "under any
    circumstances".
    """
    decide = decide or compile_baseline(baseline)
    patches = patches_to_judge(facts, baseline, today, first_seen)
    if facts.manager is Manager.WINDOWS:
        return _of_windows(facts, [verdict(readings, today, decide) for readings in patches.windows], install_list)
    offered = [verdict(readings, today, decide) for readings in patches.offered]
    added = [verdict(readings, today, decide) for readings in patches.added]
    if install_list is None:
        indexes: Sequence[int] = wanted_updates(facts, offered)
    else:
        indexes = _listed(facts, offered, install_list)
    blocks = baseline.rejected_patches_action is PatchAction.BLOCK
    failed = dict(blocked_updates(facts, offered, added)) if blocks else {}
    if blocks:
        failed.update(_listed_in_vain(indexes, offered))
    return InstallOrder(
        wanted=tuple(_wanted(facts, index, offered[index][0]) for index in indexes if index not in failed),
        blocked=tuple(_blocked(facts, baseline, offered, added)) if blocks else (),
        failed={offered[index][0].title: failed[index] for index in indexes if index in failed},
    )


def _listed(facts: Facts, offered: Judged, install_list: InstallList) -> list[int]:
    """Return the indexes of the updates that *install_list* names, approved or not."""
    indexes = {patch.title: index for index, (patch, _) in enumerate(offered)}
    candidates = [Candidate(patch, decision.is_approved) for patch, decision in offered]
    return [indexes[patch.title] for patch in chosen(install_list, candidates, MANAGER_FAMILIES[facts.manager])]


def _listed_in_vain(indexes: Sequence[int], offered: Judged) -> Mapping[int, str]:
    """Return, for each of *indexes* that is itself rejected, why it is not installed; only a list can name one."""
    return {
        index: f"the install override list names it, but it is blocked: {offered[index][1].reason}"
        for index in indexes
        if _is_rejected(offered[index][1])
    }


def _wanted(facts: Facts, index: int, patch: Patch) -> WantedPatch:
    update = facts.updates[index]
    return WantedPatch(
        title=patch.title,
        name=update.name,
        arch=update.arch,
        version=update.candidate,
        advisories=tuple(facts.advisories[number].id for number in update.advisories),
    )


def _blocked(facts: Facts, baseline: Baseline, offered: Judged, added: Judged) -> Iterable[BlockedPatch]:
    """Yield what is rejected of all that could come: versions that facts name, and on apt systems names, which is what is rejected there."""
    if MANAGER_FAMILIES[facts.manager] is Family.APT:
        # What would be newly installed is not in the facts of apt, and only the node finds that it would be.
        yield from (BlockedPatch(name=name) for name in sorted(set(baseline.rejected_patches)))
        return
    for update, (_, decision) in zip(facts.updates, offered, strict=True):
        if _is_rejected(decision):
            yield BlockedPatch(name=update.name, arch=update.arch, version=update.candidate)
    for addition, (_, decision) in zip(facts.additions, added, strict=True):
        if _is_rejected(decision):
            yield BlockedPatch(name=addition.name, arch=addition.arch, version=addition.version)


def _of_windows(facts: Facts, judged: Judged, install_list: InstallList | None) -> InstallOrder:
    """Return what is missing and approved, and also listed where there is a list."""
    missing = [
        (update, patch, decision)
        for update, (patch, decision) in zip(facts.windows_updates, judged, strict=True)
        if update.state is UpdateState.MISSING
    ]
    named: frozenset[Patch] | None = None
    if install_list is not None:
        # Of updates with one KB number all are installed, so each is put to the list by itself.
        named = frozenset(
            patch
            for _, each, decision in missing
            for patch in chosen(install_list, [Candidate(each, decision.is_approved)], Family.WINDOWS)
        )
    return InstallOrder(
        wanted=tuple(
            WantedPatch(title=patch.title, name=update.kb or update.title, version=update.id)
            for update, patch, decision in missing
            if (decision.is_approved if named is None else patch in named)
        ),
        failed={},
    )


def _is_rejected(decision: Decision) -> bool:
    return decision.status is DecisionStatus.REJECTED
