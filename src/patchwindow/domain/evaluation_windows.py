"""Windows updates: the state of each, as the node's own search found it.

Not applicable are approved updates for what the node does not have, or that a later one, which is installed, replaces;
they are listed and counted.  A security update that is offered and not approved is available, and what that means for
compliance the baseline says.
"""

from typing import Final

from patchwindow.domain.decision import DecisionStatus
from patchwindow.domain.facts import Facts, UpdateState
from patchwindow.domain.facts_patches import Patches
from patchwindow.domain.node_patches import Circumstances, Found, Passed, entry
from patchwindow.domain.patch_state import PatchEntry, PatchState, is_security_class

# How many updates that are not applicable a node's answers hold; those beyond are only counted.
NOT_APPLICABLE_MAX: Final = 1000

_IDLE: Final = {
    UpdateState.NOT_APPLICABLE: "the node has nothing that it is for",
    UpdateState.SUPERSEDED: "a later update, which is installed, replaces it",
}


def evaluate_windows(facts: Facts, patches: Patches, here: Circumstances) -> Found:
    """Return the states of the updates of *facts*, whose patches are *patches*."""
    entries: list[PatchEntry] = []
    idle: list[PatchEntry] = []
    passed: list[Passed] = []
    for index, (update, readings) in enumerate(zip(facts.windows_updates, patches.windows, strict=True)):
        patch, decision = here.verdict(readings)
        match update.state:
            case UpdateState.INSTALLED:
                entries.append(here.installed(patch, decision, index))
            case UpdateState.PENDING_REBOOT:
                why = "it is installed, and there was no reboot since"
                entries.append(here.installed(patch, decision, index, waits_for_reboot=why))
            case UpdateState.NOT_APPLICABLE | UpdateState.SUPERSEDED:
                if decision.is_approved:
                    reason = f"{decision.reason}; {_IDLE[update.state]}"
                    idle.append(entry(patch, decision, PatchState.NOT_APPLICABLE, reason))
            case UpdateState.MISSING:
                if decision.is_approved:
                    entries.append(here.missing(patch, decision))
                elif is_security_class(patch.classification) and decision.status is not DecisionStatus.REJECTED:
                    entries.append(entry(patch, decision, PatchState.AVAILABLE_SECURITY_UPDATE, decision.reason))
                else:
                    passed.append(
                        Passed(title=patch.title, kb_id=patch.kb_id, source=patch.repository, decision=decision)
                    )
    return Found(
        entries=[*entries, *idle[:NOT_APPLICABLE_MAX]],
        passed=passed,
        unreported_not_applicable_count=max(len(idle) - NOT_APPLICABLE_MAX, 0),
    )
