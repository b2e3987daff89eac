"""Facts, schema 1: what a node has installed and what its package manager offers, as `docs/facts.md` describes it.

Equal facts are equal bytes: `facts_reading.parse` puts all into one order, and `canonical` writes it in one way.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from patchwindow.domain.operating_system import OperatingSystem, from_platform, product
from patchwindow.domain.patch import Patch

SCHEMA: Final = 1
MANAGERS: Final = frozenset({"apt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The operating system, as `/etc/os-release` names it."""

    id: str
    name: str
    version_id: str
    codename: str
    arch: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Origin:
    """A source of packages, as its release file names it."""

    origin: str
    label: str
    suite: str
    codename: str
    component: str
    site: str

    @property
    def is_security(self) -> bool:
        """Whether this is the publisher's security source."""
        return (
            self.label == "Debian-Security" or self.codename.endswith("-security") or self.suite.endswith("-security")
        )

    @property
    def name(self) -> str:
        """Return what people call it, such as `Debian-Security bookworm-security`."""
        return f"{self.label or self.origin} {self.codename or self.suite}".strip() or self.site


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed package; *origins* are indexes of the sources that offer exactly this version."""

    name: str
    arch: str
    version: str
    section: str
    priority: str
    origins: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An installed package for which there is a newer version; *origins* are those of the candidate."""

    name: str
    arch: str
    installed: str
    candidate: str
    section: str
    priority: str
    size: int
    origins: tuple[int, ...]
    security: bool
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reboot:
    """Whether the node asks for a reboot, and why."""

    required: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it, in canonical order."""

    manager: str
    os: System
    origins: tuple[Origin, ...]
    packages: tuple[Package, ...]
    updates: tuple[Update, ...]
    held: tuple[str, ...]
    reboot: Reboot

    @property
    def operating_system(self) -> OperatingSystem | None:
        """Return the API's operating system for it, `None` where it has none."""
        return from_platform(self.os.name, self.os.version_id)


@dataclass(frozen=True, slots=True)
class Patches:
    """The patches of facts: *installed* beside `Facts.packages`, *offered* beside `Facts.updates`."""

    installed: tuple[Patch, ...]
    offered: tuple[Patch, ...]


def patches_of(facts: Facts) -> Patches:
    """Return what rules can be put to: each package as it is installed, and each update as it is offered."""
    system = facts.operating_system
    product_name = product(system, facts.os.version_id) if system else ""
    return Patches(
        tuple(_patch(facts, package, package.version, product_name) for package in facts.packages),
        tuple(_patch(facts, update, update.candidate, product_name) for update in facts.updates),
    )


def source_of(facts: Facts, indexes: Sequence[int]) -> Origin | None:
    """Return the origin to name where several offer a version: the security source if it does, else the first."""
    origins = [facts.origins[index] for index in indexes]
    return next((origin for origin in origins if origin.is_security), origins[0] if origins else None)


def _patch(facts: Facts, item: Package | Update, version: str, product_name: str) -> Patch:
    source = source_of(facts, item.origins)
    is_security = source is not None and source.is_security
    return Patch(
        name=item.name,
        arch=item.arch,
        version=version,
        # apt knows neither: its security source is the only class there is, and its priority the only weight.
        classification="Security" if is_security else "",
        severity=item.priority,
        section=item.section,
        priority=item.priority,
        product=product_name,
        repository=source.name if source else "",
        is_security=is_security,
    )


def canonical(facts: Facts) -> bytes:
    """Return *facts* as JSON; equal facts are equal bytes, and `facts_reading.parse` reads them back."""
    system = _members(facts.os)
    system["versionId"] = system.pop("version_id")
    data = {
        "schema": SCHEMA,
        "manager": facts.manager,
        "os": system,
        "origins": [_members(origin) for origin in facts.origins],
        "packages": [_members(package) for package in facts.packages],
        "updates": [_members(update) for update in facts.updates],
        "held": facts.held,
        "reboot": _members(facts.reboot),
    }
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def digest(facts: Facts) -> str:
    """Return the hex SHA-256 of the canonical form: the key under which equal nodes share their facts."""
    return hashlib.sha256(canonical(facts)).hexdigest()


def _members(value: System | Origin | Package | Update | Reboot) -> dict[str, Any]:
    # Not `dataclasses.asdict`, which copies deeply and is ten times as slow.
    return {name: getattr(value, name) for name in value.__slots__}
