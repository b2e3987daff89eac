"""What facts are to rules and lists: patches.

A version that several notices name has their attributes one notice at a time, since a rule approves it if any one of
them meets all of its filters.  So it is several patches that differ in these attributes alone: its *readings*, the
gravest first.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from patchwindow.domain import debian_version, rpm_version
from patchwindow.domain.approval_rule import normal
from patchwindow.domain.baseline import highest
from patchwindow.domain.decision import Decide, Decision, DecisionStatus
from patchwindow.domain.facts import (
    MANAGER_FAMILIES,
    RPM_MANAGERS,
    Advisory,
    Facts,
    Kind,
    Manager,
    Origin,
    Package,
    Update,
    WindowsUpdate,
)
from patchwindow.domain.operating_system import Family, product
from patchwindow.domain.patch import Patch
from patchwindow.domain.rpm_version import Evr

Readings = tuple[Patch, ...]

# When a version was first reported by any node: by repository, `name.arch` and version.
Sighting = tuple[str, str, str]
FirstSeen = Mapping[Sighting, date]


@dataclass(frozen=True, slots=True)
class Patches:
    """The patches of facts, each beside the entry it was made from."""

    installed: tuple[Readings, ...]
    offered: tuple[Readings, ...]
    added: tuple[Readings, ...]
    windows: tuple[Readings, ...]


def patches_of(facts: Facts) -> Patches:
    """Return what rules can be put to: all that is installed, offered, or would come along."""
    system = facts.operating_system
    product_name = product(system, facts.os.version_id) if system else ""
    read = _Reading(facts, product_name)
    return Patches(
        installed=tuple(read(package, package.version) for package in facts.packages),
        offered=tuple(read(update, update.candidate) for update in facts.updates),
        added=tuple(read(addition, addition.version) for addition in facts.additions),
        windows=tuple((_windows_patch(update),) for update in facts.windows_updates),
    )


def sighting(patch: Patch) -> Sighting:
    """Return under what the ledger of first sights has *patch*."""
    return patch.repository, patch.kb_id, patch.version


def seen(readings: Readings, first_seen: FirstSeen, today: date) -> Readings:
    """Return *readings* with the day on which they were first seen, *today* if never before."""
    first_seen_on = first_seen.get(sighting(readings[0]), today)
    return tuple(replace(patch, first_seen_on=first_seen_on) for patch in readings)


def verdict(readings: Readings, today: date, decide: Decide) -> tuple[Patch, Decision]:
    """Return the reading that counts, with its decision: the first that is approved, else the first to be approved.

    Where several are approved, the highest of their levels counts.
    """
    if len(readings) == 1:
        return readings[0], decide(readings[0], today)
    found = [(patch, decide(patch, today)) for patch in readings]
    best = min(found, key=lambda pair: (_RANKS[pair[1].status], pair[1].approval_date or today))
    alike = [decision for _, decision in found if decision.status is best[1].status]
    level = highest(decision.compliance_level for decision in alike)
    return best[0], replace(best[1], compliance_level=level) if best[1].is_approved else best[1]


_RANKS: Final = {
    DecisionStatus.REJECTED: 0,
    DecisionStatus.EXPLICIT_APPROVED: 1,
    DecisionStatus.APPROVED: 2,
    DecisionStatus.PENDING_APPROVAL: 3,
    DecisionStatus.NOT_MATCHED: 4,
}


def sort_key_for(manager: Manager) -> Callable[[str], tuple[int | str, ...]]:
    """Return what orders the versions of *manager*; those of macOS have no rules of their own, and rpm's suit them."""
    return debian_version.sort_key if manager is Manager.APT else rpm_version.sort_key


def source_of(facts: Facts, indexes: Sequence[int]) -> Origin | None:
    """Return the origin to name where several offer a version: the security source if it does, else the first."""
    origins = [facts.origins[index] for index in indexes]
    return next((origin for origin in origins if origin.is_security), origins[0] if origins else None)


class _Reading:
    """Makes patches from packages and updates; what their sources and notices say is worked out once for all."""

    def __init__(self, facts: Facts, product_name: str) -> None:
        self._facts = facts
        self._family = MANAGER_FAMILIES[facts.manager]
        self._is_rpm = facts.manager in RPM_MANAGERS
        self._product = product_name
        self._sources: dict[tuple[int, ...], tuple[str, bool]] = {}
        self._notices: dict[tuple[int, ...], _Noticed] = {}

    def __call__(self, item: Package | Update, version: str) -> Readings:
        repository, is_security = self._source(item.origins)
        if self._family is Family.APT:
            patch = _apt_patch(
                item.name,
                item.arch,
                version,
                item.source,
                item.source_version,
                item.section,
                item.priority,
                self._product,
                repository,
                is_security,
            )
            return (patch,)
        if not item.advisories:
            bare = _bare_patch(
                item.name,
                item.arch,
                version,
                item.section,
                item.built,
                self._product,
                repository,
                _default_classification(item),
                self._is_rpm,
            )
            return (bare,)
        return self._noticed(item, version, repository)

    def _noticed(self, item: Package | Update, version: str, repository: str) -> Readings:
        noticed = self._notices_of(item.advisories)
        parts = _parts(version, is_rpm=self._is_rpm)
        built_on = _day(item.built)
        return tuple(
            Patch(
                name=item.name,
                arch=item.arch,
                epoch=parts.epoch,
                version=parts.version,
                release=parts.release,
                classification=notice.kind.capitalize(),
                severity=notice.severity,
                section=item.section,
                product=self._product,
                repository=repository,
                advisory_ids=noticed.advisory_ids,
                cve_ids=noticed.cve_ids,
                bugzilla_ids=noticed.bugzilla_ids,
                released_on=_day(notice.issued),
                updated_on=_day(notice.updated),
                built_on=built_on,
                # Of zypper and yum alike: what a notice names counts, whatever the kind of the notice.
                is_security=True,
            )
            for notice in noticed.notices
        )

    def _source(self, indexes: tuple[int, ...]) -> tuple[str, bool]:
        found = self._sources.get(indexes)
        if found is None:
            source = source_of(self._facts, indexes)
            found = self._sources[indexes] = (source.name, source.is_security) if source else ("", False)
        return found

    def _notices_of(self, indexes: tuple[int, ...]) -> "_Noticed":
        found = self._notices.get(indexes)
        if found is None:
            notices = tuple(sorted((self._facts.advisories[index] for index in indexes), key=_gravity))
            found = self._notices[indexes] = _Noticed(
                notices,
                tuple(notice.id for notice in notices),
                tuple(dict.fromkeys(cve for notice in notices for cve in notice.cves)),
                tuple(dict.fromkeys(bug for notice in notices for bug in notice.bugs)),
            )
        return found


@dataclass(frozen=True, slots=True)
class _Noticed:
    """What the notices of a version say together, the gravest first."""

    notices: tuple[Advisory, ...]
    advisory_ids: tuple[str, ...]
    cve_ids: tuple[str, ...]
    bugzilla_ids: tuple[str, ...]


# Nodes have most of their packages in common: a patch that was made is kept, and equal ones are then the same object,
# which is also what a memory of decisions finds fastest.
_MEMORY_COUNT: Final = 65_536


@functools.lru_cache(maxsize=_MEMORY_COUNT)
def _apt_patch(  # noqa: PLR0917  # they are the key, and positional ones make it fastest
    name: str,
    arch: str,
    version: str,
    source: str,
    source_version: str,
    section: str,
    priority: str,
    product_name: str,
    repository: str,
    is_security: bool,  # noqa: FBT001  # part of the key
) -> Patch:
    return Patch(
        name=name,
        arch=arch,
        version=version,
        source=source,
        source_version=source_version,
        # apt knows no notices: its security source is the only class there is, and its priority the only weight.
        classification="Security" if is_security else "",
        severity=priority,
        section=section,
        priority=priority,
        product=product_name,
        repository=repository,
        is_security=is_security,
    )


@functools.lru_cache(maxsize=_MEMORY_COUNT)
def _bare_patch(  # noqa: PLR0917  # they are the key, and positional ones make it fastest
    name: str,
    arch: str,
    version: str,
    section: str,
    built: str,
    product_name: str,
    repository: str,
    classification: str,
    is_rpm: bool,  # noqa: FBT001  # part of the key
) -> Patch:
    """Return the patch of what no notice names."""
    parts = _parts(version, is_rpm=is_rpm)
    return Patch(
        name=name,
        arch=arch,
        epoch=parts.epoch,
        version=parts.version,
        release=parts.release,
        classification=classification,
        section=section,
        product=product_name,
        repository=repository,
        built_on=_day(built),
    )


def _parts(version: str, *, is_rpm: bool) -> Evr:
    return rpm_version.split(version) if is_rpm else Evr("", version, "")


_SEVERITIES: Final = {"critical": 0, "important": 1, "medium": 2, "low": 3}


def _gravity(notice: Advisory) -> tuple[bool, int]:
    return notice.kind.casefold() != "security", _SEVERITIES.get(normal(notice.severity), len(_SEVERITIES))


def _default_classification(item: Package | Update) -> str:
    """Return the class of what no notice names: Apple's own list says of each whether it is recommended."""
    is_recommended = isinstance(item, Update) and item.kind is Kind.SOFTWARE_UPDATE and item.recommended
    return "Recommended" if is_recommended else ""


def _windows_patch(update: WindowsUpdate) -> Patch:
    return Patch(
        name=update.title,
        kb_number=update.kb,
        classification=update.classification,
        severity=update.severity,
        product=update.product,
        product_family=update.product_family,
        patch_set=update.patch_set,
        advisory_ids=update.bulletins,
        cve_ids=update.cves,
        released_on=_day(update.released),
        updated_on=_day(update.updated),
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
