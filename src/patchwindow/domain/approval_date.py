"""Which date of a patch counts for approval, by operating system: the one place that chooses."""

from datetime import date
from typing import Final

from patchwindow.domain.operating_system import AMAZON_FAMILY, FAMILIES, Family, OperatingSystem
from patchwindow.domain.patch import Patch

# What a patch without any date is dated: so long ago that every delay is over.
UNDATED: Final = date(1970, 1, 1)

# Package lists of apt carry no dates, so that ApproveAfterDays and ApproveUntilDate mean nothing there.
DATELESS: Final = frozenset({Family.APT})


def date_of(patch: Patch, operating_system: OperatingSystem, *, with_non_security: bool) -> date | None:
    """Return the date from which *patch* waits for approval, or `None` where it cannot be approved for lack of one.

    Amazon Linux counts from the last change of the notice, the other systems from its publication.  A package without
    a date in a notice is dated when it was built.  One without any date is out of a rule for security patches only,
    and otherwise counts as published on 1970-01-01; Windows and macOS always count it so.
    """
    if operating_system in AMAZON_FAMILY:
        found = patch.updated_on or patch.released_on or patch.built_on
    else:
        found = patch.released_on or patch.updated_on or patch.built_on
    if found is not None:
        return found
    is_lenient = with_non_security or FAMILIES[operating_system] in {Family.WINDOWS, Family.MACOS}
    return UNDATED if is_lenient else None
