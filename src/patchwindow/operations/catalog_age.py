"""How the catalogue forgets: what no node has had and no import has named for as long as the history is kept.

What nodes have is known by their facts: from time to time the patches of facts that are kept are marked as seen, so
that a scan that finds nothing new need not do it.
"""

from datetime import datetime, timedelta
from typing import Final

from patchwindow.domain.facts_patches import patches_of
from patchwindow.operations import retention
from patchwindow.operations.evaluations import facts_of
from patchwindow.store.catalog_age import Subjects
from patchwindow.store.work import Work

_FACTS: Final = 25
_PATCHES: Final = 500
_ADVISORIES: Final = 100
"""So many are looked at in one transaction, which take a fraction of a second: others wait to write."""


def forget(work: Work, now: datetime) -> bool:
    """Mark what nodes have, or once all of it is marked, forget a batch of what is old; return whether there may be more."""
    kept = retention.of(work).history
    unmarked = work.catalog_age.unmarked(now - _rest(kept), _FACTS)
    for digest in unmarked:
        _mark(work, digest, now)
    if unmarked:
        return True
    patches = work.catalog_age.forget_patches(now - kept, _PATCHES)
    advisories = work.catalog_age.forget_advisories(now - kept, _ADVISORIES)
    for subjects in (patches, advisories):
        _settle(work, subjects)
    return bool(patches or advisories)


def _rest(kept: timedelta) -> timedelta:
    return kept / 4


def _mark(work: Work, digest: str, now: datetime) -> None:
    facts = facts_of(work, digest)
    patches = patches_of(facts)
    every = (*patches.installed, *patches.offered, *patches.added, *patches.windows)
    systems = work.catalog_age.systems_of(digest)
    if facts.operating_system is not None:
        systems.add(facts.operating_system)
    work.catalog_age.mark(digest, systems, {readings[0].title for readings in every}, now)


def _settle(work: Work, concerned: Subjects) -> None:
    for system, subjects in concerned.items():
        work.catalog.settle(system, subjects)
        work.catalog_age.forget_index(system, {subject.name for subject in subjects})
