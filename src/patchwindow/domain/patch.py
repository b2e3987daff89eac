"""One patch: a version of a package, or an update of the system, with what its publisher says about it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """What rules and lists of a baseline look at; what a publisher does not say is empty.

    *is_security* is the publisher's word and differs by package manager: for apt, the version comes from the security
    source; for yum and dnf, an update notice names it; for zypper, it belongs to a zypper patch.

    On Windows, *name* is the title of the update, and *advisory_ids* are security bulletins.

    *source* and *source_version* are those of the source package on apt systems, empty where they are the patch's own.

    *first_seen_on* is no word of the publisher: it is when a node first reported this version, from this repository.
    """

    name: str
    arch: str = ""
    epoch: str = ""
    version: str = ""
    release: str = ""
    source: str = ""
    source_version: str = ""
    classification: str = ""
    severity: str = ""
    section: str = ""
    priority: str = ""
    product: str = ""
    product_family: str = ""
    patch_set: str = "OS"
    repository: str = ""
    advisory_ids: tuple[str, ...] = ()
    cve_ids: tuple[str, ...] = ()
    bugzilla_ids: tuple[str, ...] = ()
    kb_number: str = ""
    released_on: date | None = None
    updated_on: date | None = None
    built_on: date | None = None
    first_seen_on: date | None = None
    is_security: bool = False

    def __hash__(self) -> int:
        # Caches of decisions are keyed by patches; all fields cost five times as much and tell no more apart.
        return hash((self.name, self.arch, self.version))

    @property
    def kb_id(self) -> str:
        """Return what the API calls KBId: the KB number, or `name.arch`."""
        return self.kb_number or (f"{self.name}.{self.arch}" if self.arch else self.name)

    @property
    def title(self) -> str:
        """Return what the API calls Title: `name.arch:epoch:version-release`, for apt `name.arch:version`."""
        if self.kb_number or not self.version:
            return self.name
        if self.release:
            return f"{self.name}.{self.arch}:{self.epoch or '0'}:{self.version}-{self.release}"
        return f"{self.name}.{self.arch}:{self.version}"
