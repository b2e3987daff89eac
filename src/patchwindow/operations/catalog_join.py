"""What the catalogue adds to patches that are shown: CVEs and advisories, which are exploited, and when each came first.

Nothing is decided by it: decisions rest on what nodes reported.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from patchwindow.domain.feeds.known_patch import KnownPatch
from patchwindow.domain.feeds.notice import Cve
from patchwindow.store.work import Work

Key = tuple[str, str, str]
"""Operating system, title and product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a patch, from whichever repository it is."""

    classification: str = ""
    severity: str = ""
    cve_ids: tuple[str, ...] = ()
    advisory_ids: tuple[str, ...] = ()
    exploited: tuple[Cve, ...] = ()
    first_seen_at: datetime | None = None
    published_on: date | None = None
    """When a notice first named it; None where none does."""

    def members(self) -> dict[str, Any]:
        """Return what answers tell of it."""
        return {
            "CVEIds": list(self.cve_ids),
            "ExploitedCVEIds": [cve.cve_id for cve in self.exploited],
            "DueOn": min((cve.due_on for cve in self.exploited if cve.due_on), default=None),
            "AdvisoryIds": list(self.advisory_ids),
        }


NOTHING: Final = Known()


def known_of(work: Work, wanted: Collection[Key]) -> dict[Key, Known]:
    """Return what the catalogue knows of those patches of *wanted* that it has."""
    titles: defaultdict[str, set[str]] = defaultdict(set)
    for system, title, _ in wanted:
        titles[system].add(title)
    found: defaultdict[Key, list[KnownPatch]] = defaultdict(list)
    for system, some in titles.items():
        for patch in work.catalog.known(system, some):
            key = system, patch.readings[0].title, patch.readings[0].product
            if key in wanted:
                found[key].append(patch)
    cve_ids = {cve_id for patches in found.values() for patch in patches for cve_id in patch.shown.cve_ids}
    cves = work.notices.cves(cve_ids) if cve_ids else {}
    return {key: _joined(patches, cves) for key, patches in found.items()}


def _joined(patches: Collection[KnownPatch], cves: dict[str, Cve]) -> Known:
    shown = [patch.shown for patch in patches]
    cve_ids = tuple(dict.fromkeys(id for patch in shown for id in patch.cve_ids))
    return Known(
        classification=next((patch.classification for patch in shown if patch.classification), ""),
        severity=next((patch.severity for patch in shown if patch.severity), ""),
        cve_ids=cve_ids,
        advisory_ids=tuple(dict.fromkeys(id for patch in shown for id in patch.advisory_ids)),
        exploited=tuple(cves[id] for id in cve_ids if id in cves and cves[id].is_known_exploited),
        first_seen_at=min((patch.first_seen_at for patch in patches if patch.first_seen_at is not None), default=None),
        published_on=min((on for patch in shown if (on := patch.released_on or patch.updated_on)), default=None),
    )
