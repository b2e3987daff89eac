"""The canonical order of facts: facts that differ in order alone become equal, and so do their bytes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from patchwindow.domain.errors import Invalid
from patchwindow.domain.facts import Advisory, Facts, Manager, Package, Update, WindowsUpdate

_T = TypeVar("_T")
_Item = TypeVar("_Item", Package, Update)
Key = tuple[str, ...]
# Where each entry of a list has moved to, by where it was.
_Places = Sequence[int]


def package_key(name: str, arch: str, version: str, kind: str) -> Key:
    """Return what orders packages."""
    return name, arch, version, kind


def windows_key(update: WindowsUpdate) -> Key:
    """Return what orders Windows updates."""
    return update.kb, update.title, update.id


def _key_of_package(package: Package) -> Key:
    return package_key(package.name, package.arch, package.version, package.kind)


def _key_of_update(update: Update) -> Key:
    return package_key(update.name, update.arch, update.candidate, update.kind)


def ordered(facts: Facts) -> Facts:
    """Return *facts* in canonical order, without advisories that nothing refers to.

    Raises:
        Invalid: something is there twice.
    """
    # dpkg has one version of a package; rpm has kernels beside each other.
    alike = (lambda key: key[:2]) if facts.manager is Manager.APT else _whole
    packages, _ = _sorted(facts.packages, _key_of_package, alike, "facts.packages")
    additions, addition_places = _sorted(facts.additions, _key_of_package, _whole, "facts.additions")
    updates, update_places = _sorted(facts.updates, _key_of_update, _whole, "facts.updates")
    windows_updates, _ = _sorted(facts.windows_updates, windows_key, _whole, "facts.windowsUpdates")

    origins = sorted(set(facts.origins))
    origin_at = {origin: place for place, origin in enumerate(origins)}
    origin_places = [origin_at[origin] for origin in facts.origins]
    advisories, advisory_places = _of_use(facts)

    def moved(item: _Item) -> _Item:
        sources, notices = _moved(item.origins, origin_places), _moved(item.advisories, advisory_places)
        if (sources, notices) == (item.origins, item.advisories):
            return item
        return replace(item, origins=sources, advisories=notices)

    def pulling(update: Update) -> Update:
        if not update.pulls and not update.adds:
            return update
        return replace(update, pulls=_moved(update.pulls, update_places), adds=_moved(update.adds, addition_places))

    return replace(
        facts,
        origins=tuple(origins),
        advisories=advisories,
        packages=tuple(map(moved, packages)),
        additions=tuple(map(moved, additions)),
        updates=tuple(pulling(moved(update)) for update in updates),
        windows_updates=windows_updates,
    )


def _whole(key: Key) -> Key:
    return key


def _sorted(
    stated: Sequence[_T], key_of: Callable[[_T], Key], alike: Callable[[Key], Key], path: str
) -> tuple[tuple[_T, ...], _Places]:
    """Return what is *stated* in order, and where each has moved to; no two may be *alike*."""
    keys = [key_of(value) for value in stated]
    seen: dict[Key, int] = {}
    for index, key in enumerate(keys):
        if (first := seen.setdefault(alike(key), index)) != index:
            raise Invalid(f"{path}[{index}]: {' '.join(filter(None, alike(key)))} is there already, at {first}")
    order = sorted(range(len(keys)), key=keys.__getitem__)
    places = [0] * len(keys)
    for place, index in enumerate(order):
        places[index] = place
    return tuple(stated[index] for index in order), places


def _of_use(facts: Facts) -> tuple[tuple[Advisory, ...], _Places]:
    """Return the advisories that something refers to, each once and in order, and where each has moved to."""
    items: Iterable[Package | Update] = (*facts.packages, *facts.additions, *facts.updates)
    used = {index for item in items for index in item.advisories}
    advisories = tuple(sorted({facts.advisories[index] for index in used}))
    at = {advisory: place for place, advisory in enumerate(advisories)}
    return advisories, [at.get(advisory, -1) for advisory in facts.advisories]


def _moved(indexes: tuple[int, ...], places: _Places) -> tuple[int, ...]:
    return tuple(sorted({places[index] for index in indexes})) if indexes else indexes
