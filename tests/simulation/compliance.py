"""The compliance of the nodes of a world: what they once reported, which baselines there are, and what must be shown.

Nodes report nothing in a world. Each was scanned before it came, and from then on its compliance changes with the baseline that
it follows alone. Of Debian, whose patches have no dates: so no verdict depends on the day that a server takes it to be.
"""

import functools
import random
from datetime import datetime
from typing import Any, Final

from tests.fakes.scans import MAIN, SECURITY, facts_of, package, update
from tests.simulation.rules import Checks, Rule
from tests.simulation.selection import Nodes
from tests.simulation.witness import Witness

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.evaluation import evaluate
from patchwindow.domain.facts import Facts, canonical, digest
from patchwindow.domain.facts_reading import parse
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch_group import group_of
from patchwindow.domain.patch_state import Counts
from patchwindow.operations import cohorts
from patchwindow.protocol.records import loads
from patchwindow.store.cohorts import CohortKey
from patchwindow.store.patch_states import Operation
from patchwindow.store.work import Work

PATCH_GROUPS: Final = ("web", "db")
GROUP_TAG: Final = "Patch Group"
SYSTEM: Final = OperatingSystem.DEBIAN
CONTENTS: Final[tuple[dict[str, Any], ...]] = (
    {"RejectedPatches": []},
    {"RejectedPatches": ["openssl"], "RejectedPatchesAction": "BLOCK"},
    {"ApprovedPatches": ["bash"], "ApprovedPatchesEnableNonSecurity": True},
    {"ApprovedPatches": []},
    {"ApprovalRules": {"PatchRules": [{"PatchFilterGroup": {"PatchFilters": []}, "ComplianceLevel": "HIGH"}]}},
    {"ApprovalRules": {"PatchRules": []}},
)
"""What a baseline may be changed to."""

_FACTS: Final = tuple(
    parse(data)
    for data in (
        facts_of([package("openssl", origin=SECURITY), package("bash")]),
        facts_of([package("openssl", origin=SECURITY), package("bash")], [update("openssl")]),
        facts_of([package("openssl", origin=MAIN)], [update("bash", origin=MAIN), update("vim")]),
    )
)
_BY_DIGEST: Final = {digest(facts): facts for facts in _FACTS}
_ANY_DAY: Final = datetime(2026, 1, 1).date()  # noqa: DTZ001  (a day, which has no zone)
_SHOWN: Final = """
SELECT standing.node_id, cohort.facts_digest, cohort.patch_group, evaluation.body FROM standing
JOIN cohort ON cohort.cohort_id = standing.cohort_id JOIN evaluation ON evaluation.evaluation_id = cohort.evaluation_id
WHERE cohort.due_at_ms IS NULL
"""
_CHOSEN: Final = """
SELECT patch_group, baseline.body FROM patch_group JOIN baseline ON baseline.baseline_id = patch_group.baseline_id
UNION ALL SELECT NULL, baseline.body FROM default_baseline
JOIN baseline ON baseline.baseline_id = default_baseline.baseline_id WHERE default_baseline.operating_system = 'DEBIAN'
"""


def scanned(work: Work, node_id: str, draw: random.Random, now: datetime) -> None:
    """Let the node have been scanned just now."""
    facts = draw.choice(_FACTS)
    work.facts.put(digest(facts), canonical(facts), now)
    key = CohortKey(facts_digest=digest(facts), operating_system=SYSTEM, patch_group="")
    cohort = cohorts.join(work, key, now, lambda: facts)
    operation = Operation(patch_group="", operation="Scan", operation_start_time=now, operation_end_time=now)
    work.patch_states.put(
        node_id,
        operation,
        cohort_id=cohort.cohort_id,
        evaluation_id=cohort.evaluation_id,
        installed_at=[0] * len(facts.packages),
        command_id="",
    )


class Compliance:
    """Compares what is shown of nodes with what their facts and their baselines are."""

    def __init__(self, checks: Checks, nodes: Nodes, witness: Witness) -> None:
        self._hold: Final = checks.hold
        self._nodes = nodes
        self._witness = witness

    def looked(self) -> None:
        """Check all nodes, now that an engine found nothing more to do; but those that it has put off, which it says."""
        chosen = dict(self._witness.rows(_CHOSEN))
        for node_id, facts_digest, group, shown in self._witness.rows(_SHOWN):
            told = group_of(self._nodes.tags_of(node_id)) or ""
            self._hold(Rule.SHOWN_IS_CURRENT, told == group, f"{node_id} is in group {told!r}, judged as of {group!r}")
            wanted = _judged(facts_digest, chosen.get(group, chosen.get(None, "")))
            is_so = loads(Counts, shown) == wanted
            self._hold(Rule.SHOWN_IS_CURRENT, is_so, f"{node_id} is shown with {shown}, and {wanted} is true")


@functools.lru_cache(maxsize=1000)
def _judged(facts_digest: str, body: str) -> Counts:
    facts: Facts = _BY_DIGEST[facts_digest]
    return evaluate(facts, loads(Baseline, body), _ANY_DAY).counts
