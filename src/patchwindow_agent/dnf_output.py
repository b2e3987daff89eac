"""What dnf (4 and 5) and yum print, as values. Texts in, values out; no program is run here."""

import re
from typing import Mapping, NamedTuple, Optional, Sequence
from urllib.parse import urlsplit

from patchwindow_agent import rpm_database, rpm_version
from patchwindow_agent.errors import Locked, NoRights, ScanFailed
from patchwindow_agent.rpm_database import Key, Links

_FIELDS = ("name", "epoch", "version", "release", "arch", "repoid", "buildtime", "downloadsize")
# The fields of `Offer`; dnf 5 does not end lines by itself.
OFFER_FORMAT = "|".join(f"%{{{field}}}" for field in _FIELDS) + "\\n"
# Relations are told one in a line, so the fields of one package are many lines.
LINKS_FORMAT = "%{name}|%{epoch}|%{version}|%{release}|%{arch}|%{repoid}|%{buildtime}|%{downloadsize}|\\n%{requires}\\n|\\n%{provides}\\n||\\n"
_SOURCE_ARCHS = ("src", "nosrc")


class Repository(NamedTuple):
    """A repository that is enabled; `site` is the host that it is found at, empty where it is a folder."""

    id: str
    name: str
    site: str


class Offer(NamedTuple):
    """A version that a repository offers; the day is in UTC, the size in bytes to download."""

    name: str
    arch: str
    version: str
    repository: str
    built: str
    size: int

    @property
    def key(self) -> Key:
        """Return what tells the package from others, whatever its version."""
        return self.name, self.arch


_REPO_KEYS: Mapping[str, str] = {
    "Repo-id": "id",
    "Repo ID": "id",
    "Repo-name": "name",
    "Name": "name",
    "Repo-baseurl": "baseurl",
    "Base URL": "baseurl",
    "Repo-metalink": "list",
    "Metalink": "list",
    "Repo-mirrors": "list",
    "Mirrorlist": "list",
}


def parse_repositories(text: str) -> list[Repository]:
    """Return the repositories that `repoinfo` lists, sorted.

    A list of mirrors is named before a mirror, since which of them was taken differs from node to node.
    """
    found: list[dict[str, str]] = []
    for line in text.splitlines():
        label, colon, value = line.partition(":")
        key = _REPO_KEYS.get(label.strip())
        if colon and key == "id":
            # yum names architecture and release too: `base/7/x86_64`.
            found.append({"id": value.strip().partition("/")[0]})
        elif colon and key is not None and found:
            found[-1].setdefault(key, "".join(filter(str.isprintable, value)).strip())
    return sorted(
        Repository(told["id"], told.get("name", ""), _host(told.get("list") or told.get("baseurl", "")))
        for told in found
    )


def parse_offers(text: str) -> list[Offer]:
    """Return the packages that `repoquery` lists by `OFFER_FORMAT`; sources are none."""
    offers = [_offer(line.split("|")) for line in text.splitlines() if line.count("|") == len(_FIELDS) - 1]
    return sorted({offer for offer in offers if offer.arch not in _SOURCE_ARCHS})


def parse_links(text: str) -> dict[Offer, Links]:
    """Return the packages that `repoquery` lists by `LINKS_FORMAT`, with their relations."""
    found = {}
    for block in re.split(r"^\|\|$", text, flags=re.MULTILINE):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if "|" in lines and lines[0].count("|") == len(_FIELDS):
            middle = lines.index("|")
            offer = _offer(lines[0].split("|")[:-1])
            found[offer] = Links(lines[1:middle], lines[middle + 1 :])
    return found


def parse_check_update(text: str) -> frozenset[Key]:
    """Return name and architecture of each package that `check-update` would update or put another in place of.

    A long name stands alone in its line. What is said besides are sentences: several words without a version.
    """
    found = set()
    for line in text.splitlines():
        words = line.split()
        name, dot, arch = words[0].rpartition(".") if words else ("", "", "")
        is_package = len(words) in (1, 3) and not line.startswith(("Security:", "Obsoleting"))
        if dot and is_package and not (line[0] == " " and len(words) == 1):
            found.add((name, arch))
    return frozenset(found)


class Plan(NamedTuple):
    """What a transaction would do; *size* is what it would download, in bytes."""

    removes: Sequence[str]
    unmatched: Sequence[str]
    size: int
    # Why there is no transaction, None where there is one or nothing to do.
    problem: Optional[str]


_UNMATCHED = re.compile(
    r"No [Mm]atch for argument: (\S+)$|No package (\S+) available\.?$"
    r"|Argument '(\S+)' matches only (?:packages excluded|excluded packages)",
    re.MULTILINE,
)
_TOTAL = re.compile(r"(?:Total download size: |Need to download )([\d.,]+) *([kKMGT]?)i?B?\b")
_FACTORS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SAID_NO = ("Operation aborted", "Exiting on user command")
_NOTHING = ("Nothing to do", "No packages marked for update")


def parse_plan(exit_code: int, stdout: str, stderr: str) -> Plan:
    """Return what a transaction would do that was answered with no; such an end is an error to dnf and to yum."""
    said = f"{stdout}\n{stderr}"
    removes: list[str] = []
    section = ""
    for line in stdout.splitlines():
        if line.startswith("Transaction Summary"):
            break
        if re.fullmatch(r"[A-Z][^:]*:", line):
            section = line
        elif section.startswith("Removing") and re.match(r" \S", line):
            removes.append(".".join(line.split()[:2]))
    unmatched = ["".join(found) for found in _UNMATCHED.findall(said)]
    is_done = exit_code == 0 or any(words in said for words in (*_SAID_NO, *_NOTHING))
    total = _TOTAL.search(said)
    size = int(float(total[1].replace(",", ".")) * _FACTORS[total[2].upper()]) if total is not None else 0
    return Plan(removes, unmatched, size, None if is_done else problem_text(exit_code, stdout, stderr))


_UNSIGNED = re.compile(r"^Package \S+ is not signed$|^Public key for \S+ is not installed", re.MULTILINE)
# Hints, and what dnf 5 says of its progress on the same stream as its errors.
_NOISE = re.compile(
    r"\(?(?:try to add|You can try)|\(try | +--\w|Last metadata|Complete!|\s*$|Operation aborted"
    r"|Updating and loading|Repositories loaded|Running transaction|Total size of|After this operation"
    r"|\[ *\d+/\d+\]|.* [\d?]+% \||-{20}"
)
_BEGIN = re.compile(r"Error:|\s*Problem|Failed to |Transaction failed")
_PREFIXES = re.compile(r"Error: *|Failed to resolve the transaction: *")


def problem_text(exit_code: int, stdout: str, stderr: str) -> str:
    """Return the reason that a failed dnf or yum gave, in one line."""
    lines = [line.strip() for line in stderr.splitlines() if not _NOISE.match(line)]
    if not lines:
        lines = [line.strip() for line in stdout.splitlines() if line.startswith(("Error", " Problem", "Failed"))]
    begin = next((index for index, line in enumerate(lines) if _BEGIN.match(line)), 0)
    said = [*_UNSIGNED.findall(f"{stdout}\n{stderr}"), *lines[begin:]]
    # The first of several problems says enough; the rest stands in the log of the package manager.
    text = _PREFIXES.sub("", " ".join(said[:6])).strip()
    return text[:900] or f"it failed with exit status {exit_code} and gave no reason"


def scriptlets(stdout: str, stderr: str) -> Mapping[str, str]:
    """Return what failed scriptlets said, by the package as rpm names it: its name, or name-version-release.arch."""
    found: dict[str, str] = {}
    for line in (*stdout.splitlines(), *stderr.splitlines()):
        for pattern in _SCRIPTLETS:
            match = pattern.search(line)
            if match is not None:
                found.setdefault(match["package"], line.removeprefix(">>> ").strip())
    return found


_SCRIPTLETS = (
    re.compile(r"Error in \w+ scriptlet in rpm package (?P<package>\S+)"),
    re.compile(r"[Ee]rror in \S+ scriptlet: (?P<package>\S+)"),
    re.compile(r"error: (?P<package>\S+): install failed"),
    re.compile(r"(?:error|warning): %\w+\((?P<package>\S+)\) scriptlet failed"),
)
_LOCKED = re.compile(
    r"holding the yum lock|Failed to obtain .* lock|lock file .* is locked|already locked by (?P<pid>\d+)"
    r"|transaction lock on|Waiting for process with pid"
)


def failure(exit_code: int, stdout: str, stderr: str, *, doing: str) -> ScanFailed:
    """Return why a command failed, as what it is: for lack of rights, because of a lock, or otherwise."""
    reason = problem_text(exit_code, stdout, stderr)
    said = f"{stdout}\n{stderr}"
    if is_locked(exit_code, stdout, stderr):
        return Locked(f"cannot {doing}: the package manager is locked: {reason}")
    if "Permission denied" in said or "superuser privileges" in said or "need to be root" in said:
        return NoRights(f"cannot {doing}: {reason}")
    return ScanFailed(f"cannot {doing}: {reason}")


def is_locked(exit_code: int, stdout: str, stderr: str) -> bool:
    """Return whether a command ended because another process holds a lock; dnf has 200 for that."""
    said = f"{stdout}\n{stderr}"
    return exit_code != 0 and (_LOCKED.search(said) is not None or (exit_code == 200 and "lock" in said.lower()))


def skipped_repositories(stdout: str, stderr: str) -> Sequence[str]:
    """Return the repositories that were left out because they cannot be reached and are configured so.

    dnf 4 says it in a sentence, by id; dnf 5 goes on below the name of the repository, and says nothing of it later.
    """
    said = f"{stdout}\n{stderr}"
    ids = re.findall(r"Ignoring repositories: (.*)", said)
    names = re.findall(r"^ (.+?) +[\d?]+% \|.*\n(?:>>> .*\n)*>>> Usable URL not found", said, flags=re.MULTILINE)
    return sorted({*names, *(id for some in ids for id in re.split(r"[,\s]+", some) if id)})


def _offer(fields: Sequence[str]) -> Offer:
    name, epoch, version, release, arch, repository, built, size = fields
    built = rpm_database.day(int(built)) if built.isdigit() else built[:10]
    return Offer(name, arch, rpm_version.join(epoch, version, release), repository, built, int(size or 0))


def _host(address: str) -> str:
    first = re.split(r"[,\s]", address, maxsplit=1)[0]
    try:
        return urlsplit(first).hostname or ""
    except ValueError:
        return ""
