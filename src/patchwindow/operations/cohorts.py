"""Which baseline the nodes of a cohort follow, and what it makes of them today: at a report, and when a choice changes."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, time

from patchwindow.domain import patch_group
from patchwindow.domain.baseline import Baseline
from patchwindow.domain.errors import UnsupportedOperatingSystem
from patchwindow.domain.facts import Facts
from patchwindow.operations.evaluations import answer, facts_of
from patchwindow.store.baselines import StoredBaseline
from patchwindow.store.cohorts import Cohort, CohortKey
from patchwindow.store.evaluations import Question
from patchwindow.store.history import CHORES
from patchwindow.store.work import Work


def join(work: Work, key: CohortKey, now: datetime, facts: Callable[[], Facts]) -> Cohort:
    """Return the cohort for a node that has just reported, with what is true of it at *now*."""
    # Before the cohort, in the order of those who change choices.
    work.cohorts.hold_choices(key.operating_system)
    cohort = work.cohorts.lock(key)
    if cohort is None:
        for name in CHORES:
            work.chores.plan(name, now)
    # What a scan says depends on nothing that was marked, or forgotten to be: choice and day are looked at anew.
    current = work.evaluations.find(_asked(work, key)[1], now.astimezone(UTC).date())
    if cohort is None or current is None or current.evaluation_id != cohort.evaluation_id:
        cohort = settle(work, key, now, facts)
    return cohort


def due(work: Work, facts_digest: str, now: datetime, limit: int) -> list[Cohort]:
    """Return up to *limit* cohorts with these facts that are due, kept from others; those without nodes go."""
    for system in work.cohorts.systems_due(facts_digest, now):
        work.cohorts.hold_choices(system or facts_of(work, facts_digest).operating_system or "")
    found = work.cohorts.lock_due(facts_digest, now, limit)
    peopled = work.cohorts.peopled([cohort.cohort_id for cohort in found])
    work.cohorts.delete([cohort.cohort_id for cohort in found if cohort.cohort_id not in peopled])
    return [cohort for cohort in found if cohort.cohort_id in peopled]


def resettle(work: Work, cohort: Cohort, now: datetime, facts: Callable[[], Facts]) -> None:
    """Evaluate a cohort anew, which `due` has returned; those that follow one baseline share one evaluation.

    Raises:
        UnsupportedOperatingSystem: nobody knows the operating system of its nodes, and so not what they follow.
    """
    key = cohort.key
    if not key.operating_system:
        # The baseline that told it was deleted before cohorts were kept.
        system = facts().operating_system
        if system is None:
            raise UnsupportedOperatingSystem(
                f"facts {key.facts_digest}: the operating system is not known; scan the nodes that reported them again"
            )
        key = dataclasses.replace(key, operating_system=system)
    settle(work, key, now, facts, id=cohort.cohort_id)


def settle(work: Work, key: CohortKey, now: datetime, facts: Callable[[], Facts], *, id: str | None = None) -> Cohort:
    """Evaluate a cohort by the baseline that its nodes follow, and keep what comes of it.

    The caller holds the choices of its operating system.
    """
    baseline, question = _asked(work, key)
    evaluation = answer(work, question, baseline, now.astimezone(UTC).date(), facts)
    cohort = Cohort(
        cohort_id=id or key.cohort_id,
        key=key,
        baseline_id=question.baseline_id,
        evaluation_id=evaluation.evaluation_id,
        computed_at=now,
        due_at=None if evaluation.until is None else datetime.combine(evaluation.until, time(), UTC),
    )
    work.cohorts.put(cohort)
    return cohort


def _asked(work: Work, key: CohortKey) -> tuple[Baseline, Question]:
    """Return the baseline that the nodes of a cohort follow now, and what is asked of it."""
    stored = baseline_of(work, key.operating_system, key.patch_group)
    question = Question(
        facts_digest=key.facts_digest,
        baseline_id=stored.baseline.baseline_id,
        baseline_revision=stored.revision,
        overlay=key.overlay,
    )
    return stored.baseline, question


def baseline_of(work: Work, operating_system: str, group: str) -> StoredBaseline:
    """Return the baseline that nodes of the system in that patch group follow."""

    def default(system: str) -> str:
        found = work.baselines.default_of(system)
        assert found is not None, f"{system} has a default from the first start on"
        return found

    id = patch_group.baseline_for(
        group=group,
        operating_system=operating_system,
        registered=work.patch_groups.baseline_of,
        default=default,
    )
    stored = work.baselines.get(id)
    assert stored is not None, "a foreign key keeps baselines that are chosen"
    return stored
