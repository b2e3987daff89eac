"""Nodes that were scanned, as a store has them."""

import json
from collections import Counter
from datetime import date, datetime
from typing import Any, Final

from tests.store.samples import NOW, UNICODE, counts, node, operation

from patchwindow.domain.baseline import ComplianceLevel
from patchwindow.domain.compliance_item import Tally
from patchwindow.domain.fleet_patches import Listing, load
from patchwindow.domain.fleet_state import standing_of
from patchwindow.domain.patch_state import Counts, PatchEntry, PatchState
from patchwindow.store.cohorts import Cohort, CohortKey
from patchwindow.store.evaluations import Question, StoredEvaluation
from patchwindow.store.work import Work

FACTS: Final = bytes(range(256)) * 40
TODAY: Final = date(2026, 3, 14)
MISSING: Final = PatchEntry(
    title="openssl.amd64:2",
    kb_id="openssl.amd64",
    classification="Security",
    severity="important",
    state=PatchState.MISSING,
    compliance_level=ComplianceLevel.CRITICAL,
    reason="rule 1 approves it",
    source="Debian-Security bookworm-security",
    cve_ids=("CVE-2026-0001",),
)

TALLY: Final[Tally] = Counter({("NON_COMPLIANT", "CRITICAL"): 1, ("COMPLIANT", "UNSPECIFIED"): 2})
_WORDS: Final = ["openssl.amd64:2", "Debian12", "DEBIAN", "openssl", "openssl.amd64", UNICODE, "", ["CVE-2026-0001"]]
LISTED: Final = Listing(load(json.dumps([_WORDS])), b"\0")


def question(**changes: Any) -> Question:
    """Return what is asked about the facts of all nodes here."""
    return Question(**{"facts_digest": "d-1", "baseline_id": "pb-1", "baseline_revision": 3, **changes})


def evaluated(
    work: Work,
    asked: Question | None = None,
    *,
    day: date = TODAY,
    until: date | None = None,
    found: Counts | None = None,
) -> StoredEvaluation:
    """Keep facts, and an evaluation of them."""
    asked, found = asked or question(), found or counts()
    work.facts.put(asked.facts_digest, FACTS, NOW)
    return work.evaluations.add(
        asked,
        day=day,
        until=until,
        standing=standing_of(found),
        counts=found,
        patches=[MISSING],
        tally=TALLY,
        listed=LISTED,
    )


def cohort(
    work: Work, evaluation: StoredEvaluation, *, due_at: datetime | None = None, group: str = "web", **key: Any
) -> Cohort:
    """Keep a cohort to which an evaluation applies."""
    made = CohortKey(
        **{
            "facts_digest": evaluation.question.facts_digest,
            "operating_system": "DEBIAN",
            "patch_group": group,
            "overlay": evaluation.question.overlay,
            **key,
        }
    )
    value = Cohort(
        cohort_id=made.cohort_id,
        key=made,
        baseline_id=evaluation.question.baseline_id,
        evaluation_id=evaluation.evaluation_id,
        computed_at=NOW,
        due_at=due_at,
    )
    work.cohorts.put(value)
    return value


def scanned(
    work: Work,
    *ids: str,
    patch_group: str = "web",
    into: Cohort | None = None,
    pinged_at: datetime = NOW,
    **own: Any,
) -> Cohort:
    """Keep nodes with a patch state, and return the cohort that they are in."""
    into = into or cohort(work, evaluated(work), group=patch_group)
    for id in ids:
        unscanned(work, id, patch_group=patch_group, pinged_at=pinged_at)
        work.patch_states.put(
            id,
            operation(patch_group=patch_group, **own),
            cohort_id=into.cohort_id,
            evaluation_id=into.evaluation_id,
            installed_at=(1_700_000_000, 0, 1_800_000_000),
            command_id="c-1",
        )
    return into


def unscanned(work: Work, id: str, *, patch_group: str = "web", pinged_at: datetime = NOW) -> None:
    """Keep a node that was never scanned."""
    work.nodes.put(node(id, last_ping_date_time=pinged_at), operating_system="DEBIAN", patch_group=patch_group)
