"""The facts of a node with dnf or yum (docs/facts.md), put together from what the package manager and rpm said."""

from collections import defaultdict
from typing import Any, Iterable, Mapping, NamedTuple, Sequence

from patchwindow_agent import rpm_database, rpm_version
from patchwindow_agent.dnf_output import Offer, Repository
from patchwindow_agent.machine import System
from patchwindow_agent.rpm_database import Installed, Key
from patchwindow_agent.updateinfo import Named, Notice


class Candidate(NamedTuple):
    """A version that is newer than the installed one, with all that offer it; the first stands for it."""

    installed: Installed
    offers: Sequence[Offer]

    @property
    def offer(self) -> Offer:
        """Return the first of the offers."""
        return self.offers[0]


class Along(NamedTuple):
    """What comes along with a candidate: indexes of other candidates, and packages that are not installed."""

    pulls: Sequence[int] = ()
    adds: Sequence[Offer] = ()


class Scan(NamedTuple):
    """What the package manager and rpm said."""

    manager: str
    system: System
    arch: str
    repositories: Sequence[Repository]
    installed: Sequence[Installed]
    offers: Sequence[Offer]
    candidates: Sequence[Candidate]
    # Beside the candidates.
    along: Sequence[Along]
    notices: Sequence["tuple[Notice, Sequence[Named]]"]
    # What the package manager would update by itself; what else has a candidate is held.
    updatable: "frozenset[Key]"
    reboot: Sequence[str]


def candidates(installed: Sequence[Installed], offers: Sequence[Offer]) -> list[Candidate]:
    """Return every newer version of what is installed, each once, sorted by package and version."""
    newest = rpm_database.newest(installed)
    by_name: dict[str, Installed] = {name: package for (name, _), package in newest.items()}
    found: dict[Named, tuple[Installed, list[Offer]]] = {}
    for offer in offers:
        there = newest.get(offer.key)
        if there is None and offer.name in by_name:
            # A package for any processor may become one for this, and back.
            there = by_name[offer.name] if offer.arch == "noarch" else newest.get((offer.name, "noarch"))
        if there is not None and rpm_version.sort_key(there.version) < rpm_version.sort_key(offer.version):
            found.setdefault(offer[:3], (there, []))[1].append(offer)
    ordered = sorted(found.items(), key=lambda item: (item[0][:2], rpm_version.sort_key(item[0][2])))
    return [Candidate(there, alike) for _, (there, alike) in ordered]


def facts(scan: Scan) -> dict[str, Any]:
    """Return the facts of schema 2."""
    return _Facts(scan).as_json()


class _Facts:
    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._origin_ids = {repository.id: index for index, repository in enumerate(scan.repositories)}
        self._offered: defaultdict[Named, set[str]] = defaultdict(set)
        for offer in scan.offers:
            self._offered[offer.name, offer.arch, offer.version].add(offer.repository)
        self._notices: list[Notice] = []
        self._naming: defaultdict[Named, list[int]] = defaultdict(list)
        self._versions_noticed: defaultdict[Key, list[str]] = defaultdict(list)
        self._read_notices()

    def as_json(self) -> dict[str, Any]:
        scan = self._scan
        additions = sorted({offer[:3] for along in scan.along for offer in along.adds})
        places = {addition: index for index, addition in enumerate(additions)}
        updates = [
            self._update(candidate, along, places)
            for candidate, along in zip(scan.candidates, scan.along)  # noqa: B905  # Python 3.9 has no strict
        ]
        return {
            "schema": 2,
            "manager": scan.manager,
            "os": {
                "id": scan.system.id,
                "name": scan.system.name,
                "versionId": scan.system.version_id,
                "codename": scan.system.codename,
                "arch": scan.arch,
            },
            "origins": [
                {"id": repository.id, "label": repository.name, "site": repository.site}
                for repository in scan.repositories
            ],
            "advisories": [notice._asdict() for notice in self._notices],
            "packages": [self._package(package) for package in scan.installed],
            "additions": [
                {
                    "name": name,
                    "arch": arch,
                    "version": version,
                    "origins": self._origins((name, arch, version)),
                    "advisories": self._naming.get((name, arch, version), []),
                }
                for name, arch, version in additions
            ],
            "updates": updates,
            "held": sorted({update["name"] for update in updates if update["held"]}),
            "reboot": {"required": bool(scan.reboot), "reasons": list(scan.reboot)},
        }

    def _package(self, package: Installed) -> dict[str, Any]:
        named = (package.name, package.arch, package.version)
        return {
            "name": package.name,
            "arch": package.arch,
            "version": package.version,
            "built": rpm_database.day(package.built_at),
            "origins": self._origins(named),
            "advisories": self._naming.get(named, []),
        }

    def _update(self, candidate: Candidate, along: Along, places: Mapping[Named, int]) -> dict[str, Any]:
        offer = candidate.offer
        return {
            "name": offer.name,
            "arch": offer.arch,
            "installed": candidate.installed.version,
            "candidate": offer.version,
            "built": offer.built,
            "size": offer.size,
            "origins": self._origins((offer.name, offer.arch, offer.version)),
            "advisories": self._about(candidate),
            "pulls": list(along.pulls),
            "adds": sorted({places[addition[:3]] for addition in along.adds}),
            "held": offer.key not in self._scan.updatable and candidate.installed.key not in self._scan.updatable,
        }

    def _about(self, candidate: Candidate) -> list[int]:
        """Return the notices that name the candidate; if none does, the last before it that is newer than what is there.

        A version that a notice names may have left the repository, and what it mends is mended by later ones too.
        """
        offer = candidate.offer
        named = self._naming.get((offer.name, offer.arch, offer.version))
        if named:
            return named
        low, high = (rpm_version.sort_key(text) for text in (candidate.installed.version, offer.version))
        between = [
            version for version in self._versions_noticed[offer.key] if low < rpm_version.sort_key(version) < high
        ]
        if not between:
            return []
        return self._naming[offer.name, offer.arch, max(between, key=rpm_version.sort_key)]

    def _origins(self, named: Named) -> list[int]:
        return sorted(self._origin_ids[id] for id in self._offered.get(named, ()) if id in self._origin_ids)

    def _read_notices(self) -> None:
        """Keep the notices about packages that are here; the same notice in two repositories is one."""
        here = {package.key for package in self._scan.installed}
        here |= {candidate.offer.key for candidate in self._scan.candidates}
        here |= {offer.key for along in self._scan.along for offer in along.adds}
        indexes: dict[str, int] = {}
        for notice, packages in self._scan.notices:
            for named in dict.fromkeys(named for named in packages if named[:2] in here):
                index = indexes.setdefault(_identity(notice), len(self._notices))
                if index == len(self._notices):
                    self._notices.append(notice)
                if index not in self._naming[named]:
                    self._naming[named].append(index)
                    self._versions_noticed[named[:2]].append(named[2])


def _identity(notice: Iterable[Any]) -> str:
    return repr(tuple(notice))
