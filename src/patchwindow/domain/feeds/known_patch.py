"""A patch of the catalogue: what nodes reported of it, and what imported notices add.

What the publisher told a node wins: a notice fills what is empty, and changes nothing.  Decisions about nodes rest on
what nodes reported alone, so that they can be made anew from the same facts; what is added is shown and searched for.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from typing import Final

from patchwindow.domain import debian_version, rpm_version
from patchwindow.domain.approval_rule import normal
from patchwindow.domain.facts_patches import Readings
from patchwindow.domain.feeds.members import is_cve, unique
from patchwindow.domain.feeds.notice import Extent, Fix, Notice
from patchwindow.domain.operating_system import FAMILIES, Family, OperatingSystem
from patchwindow.domain.patch import Patch


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What notices add to a patch of which its publisher did not say it."""

    advisory_ids: tuple[str, ...] = ()
    cve_ids: tuple[str, ...] = ()
    bugzilla_ids: tuple[str, ...] = ()
    classification: str = ""
    severity: str = ""
    released_on: date | None = None
    updated_on: date | None = None


NOTHING: Final = Added()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPatch:
    """One version of a package from one source, or one update of Windows, for one product.

    *readings* are what its publisher says of it; of one that no node has reported, what the notices say that name it,
    and then *first_seen_at* is `None`.  *first_seen_in* is the digest of the facts that had it first.
    """

    operating_system: OperatingSystem
    readings: Readings
    update_id: str = ""
    added: Added = NOTHING
    first_seen_at: datetime | None = None
    first_seen_in: str = ""

    @property
    def name(self) -> str:
        """Return under what notices name it: the package, or the KB."""
        return self.readings[0].kb_number or self.readings[0].name

    @property
    def source(self) -> str:
        """Return the source package under which notices may name it too; empty where that has the same name."""
        return self.readings[0].source

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what it is known by, and sorted by."""
        patch = self.readings[0]
        return self.operating_system, patch.title, patch.product, patch.repository

    @property
    def shown(self) -> Patch:
        """Return it with all that is known of it."""
        patch, added = self.readings[0], self.added
        if added == NOTHING:
            return patch
        return replace(
            patch,
            advisory_ids=patch.advisory_ids or added.advisory_ids,
            cve_ids=patch.cve_ids or added.cve_ids,
            bugzilla_ids=patch.bugzilla_ids or added.bugzilla_ids,
            classification=patch.classification or added.classification,
            severity=patch.severity or added.severity,
            released_on=patch.released_on or added.released_on,
            updated_on=patch.updated_on or added.updated_on,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A notice, and one of the packages that it names."""

    notice: Notice
    fix: Fix


def settled(
    reported: Iterable[KnownPatch], named: Sequence[Named], of_sources: Sequence[Named] = ()
) -> Iterator[KnownPatch]:
    """Yield all patches of one name on one operating system, with what *named* adds to them.

    They are those that nodes have *reported*, and those that a notice names exactly and no node has reported.
    *of_sources* name the source packages of those that were reported.
    """
    patches = sorted(reported, key=lambda patch: (patch.readings[0].product, patch.readings[0].kb_id))
    for _, alike in groupby(patches, key=lambda patch: (patch.readings[0].product, patch.readings[0].kb_id)):
        yield from _joined(list(alike), [*named, *of_sources])
    yield from _unreported(patches, named)


_SortKey = tuple[int | str, ...]


def _joined(patches: Sequence[KnownPatch], named: Sequence[Named]) -> Iterator[KnownPatch]:
    """Yield *patches*, which differ in version and repository alone, with what *named* adds to each."""
    key_of = _order_of(patches[0].operating_system)
    first = patches[0].readings[0]
    found: list[list[Notice]] = [[] for _ in patches]
    keys: dict[str, list[_SortKey | None]] = {}
    for one in named:
        fix = one.fix
        if not fix.is_for(first.product) or (fix.arch and first.arch and fix.arch != first.arch):
            continue
        if fix.name not in keys:
            versions = [_version_of(patch, fix.name) for patch in patches]
            keys[fix.name] = [None if version is None else key_of(version) for version in versions]
        for place in _having(fix, key_of(fix.version), keys[fix.name]):
            found[place].append(one.notice)
    for patch, notices in zip(patches, found, strict=True):
        yield replace(patch, added=_added(patch.readings[0], notices, FAMILIES[patch.operating_system]))


def _version_of(patch: KnownPatch, name: str) -> str | None:
    """Return the version of *patch* that a notice which names *name* goes by; None where it names neither it nor its source."""
    first = patch.readings[0]
    if name == patch.name:
        return _version(first)
    return first.source_version or _version(first) if name == patch.source else None


def _having(fix: Fix, key: _SortKey, keys: Sequence[_SortKey | None]) -> Iterator[int]:
    """Yield the places in *keys* of the versions that *fix*, whose version has *key*, is said of.

    A notice about all versions since one is of the first known version that has the fix: what a node gains by it.  Of
    the oldest known version it is only if it is that very version, for otherwise all notices ever would be.
    """
    known = sorted({at for at in keys if at is not None})
    if fix.extent is Extent.SINCE:
        later = [at for at in known if at >= key]
        wanted = later[:1] if later and (later[0] == key or later[0] != known[0]) else []
    else:
        wanted = [key] if fix.version else known
    return (place for place, at in enumerate(keys) if at is not None and at in wanted)


def _unreported(reported: Sequence[KnownPatch], named: Sequence[Named]) -> Iterator[KnownPatch]:
    """Yield the patches that *named* names as nodes would, but for those of *reported*."""
    products: dict[str, set[str]] = {}
    for patch in reported:
        first = patch.readings[0]
        products.setdefault(first.kb_number or first.title, set()).add(first.product)
    made: dict[tuple[str, str], tuple[Fix, list[Notice]]] = {}
    for one in named:
        title = _title(one.fix)
        if title and not any(map(one.fix.is_for, products.get(title, ()))):
            made.setdefault((title, one.fix.product), (one.fix, []))[1].append(one.notice)
    for fix, notices in made.values():
        patches = [_patch(fix, notice, notices) for notice in sorted(_each(notices), key=_gravity)]
        yield KnownPatch(operating_system=fix.operating_system, readings=tuple(dict.fromkeys(patches)))


def _title(fix: Fix) -> str:
    """Return what one patch *fix* names, by title or KB; empty where it may be several."""
    if FAMILIES[fix.operating_system] is Family.WINDOWS:
        return fix.name if fix.product else ""
    return fix.title


def _patch(fix: Fix, notice: Notice, notices: Sequence[Notice]) -> Patch:
    is_windows = FAMILIES[fix.operating_system] is Family.WINDOWS
    evr = rpm_version.split(fix.version)
    return Patch(
        name=f"Update for {fix.product} ({fix.name})" if is_windows else fix.name,
        kb_number=fix.name if is_windows else "",
        arch=fix.arch,
        epoch="" if is_windows else evr.epoch,
        version=evr.version,
        release=evr.release,
        classification=_classification(notice, FAMILIES[fix.operating_system]),
        severity=notice.severity,
        product=fix.product,
        product_family="Windows" if is_windows else "",
        advisory_ids=_advisory_ids(notices),
        cve_ids=unique([cve for one in notices for cve in one.cve_ids]),
        bugzilla_ids=unique([bug for one in notices for bug in one.bugzilla_ids]),
        released_on=_day(notice.issued),
        updated_on=_day(notice.updated),
        is_security=not is_windows,
    )


def _added(patch: Patch, notices: Sequence[Notice], family: Family) -> Added:
    if not notices:
        return NOTHING
    notices = sorted(_each(notices), key=_gravity)
    has_date = patch.released_on is not None or patch.updated_on is not None
    return Added(
        advisory_ids=() if patch.advisory_ids else _advisory_ids(notices),
        cve_ids=() if patch.cve_ids else unique([cve for one in notices for cve in one.cve_ids]),
        bugzilla_ids=() if patch.bugzilla_ids else unique([bug for one in notices for bug in one.bugzilla_ids]),
        # On apt systems the classification says from which source a version comes, and nobody else can know.
        classification="" if patch.classification or family is Family.APT else _classification(notices[0], family),
        severity="" if patch.severity else notices[0].severity,
        released_on=None if has_date else _day(max(one.issued for one in notices)),
        updated_on=None if has_date else _day(max(one.updated for one in notices)),
    )


def _each(notices: Sequence[Notice]) -> list[Notice]:
    return list(dict.fromkeys(notices))


def _advisory_ids(notices: Sequence[Notice]) -> tuple[str, ...]:
    # A feed that has CVEs and no notices gives them the CVE's own id.
    return unique([one.id for one in notices if not is_cve(one.id)])


def _classification(notice: Notice, family: Family) -> str:
    return notice.kind if family is Family.WINDOWS else notice.kind.capitalize()


_SEVERITIES: Final = {word: rank for rank, word in enumerate(("critical", "important", "high", "medium", "low"))}


def _gravity(notice: Notice) -> tuple[bool, int, str]:
    rank = _SEVERITIES.get(normal(notice.severity), len(_SEVERITIES))
    return "security" not in notice.kind.casefold(), rank, notice.id


def _order_of(system: OperatingSystem) -> Callable[[str], tuple[int | str, ...]]:
    return _debian_key if FAMILIES[system] is Family.APT else _rpm_key


# Feeds name the same versions many times.
_debian_key: Final = lru_cache(maxsize=10_000)(debian_version.sort_key)
_rpm_key: Final = lru_cache(maxsize=10_000)(rpm_version.sort_key)


def _version(patch: Patch) -> str:
    return str(rpm_version.Evr(patch.epoch or "0", patch.version, patch.release)) if patch.release else patch.version


def _day(written: str) -> date | None:
    return date.fromisoformat(written) if written else None
