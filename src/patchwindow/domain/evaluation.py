"""What facts and a baseline make of a node: the state of each patch, and the counts.

Packages are judged in `evaluation_packages.py`, for every package manager, and Windows updates in
`evaluation_windows.py`.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from patchwindow.domain.approval_date import DATELESS
from patchwindow.domain.baseline import Baseline, ComplianceStatus
from patchwindow.domain.compliance_item import Tally
from patchwindow.domain.decision import Decide, compile_baseline
from patchwindow.domain.evaluation_packages import evaluate_packages
from patchwindow.domain.evaluation_windows import evaluate_windows
from patchwindow.domain.facts import MANAGER_FAMILIES, Facts, Manager
from patchwindow.domain.facts_patches import FirstSeen, Patches, patches_of, seen
from patchwindow.domain.node_patches import Circumstances, Found, Passed
from patchwindow.domain.patch_state import Counts, PatchEntry, compliance_of, counts

__all__ = ["Evaluation", "Passed", "evaluate", "patches_to_judge"]

_NO_FAILURES: Final[Mapping[str, str]] = {}
_NO_SIGHTS: Final[FirstSeen] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All patches of a node by title, their counts, and the updates that the baseline lets pass."""

    entries: tuple[PatchEntry, ...]
    passed: tuple[Passed, ...]
    counts: Counts
    available_security_updates: ComplianceStatus | None = None

    def compliance_of(self, entry: PatchEntry) -> ComplianceStatus | None:
        """Return whether *entry* is as the baseline wants it; `None` where that cannot be asked."""
        return compliance_of(entry, self.available_security_updates)

    @property
    def tally(self) -> Tally:
        """Return how many patches, of those of which that can be asked, have which status and severity."""
        found = Counter((self.compliance_of(entry), entry.compliance_level) for entry in self.entries)
        return Counter({(str(status), str(level)): count for (status, level), count in found.items() if status})


def evaluate(
    facts: Facts,
    baseline: Baseline,
    today: date,
    *,
    pending_reboot: Collection[str] = (),
    failed: Mapping[str, str] = _NO_FAILURES,
    after_install: bool = False,
    first_seen: FirstSeen = _NO_SIGHTS,
    decide: Decide | None = None,
) -> Evaluation:
    """Return what *baseline* makes of a node with *facts* on *today*, a day in UTC.

    Every installed package is one entry, as what it is now, and every approved update one more: the version that is
    installed says nothing of the version that is missing.

    *pending_reboot* has the titles of what was installed without the reboot that should have followed, and *failed*
    the titles that the last operation could not install, with the reason; *after_install* says that it was to install.
    *first_seen* is the ledger of first sights, for baselines that go by it.  *decide* is the compiled baseline, where
    the caller has it.
    """
    here = Circumstances(
        baseline=baseline,
        today=today,
        decide=decide or compile_baseline(baseline),
        pending_reboot=pending_reboot,
        failed=failed,
        after_install=after_install,
    )
    patches = patches_to_judge(facts, baseline, today, first_seen)
    judge = evaluate_windows if facts.manager is Manager.WINDOWS else evaluate_packages
    return _summed(judge(facts, patches, here), baseline)


def patches_to_judge(facts: Facts, baseline: Baseline, today: date, first_seen: FirstSeen) -> Patches:
    """Return the patches of *facts*, with when they were first seen where *baseline* goes by that."""
    patches = patches_of(facts)
    if not baseline.approves_by_first_seen or MANAGER_FAMILIES[facts.manager] not in DATELESS:
        return patches
    return Patches(
        installed=tuple(seen(readings, first_seen, today) for readings in patches.installed),
        offered=tuple(seen(readings, first_seen, today) for readings in patches.offered),
        added=tuple(seen(readings, first_seen, today) for readings in patches.added),
        windows=patches.windows,
    )


def _summed(found: Found, baseline: Baseline) -> Evaluation:
    available = baseline.available_security_updates_compliance_status
    return Evaluation(
        entries=tuple(sorted(found.entries, key=lambda entry: (entry.title, entry.state))),
        passed=tuple(sorted(found.passed, key=lambda update: update.title)),
        counts=counts(
            found.entries,
            not_applicable_count=found.not_applicable_count,
            unreported_not_applicable_count=found.unreported_not_applicable_count,
            available_security_updates=available,
        ),
        available_security_updates=available,
    )
