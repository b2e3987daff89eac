"""The patches of a node by what people call them: a title, a KBId, a name, a CVE or an advisory.

What a node has of a package is often two patches: the version that is installed and the one that is offered.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from patchwindow.domain.decision import Decision
from patchwindow.domain.evaluation import Evaluation, Passed
from patchwindow.domain.facts_patches import Patches, Readings
from patchwindow.domain.patch_state import PatchEntry, PatchState

_NEAR_MAX: Final = 5


class Standing(StrEnum):
    """What answers of our own call the state of a patch: as the API does, and what it has no word for."""

    MISSING = PatchState.MISSING.value
    FAILED = PatchState.FAILED.value
    INSTALLED_PENDING_REBOOT = PatchState.INSTALLED_PENDING_REBOOT.value
    INSTALLED_REJECTED = PatchState.INSTALLED_REJECTED.value
    AVAILABLE_SECURITY_UPDATE = PatchState.AVAILABLE_SECURITY_UPDATE.value
    NOT_APPROVED = "NotApproved"
    INSTALLED = PatchState.INSTALLED.value
    INSTALLED_OTHER = PatchState.INSTALLED_OTHER.value
    NOT_APPLICABLE = PatchState.NOT_APPLICABLE.value


# To make one from a value takes several times as long, and there are hundreds for each node.
_OF_STATE: Final = {state: Standing(state.value) for state in PatchState}
_RANKS: Final = {standing: rank for rank, standing in enumerate(Standing)}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePatch:
    """One patch of a node: its *readings*, and what became of it: an entry, or an update that was passed by.

    Neither has an offered version in whose place a newer one is approved, nor a Windows update for which the node has
    no use and the baseline no approval.
    """

    readings: Readings
    entry: PatchEntry | None = None
    passed: Passed | None = None

    @property
    def standing(self) -> Standing:
        if self.entry is not None:
            return _OF_STATE[self.entry.state]
        return Standing.NOT_APPLICABLE if self.passed is None else Standing.NOT_APPROVED

    @property
    def is_offered(self) -> bool:
        """Whether the node could install it."""
        return self.standing in _OFFERED

    def reason(self, decision: Decision) -> str:
        """Return why it is what it is, in one sentence, where the baseline's *decision* alone does not say it."""
        if self.entry is not None:
            return self.entry.reason
        if self.passed is not None:
            pulled = ", ".join(self.passed.comes_with)
            return f"{decision.reason}; it would come along with {pulled}" if pulled else decision.reason
        # A version is what packages have, and updates of Windows have not.
        if self.readings[0].version:
            return f"{decision.reason}; a newer version that is approved is installed in its place"
        return f"{decision.reason}; the node has no use for it"


_OFFERED: Final = frozenset(
    {Standing.MISSING, Standing.FAILED, Standing.AVAILABLE_SECURITY_UPDATE, Standing.NOT_APPROVED}
)


def node_patches(patches: Patches, evaluation: Evaluation) -> Iterator[NodePatch]:
    """Yield all that is installed or offered, with what *evaluation*, which is of these *patches*, made of it."""
    by_index = {entry.package_index: entry for entry in evaluation.entries if entry.package_index is not None}
    rest = {(entry.title, entry.kb_id): entry for entry in evaluation.entries if entry.package_index is None}
    passed = {(one.title, one.kb_id): one for one in evaluation.passed}

    def offered(readings: Readings) -> NodePatch:
        key = (readings[0].title, readings[0].kb_id)
        return NodePatch(readings=readings, entry=rest.get(key), passed=passed.get(key))

    for index, readings in enumerate(patches.installed):
        yield NodePatch(readings=readings, entry=by_index.get(index))
    yield from map(offered, patches.offered)
    for index, readings in enumerate(patches.windows):
        yield NodePatch(readings=readings, entry=by_index[index]) if index in by_index else offered(readings)


def named(patches: Sequence[NodePatch], term: str) -> list[NodePatch]:
    """Return those of *patches* that *term* names, those to act on first."""
    wanted = term.strip().casefold()
    return by_urgency(one for one in patches if wanted in _names(one))


def by_urgency(patches: Iterable[NodePatch]) -> list[NodePatch]:
    """Return *patches*, those to act on first."""
    return sorted(patches, key=lambda one: (_RANKS[one.standing], one.readings[0].title))


def near(patches: Sequence[NodePatch], term: str) -> list[str]:
    """Return a few names of *patches* that are like *term*, the likest first."""
    wanted = term.strip().casefold()
    names: Mapping[str, str] = {one.readings[0].name.casefold(): one.readings[0].name for one in patches}
    holding = sorted((name for name in names if wanted in name), key=lambda name: (len(name), name))
    # Of a title in another version, or for another architecture, the name.
    kb_id = wanted.partition(":")[0]
    bare = [name for name in (kb_id, kb_id.rpartition(".")[0]) if name in names]
    alike = bare or get_close_matches(kb_id, names, n=_NEAR_MAX, cutoff=0.6)
    return [names[name] for name in dict.fromkeys([*holding, *alike])][:_NEAR_MAX]


def _names(one: NodePatch) -> frozenset[str]:
    patch = one.readings[0]
    names = (patch.title, patch.kb_id, patch.name, *patch.cve_ids, *patch.advisory_ids)
    return frozenset(name.casefold() for name in names)
