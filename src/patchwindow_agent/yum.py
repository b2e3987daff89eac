"""yum 3, as on Amazon Linux 1 and 2, CentOS 7, RHEL 7 and Oracle Linux 7: the ways of dnf, with other lists.

yum can be asked for little in a form of our own, and its Python module is one of Python 2. But it keeps the lists as
databases of SQLite, which hold everything, also what the node excludes.
"""

import contextlib
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Iterable, Iterator, Mapping, Optional, Sequence

from patchwindow_agent import dnf_output, rpm_database, rpm_version
from patchwindow_agent.dnf import Dnf
from patchwindow_agent.dnf_command import YUM, Command
from patchwindow_agent.dnf_lists import DnfLists
from patchwindow_agent.dnf_output import Offer, Repository
from patchwindow_agent.errors import NoRights, ScanFailed
from patchwindow_agent.programs import Completed
from patchwindow_agent.rpm_database import Links
from patchwindow_agent.rpm_facts import Candidate
from patchwindow_agent.rpm_scan import RpmLists
from patchwindow_agent.updateinfo import Named

if TYPE_CHECKING:
    import sqlite3

_PACKAGES = "SELECT pkgKey, name, arch, epoch, version, release, time_build, size_package FROM packages"
_REQUIRES = "SELECT name, flags, epoch, version, release FROM requires WHERE pkgKey = ?"
_PROVIDES = "SELECT name, flags, epoch, version, release FROM provides WHERE pkgKey = ?"
_SIGNS = {"EQ": "=", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
# Where yum unpacks the list of packages to, newer versions first; the last is where a repository offers no database.
_DATABASES = ("gen/primary_db.sqlite", "*primary.sqlite", "gen/primary.xml.sqlite")

_Row = tuple[int, str, str, str, str, str, int, int]


class Yum(Dnf):
    """The package manager of a machine with yum 3."""

    dialect = YUM

    def _make_lists(self) -> RpmLists:
        return YumLists(self._command, caches=self._caches, is_root=self._is_root)

    def _needs_restarting(self) -> Completed:
        return self._run(["needs-restarting", "-r"])


class YumLists(DnfLists):
    """The lists of yum, which *caches* hold."""

    def __init__(self, command: Command, *, caches: Sequence[Path], is_root: bool) -> None:
        super().__init__(command, caches=caches)
        self._is_root = is_root

    def refresh(self) -> Sequence[str]:
        if not self._is_root:
            raise NoRights("only root may refresh the lists of yum; what root has is read")
        skipped: list[str] = []
        # What is fast leaves out the notices, which the last command fetches.
        for arguments in (["clean", "expire-cache"], ["makecache", "fast"], ["-q", "updateinfo", "summary"]):
            done = self._command.run(arguments)
            if done.exit_code != 0:
                raise dnf_output.failure(done.exit_code, done.stdout, done.stderr, doing="refresh the package lists")
            skipped += dnf_output.skipped_repositories(done.stdout, done.stderr)
        return sorted(set(skipped))

    def repositories(self) -> Sequence[Repository]:
        # It says nothing at all if it is to be quiet.
        return dnf_output.parse_repositories(self._command.ask(["repoinfo"], doing="list the repositories"))

    def offers(self, repositories: Sequence[Repository]) -> Sequence[Offer]:
        found: set[Offer] = set()
        for repository in repositories:
            with self._database(repository) as database:
                found.update(_offer(row, repository) for row in database.execute(_PACKAGES))
        return sorted(offer for offer in found if offer.arch not in ("src", "nosrc"))

    def links(self, candidates: Sequence[Candidate], repositories: Sequence[Repository]) -> Mapping[Named, Links]:
        wanted = {candidate.offer for candidate in candidates}
        names = sorted({offer.name for offer in wanted})
        found = self._offers_where("name IN ({})", names, repositories)
        return {offer[:3]: links for offer, links in found.items() if offer in wanted}

    def providers(self, relations: Sequence[str], repositories: Sequence[Repository]) -> Mapping[Offer, Links]:
        names = sorted({relation.split()[0] for relation in relations})
        where = "pkgKey IN (SELECT pkgKey FROM {} WHERE name IN ({{}}))"
        provides = self._offers_where(where.format("provides"), names, repositories)
        return {**provides, **self._offers_where(where.format("files"), names, repositories)}

    def _offers_where(
        self, where: str, names: Sequence[str], repositories: Sequence[Repository]
    ) -> "dict[Offer, Links]":
        """Return the packages for which *where* holds, `{}` standing for *names*."""
        found = {}
        for repository in repositories:
            with self._database(repository) as database:
                for some in _parts(names):
                    marks = ",".join("?" * len(some))
                    for row in database.execute(f"{_PACKAGES} WHERE {where.format(marks)}", some).fetchall():
                        found[_offer(row, repository)] = _links(database, row[0])
        return found

    @contextlib.contextmanager
    def _database(self, repository: Repository) -> "Iterator[sqlite3.Connection]":
        """Open the list of packages of *repository*.

        Raises:
            ScanFailed: it is not there, or cannot be read.
        """
        import sqlite3  # noqa: PLC0415  # not every Python has it, and only yum needs it

        folder = self._index(repository).parent
        paths = itertools.chain.from_iterable(sorted(folder.glob(pattern)) for pattern in _DATABASES)
        path: Optional[Path] = next(paths, None)
        if path is None:
            raise ScanFailed(f"the list of packages of {repository.id} is not in {folder}; refresh the package lists")
        try:
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
                yield database
        except sqlite3.Error as problem:
            raise ScanFailed(f"cannot read {path}: {problem}") from problem


def _offer(row: _Row, repository: Repository) -> Offer:
    _, name, arch, epoch, version, release, built_at, size = row
    evr = rpm_version.join(epoch or "0", version, release)
    return Offer(name, arch, evr, repository.id, rpm_database.day(built_at or 0), size or 0)


def _links(database: "sqlite3.Connection", package: int) -> Links:
    requires, provides = (_relations(database.execute(statement, [package])) for statement in (_REQUIRES, _PROVIDES))
    return Links(requires, provides)


def _relations(rows: Iterable[Sequence[str]]) -> Sequence[str]:
    return [
        f"{name} {_SIGNS[flags]} {rpm_version.join(epoch or '0', version, release or '')}" if flags in _SIGNS else name
        for name, flags, epoch, version, release in rows
    ]


def _parts(names: Sequence[str]) -> Iterable[Sequence[str]]:
    # SQLite takes some 1000 values at once.
    return (names[start : start + 500] for start in range(0, len(names), 500))
