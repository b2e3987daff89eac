"""Which date of a patch counts for approval, by operating system: the one place that chooses."""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from patchwindow.domain.operating_system import AMAZON_FAMILY, FAMILIES, Family, OperatingSystem
from patchwindow.domain.patch import Patch

# What a patch without any date is dated: so long ago that every delay is over.
UNDATED: Final = date(1970, 1, 1)

# Package lists of apt carry no dates, so that ApproveAfterDays and ApproveUntilDate mean nothing there, unless the
# baseline goes by when a version was first seen.
DATELESS: Final = frozenset({Family.APT})


class DateKind(StrEnum):
    """Which date of a patch it is."""

    PUBLISHED = "published"
    CHANGED = "last changed"
    BUILT = "built"
    FIRST_SEEN = "first seen"
    NONE = "undated"


class Dated(NamedTuple):
    """The date of a patch that counts, and which of its dates that is."""

    # A tuple, since one is made for every patch and rule, and a frozen dataclass takes three times as long.

    on: date
    kind: DateKind

    def __str__(self) -> str:
        return str(self.kind) if self.kind is DateKind.NONE else f"{self.kind} {self.on}"


_LENIENT: Final = frozenset({Family.WINDOWS, Family.MACOS})
_NO_DATE: Final = Dated(UNDATED, DateKind.NONE)

# Return the date from which a patch waits for approval, or `None` where it cannot be approved for lack of one.
DateOf = Callable[[Patch], Dated | None]


def dater(operating_system: OperatingSystem, *, with_non_security: bool) -> DateOf:
    """Return what dates the patches of *operating_system*, for a rule that is *with_non_security* patches or without.

    Amazon Linux counts from the last change of the notice, the other systems from its publication.  A package without
    a date in a notice is dated when it was built.  One without any date is out of a rule for security patches only,
    and otherwise counts as published on 1970-01-01; Windows and macOS always count it so.

    On apt systems the date is that on which a node first reported the version, and nothing stands in for it.
    """
    family = FAMILIES[operating_system]
    if family in DATELESS:
        return _first_seen
    otherwise = _NO_DATE if with_non_security or family in _LENIENT else None
    prefers_change = operating_system in AMAZON_FAMILY

    def date_of(patch: Patch) -> Dated | None:
        if patch.updated_on is not None and (prefers_change or patch.released_on is None):
            return Dated(patch.updated_on, DateKind.CHANGED)
        if patch.released_on is not None:
            return Dated(patch.released_on, DateKind.PUBLISHED)
        return Dated(patch.built_on, DateKind.BUILT) if patch.built_on is not None else otherwise

    return date_of


def _first_seen(patch: Patch) -> Dated | None:
    return Dated(patch.first_seen_on, DateKind.FIRST_SEEN) if patch.first_seen_on is not None else None
