"""What apt and dpkg print, as values. Texts in, values out; no program is run here."""

import re
from typing import Mapping, NamedTuple, Optional, Sequence

from patchwindow_agent.errors import NoRights, ScanFailed
from patchwindow_agent.machine import System

# The fields of `Installed`, as dpkg-query is asked for them.
DPKG_FORMAT = (
    "${db:Status-Abbrev}\\t${Package}\\t${Architecture}\\t${Version}\\t${Section}\\t${Priority}"
    "\\t${source:Package}\\t${source:Version}\\t${Config-Version}\\n"
)


class Installed(NamedTuple):
    """A package that is on the machine; its source package is told where that has another name, or version.

    One whose scripts have not made it work has the version that they last did that for, and *unpacked* is the other.
    """

    name: str
    arch: str
    version: str
    section: str
    priority: str
    is_held: bool
    source: str = ""
    source_version: str = ""
    unpacked: str = ""


class Origin(NamedTuple):
    """Where packages come from, as the publisher's Release file says; `site` is the host that they are fetched from."""

    origin: str
    label: str
    suite: str
    codename: str
    component: str
    site: str


class Policy(NamedTuple):
    """What apt makes of a package: the candidate where it is newer, and who offers each version (as index lines).

    *between* are the versions between the installed one and the candidate, the newest first.
    """

    update: Optional[str]
    offers: Mapping[str, frozenset[str]]
    between: Sequence[str] = ()


class Offer(NamedTuple):
    """What an index says of one version."""

    section: str
    priority: str
    size: int
    source: str = ""
    source_version: str = ""


def parse_dpkg(text: str) -> list[Installed]:
    """Return the packages that work on the machine, or did before an update failed, sorted by name and architecture.

    The abbreviation's first letter is what is wanted (`h`: hold), its second what is: `n` is not installed, `c` is
    removed but for its configuration; `U`, `F` and `H` are unpacked and not configured, or not even unpacked. Such an
    update is not told as installed: nobody knows whether it works.
    """
    found = []
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) == 9 and fields[0][1:2] not in ("n", "c"):
            status, name, arch, version, section, priority = fields[:6]
            source, source_version = _unlike(fields[6], name), _unlike(fields[7], version)
            unpacked = version if status[1] in "UFH" else ""
            if unpacked and not fields[8]:
                # It was new, and has never worked.
                continue
            found.append(
                Installed(
                    name,
                    arch,
                    fields[8] if unpacked else version,
                    section,
                    priority,
                    is_held=status[0] == "h",
                    source=source,
                    source_version=source_version,
                    unpacked=unpacked,
                )
            )
    return sorted(found)


def _unlike(told: str, own: str) -> str:
    """Return what is *told* of the source package; empty where it is the package's *own*."""
    return "" if told == own else told


_INDEX = re.compile(r" *-?\d+ (\S+ .* Packages)")
_RELEASE_FIELD = re.compile(r"(?:^|,)([a-z])=((?:(?!,[a-z]=).)*)")


def parse_sources(text: str) -> dict[str, Origin]:
    """Return the sources that `apt-cache policy` lists, by their index lines."""
    found: dict[str, Origin] = {}
    index = None
    for line in text.splitlines():
        match = _INDEX.fullmatch(line)
        if match is not None:
            index = match[1]
            found[index] = Origin("", "", "", "", "", "")
        elif index is not None and line.startswith("     release "):
            told = dict(_RELEASE_FIELD.findall(line[len("     release ") :]))
            origin, label, suite, codename, component = (told.get(letter, "") for letter in "olanc")
            found[index] = Origin(origin, label, suite, codename, component, found[index].site)
        elif index is not None and line.startswith("     origin "):
            found[index] = found[index]._replace(site=line[len("     origin ") :])
        else:
            index = None
    return found


_VERSION = re.compile(r" (\*\*\*|   ) (\S+) -?\d+(?: \(phased \d+%\))?")


def parse_policies(text: str) -> dict[str, Policy]:
    """Return what `apt-cache policy NAME…` says of each package, by its name (with `:arch` where that is foreign).

    The version table is sorted, the newest first, and `***` marks what is installed: so a candidate is newer where it
    stands above the mark. A phased version is told as an update even where apt would not choose it on this machine.
    """
    found = {}
    for block in re.split(r"^(?=\S)", text, flags=re.MULTILINE):
        head, _, rest = block.partition("\n")
        offers: dict[str, set[str]] = {}
        above: list[str] = []
        phased: list[str] = []
        candidate = version = installed = ""
        for line in rest.splitlines():
            match = _VERSION.fullmatch(line)
            index = _INDEX.fullmatch(line)
            if line.startswith("  Candidate: "):
                candidate = line[len("  Candidate: ") :]
            elif match is not None:
                version = match[2]
                offers.setdefault(version, set())
                if match[1] == "***":
                    installed = version
                elif not installed:
                    above.append(version)
                    phased += [version] if "(phased" in line else []
            elif index is not None and version:
                offers[version].add(index[1])
        # The same version, built anew elsewhere, has an entry of its own and is no update.
        updates = [version for version in [candidate, *phased] if version in above and version != installed]
        indexes = {version: frozenset(offered) for version, offered in offers.items()}
        update = updates[0] if updates else None
        between = above[above.index(update) + 1 :] if update is not None else []
        older = [version for version in dict.fromkeys(between) if version not in (update, installed)]
        found[head.rstrip(":")] = Policy(update, indexes, older)
    return found


def parse_offers(text: str) -> dict[tuple[str, str], Offer]:
    """Return what `apt-cache show NAME=VERSION…` says, by name and version; the first source that tells counts."""
    found: dict[tuple[str, str], Offer] = {}
    for stanza in text.split("\n\n"):
        told = dict(re.findall(r"^(Package|Version|Source|Section|Priority|Size): (.*)$", stanza, flags=re.MULTILINE))
        if "Package" in told and "Version" in told:
            name, version, size = told["Package"], told["Version"], told.get("Size", "")
            # `Source: name`, or where the version is another one, `Source: name (version)`.
            source, _, source_version = told.get("Source", "").partition(" ")
            offer = Offer(
                section=told.get("Section", ""),
                priority=told.get("Priority", ""),
                size=int(size) if size.isdigit() else 0,
                source=_unlike(source, name),
                source_version=_unlike(source_version.strip("() "), version),
            )
            found.setdefault((name, version), offer)
    return found


def is_security(origin: Origin, system: System) -> bool:
    """Return whether *origin* is the publisher's source of security updates.

    Ubuntu names it by suite, Debian by label or codename: Debian's suites move when it releases.
    """
    if system.id == "ubuntu" or "ubuntu" in system.like:
        return origin.suite.endswith("-security") or origin.codename.endswith("-security")
    return origin.label == "Debian-Security" or origin.codename.endswith("-security")


_FAILED_FETCH = re.compile(r"^[EW]: Failed to fetch (\S+) +(.+)$", re.MULTILINE)


def update_problem(exit_code: int, stderr: str) -> Optional[ScanFailed]:
    """Return why `apt-get update` did not refresh the lists, None where it did.

    An apt that does not know the strict error mode ends with 0 although a source could not be reached.
    """
    failed = _FAILED_FETCH.findall(stderr)
    if failed:
        (url, reason), others = failed[0], len(failed) - 1
        more = f" (and {others} more)" if others else ""
        kind = NoRights if reason.startswith(("401 ", "403 ")) else ScanFailed
        return kind(f"cannot refresh the package lists: {url}: {reason.strip()}{more}")
    if exit_code == 0:
        return None
    errors = [line[len("E: ") :] for line in stderr.splitlines() if line.startswith("E: ")]
    kind = NoRights if "(13: Permission denied)" in stderr else ScanFailed
    return kind(f"cannot refresh the package lists: {errors[0] if errors else f'exit status {exit_code}'}")
