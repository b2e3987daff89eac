"""What macOS and Homebrew say of software, as values. Texts and bytes in, values out; no program is run here."""

import datetime as dt
import json
import plistlib
import re
from typing import Any, Iterable, Mapping, NamedTuple, Optional, Sequence
from xml.parsers.expat import ExpatError

from patchwindow_agent.errors import ScanFailed

SOFTWARE_UPDATE = "softwareupdate"
BREW = "brew"
CASK = "cask"
PKG = "pkg"


class Package(NamedTuple):
    """Something that is installed, by the way it came; `installed_at` in seconds since 1970, 0 where unknown."""

    kind: str
    name: str
    version: str
    origin: str = ""
    installed_at: int = 0


class Update(NamedTuple):
    """Something newer that is offered; `label` is what its program calls it, the size in bytes."""

    kind: str
    name: str
    version: str
    label: str
    title: str
    origin: str
    # What is there, where the one that offers it says so.
    installed: str = ""
    size: int = 0
    is_recommended: bool = False
    needs_restart: bool = False
    is_held: bool = False

    @property
    def is_security(self) -> bool:
        """Return whether it counts as a security update.

        Apple gives its updates no class. Those of macOS and of Safari have mended vulnerabilities in nearly every
        release, and some say it in their title.
        """
        is_apples = self.kind == SOFTWARE_UPDATE
        return is_apples and (self.name in ("macOS", "Safari") or "security" in self.title.lower())


_ITEM = re.compile(r"^\s*\* Label: *(?P<label>.+?)\s*\n\s*(?P<rest>Title: .*)$", re.MULTILINE)
_TITLE = re.compile(
    r"Title: (?P<title>.*?), Version: (?P<version>.*?), Size: (?P<size>\d+)K(?:iB)?, Recommended: (?P<yes>YES|NO),"
)
_NOTHING = "No new software available"


def parse_updates(stdout: str, stderr: str, *, running: str) -> Sequence[Update]:
    """Return what `softwareupdate --list` offers; *running* is the version of macOS, whose next major one is no update.

    Raises:
        ScanFailed: it says neither what there is nor that there is nothing.
    """
    found = []
    for item in _ITEM.finditer(stdout):
        told = _TITLE.match(item["rest"])
        if told is None:
            raise ScanFailed(f"cannot read what softwareupdate says of {item['label']}: {item['rest'][:200]}")
        name = _name(told["title"], told["version"])
        rest = item["rest"][told.end() :]
        if name != "macOS" or _major(told["version"]) == _major(running):
            found.append(
                Update(
                    SOFTWARE_UPDATE,
                    name,
                    told["version"],
                    item["label"],
                    told["title"],
                    SOFTWARE_UPDATE,
                    size=int(told["size"]) * 1024,
                    is_recommended=told["yes"] == "YES",
                    needs_restart="Action: restart" in rest or "Action: shut down" in rest,
                    is_held="Deferred: YES" in rest,
                )
            )
    # A connection that failed ends with the exit code of success too.
    if "* Label:" not in stdout and _NOTHING not in f"{stdout}\n{stderr}":
        said = " ".join(f"{stderr} {stdout}".split())[-300:]
        raise ScanFailed(f"softwareupdate did not say what there is: {said}")
    return found


def _name(title: str, version: str) -> str:
    """Return what *title* says without its version: the same before an update and after it."""
    name = title[: -len(version)].rstrip(" -") if title.endswith(version) else title
    # `macOS Sonoma 14.4.1`; in the machine's own file it is `macOS`.
    is_system = re.match(r"macOS\b", name) is not None and "Response" not in name
    return "macOS" if is_system else name or title


def _major(version: str) -> str:
    return version.partition(".")[0]


def parse_history(content: bytes) -> Sequence[Package]:
    """Return the newest of each update of Apple's that InstallHistory.plist names, but macOS itself.

    Raises:
        ScanFailed: it is no such file.
    """
    found: dict[str, Package] = {}
    for entry in _plist(content, "InstallHistory.plist"):
        if not isinstance(entry, dict) or "softwareupdate" not in str(entry.get("processName", "")).lower():
            continue
        title, version = str(entry.get("displayName", "")).strip(), str(entry.get("displayVersion", "")).strip()
        name = _name(title, version) if version else title
        if name and version and name != "macOS":
            package = Package(SOFTWARE_UPDATE, name, version, SOFTWARE_UPDATE, _seconds(entry.get("date")))
            if found.setdefault(name, package).installed_at <= package.installed_at:
                found[name] = package
    return list(found.values())


def parse_receipt(content: bytes) -> Optional[Package]:
    """Return the package that a receipt is of, None for Apple's own.

    Raises:
        ScanFailed: it is no receipt.
    """
    told = _plist(content, "a receipt")
    name, version = (str(told.get(key, "")).strip() for key in ("PackageIdentifier", "PackageVersion"))
    if not name or not version or name.startswith("com.apple."):
        return None
    return Package(PKG, name, version, installed_at=_seconds(told.get("InstallDate")))


def parse_brew_installed(text: str) -> Sequence[Package]:
    """Return what `brew info --json=v2 --installed` lists, every version that is there.

    Raises:
        ScanFailed: it is no such list.
    """
    told = _json(text)
    found = [
        Package(BREW, one["name"], there["version"], one.get("tap") or "", int(there.get("time") or 0))
        for one in told.get("formulae", ())
        for there in one.get("installed", ())
    ]
    found += [
        Package(CASK, one["token"], one["installed"], one.get("tap") or "", int(one.get("installed_time") or 0))
        for one in told.get("casks", ())
        if one.get("installed")
    ]
    return found


def parse_brew_outdated(text: str, installed: Iterable[Package]) -> Sequence[Update]:
    """Return what `brew outdated --json=v2` lists, from where the *installed* ones came.

    Raises:
        ScanFailed: it is no such list.
    """
    told = _json(text)
    taps = {(package.kind, package.name): package.origin for package in installed}
    found = []
    for kind, entries in ((BREW, told.get("formulae", ())), (CASK, told.get("casks", ()))):
        for one in entries:
            # Of a tap of one's own it is `owner/tap/name`.
            name, versions = one["name"].rpartition("/")[2], one["installed_versions"]
            found.append(
                Update(
                    kind,
                    name,
                    one["current_version"],
                    one["name"],
                    name,
                    taps.get((kind, name), ""),
                    installed=versions if isinstance(versions, str) else versions[-1],
                    is_held=bool(one.get("pinned")),
                )
            )
    return found


def brew_touches(text: str) -> "frozenset[str]":
    """Return the names that `brew upgrade --dry-run` says it would install or upgrade."""
    found: set[str] = set()
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and not line.startswith(("==>", "Warning:", "Error:")) and not line.endswith(":"):
            # `wget 1.21.4 -> 1.24.5`, or the dependencies as `gettext, libidn2 and openssl@3`.
            found.update(words[:1] if "->" in words else (word.rstrip(",") for word in words if word != "and"))
        elif len(words) == 1:
            found.add(words[0])
    return frozenset(name.rpartition("/")[2] for name in found)


def last_line(stdout: str, stderr: str) -> str:
    """Return the last line that says something, of the errors before all else."""
    lines = [line.strip() for text in (stdout, stderr) for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"


def _json(text: str) -> Mapping[str, Any]:
    try:
        told = json.loads(text)
    except ValueError as problem:
        raise ScanFailed(f"cannot read what brew printed: {problem}") from problem
    if not isinstance(told, dict):
        raise ScanFailed(f"cannot read what brew printed: {text[:100]}")
    return told


def _plist(content: bytes, what: str) -> Any:
    try:
        return plistlib.loads(content)
    except (plistlib.InvalidFileException, ExpatError, ValueError) as problem:
        raise ScanFailed(f"cannot read {what}: {problem}") from problem


def _seconds(date: object) -> int:
    # A property list has dates in UTC, without saying so.
    return int(date.replace(tzinfo=dt.timezone.utc).timestamp()) if isinstance(date, dt.datetime) else 0
