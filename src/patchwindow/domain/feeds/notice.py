"""What advisory feeds say, in one form: notices with the versions that they name, and facts about CVEs."""

from dataclasses import dataclass, field
from enum import StrEnum

from patchwindow.domain import rpm_version
from patchwindow.domain.operating_system import FAMILIES, Family, OperatingSystem


class Extent(StrEnum):
    """Which versions of a package a notice is about."""

    EXACT = "EXACT"
    SINCE = "SINCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A package that a notice is about, in *version* exactly, or in that version and all later ones.

    *name* is that of the package; on Windows it is the KB, and then there is no version.  *product* stands for its
    minor releases too, and the empty one for any product of the operating system; an empty *arch* is any.
    """

    operating_system: OperatingSystem
    product: str = ""
    name: str
    arch: str = ""
    version: str = ""
    extent: Extent = Extent.EXACT

    @property
    def title(self) -> str:
        """Return the title of the one patch that it names; empty where several may be meant."""
        if self.extent is not Extent.EXACT or not self.arch or not self.version:
            return ""
        if FAMILIES[self.operating_system] is Family.APT:
            return f"{self.name}.{self.arch}:{self.version}"
        parts = rpm_version.split(self.version)
        return f"{self.name}.{self.arch}:{parts.epoch}:{parts.version}-{parts.release}" if parts.release else ""

    @property
    def subject(self) -> str:
        """Return under what it is looked for: the title of the one patch that it names, or the name of several."""
        return self.title or self.name

    def is_for(self, product: str) -> bool:
        """Return whether it says something about *product*."""
        # `RockyLinux9` is said of 9.5 as well, and not of 95.
        return not self.product or not product or f"{product}.".startswith(f"{self.product}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One advisory; days are written as `2026-03-07`, and empty where it has none."""

    id: str
    kind: str = ""
    severity: str = ""
    issued: str = ""
    updated: str = ""
    title: str = ""
    cve_ids: tuple[str, ...] = field(default=(), metadata={"wire": "CVEIds"})
    bugzilla_ids: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cve:
    """What is known of a CVE; `None` is what this feed does not say, and leaves what another has said.

    *exploited_since* is the day on which it was listed as exploited, and *due_on* that by which it is to be closed.
    The score of EPSS is the probability of its being exploited within 30 days, the percentile its place among all CVEs.
    """

    cve_id: str = field(metadata={"wire": "CVEId"})
    severity: str | None = None
    is_known_exploited: bool | None = None
    exploited_since: str | None = None
    due_on: str | None = None
    epss_score_billionths: int | None = None
    epss_percentile_billionths: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """All that one file says."""

    notices: tuple[Notice, ...] = ()
    cves: tuple[Cve, ...] = ()
