"""What zypper prints with `--xmlout`, as values. Texts in, values out; no program is run here."""

import html
import re
import xml.etree.ElementTree as ET
from typing import Mapping, NamedTuple, Optional, Sequence
from urllib.parse import urlsplit

from patchwindow_agent import rpm_version
from patchwindow_agent.dnf_output import Repository
from patchwindow_agent.errors import Locked, NoRights, ScanFailed
from patchwindow_agent.rpm_database import Key
from patchwindow_agent.updateinfo import Named

# Done. With the others of these something is to be told: a patch asks for a reboot (102) or for a restart of zypper (103),
# scripts failed whose packages are installed (107).
DONE = frozenset({0, 102, 103, 107})
NO_SUCH_PACKAGE = 104
REBOOT_NEEDED = 102
SCRIPTS_FAILED = 107
_REPOSITORY_SKIPPED = 106
_NO_RIGHTS = 5
_LOCKED = 7

# Output of rpm stands in it as rpm wrote it, so what is looked for in a transaction's is found without a parser.
_MESSAGE = re.compile(r'<message type="(\w+)">(.*?)</message>', re.DOTALL)
_PROBLEM = re.compile(r"<description>\s*(Problem: .*?)(?:\n Solution |</description>)", re.DOTALL)
# Hints, and what Debian's rpm says of itself.
_NOISE = re.compile(
    r"\s*(?:rpm: (?:RPM should not|However assuming)|Please see the above|Some of the repositories have"
    r"|Could not refresh the|Installation has been aborted|History:$|Please check if the URIs|$)"
)
_PREFIX = re.compile(r"Problem: |Error: Subprocess failed\. Error: RPM failed: ")
_TEXT_MAX = 900


class Plan(NamedTuple):
    """What a transaction would do; sizes in bytes, of which `installed_size` is negative where room becomes free."""

    installs: Sequence[Named]
    removes: Sequence[Named]
    downgrades: Sequence[str]
    download_size: int
    installed_size: int


def parse_repositories(text: str) -> "tuple[list[Repository], Mapping[str, str]]":
    """Return the enabled repositories that `repos` lists, sorted, and the type of each by its alias.

    Raises:
        ScanFailed: it is no such list.
    """
    found, kinds = [], {}
    for entry in _parsed(text).iter("repo"):
        alias = entry.get("alias", "")
        if alias and entry.get("enabled") == "1":
            # A list of mirrors is named before a mirror, since which of them was taken differs from node to node.
            address = entry.get("mirrorlist") or entry.findtext("url") or ""
            found.append(Repository(alias, entry.get("name", ""), _host(address)))
            kinds[alias] = entry.get("type", "")
    return sorted(found), kinds


def parse_locked(text: str) -> "frozenset[Key]":
    """Return the installed packages that `locks --solvables` names.

    Raises:
        ScanFailed: it is no such list.
    """
    return frozenset(
        (match.get("name", ""), match.get("arch", ""))
        for match in _parsed(text).iter("match")
        if match.get("kind") == "package" and match.get("installed") == "true"
    )


def parse_plan(text: str) -> Plan:
    """Return what `install --dry-run` says it would do.

    Raises:
        ScanFailed: there is no plan in it.
    """
    match = re.search(r"<install-summary.*?</install-summary>", text, re.DOTALL)
    if match is None:
        # It has none where there is nothing to do.
        return Plan((), (), (), 0, 0)
    summary = _parsed(match[0])
    actions = {kind: [one for one in group if one.get("type") == "package"] for kind, group in _groups(summary)}
    return Plan(
        installs=[_named(one) for kind, group in actions.items() if kind != "to-remove" for one in group],
        removes=[_named(one) for one in actions.get("to-remove", ())],
        downgrades=[
            f"{one.get('name', '')} to {one.get('edition', '')}"
            for kind, group in actions.items()
            if kind.startswith("to-downgrade")
            for one in group
        ],
        download_size=_number(summary.get("download-size")),
        installed_size=_number(summary.get("space-usage-diff")),
    )


def unmatched(text: str) -> Sequence[str]:
    """Return what was asked for and is in no repository."""
    return re.findall(r"No provider of '([^']+)' found", html.unescape(text))


def problem_text(exit_code: int, stdout: str, stderr: str) -> str:
    """Return the reason that a failed zypper gave, in one line."""
    said = [html.unescape(text) for text in _PROBLEM.findall(stdout)]
    said += [html.unescape(text) for kind, text in _MESSAGE.findall(stdout) if kind == "error"]
    lines = [_PREFIX.sub("", line).strip() for text in said or [stderr] for line in text.splitlines()]
    text = " ".join(line for line in lines if not _NOISE.match(line))
    return text[:_TEXT_MAX] or f"it failed with exit status {exit_code} and gave no reason"


def failed_packages(text: str) -> Mapping[str, str]:
    """Return why packages could not be installed, by `name-version-release.arch`."""
    found = {}
    for kind, said in _MESSAGE.findall(text):
        match = re.match(r"Installation of (\S+) failed:|(\S+) \(.*\): Signature verification failed", said)
        if kind == "error" and match is not None:
            message = f'<message type="error">{said[match.end() :] if match[1] else said}</message>'
            found[match[1] or match[2]] = problem_text(0, message, "")
    return found


def failed_scripts(text: str) -> Sequence[str]:
    """Return what scripts that failed said, of packages that were installed all the same."""
    return sorted(
        {
            line.strip()
            for _, said in _MESSAGE.findall(text)
            if "output:" in said.splitlines()[0]
            for line in html.unescape(said).splitlines()
            if re.search(r"scriptlet failed|lua script failed|script failed", line)
        }
    )


def failure(exit_code: int, stdout: str, stderr: str, *, doing: str) -> ScanFailed:
    """Return why a command failed, as what it is: for lack of rights, because of a lock, or otherwise."""
    reason = problem_text(exit_code, stdout, stderr)
    if exit_code == _LOCKED:
        return Locked(f"cannot {doing}: the package manager is locked: {reason}")
    if exit_code == _NO_RIGHTS:
        return NoRights(f"cannot {doing}: {reason}")
    if exit_code == _REPOSITORY_SKIPPED:
        return ScanFailed(f"cannot {doing}: a repository was left out: {reason}")
    return ScanFailed(f"cannot {doing}: {reason}")


def is_locked(exit_code: int) -> bool:
    """Return whether a command ended because another process holds zypper's lock."""
    return exit_code == _LOCKED


def _parsed(text: str) -> ET.Element:
    try:
        return ET.fromstring(text)  # noqa: S314  # zypper's own
    except ET.ParseError as problem:
        raise ScanFailed(f"cannot read what zypper printed: {problem}") from problem


def _groups(summary: ET.Element) -> "list[tuple[str, list[ET.Element]]]":
    return [(group.tag, group.findall("solvable")) for group in summary if group.tag.startswith("to-")]


def _named(solvable: ET.Element) -> Named:
    epoch, rest = rpm_version.parts(solvable.get("edition", ""))
    return solvable.get("name", ""), solvable.get("arch", ""), rest if epoch == "0" else f"{epoch}:{rest}"


def _number(text: Optional[str]) -> int:
    return int(text) if text is not None and re.fullmatch(r"-?\d+", text) else 0


def _host(address: str) -> str:
    try:
        return urlsplit(address.strip()).hostname or ""
    except ValueError:
        return ""
