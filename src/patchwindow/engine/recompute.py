"""Compliance without a rescan: what a changed choice or a new day makes of facts that are known."""

from datetime import datetime
from typing import Final

from patchwindow.operations import cohorts
from patchwindow.ports import Ids
from patchwindow.store.work import Work

_COHORTS_MAX: Final = 200
"""So many cohorts are settled in one transaction; what is left is still due."""


def recompute(work: Work, _: Ids, facts_digest: str, now: datetime) -> None:
    """Evaluate the cohorts with these facts that are due: the facts are read once for all of them."""
    cohorts.recompute(work, facts_digest, now, _COHORTS_MAX)
