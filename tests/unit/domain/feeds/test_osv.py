"""Advisories of Debian and Ubuntu, as OSV and the tracker of Debian tell them, from small samples of our own."""

import io
import json
import zipfile
from typing import Any, Final

import pytest

from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.notice import Extent, Feed, Fix, Notice
from patchwindow.domain.feeds.reading import FeedKind, read
from patchwindow.domain.feeds.scope import Scope, of_ecosystem
from patchwindow.domain.operating_system import OperatingSystem

ANY: Final = Scope()

DSA: Final[dict[str, Any]] = {
    "id": "DSA-6001-1",
    "summary": "openssl - security update",
    "published": "2026-01-05T10:00:00Z",
    "modified": "2026-01-06T10:00:00.123Z",
    "upstream": ["CVE-2026-0001"],
    "affected": [
        {
            "package": {"ecosystem": "Debian:12", "name": "openssl"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.15-1~deb12u1"}]},
                {"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "abcdef"}]},
            ],
            "ecosystem_specific": {"urgency": "medium"},
        },
        {
            "package": {"ecosystem": "npm", "name": "left-pad"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "2"}]}],
        },
    ],
}
USN: Final[dict[str, Any]] = {
    "id": "USN-7001-1",
    "published": "2026-02-01T00:00:00Z",
    "related": ["CVE-2026-0002"],
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}, {"type": "Ubuntu", "score": "high"}],
    "affected": [
        {
            "package": {"ecosystem": "Ubuntu:22.04:LTS", "name": "openssl"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.2-0ubuntu1.19"}]}],
            "ecosystem_specific": {
                "binaries": [
                    {"binary_name": "libssl3", "binary_version": "3.0.2-0ubuntu1.19"},
                    {"openssl": "3.0.2-0ubuntu1.19"},
                ]
            },
        }
    ],
}


def test_osv_says_since_which_version() -> None:
    assert read(FeedKind.OSV, json.dumps(DSA).encode(), ANY).notices == (
        Notice(
            id="DSA-6001-1",
            kind="security",
            severity="medium",
            issued="2026-01-05",
            updated="2026-01-06",
            title="openssl - security update",
            cve_ids=("CVE-2026-0001",),
            fixes=(
                Fix(
                    operating_system=OperatingSystem.DEBIAN,
                    product="Debian12",
                    name="openssl",
                    version="3.0.15-1~deb12u1",
                    extent=Extent.SINCE,
                ),
            ),
        ),
    )


def test_osv_of_ubuntu_names_binary_packages() -> None:
    (notice,) = read(FeedKind.OSV, json.dumps([USN]).encode(), ANY).notices
    assert (notice.severity, notice.cve_ids) == ("high", ("CVE-2026-0002",))
    assert [(fix.product, fix.name, fix.version) for fix in notice.fixes] == [
        ("Ubuntu22.04", "libssl3", "3.0.2-0ubuntu1.19"),
        ("Ubuntu22.04", "openssl", "3.0.2-0ubuntu1.19"),
    ]


def test_osv_that_was_withdrawn_or_is_of_others_is_passed_over() -> None:
    withdrawn = {**DSA, "withdrawn": "2026-02-01T00:00:00Z"}
    other = {**DSA, "affected": DSA["affected"][1:]}
    assert read(FeedKind.OSV, json.dumps([withdrawn, other]).encode(), ANY) == Feed()


def packed(**files: object) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(f"{name}.json", content if isinstance(content, str) else json.dumps(content))
    return archive.getvalue()


def test_osv_comes_as_an_archive_too() -> None:
    found = read(FeedKind.OSV, packed(a=DSA, b=USN), ANY)
    assert [notice.id for notice in found.notices] == ["DSA-6001-1", "USN-7001-1"]
    with pytest.raises(Invalid, match=r"it is no JSON"):
        read(FeedKind.OSV, packed(a="{"), ANY)
    with pytest.raises(Invalid, match="it is an archive and damaged"):
        read(FeedKind.OSV, packed(a=DSA)[:-30], ANY)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Debian:12", (OperatingSystem.DEBIAN, "Debian12")),
        ("Ubuntu:Pro:18.04:LTS", (OperatingSystem.UBUNTU, "Ubuntu18.04")),
        ("Rocky Linux:9", (OperatingSystem.ROCKY_LINUX, "RockyLinux9")),
        ("AlmaLinux:8", (OperatingSystem.ALMA_LINUX, "AlmaLinux8")),
        ("Red Hat:enterprise_linux:9::baseos", (OperatingSystem.REDHAT_ENTERPRISE_LINUX, "RedhatEnterpriseLinux9")),
        ("Debian", None),
        ("PyPI", None),
    ],
)
def test_ecosystems_are_products(name: str, expected: tuple[OperatingSystem, str] | None) -> None:
    assert of_ecosystem(name) == expected


TRACKER: Final = {
    "openssl": {
        "CVE-2026-0001": {
            "description": "x",
            "releases": {
                "bookworm": {"status": "resolved", "fixed_version": "3.0.15-1~deb12u1", "urgency": "medium**"},
                "trixie": {"status": "resolved", "fixed_version": "3.5.1-1", "urgency": "not yet assigned"},
                "bullseye": {"status": "open", "urgency": "low"},
                "sid": {"status": "resolved", "fixed_version": "3.5.1-1", "urgency": "low"},
            },
        },
        "CVE-2026-0009": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "0"}}},
        "TEMP-0000001-ABCDEF": {"releases": {"bookworm": {"fixed_version": "1"}}},
    },
    "edk2": {"CVE-2026-0001": {"releases": {"bookworm": {"fixed_version": "2022.11-6+deb12u2"}}}},
}


def test_the_tracker_of_debian_goes_by_cve() -> None:
    (notice,) = read(FeedKind.DEBIAN_TRACKER, json.dumps(TRACKER).encode(), ANY).notices
    assert (notice.id, notice.severity, notice.cve_ids) == ("CVE-2026-0001", "medium", ("CVE-2026-0001",))
    assert [(fix.product, fix.name, fix.version, fix.extent) for fix in notice.fixes] == [
        ("Debian12", "openssl", "3.0.15-1~deb12u1", Extent.SINCE),
        ("Debian13", "openssl", "3.5.1-1", Extent.SINCE),
        ("Debian12", "edk2", "2022.11-6+deb12u2", Extent.SINCE),
    ]
