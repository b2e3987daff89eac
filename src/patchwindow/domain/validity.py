"""How long an evaluation holds: patches are approved by the day, and nothing else changes by itself."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from patchwindow.domain.approval_date import DATELESS, DateOf, dater
from patchwindow.domain.baseline import Baseline
from patchwindow.domain.facts import Facts
from patchwindow.domain.facts_patches import FirstSeen, Patches, Sighting, patches_of, seen
from patchwindow.domain.operating_system import FAMILIES
from patchwindow.domain.patch import Patch

_NO_SIGHTS: Final[Mapping[Sighting, date]] = {}


def next_change(facts: Facts, baseline: Baseline, today: date, *, first_seen: FirstSeen = _NO_SIGHTS) -> date | None:
    """Return the first day after *today* on which *baseline* may make something else of *facts*, `None` if none does.

    It is a day on which the delay of a rule is over for a patch, whether or not the rule is for it: a day too soon
    costs an evaluation, and one too late would be a wrong answer.
    """
    is_dateless = FAMILIES[baseline.operating_system] in DATELESS
    if is_dateless and not baseline.approves_by_first_seen:
        return None
    delays = _delays(baseline)
    if not delays:
        return None
    patches = _all(patches_of(facts))
    if is_dateless:
        patches = (patch for one in patches for patch in seen((one,), first_seen, today))
    changes = (
        dated.on.toordinal() + days
        for patch in patches
        for date_of, days in delays
        if (dated := date_of(patch)) is not None
    )
    nearest = min((change for change in changes if change > today.toordinal()), default=None)
    return None if nearest is None else date.fromordinal(min(nearest, date.max.toordinal()))


def _delays(baseline: Baseline) -> list[tuple[DateOf, int]]:
    return [
        (
            dater(baseline.operating_system, with_non_security=rule.enable_non_security),
            rule.approve_after_days or 0,
        )
        for rule in baseline.approval_rules.patch_rules
        if rule.approve_until_date is None
    ]


def _all(patches: Patches) -> Iterator[Patch]:
    for several in (patches.installed, patches.offered, patches.added, patches.windows):
        for readings in several:
            yield from readings
