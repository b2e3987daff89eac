"""Facts from JSON: everything of schemas 1 and 2 is checked here, and nowhere after.

Schema 2 is all of schema 1 and more, and leaves out what says nothing.  Of schema 1 no member may be absent.
"""

from functools import partial
from typing import Final

from patchwindow.domain import rpm_version
from patchwindow.domain.errors import Invalid
from patchwindow.domain.facts import (
    RPM_MANAGERS,
    SCHEMAS,
    Advisory,
    Facts,
    Kind,
    Manager,
    Origin,
    Package,
    Reboot,
    RebootBehaviour,
    System,
    Update,
    UpdateState,
    WindowsUpdate,
)
from patchwindow.domain.facts_members import Item, item_of
from patchwindow.domain.facts_order import Key, ordered, package_key, windows_key

_PATCH_SETS: Final = ("OS", "APPLICATION")
_SECONDS_MAX: Final = 2**35
"""Nothing was installed later than that, in the year 3058; the bound also keeps out what JSON calls Infinity and NaN."""


def parse(data: object) -> Facts:
    """Return the facts that *data*, from JSON, states; members that its schema does not have are passed over.

    Raises:
        Invalid: *data* is not of its schema; the message says where.
    """
    facts = _facts(data)
    later = facts.later
    manager = _manager(facts)
    is_windows = manager is Manager.WINDOWS
    sizes = _Sizes(facts)
    package = partial(_package, manager=manager, sizes=sizes)
    update = partial(_update, manager=manager, sizes=sizes)
    return ordered(
        Facts(
            manager=manager,
            os=_system(facts.item("os")),
            origins=tuple(facts.items("origins", _origin)),
            advisories=tuple(later.items("advisories", _advisory)),
            packages=tuple(facts.items("packages", package, needed=not is_windows)),
            additions=tuple(later.items("additions", package)),
            updates=() if is_windows else tuple(facts.items("updates", update, needed=True)),
            windows_updates=tuple(later.items("windowsUpdates", _windows, needed=True)) if is_windows else (),
            held=facts.texts("held"),
            reboot=_reboot(facts.item("reboot")),
        )
    )


def aligned(data: object, installed_at: object) -> tuple[float, ...]:
    """Return *installed_at*, which stands beside the packages of *data*, in the order of `parse(data).packages`.

    On Windows it stands beside the updates.

    Raises:
        Invalid: it is not one number for each of them.
    """
    facts = _facts(data)
    keys, what = _dated(facts, _manager(facts))
    if not isinstance(installed_at, list) or len(installed_at) != len(keys):
        raise Invalid(f"installedAt: expected one number for each of the {len(keys)} {what}")
    for index, instant in enumerate(installed_at):
        if isinstance(instant, bool) or not isinstance(instant, int | float) or not 0 <= instant < _SECONDS_MAX:
            raise Invalid(f"installedAt[{index}]: {instant!r} is no time; write seconds since 1970, 0 where unknown")
    return tuple(float(installed_at[index]) for index in sorted(range(len(keys)), key=keys.__getitem__))


def _dated(facts: Item, manager: Manager) -> tuple[list[Key], str]:
    if manager is Manager.WINDOWS:
        return facts.items("windowsUpdates", lambda item: windows_key(_windows(item)), needed=True), "updates"
    return facts.items("packages", lambda item: package_key(*_identity(item, "version", manager))), "packages"


class _Sizes:
    """How many entries there are of each kind that others refer to by index."""

    def __init__(self, facts: Item) -> None:
        self.origins = facts.size("origins")
        self.advisories = facts.later.size("advisories")
        self.additions = facts.later.size("additions")
        self.updates = facts.size("updates")


def _facts(data: object) -> Item:
    facts = item_of(data, "facts", whole=False)
    schema = facts.members.get("schema")
    # True is no number of a schema, though it equals one.
    if isinstance(schema, bool) or not isinstance(schema, int) or schema not in SCHEMAS:
        known = " and ".join(map(str, sorted(SCHEMAS)))
        raise Invalid(f"facts.schema: {schema!r} is not known; this server reads schemas {known}")
    return Item(facts.members, facts.path, whole=schema == 1)


def _manager(facts: Item) -> Manager:
    manager = facts.choice("manager", Manager)
    if facts.whole and manager is not Manager.APT:
        raise Invalid(f"facts.manager: {manager} is not of schema 1, which is for apt alone; write schema 2")
    return manager


def _system(item: Item) -> System:
    return System(
        id=item.text("id"),
        name=item.text("name"),
        version_id=item.text("versionId"),
        codename=item.text("codename"),
        arch=item.text("arch"),
    )


def _origin(item: Item) -> Origin:
    return Origin(
        id=item.later.text("id"),
        origin=item.text("origin"),
        label=item.text("label"),
        suite=item.text("suite"),
        codename=item.text("codename"),
        component=item.text("component"),
        site=item.text("site"),
    )


def _advisory(item: Item) -> Advisory:
    return Advisory(
        id=item.filled("id"),
        kind=item.text("kind"),
        severity=item.text("severity"),
        issued=item.day("issued"),
        updated=item.day("updated"),
        title=item.text("title"),
        cves=item.texts("cves"),
        bugs=item.texts("bugs"),
    )


def _package(item: Item, *, manager: Manager, sizes: _Sizes) -> Package:
    name, arch, version, kind = _identity(item, "version", manager)
    source, source_version = _source(item, name, version)
    return Package(
        name=name,
        arch=arch,
        version=version,
        source=source,
        source_version=source_version,
        section=item.text("section"),
        priority=item.text("priority"),
        kind=kind,
        built=item.later.day("built"),
        origins=item.indexes("origins", "origins", sizes.origins),
        advisories=item.later.indexes("advisories", "advisories", sizes.advisories),
    )


def _update(item: Item, *, manager: Manager, sizes: _Sizes) -> Update:
    name, arch, candidate, kind = _identity(item, "candidate", manager)
    if kind is Kind.PKG:
        raise Invalid(f"{item.path}.kind: pkg has no updates, since nothing offers any; it is for packages alone")
    later = item.later
    source, source_version = _source(item, name, candidate)
    return Update(
        name=name,
        arch=arch,
        installed=_version(item, "installed", manager),
        candidate=candidate,
        source=source,
        source_version=source_version,
        section=item.text("section"),
        priority=item.text("priority"),
        kind=kind,
        built=later.day("built"),
        size=item.count("size"),
        origins=item.indexes("origins", "origins", sizes.origins),
        advisories=later.indexes("advisories", "advisories", sizes.advisories),
        pulls=later.indexes("pulls", "updates", sizes.updates),
        adds=later.indexes("adds", "additions", sizes.additions),
        security=item.flag("security"),
        held=item.flag("held"),
        recommended=later.flag("recommended"),
        reboot=later.choice("reboot", RebootBehaviour),
    )


def _source(item: Item, name: str, version: str) -> tuple[str, str]:
    """Return name and version of the source package, each empty where it is that of the package."""
    source, source_version = item.later.text("source"), item.later.text("sourceVersion")
    return "" if source == name else source, "" if source_version == version else source_version


def _identity(item: Item, version: str, manager: Manager) -> tuple[str, str, str, Kind]:
    """Return name, architecture, version and kind, which tell packages apart."""
    kind = item.later.choice("kind", Kind)
    if (kind is Kind.NONE) == (manager is Manager.MACOS):
        raise Invalid(f"{item.path}.kind: is for macos, and there each package has one; this is {manager}")
    return item.filled("name"), item.filled("arch"), _version(item, version, manager), kind


def _version(item: Item, name: str, manager: Manager) -> str:
    version = item.filled(name)
    if manager not in RPM_MANAGERS:
        return version
    parts = rpm_version.split(version)
    if not parts.release:
        raise Invalid(f"{item.path}.{name}: {version!r} has no release; write [epoch:]version-release")
    return str(parts)


def _windows(item: Item) -> WindowsUpdate:
    patch_set = item.text("patchSet") or _PATCH_SETS[0]
    if patch_set not in _PATCH_SETS:
        raise Invalid(f"{item.path}.patchSet: {patch_set!r} is not known; write one of {', '.join(_PATCH_SETS)}")
    return WindowsUpdate(
        title=item.filled("title"),
        kb=_kb(item),
        id=item.text("id"),
        state=item.choice("state", UpdateState),
        classification=item.text("classification"),
        severity=item.text("severity"),
        product=item.text("product"),
        product_family=item.text("productFamily"),
        patch_set=patch_set,
        released=item.day("released"),
        updated=item.day("updated"),
        cves=item.texts("cves"),
        bulletins=item.texts("bulletins"),
        size=item.count("size"),
        reboot=item.choice("reboot", RebootBehaviour),
    )


def _kb(item: Item) -> str:
    """Return the number as `KB5034123`, however it is written."""
    digits = item.text("kb").upper().removeprefix("KB")
    if digits and not (digits.isascii() and digits.isdigit()):
        raise Invalid(f"{item.path}.kb: {digits!r} is no number of an article; write it like KB5034123")
    return f"KB{digits}" if digits else ""


def _reboot(item: Item) -> Reboot:
    return Reboot(required=Item(item.members, item.path, whole=True).flag("required"), reasons=item.texts("reasons"))
