"""For which systems a feed, or a part of it, is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from patchwindow.domain.errors import Invalid
from patchwindow.domain.operating_system import OperatingSystem, product


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the importer says of a feed that does not say it itself."""

    operating_system: OperatingSystem | None = None
    product: str = ""

    def needed(self, kind: str) -> OperatingSystem:
        """Return the operating system.

        Raises:
            Invalid: none was given.
        """
        if self.operating_system is None:
            raise Invalid(f"a feed of the kind {kind} does not say for which operating system it is; name one")
        return self.operating_system


DEBIAN_RELEASES: Final[Mapping[str, str]] = {
    "buster": "10",
    "bullseye": "11",
    "bookworm": "12",
    "trixie": "13",
    "forky": "14",
}

# How OSV names the distributions whose versions are compared here; the rest of the name has the release.
_ECOSYSTEMS: Final[Mapping[str, OperatingSystem]] = {
    "Debian": OperatingSystem.DEBIAN,
    "Ubuntu": OperatingSystem.UBUNTU,
    "AlmaLinux": OperatingSystem.ALMA_LINUX,
    "Rocky Linux": OperatingSystem.ROCKY_LINUX,
    "Red Hat": OperatingSystem.REDHAT_ENTERPRISE_LINUX,
}
_RELEASE: Final = re.compile(r"[0-9]+(\.[0-9]+)*")


def of_ecosystem(name: str) -> tuple[OperatingSystem, str] | None:
    """Return the operating system and product that OSV calls `Ubuntu:22.04:LTS`; `None` for what is none of ours."""
    family, *rest = name.split(":")
    system = _ECOSYSTEMS.get(family)
    release = next((part for part in rest if _RELEASE.fullmatch(part)), None)
    return None if system is None or release is None else (system, product(system, release))
