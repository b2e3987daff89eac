"""Facts: what a node has installed and what its package manager offers, as `docs/facts.md` describes it.

Equal facts are equal bytes: `facts_reading.parse` puts all into one order, and `canonical` writes it in one way, which
is that of schema 2 whatever the node wrote.  `facts_patches.py` says what they are to rules.
"""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from patchwindow.domain.operating_system import Family, OperatingSystem, from_platform

SCHEMA: Final = 2
SCHEMAS: Final = frozenset({1, 2})


class Manager(StrEnum):
    """What installs packages and updates on the node."""

    APT = "apt"
    DNF = "dnf"
    YUM = "yum"
    ZYPPER = "zypper"
    WINDOWS = "windows"
    MACOS = "macos"


MANAGER_FAMILIES: Final[dict[Manager, Family]] = {
    Manager.APT: Family.APT,
    Manager.DNF: Family.RPM,
    Manager.YUM: Family.RPM,
    Manager.ZYPPER: Family.ZYPPER,
    Manager.WINDOWS: Family.WINDOWS,
    Manager.MACOS: Family.MACOS,
}

RPM_MANAGERS: Final = frozenset({Manager.DNF, Manager.YUM, Manager.ZYPPER})


class UpdateState(StrEnum):
    """What a Windows update is to the node."""

    INSTALLED = "installed"
    PENDING_REBOOT = "pendingReboot"
    MISSING = "missing"
    NOT_APPLICABLE = "notApplicable"
    SUPERSEDED = "superseded"


class Kind(StrEnum):
    """Which of the ways of macOS a package came; empty elsewhere."""

    NONE = ""
    SOFTWARE_UPDATE = "softwareupdate"
    BREW = "brew"
    CASK = "cask"
    PKG = "pkg"


class RebootBehaviour(StrEnum):
    """Whether an update needs a reboot, where that is known before."""

    UNKNOWN = ""
    NEVER = "never"
    POSSIBLE = "possible"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The operating system, as `/etc/os-release` names it, or the like of Windows and macOS."""

    id: str
    name: str
    version_id: str
    codename: str = ""
    arch: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Origin:
    """A source of packages: of apt, as its release file names it; elsewhere a repository by *id*, *label* in words."""

    id: str = ""
    origin: str = ""
    label: str = ""
    suite: str = ""
    codename: str = ""
    component: str = ""
    site: str = ""

    @property
    def is_security(self) -> bool:
        """Whether this is the publisher's security source of apt."""
        return (
            self.label == "Debian-Security" or self.codename.endswith("-security") or self.suite.endswith("-security")
        )

    @property
    def name(self) -> str:
        """Return what people call it, such as `Debian-Security bookworm-security`, or `baseos`."""
        # Ubuntu has the name in the suite (`jammy-security` of `jammy`), Debian in the codename.
        is_longer = self.suite.startswith(self.codename)
        suite = self.suite if is_longer else self.codename
        return self.id or f"{self.label or self.origin} {suite}".strip() or self.site


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Advisory:
    """A publisher's notice; days are written as `2026-03-07`, and empty where it has none."""

    id: str
    kind: str = ""
    severity: str = ""
    issued: str = ""
    updated: str = ""
    title: str = ""
    cves: tuple[str, ...] = ()
    bugs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed package, or one that an update would bring along; *origins* offer exactly this version, and
    *advisories* name exactly this version.  Of apt, *source* and *source_version* are those of the package that it is
    built from, empty where they are its own.
    """

    name: str
    arch: str
    version: str
    source: str = ""
    source_version: str = ""
    section: str = ""
    priority: str = ""
    kind: Kind = Kind.NONE
    built: str = ""
    origins: tuple[int, ...] = ()
    advisories: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An installed package for which there is a newer version, the *candidate*, which all the rest is about.

    *pulls* are the updates, and *adds* the additions, that come along when it is installed.
    """

    name: str
    arch: str
    installed: str
    candidate: str
    source: str = ""
    source_version: str = ""
    section: str = ""
    priority: str = ""
    kind: Kind = Kind.NONE
    built: str = ""
    size: int = 0
    origins: tuple[int, ...] = ()
    advisories: tuple[int, ...] = ()
    pulls: tuple[int, ...] = ()
    adds: tuple[int, ...] = ()
    security: bool = False
    held: bool = False
    recommended: bool = False
    reboot: RebootBehaviour = RebootBehaviour.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsUpdate:
    """An update of Windows or of an application of Microsoft's, and what it is to the node."""

    title: str
    kb: str = ""
    id: str = ""
    state: UpdateState
    classification: str = ""
    severity: str = ""
    product: str = ""
    product_family: str = ""
    patch_set: str = "OS"
    released: str = ""
    updated: str = ""
    cves: tuple[str, ...] = ()
    bulletins: tuple[str, ...] = ()
    size: int = 0
    reboot: RebootBehaviour = RebootBehaviour.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Reboot:
    """Whether the node asks for a reboot, and why."""

    required: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it, in canonical order."""

    manager: Manager
    os: System
    origins: tuple[Origin, ...] = ()
    advisories: tuple[Advisory, ...] = ()
    packages: tuple[Package, ...] = ()
    additions: tuple[Package, ...] = ()
    updates: tuple[Update, ...] = ()
    windows_updates: tuple[WindowsUpdate, ...] = ()
    held: tuple[str, ...] = ()
    reboot: Reboot

    @property
    def operating_system(self) -> OperatingSystem | None:
        """Return the API's operating system for it, `None` where it has none."""
        return from_platform(self.os.name, self.os.version_id)


_LISTS: Final = ("origins", "advisories", "packages", "additions", "updates", "windows_updates")


def canonical(facts: Facts) -> bytes:
    """Return *facts* as JSON; equal facts are equal bytes, and `facts_reading.parse` reads them back."""
    lists = {_wire(name): [_members(value) for value in getattr(facts, name)] for name in _LISTS}
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "manager": facts.manager,
        "os": _members(facts.os),
        "held": facts.held,
        "reboot": {"required": facts.reboot.required, "reasons": facts.reboot.reasons},
        **lists,
    }
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def digest(facts: Facts) -> str:
    """Return the hex SHA-256 of the canonical form: the key under which equal nodes share their facts."""
    return hashlib.sha256(canonical(facts)).hexdigest()


_Value = System | Origin | Advisory | Package | Update | WindowsUpdate


def _members(value: _Value) -> dict[str, Any]:
    """Return the members of *value* that say something: no empty texts and lists, no false, and no 0."""
    # Not `dataclasses.asdict`, which copies deeply and is ten times as slow.
    return {wire: member for name, wire in _NAMES[type(value)] if (member := getattr(value, name))}


def _wire(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


_NAMES: Final[dict[type[_Value], tuple[tuple[str, str], ...]]] = {
    cls: tuple((name, _wire(name)) for name in cls.__slots__)
    for cls in (System, Origin, Advisory, Package, Update, WindowsUpdate)
}
