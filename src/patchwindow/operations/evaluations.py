"""What facts and a baseline make of a node. Every view of a node's patches asks here, so no two can disagree."""

import functools
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Final

from patchwindow.domain.baseline import Baseline, ComplianceStatus
from patchwindow.domain.decision import Decide, compile_baseline, remembered
from patchwindow.domain.evaluation import Evaluation, evaluate
from patchwindow.domain.facts import Facts
from patchwindow.domain.facts_patches import patches_of
from patchwindow.domain.fleet_patches import Listing, listing
from patchwindow.domain.fleet_state import standing_of
from patchwindow.domain.named_patches import node_patches
from patchwindow.domain.overlay import NOTHING, Overlay
from patchwindow.domain.validity import next_change
from patchwindow.operations.catalog import learn
from patchwindow.operations.first_sight import first_seen, goes_by_first_sight
from patchwindow.operations.kept_facts import read
from patchwindow.operations.recent import Recent
from patchwindow.store.evaluations import Question, StoredEvaluation
from patchwindow.store.patch_states import PatchState
from patchwindow.store.work import Work

_Key = tuple[str, Baseline, Overlay, date]

# An evaluation of 2000 packages takes about a megabyte.
_MEMORY: Final[Recent[_Key, Evaluation]] = Recent(64)


def evaluation_of(work: Work, state: PatchState) -> Evaluation:
    """Return what the node's patches are, by the baseline and on the day of which its counts are."""
    baseline = work.baselines.revision(state.summary.baseline_id, state.baseline_revision)
    assert baseline is not None, "revisions are never deleted"
    key = (state.facts_digest, baseline, state.overlay, state.evaluated_on)

    def make() -> Evaluation:
        facts = facts_of(work, state.facts_digest)
        return _evaluate(work, facts, baseline, state.overlay, state.evaluated_on)

    return _MEMORY.recall(key, make)


def evaluation_by(
    work: Work, facts: Facts, facts_digest: str, baseline: Baseline, day: date, *, overlay: Overlay = NOTHING
) -> Evaluation:
    """Return what *baseline* makes of *facts* on *day*."""
    return _MEMORY.recall(
        (facts_digest, baseline, overlay, day), lambda: _evaluate(work, facts, baseline, overlay, day)
    )


def answer(
    work: Work, question: Question, baseline: Baseline, today: date, facts: Callable[[], Facts]
) -> StoredEvaluation:
    """Return the evaluation that answers *question* today: the one that is kept, or a new one, kept from now on.

    *baseline* is the one that the question names, and *facts* returns its facts, which are read only where needed.
    """
    found = work.evaluations.find(question, today)
    if found is not None:
        return found
    known = facts()
    if goes_by_first_sight(baseline):
        # Facts from before there was a catalogue count from now on; all others are in it.
        learn(work, baseline.operating_system, known, question.facts_digest, datetime.combine(today, time(), UTC))
    evaluation = evaluation_by(work, known, question.facts_digest, baseline, today, overlay=question.overlay)
    bad = [entry for entry in evaluation.entries if evaluation.compliance_of(entry) is ComplianceStatus.NON_COMPLIANT]
    return work.evaluations.add(
        question,
        day=today,
        until=next_change(known, baseline, today, first_seen=first_seen(work, baseline, known)),
        standing=standing_of(evaluation.counts),
        counts=evaluation.counts,
        patches=bad,
        tally=evaluation.tally,
        listed=listing_of(known, evaluation),
    )


def listing_of(facts: Facts, evaluation: Evaluation) -> Listing:
    """Return the state of each patch of *facts*, as *evaluation*, which is of them, has it."""
    return listing(facts, node_patches(patches_of(facts), evaluation))


def facts_of(work: Work, digest: str) -> Facts:
    """Return the facts that are kept under *digest*."""
    body = work.facts.get(digest)
    assert body is not None, "a foreign key keeps facts that are referred to"
    return read(body)


def _evaluate(work: Work, facts: Facts, baseline: Baseline, overlay: Overlay, day: date) -> Evaluation:
    return evaluate(
        facts,
        baseline,
        day,
        pending_reboot=overlay.pending_reboot,
        failed=overlay.reasons,
        after_install=overlay.after_install,
        first_seen=first_seen(work, baseline, facts),
        decide=decider(baseline),
    )


@functools.lru_cache(maxsize=32)
def decider(baseline: Baseline) -> Decide:
    """Return what decides by *baseline*, with a memory of what it has decided."""
    # Nodes that differ in some packages share the others, and what is decided about them.
    return remembered(compile_baseline(baseline), count_max=50_000)
