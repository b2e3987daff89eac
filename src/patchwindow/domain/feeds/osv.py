"""OSV records, as Debian, Ubuntu and others publish them: one, a list, or the archive of all of an ecosystem."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, Final

from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.members import (
    day,
    filled,
    is_cve,
    items,
    mapping,
    parse,
    sequence,
    text,
    unique,
)
from patchwindow.domain.feeds.notice import Extent, Feed, Fix, Notice
from patchwindow.domain.feeds.scope import Scope, of_ecosystem
from patchwindow.domain.feeds.unpack import SIZE_MAX

_ARCHIVE: Final = b"PK\x03\x04"


def read(data: bytes, _: Scope) -> Feed:
    """Return what the records say of the systems that are ours; each says itself for which it is.

    Raises:
        Invalid: a record is none of OSV's.
    """
    notices = (_notice(record, place) for place, record in _records(data) if not record.get("withdrawn"))
    return Feed(notices=tuple(notice for notice in notices if notice.fixes))


def _records(data: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if data.startswith(_ARCHIVE):
        yield from _archived(data)
        return
    read = parse(data)
    if isinstance(read, dict):
        yield ("record", read)
        return
    yield from items(read, "records")


def _archived(data: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [file for file in archive.infolist() if file.filename.endswith(".json")]
            # What the archive says of sizes is held to by its reader.
            if sum(file.file_size for file in files) > SIZE_MAX:
                raise Invalid(f"its files have more than {SIZE_MAX // 2**20} MiB; split it")
            for file in files:
                yield file.filename, mapping(parse(archive.read(file)), file.filename)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as problem:
        raise Invalid(f"it is an archive and damaged: {problem}; get it again") from None


def _notice(record: Mapping[str, Any], place: str) -> Notice:
    id = filled(record.get("id"), f"{place}.id")
    named = [id, *sequence(record.get("aliases"), f"{id}.aliases"), *sequence(record.get("upstream"), f"{id}.upstream")]
    # Older records of notices have their CVEs here alone.
    cves = list(filter(is_cve, named)) or list(filter(is_cve, sequence(record.get("related"), f"{id}.related")))
    affected = list(items(record.get("affected"), f"{id}.affected"))
    return Notice(
        id=id,
        kind="security",
        severity=_severity(record, affected, id),
        issued=day(text(record.get("published"), f"{id}.published"), f"{id}.published"),
        updated=day(text(record.get("modified"), f"{id}.modified"), f"{id}.modified"),
        title=text(record.get("summary"), f"{id}.summary"),
        cve_ids=unique(cves),
        fixes=tuple(dict.fromkeys(fix for path, one in affected for fix in _fixes(one, path))),
    )


def _severity(record: Mapping[str, Any], affected: list[tuple[str, Mapping[str, Any]]], id: str) -> str:
    """Return the publisher's word; a CVSS vector is none."""
    for path, one in items(record.get("severity"), f"{id}.severity"):
        if not text(one.get("type"), f"{path}.type").startswith("CVSS"):
            return text(one.get("score"), f"{path}.score")
    of_publisher = [(f"{id}.database_specific", record.get("database_specific") or {})]
    of_publisher += [(f"{path}.ecosystem_specific", one.get("ecosystem_specific") or {}) for path, one in affected]
    for path, specific in of_publisher:
        found = mapping(specific, path)
        if word := text(found.get("severity") or found.get("urgency"), f"{path}.severity"):
            return word
    return ""


def _fixes(affected: Mapping[str, Any], path: str) -> Iterator[Fix]:
    package = mapping(affected.get("package") or {}, f"{path}.package")
    where = of_ecosystem(text(package.get("ecosystem"), f"{path}.package.ecosystem"))
    if where is None:
        return
    system, product = where
    fixed = list(_fixed(affected, path))
    if not fixed:
        return
    for name, version in list(_binaries(affected, path)) or [
        (filled(package.get("name"), f"{path}.package.name"), version) for version in fixed
    ]:
        yield Fix(operating_system=system, product=product, name=name, version=version, extent=Extent.SINCE)


def _fixed(affected: Mapping[str, Any], path: str) -> Iterator[str]:
    for place, each in items(affected.get("ranges"), f"{path}.ranges"):
        if each.get("type") == "ECOSYSTEM":
            for event_place, event in items(each.get("events"), f"{place}.events"):
                if version := text(event.get("fixed"), f"{event_place}.fixed"):
                    yield version


def _binaries(affected: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Yield the binary packages that Ubuntu names beside the source, each with its version."""
    specific = mapping(affected.get("ecosystem_specific") or {}, f"{path}.ecosystem_specific")
    for place, binary in items(specific.get("binaries"), f"{path}.ecosystem_specific.binaries"):
        if "binary_name" in binary:
            yield filled(binary["binary_name"], place), filled(binary.get("binary_version"), place)
        else:
            yield from ((filled(name, place), filled(version, place)) for name, version in binary.items())
