"""The facts of a machine with rpm: what its package manager's lists and rpm's database say, asked for in one order."""

from pathlib import Path
from typing import Any, Iterator, Mapping, Protocol, Sequence

from patchwindow_agent import dnf_output, rpm_along, rpm_database, rpm_facts
from patchwindow_agent.dnf_output import Offer, Repository
from patchwindow_agent.errors import ScanFailed
from patchwindow_agent.machine import read_system
from patchwindow_agent.programs import Run
from patchwindow_agent.rpm_database import Installed, Key, Links
from patchwindow_agent.rpm_facts import Candidate
from patchwindow_agent.updateinfo import Named, Notice


class RpmLists(Protocol):
    """The lists of dnf, yum or zypper; all but `refresh` read them as they are, and raise `ScanFailed` where they cannot."""

    def refresh(self) -> Sequence[str]:
        """Refresh the lists; return the repositories that cannot be reached and are configured to be left out then.

        Raises:
            ScanFailed: they could not be refreshed.
        """

    def repositories(self) -> Sequence[Repository]:
        """Return the repositories that are enabled."""

    def offers(self, repositories: Sequence[Repository]) -> Sequence[Offer]:
        """Return every version that *repositories* offer, also of what the node excludes or locks."""

    def updatable(self) -> "frozenset[Key]":
        """Return what the package manager would update by itself."""

    def links(self, candidates: Sequence[Candidate], repositories: Sequence[Repository]) -> Mapping[Named, Links]:
        """Return the relations of *candidates*."""

    def providers(self, relations: Sequence[str], repositories: Sequence[Repository]) -> Mapping[Offer, Links]:
        """Return what provides any of *relations*."""

    def notices(self, repositories: Sequence[Repository]) -> "Iterator[tuple[Notice, list[Named]]]":
        """Yield the notices of *repositories*, with the packages that they name."""

    def as_of(self) -> int:
        """Return the publisher's date of the oldest list in seconds since 1970, 0 where there is none."""


def installed(run: Run) -> list[Installed]:
    """Return what is installed.

    Raises:
        ScanFailed: rpm did not say.
    """
    return rpm_database.parse_installed(_said(run, rpm_database.QUERY))


def facts(
    run: Run, lists: RpmLists, *, manager: str, root: Path, reboot: Sequence[str]
) -> "tuple[dict[str, Any], list[int]]":
    """Return the facts (docs/facts.md), and beside them when each package was installed; *reboot* says why one is due.

    Raises:
        ScanFailed: a program did not give its part.
    """
    packages = installed(run)
    repositories = lists.repositories()
    offers = lists.offers(repositories)
    candidates = rpm_facts.candidates(packages, offers)
    scan = rpm_facts.Scan(
        manager=manager,
        system=read_system(root),
        arch=_said(run, ["rpm", "--eval", "%{_arch}"]).strip(),
        repositories=repositories,
        installed=packages,
        offers=offers,
        candidates=candidates,
        along=_along(run, lists, candidates, repositories, root),
        notices=list(lists.notices(repositories)),
        updatable=lists.updatable(),
        reboot=reboot,
    )
    return rpm_facts.facts(scan), [package.installed_at for package in packages]


def _along(
    run: Run, lists: RpmLists, candidates: Sequence[Candidate], repositories: Sequence[Repository], root: Path
) -> Sequence[rpm_facts.Along]:
    if not candidates:
        return []
    return rpm_along.along(
        candidates,
        links=lists.links(candidates, repositories),
        installed=rpm_database.parse_links(_said(run, rpm_database.LINKS_QUERY)),
        providers=lambda relations: lists.providers(relations, repositories),
        has_file=lambda path: (root / path.lstrip("/")).exists(),
    )


def _said(run: Run, command: Sequence[str]) -> str:
    done = run(command)
    if done.exit_code != 0:
        reason = dnf_output.problem_text(done.exit_code, done.stdout, done.stderr)
        raise ScanFailed(f"{command[0]} failed with exit status {done.exit_code}: {reason}")
    return done.stdout
