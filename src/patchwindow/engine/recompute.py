"""Compliance without a rescan: what a changed choice or a new day makes of facts that are known."""

import functools
import logging
from datetime import datetime, timedelta
from typing import Final

from patchwindow.domain.errors import UnsupportedOperatingSystem
from patchwindow.operations import cohorts
from patchwindow.operations.evaluations import facts_of
from patchwindow.ports import Ids
from patchwindow.store.work import Work

_LOG: Final = logging.getLogger(__name__)
_COHORTS_MAX: Final = 200
"""So many cohorts are settled in one transaction; what is left is still due."""
_AGAIN: Final = timedelta(minutes=5)
"""After so long a cohort that could not be evaluated is tried again."""


def recompute(work: Work, _: Ids, facts_digest: str, now: datetime) -> None:
    """Evaluate the cohorts with these facts that are due: the facts are read once for all of them.

    Of one that cannot be evaluated is shown what was true before, and said why; the others do not wait for it.
    """
    facts = functools.cache(lambda: facts_of(work, facts_digest))
    for cohort in cohorts.due(work, facts_digest, now, _COHORTS_MAX):
        try:
            with work.apart():
                cohorts.resettle(work, cohort, now, facts)
        except UnsupportedOperatingSystem as problem:
            _LOG.warning("compliance of cohort %s stays as it was: %s", cohort.cohort_id, problem)
            work.cohorts.postpone(cohort.cohort_id, None)
        except Exception:  # noqa: BLE001  (whatever it is, the others are evaluated; of a broken transaction the next statement tells)
            _LOG.exception("cohort %s cannot be evaluated; tried again in %s", cohort.cohort_id, _AGAIN)
            work.cohorts.postpone(cohort.cohort_id, now + _AGAIN)
