"""What zypper knows of its repositories, read from the files that it keeps of them.

zypper prints packages without their dates, sizes and relations; the repository's own `primary.xml` has them all, and
`updateinfo.xml` the patches. What is locked is asked of zypper.
"""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Callable, Iterator, Mapping, NamedTuple, Optional, Sequence

from patchwindow_agent import (
    compression,
    repository_cache,
    rpm_database,
    rpm_dependencies,
    rpm_scan,
    rpm_version,
    updateinfo,
    zypper_output,
)
from patchwindow_agent.dnf_output import Offer, Repository
from patchwindow_agent.errors import ScanFailed
from patchwindow_agent.programs import Run
from patchwindow_agent.rpm_database import Key, Links
from patchwindow_agent.rpm_facts import Candidate
from patchwindow_agent.updateinfo import Named, Notice
from patchwindow_agent.zypper_command import Command

_COMMON = "{http://linux.duke.edu/metadata/common}"
_RPM = "{http://linux.duke.edu/metadata/rpm}"
_SIGNS = {"EQ": "=", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
_SOURCE_ARCHS = ("src", "nosrc")
# Types of repositories that have no such files: old installation media, and folders of packages.
_WITHOUT_LISTS = ("yast", "plaindir")


class Chosen(NamedTuple):
    """The repositories that an operation names: their aliases (empty: the machine's), and where their lists are."""

    aliases: Sequence[str]
    cache: Path


class ZypperLists:
    """The lists of zypper; *chosen* says of which repositories, and where they are."""

    def __init__(self, command: Command, run: Run, *, chosen: Callable[[], Chosen]) -> None:
        self._command = command
        self._run = run
        self._chosen = chosen

    def refresh(self) -> Sequence[str]:
        done = self._command.run(["refresh", *self._chosen().aliases])
        if done.exit_code != 0:
            raise zypper_output.failure(done.exit_code, done.stdout, done.stderr, doing="refresh the package lists")
        return []

    def repositories(self) -> Sequence[Repository]:
        text = self._command.ask(["repos"], doing="list the repositories")
        found, kinds = zypper_output.parse_repositories(text)
        aliases = self._chosen().aliases
        found = [repository for repository in found if not aliases or repository.id in aliases]
        for repository in found:
            if kinds[repository.id].lower().startswith(_WITHOUT_LISTS):
                # To go on would be to say that it has no updates.
                raise ScanFailed(
                    f"the repository {repository.id} is of the type {kinds[repository.id]}, which has no lists that can be "
                    f"read; make one of the type rpm-md of it, or disable it: zypper modifyrepo --disable {repository.id}"
                )
        return found

    def offers(self, repositories: Sequence[Repository]) -> Sequence[Offer]:
        return sorted(offer for offer, _ in self._packages(repositories))

    def updatable(self) -> "frozenset[Key]":
        """Return what is installed and not locked."""
        return frozenset(package.key for package in rpm_scan.installed(self._run)) - self.locked()

    def locked(self) -> "frozenset[Key]":
        """Return the installed packages that the node has locked.

        Raises:
            ScanFailed: zypper did not say.
        """
        return zypper_output.parse_locked(self._command.ask(["locks", "--solvables"], doing="list the locks"))

    def links(self, candidates: Sequence[Candidate], repositories: Sequence[Repository]) -> Mapping[Named, Links]:
        wanted = {candidate.offer[:3] for candidate in candidates}
        return {offer[:3]: _links(package) for offer, package in self._packages(repositories) if offer[:3] in wanted}

    def providers(self, relations: Sequence[str], repositories: Sequence[Repository]) -> Mapping[Offer, Links]:
        names = {found.name for text in relations if (found := rpm_dependencies.relation(text)) is not None}
        return {
            offer: _links(package)
            for offer, package in self._packages(repositories)
            if any(entry.get("name") in names for entry in package.iterfind(f".//{_RPM}provides/{_RPM}entry"))
            or any(file.text in names for file in package.iterfind(f".//{_COMMON}file"))
        }

    def obsoleted(self, offered: Sequence[Named]) -> Sequence[str]:
        """Return the relations of what the versions *offered* replace under another name.

        Raises:
            ScanFailed: the lists cannot be read.
        """
        wanted = set(offered)
        packages = self._packages(self.repositories())
        return [text for offer, package in packages if offer[:3] in wanted for text in _relations(package, "obsoletes")]

    def notices(self, repositories: Sequence[Repository]) -> "Iterator[tuple[Notice, list[Named]]]":
        for repository in repositories:
            path = repository_cache.file_of(self._index(repository), ["updateinfo"])
            if path is not None:
                with compression.open_file(path) as stream:
                    yield from updateinfo.parse(stream)

    def as_of(self) -> int:
        found = (_path(self._chosen().cache, repository.id) for repository in self.repositories())
        return min((repository_cache.made_at(path) for path in found if path.exists()), default=0)

    def _packages(self, repositories: Sequence[Repository]) -> "Iterator[tuple[Offer, ET.Element]]":
        """Yield what *repositories* offer, each with its element, which is good until the next is taken."""
        for repository in repositories:
            path = repository_cache.file_of(self._index(repository), ["primary"])
            if path is not None:
                with compression.open_file(path) as stream:
                    try:
                        for _, element in ET.iterparse(stream):  # noqa: S314  # zypper has checked it
                            if element.tag == f"{_COMMON}package":
                                offer = _offer(element, repository)
                                if offer is not None:
                                    yield offer, element
                                # A distribution has tens of thousands; each is let go when it has been read.
                                element.clear()
                    except (ET.ParseError, OSError, EOFError) as problem:
                        raise ScanFailed(f"cannot read {path}: {problem}") from problem

    def _index(self, repository: Repository) -> Path:
        path = _path(self._chosen().cache, repository.id)
        if not path.exists():
            # To go on would be to say that there are no updates.
            raise ScanFailed(f"the lists of the repository {repository.id} are not at {path}; refresh them")
        return path


def _path(cache: Path, alias: str) -> Path:
    return cache / "raw" / alias.replace("/", "_") / "repodata/repomd.xml"


def _offer(package: ET.Element, repository: Repository) -> Optional[Offer]:
    name, arch = package.findtext(f"{_COMMON}name"), package.findtext(f"{_COMMON}arch")
    version = package.find(f"{_COMMON}version")
    if not name or not arch or version is None or arch in _SOURCE_ARCHS:
        return None
    times, sizes = package.find(f"{_COMMON}time"), package.find(f"{_COMMON}size")
    return Offer(
        name,
        arch,
        _evr(version),
        repository.id,
        rpm_database.day(_number(times, "build")),
        _number(sizes, "package"),
    )


def _links(package: ET.Element) -> Links:
    files = [file.text or "" for file in package.iterfind(f".//{_COMMON}file")]
    return Links(_relations(package, "requires"), [*_relations(package, "provides"), *files])


def _relations(package: ET.Element, kind: str) -> Sequence[str]:
    return [
        f"{entry.get('name', '')} {_SIGNS[entry.get('flags', '')]} {_evr(entry)}"
        if entry.get("flags") in _SIGNS
        else entry.get("name", "")
        for entry in package.iterfind(f".//{_RPM}{kind}/{_RPM}entry")
    ]


def _evr(element: ET.Element) -> str:
    return rpm_version.join(element.get("epoch") or "0", element.get("ver", ""), element.get("rel", ""))


def _number(element: Optional[ET.Element], name: str) -> int:
    text = "" if element is None else element.get(name, "")
    return int(text) if text.isdigit() else 0
