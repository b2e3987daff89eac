"""Facts, and what baselines make of them."""

from datetime import timedelta

import pytest
from tests.store.compliance import FACTS, LISTED, MISSING, TALLY, TODAY, cohort, evaluated, question, scanned
from tests.store.samples import NOW, later

from patchwindow.domain.fleet_state import FleetState
from patchwindow.domain.overlay import Failure, Overlay
from patchwindow.store.work import Work

DAY = timedelta(days=1)
OVERLAY = Overlay(pending_reboot=("a",), failed=(Failure(title="b", reason="no space"),), after_install=True)


@pytest.mark.parametrize("canonical", [FACTS, b""], ids=["bytes", "nothing"])
def test_facts_come_back_byte_for_byte(work: Work, canonical: bytes) -> None:
    work.facts.put("d-1", canonical, NOW)
    assert work.facts.get("d-1") == canonical
    assert work.facts.get("d-2") is None


def test_facts_are_kept_once_under_their_digest(work: Work) -> None:
    work.facts.put("d-1", FACTS, NOW)
    work.facts.put("d-1", b"others", NOW)
    assert work.facts.get("d-1") == FACTS


def test_an_evaluation_comes_back_as_it_was_kept(work: Work) -> None:
    kept = evaluated(work, question(overlay=OVERLAY), until=TODAY + DAY)
    assert work.evaluations.get(kept.evaluation_id) == kept
    assert work.evaluations.patches(kept.evaluation_id) == (MISSING,)
    assert work.evaluations.tally(kept.evaluation_id) == TALLY
    assert (kept.question.overlay.reasons, kept.standing) == ({"b": "no space"}, FleetState.FAILED)


@pytest.mark.parametrize(
    "other", [{"facts_digest": "d-2"}, {"baseline_id": "pb-2"}, {"baseline_revision": 4}, {"overlay": OVERLAY}], ids=str
)
def test_another_question_has_no_answer_yet(work: Work, other: dict[str, object]) -> None:
    kept = evaluated(work)
    assert work.evaluations.find(question(), TODAY) == kept
    assert work.evaluations.find(question(**other), TODAY) is None


def test_an_answer_holds_from_its_day_until_the_next_on_which_it_may_change(work: Work) -> None:
    kept = evaluated(work, until=TODAY + 3 * DAY)
    days = [TODAY + number * DAY for number in (-1, 0, 2, 3)]
    assert [work.evaluations.find(question(), day) for day in days] == [None, kept, kept, None]


def test_an_answer_that_does_not_change_holds_for_ever(work: Work) -> None:
    kept = evaluated(work)
    assert work.evaluations.find(question(), TODAY + 10_000 * DAY) == kept


def test_the_same_answer_is_kept_once(work: Work) -> None:
    assert evaluated(work) == evaluated(work)


def test_evaluations_that_nobody_has_and_no_scan_used_are_forgotten(work: Work) -> None:
    idle, used, now = (evaluated(work, question(baseline_revision=number)) for number in (1, 2, 3))
    scanned(work, "mi-1", into=cohort(work, now))
    work.evaluations.use(used.evaluation_id, NOW)
    assert work.evaluations.prune(NOW, 9) == 1
    assert work.evaluations.find(question(baseline_revision=1), TODAY) is None
    assert work.evaluations.find(idle.question, TODAY) is None
    assert work.evaluations.get(used.evaluation_id) == used
    assert work.evaluations.prune(later(1), 9) == 1
    assert work.evaluations.get(now.evaluation_id) == now


def test_a_listing_goes_with_the_last_evaluation_that_has_it(work: Work) -> None:
    for number in (1, 2):
        own = evaluated(work, question(baseline_revision=number))
        scanned(work, f"mi-{number}", into=cohort(work, own, group=f"group-{number}"))
    (digest,) = {nodes.listing_digest for nodes in work.fleet_patches.evaluated()}
    assert digest is not None
    assert (work.evaluations.prune_listings(9), work.fleet_patches.listed(digest)) == (0, LISTED.patches)
    for number in (1, 2):
        work.nodes.delete(f"mi-{number}")
    assert (work.cohorts.prune(9), work.evaluations.prune(NOW, 9), work.evaluations.prune_listings(9)) == (2, 2, 1)


def test_use_is_noted_once_a_day(work: Work) -> None:
    kept = evaluated(work)
    work.evaluations.use(kept.evaluation_id, NOW)
    work.evaluations.use(kept.evaluation_id, NOW + timedelta(hours=23))
    assert work.evaluations.prune(NOW, 9) == 0
    work.evaluations.use(kept.evaluation_id, NOW + timedelta(hours=25))
    assert work.evaluations.prune(NOW + DAY, 9) == 0
    assert work.evaluations.prune(NOW + 2 * DAY, 9) == 1


def test_facts_go_when_nothing_was_made_of_them(work: Work) -> None:
    evaluated(work)
    work.facts.put("d-2", FACTS, NOW)
    work.facts.put("d-3", FACTS, later(1))
    assert work.facts.prune(later(1), 9) == 1
    assert [digest for digest in ("d-1", "d-2", "d-3") if work.facts.get(digest)] == ["d-1", "d-3"]
