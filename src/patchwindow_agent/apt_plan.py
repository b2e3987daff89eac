"""What apt says that it would do and what dpkg says that it did, as values. No program is run here."""

import re
from typing import Iterable, Mapping, NamedTuple, Optional, Sequence
from urllib.parse import unquote

from patchwindow_agent.package_manager import Blocked
from patchwindow_agent.programs import Completed

STATES_FORMAT = "${db:Status-Abbrev}\\t${Package}\\t${Architecture}\\t${Version}\\t${Installed-Size}\\n"

# A sentence for people: what is beyond is in the log.
_REASON_MAX = 400


class State(NamedTuple):
    """How dpkg has a package."""

    version: str
    # The second letter of dpkg's abbreviation.
    letter: str
    is_held: bool
    # Its files are neither those of one version nor of another.
    is_reinstall_required: bool
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether it is unpacked and configured: one that waits for triggers, of its own or of others, is both."""
        return self.letter in "itW"

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be done."""
        return self.letter == "i" and not self.is_reinstall_required


# By name and architecture.
States = Mapping["tuple[str, str]", State]


class Change(NamedTuple):
    """A package that a simulated transaction installs, or removes (then *version* is the one that was there)."""

    name: str
    arch: str
    version: str


class Simulation(NamedTuple):
    """What a transaction would do; *problem* says why it cannot."""

    installs: Sequence[Change] = ()
    removes: Sequence[Change] = ()
    problem: Optional[str] = None


def parse_states(text: str) -> States:
    """Return what is on the machine, from a dpkg-query in `STATES_FORMAT`.

    The abbreviation's letters: what is wanted (`h`: hold), what is (`i` installed, `W` and `t` triggers; `n` and `c`:
    nothing is there), and `R` where it must be installed anew.
    """
    found = {}
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) != 5 or fields[0][1:2] in ("n", "c"):
            continue
        status, name, arch, version, size = fields
        found[name, arch] = State(
            version,
            letter=status[1],
            is_held=status[0] == "h",
            is_reinstall_required=status[2:3] == "R",
            # dpkg counts in units of 1024.
            size=int(size) * 1024 if size.isdigit() else 0,
        )
    return found


_INSTALL = re.compile(r"^Inst (\S+)(?: \[[^\]]*\])? \((\S+) .*?\[(\S+)\]\)", re.MULTILINE)
_REMOVE = re.compile(r"^(?:Remv|Purg) (\S+) \[(\S+)\]", re.MULTILINE)
_HELD = re.compile(r"^The following held packages will be changed:\n((?: .*\n)+)", re.MULTILINE)
_UNMET = re.compile(r"^The following packages have unmet dependencies:\n((?: .*\n)+)", re.MULTILINE)


def parse_simulation(done: Completed, *, native: str) -> Simulation:
    """Return what `apt-get --simulate install …` says; *native* is the machine's own architecture."""
    if done.exit_code != 0:
        return Simulation(problem=install_problem(done))
    installs = [Change(name.partition(":")[0], arch, version) for name, version, arch in _INSTALL.findall(done.stdout)]
    removes = [
        Change(name.partition(":")[0], name.partition(":")[2] or native, version)
        for name, version in _REMOVE.findall(done.stdout)
    ]
    return Simulation(installs, removes)


def install_problem(done: Completed) -> str:
    """Return why an apt-get that installs did not, as it says."""
    held = _HELD.search(done.stdout)
    if held is not None:
        return f"held on the node: {', '.join(held[1].split())}"
    unmet = _UNMET.search(done.stdout)
    if unmet is not None:
        return shortened("; ".join(" ".join(line.split()) for line in unmet[1].splitlines()))
    # An explanation of several lines is indented.
    errors = re.findall(r"^E: (.+(?:\n +.+)*)", done.stderr, re.MULTILINE)
    if errors:
        return shortened(" ".join(errors[0].split()))
    last = done.stderr.strip().splitlines()
    return shortened(last[-1]) if last else f"apt-get ended with exit status {done.exit_code}"


def shortened(reason: str) -> str:
    """Return *reason* as one line that a report can hold."""
    printable = "".join(letter if letter.isprintable() else " " for letter in reason)
    return printable if len(printable) <= _REASON_MAX else printable[: _REASON_MAX - 1] + "…"


def is_blocked(change: Change, blocked: Iterable[Blocked]) -> bool:
    """Return whether *change* must not be installed."""
    return any(
        entry.name == change.name and entry.arch in ("", change.arch) and entry.version in ("", change.version)
        for entry in blocked
    )


_FIELD = re.compile(r"^(Package|Version|Installed-Size|Replaces|Provides): (.*)$", re.MULTILINE)


class Details(NamedTuple):
    """What an index says of a version that a simulation installs."""

    size: int
    # The packages whose place it takes: it replaces their files and provides what they did.
    stands_in_for: frozenset[str]


def parse_details(text: str) -> "dict[tuple[str, str], Details]":
    """Return what `apt-cache show NAME=VERSION…` says, by name and version."""
    found = {}
    for stanza in text.split("\n\n"):
        told = dict(_FIELD.findall(stanza))
        size = told.get("Installed-Size", "")
        found[told.get("Package", ""), told.get("Version", "")] = Details(
            int(size) * 1024 if size.isdigit() else 0,
            _names(told.get("Replaces", "")) & _names(told.get("Provides", "")),
        )
    return found


def _names(field: str) -> frozenset[str]:
    """Return the packages that a field such as `Replaces: one (<< 2), other` names."""
    return frozenset(name for entry in field.split(",") if (name := re.split(r"[\s:(]", entry.strip())[0]))


_URI = re.compile(r"^'([^']+)' ((\S+)_(\S+)_(\S+)\.deb) (\d+)", re.MULTILINE)


class Archive(NamedTuple):
    """A package's archive that is to be fetched: what it is called on the machine, and its size in bytes."""

    package: Change
    name: str
    size: int


def parse_archives(text: str) -> dict[str, Archive]:
    """Return what `apt-get --print-uris install …` says is to be fetched, by the last part of each URI."""
    return {
        uri.rpartition("/")[2]: Archive(Change(name, arch, unquote(version)), file_name, int(size))
        for uri, file_name, name, version, arch, size in _URI.findall(text)
    }


_NOT_FETCHED = re.compile(r"^[EW]: Failed to fetch (\S+) +(.+)$", re.MULTILINE)


def parse_not_fetched(stderr: str) -> dict[str, str]:
    """Return why archives were not fetched, by the last part of their URIs."""
    return {uri.rpartition("/")[2]: f"{uri}: {reason.strip()}" for uri, reason in _NOT_FETCHED.findall(stderr)}


_PROCESSING = re.compile(r"^dpkg: error processing (?:package|archive) (\S+) \(--?\S+\):$")
_DEPENDENCY = re.compile(r"^dpkg: dependency problems prevent configuration of \S+:$")


def parse_failures(output: str) -> dict[str, str]:
    """Return why dpkg failed, by the names of packages; *output* is what it wrote to its standard error.

    Of a script that failed, the last line that it wrote is told too: dpkg itself knows its exit status only.
    """
    found: dict[str, str] = {}
    dependency = said = ""
    lines = output.splitlines()
    for number, line in enumerate(lines):
        reason = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if _DEPENDENCY.match(line) is not None:
            # `NAME depends on OTHER (>= 2); however:`, and below what is wrong with OTHER.
            wrong = lines[number + 2].strip() if number + 2 < len(lines) else ""
            dependency = f"{reason.partition(';')[0]}: {wrong.rstrip('.')}" if wrong else reason
        elif (failed := _PROCESSING.match(line)) is not None:
            name = failed[1].rpartition("/")[2].partition("_")[0].partition(":")[0]
            if reason.startswith("dependency problems") and dependency:
                reason = dependency
            found[name] = shortened(f"{reason} ({said})" if said else reason)
            dependency = said = ""
        elif line and not line.startswith((" ", "dpkg: ", "Errors were encountered", "E: ", "W: ")):
            said = line.strip()
        elif line.startswith("dpkg: "):
            said = ""
    return found
