"""What dnf knows of its repositories: refreshed, and read by formats of our own and from the files that it keeps."""

import re
from pathlib import Path
from typing import Iterator, Mapping, Optional, Sequence

from patchwindow_agent import compression, dnf_output, repository_cache, updateinfo
from patchwindow_agent.dnf_command import Command
from patchwindow_agent.dnf_output import Offer, Repository
from patchwindow_agent.errors import ScanFailed
from patchwindow_agent.rpm_database import Key, Links
from patchwindow_agent.rpm_facts import Candidate
from patchwindow_agent.updateinfo import Named, Notice

# What the node excludes is reported too, as held. dnf 4 knows `all`, dnf 5 `*`.
_WITH_EXCLUDED = "--setopt=disable_excludes=all,*"


class DnfLists:
    """The lists of dnf, 4 and 5, which *caches* may hold."""

    def __init__(self, command: Command, *, caches: Sequence[Path]) -> None:
        self._command = command
        self._caches = caches

    def refresh(self) -> Sequence[str]:
        done = self._command.run(["makecache", "--refresh"])
        if done.exit_code != 0:
            raise dnf_output.failure(done.exit_code, done.stdout, done.stderr, doing="refresh the package lists")
        return dnf_output.skipped_repositories(done.stdout, done.stderr)

    def repositories(self) -> Sequence[Repository]:
        return dnf_output.parse_repositories(self._command.ask(["-q", "repoinfo"], doing="list the repositories"))

    def offers(self, repositories: Sequence[Repository]) -> Sequence[Offer]:
        text = self._query(["--available", "--queryformat", dnf_output.OFFER_FORMAT])
        known = {repository.id for repository in repositories}
        return [offer for offer in dnf_output.parse_offers(text) if offer.repository in known]

    def updatable(self) -> "frozenset[Key]":
        # It ends with 100 where there are updates.
        text = self._command.ask(["-q", "check-update"], doing="list the updates", codes=(0, 100))
        return dnf_output.parse_check_update(text)

    def links(self, candidates: Sequence[Candidate], repositories: Sequence[Repository]) -> Mapping[Named, Links]:
        del repositories  # dnf asks all that are enabled.
        text = self._query(["--upgrades", "--queryformat", dnf_output.LINKS_FORMAT])
        wanted = {candidate.offer[:3] for candidate in candidates}
        return {offer[:3]: links for offer, links in dnf_output.parse_links(text).items() if offer[:3] in wanted}

    def providers(self, relations: Sequence[str], repositories: Sequence[Repository]) -> Mapping[Offer, Links]:
        del repositories  # dnf asks all that are enabled.
        asked = ["--available", "--whatprovides", ",".join(relations), "--queryformat", dnf_output.LINKS_FORMAT]
        return dnf_output.parse_links(self._query(asked))

    def notices(self, repositories: Sequence[Repository]) -> "Iterator[tuple[Notice, list[Named]]]":
        for repository in repositories:
            path = repository_cache.file_of(self._index(repository), ["updateinfo", "updateinfo_zck"])
            if path is not None:
                with compression.open_file(path) as stream:
                    yield from updateinfo.parse(stream)

    def as_of(self) -> int:
        found = (repository_cache.repomd_of(self._caches, repository.id) for repository in self.repositories())
        return min((repository_cache.made_at(path) for path in found if path is not None), default=0)

    def _query(self, arguments: Sequence[str]) -> str:
        return self._command.ask(["-q", _WITH_EXCLUDED, "repoquery", *arguments], doing="query the repositories")

    def _index(self, repository: Repository) -> Path:
        found = repository_cache.repomd_of(self._caches, repository.id)
        if found is None:
            # To go on would be to say that there are no security updates.
            folders = " nor in ".join(map(str, self._caches))
            raise ScanFailed(f"the lists of the repository {repository.id} are not in {folders}; refresh them")
        return found


def cache_folders(command: Command, root: Path, own: Optional[Path]) -> Sequence[Path]:
    """Return where the lists can be; *own* is the folder of an operation that may not use the machine's.

    dnf 4 and dnf 5 may both be here, and what was looked at last counts.
    """
    if own is not None:
        return [own]
    try:
        text = (root / command.dialect.configuration).read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    # Up to the first variable: what is below is searched.
    configured = re.findall(r"^\s*(?:system_)?cachedir\s*=\s*/([^$\n]*)", text, flags=re.MULTILINE)
    folders = [root / folder.strip().rstrip("/") for folder in (*configured, *command.dialect.caches)]
    return list(dict.fromkeys(folders))
