"""The notices of a repository: `updateinfo.xml`, read from what the package manager has in its cache.

dnf and yum print notices in forms that differ by version and leave out dates; all of them keep this one file.
"""

import datetime as dt
import re
import xml.etree.ElementTree as ET
from typing import BinaryIO, Iterator, NamedTuple, Optional, Sequence

from patchwindow_agent import rpm_version
from patchwindow_agent.errors import ScanFailed

_TEXT_MAX = 1024
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")


class Notice(NamedTuple):
    """One notice, without its packages; `kind` and `severity` as the publisher spells them, days as `YYYY-MM-DD`."""

    id: str
    kind: str
    severity: str
    issued: str
    updated: str
    title: str
    cves: Sequence[str]
    bugs: Sequence[str]


# Name, architecture and version of a package.
Named = tuple[str, str, str]


def parse(stream: BinaryIO) -> Iterator[tuple[Notice, list[Named]]]:
    """Yield the notices of *stream*, each with the packages that it names.

    Raises:
        ScanFailed: it is no such file.
    """
    try:
        for _, element in ET.iterparse(stream):  # noqa: S314  # dnf has checked it
            if element.tag == "update":
                notice = _notice(element)
                if notice.id:
                    yield notice, [_named(package) for package in element.iter("package")]
                # Notices of years are many; each is let go when it has been read.
                element.clear()
    except (ET.ParseError, OSError, EOFError) as problem:
        raise ScanFailed(f"cannot read the notices of a repository: {problem}") from problem


def _notice(update: ET.Element) -> Notice:
    references = list(update.iter("reference"))
    return Notice(
        id=_text(update.findtext("id")),
        kind=_text(update.get("type")),
        severity=_text(update.findtext("severity")),
        issued=_day(update.find("issued")),
        updated=_day(update.find("updated")),
        title=_text(update.findtext("title")),
        cves=_ids(references, "cve", _CVE),
        bugs=_ids(references, "bugzilla", re.compile(r"\d+")),
    )


def _named(package: ET.Element) -> Named:
    version = rpm_version.join(package.get("epoch") or "0", package.get("version", ""), package.get("release", ""))
    return package.get("name", ""), package.get("arch", ""), version


def _ids(references: Sequence[ET.Element], kind: str, pattern: "re.Pattern[str]") -> Sequence[str]:
    """Return the ids of the references of one kind; some publishers have the id of a CVE in the title alone."""
    found = set()
    for reference in references:
        if reference.get("type") == kind:
            texts = (reference.get("id") or "", reference.get("title") or "")
            match = next(filter(None, (pattern.search(text) for text in texts)), None)
            if match is not None:
                found.add(match[0])
    return sorted(found)


def _text(text: Optional[str]) -> str:
    line = " ".join((text or "").split())
    return "".join(character for character in line if character.isprintable())[:_TEXT_MAX]


def _day(element: Optional[ET.Element]) -> str:
    """Return the day in UTC; publishers write it as day and time, as a day, or as seconds since 1970."""
    date = "" if element is None else (element.get("date") or "").strip()
    if date.isdigit():
        return dt.datetime.fromtimestamp(int(date), dt.timezone.utc).strftime("%Y-%m-%d")
    try:
        return dt.date.fromisoformat(date[:10]).isoformat()
    except ValueError:
        return ""
