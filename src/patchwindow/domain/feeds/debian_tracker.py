"""The JSON of Debian's security tracker: package → CVE → release → the version in which it is fixed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.members import is_cve, mapping, parse, text
from patchwindow.domain.feeds.notice import Extent, Feed, Fix, Notice
from patchwindow.domain.feeds.scope import DEBIAN_RELEASES, Scope
from patchwindow.domain.operating_system import OperatingSystem, product

# Urgencies that say nothing; what stands after a star is a remark.
_UNSAID: Final = frozenset({"not yet assigned", "end-of-life", "unimportant"})
# The tracker's word for a release that never had the fault.
_NEVER: Final = "0"


def read(data: bytes, _: Scope) -> Feed:
    """Return each CVE as a notice with the versions that close it.  Packages are named as Debian's sources are.

    Raises:
        Invalid: it is not the tracker's.
    """
    fixes: dict[str, list[Fix]] = defaultdict(list)
    urgencies: dict[str, str] = {}
    packages = mapping(parse(data), "the tracker")
    if not packages:
        raise Invalid("it has no packages")
    for name, entries in packages.items():
        for id, entry in mapping(entries, name).items():
            # Faults without a CVE have a number of the tracker's own, which no other source knows.
            if not is_cve(id):
                continue
            for fix, urgency in _fixes(name, mapping(entry, f"{name}.{id}"), f"{name}.{id}"):
                fixes[id].append(fix)
                urgencies.setdefault(id, urgency)
    return Feed(
        notices=tuple(
            Notice(id=id, kind="security", severity=urgencies[id], cve_ids=(id,), fixes=tuple(found))
            for id, found in fixes.items()
        )
    )


def _fixes(name: str, entry: Mapping[str, Any], path: str) -> Iterator[tuple[Fix, str]]:
    for release, state in mapping(entry.get("releases") or {}, f"{path}.releases").items():
        number = DEBIAN_RELEASES.get(release)
        place = f"{path}.releases.{release}"
        members = mapping(state, place)
        version = text(members.get("fixed_version"), f"{place}.fixed_version")
        if number is None or version in {"", _NEVER}:
            continue
        urgency = text(members.get("urgency"), f"{place}.urgency").rstrip("*")
        fix = Fix(
            operating_system=OperatingSystem.DEBIAN,
            product=product(OperatingSystem.DEBIAN, number),
            name=name,
            version=version,
            extent=Extent.SINCE,
        )
        yield fix, "" if urgency in _UNSAID else urgency
