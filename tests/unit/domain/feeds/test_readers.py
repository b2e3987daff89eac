"""What each kind of feed says, from small samples of our own."""

import io
import json
import zipfile
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.notice import Cve, Extent, Feed, Fix, Notice
from patchwindow.domain.feeds.reading import FeedKind, merged, read
from patchwindow.domain.feeds.scope import Scope, of_ecosystem
from patchwindow.domain.operating_system import OperatingSystem

ROCKY: Final = Scope(operating_system=OperatingSystem.ROCKY_LINUX, product="RockyLinux9")
ANY: Final = Scope()

UPDATEINFO: Final = b"""<?xml version="1.0" encoding="UTF-8"?>
<updates>
  <update from="releng@example.net" status="final" type="security" version="2">
    <id>RLSA-2026:0101</id>
    <title>Important: openssl
      security update</title>
    <issued date="2026-01-05 09:10:11"/>
    <updated date="2026-01-07"/>
    <severity>Important</severity>
    <references>
      <reference id="CVE-2026-0001" type="cve" href="https://example.net/"/>
      <reference id="CVE-2026-0001" type="cve" href="https://example.net/"/>
      <reference id="2210001" type="bugzilla"/>
      <reference id="RLSA-2026:0101" type="self"/>
    </references>
    <pkglist>
      <collection short="baseos">
        <name>baseos</name>
        <package name="openssl" epoch="1" version="3.0.7" release="27.el9" arch="x86_64"><filename>x</filename></package>
        <package name="openssl-libs" epoch="0" version="3.0.7" release="27.el9" arch="i686"/>
        <package name="openssl" epoch="1" version="3.0.7" release="27.el9" arch="src"/>
      </collection>
    </pkglist>
  </update>
  <update type="bugfix"><id>RLBA-2026:0102</id><issued date="1767571200"/><pkglist/></update>
</updates>
"""


def test_updateinfo_names_exact_packages() -> None:
    first, second = read(FeedKind.UPDATEINFO, UPDATEINFO, ROCKY).notices
    assert first == Notice(
        id="RLSA-2026:0101",
        kind="security",
        severity="Important",
        issued="2026-01-05",
        updated="2026-01-07",
        title="Important: openssl security update",
        cve_ids=("CVE-2026-0001",),
        bugzilla_ids=("2210001",),
        fixes=(
            Fix(
                operating_system=OperatingSystem.ROCKY_LINUX,
                product="RockyLinux9",
                name="openssl",
                arch="x86_64",
                version="1:3.0.7-27.el9",
            ),
            Fix(
                operating_system=OperatingSystem.ROCKY_LINUX,
                product="RockyLinux9",
                name="openssl-libs",
                arch="i686",
                version="3.0.7-27.el9",
            ),
        ),
    )
    assert second == Notice(id="RLBA-2026:0102", kind="bugfix", issued="2026-01-05")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is no XML: no element found"),
        (b"<updates><update>", "it is no XML"),
        (b"<repomd/>", "its root is <repomd>, not <updates>"),
        (b"<updates><update type='x'/></updates>", "an <update> has no <id>"),
        (
            b"<updates><update><id>A</id><issued date='yesterday'/></update></updates>",
            "A: <issued>: 'yesterday' is no day",
        ),
        (
            b"<updates><update><id>A</id><pkglist><package name='x'/></pkglist></update></updates>",
            "A: a <package> has no name, version or release",
        ),
        (b"<updates>" + b"<a>" * 200 + b"</a>" * 200 + b"</updates>", "nested more than 100 deep"),
    ],
)
def test_updateinfo_that_is_none_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read(FeedKind.UPDATEINFO, data, ROCKY)


def test_entities_are_not_expanded() -> None:
    laughs = (
        b'<!DOCTYPE updates [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">'
        b'<!ENTITY f SYSTEM "file:///etc/passwd">]><updates><update><id>&b;&f;</id></update></updates>'
    )
    with pytest.raises(Invalid, match="declares the document type updates"):
        read(FeedKind.UPDATEINFO, laughs, ROCKY)


def test_updateinfo_without_a_system_is_refused() -> None:
    with pytest.raises(Invalid, match="does not say for which operating system"):
        read(FeedKind.UPDATEINFO, UPDATEINFO, ANY)


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


CVRF_JSON: Final = {
    "DocumentTracking": {
        "InitialReleaseDate": "2026-03-10T08:00:00",
        "CurrentReleaseDate": "2026-03-12T08:00:00",
    },
    "ProductTree": {
        "FullProductName": [
            {"ProductID": "11923", "Value": "Windows Server 2022 (Server Core installation)"},
            {"ProductID": "10378", "Value": "Windows Server 2012 R2"},
            {"ProductID": "12097", "Value": "Windows 10 Version 22H2 for x64-based Systems"},
            {"ProductID": "9", "Value": "Microsoft Visio 2016"},
        ]
    },
    "Vulnerability": [
        {
            "Title": {"Value": "Remote Code Execution"},
            "CVE": "CVE-2026-0001",
            "Threats": [
                {"Description": {"Value": "Remote Code Execution"}, "ProductID": ["11923"], "Type": 0},
                {"Description": {"Value": "Important"}, "ProductID": ["12097"], "Type": 3},
                {"Description": {"Value": "Critical"}, "ProductID": ["11923"], "Type": 3},
            ],
            "Remediations": [
                {"Description": {"Value": "5034123"}, "ProductID": ["11923", "12097", "9"], "Type": 2},
                {"Description": {"Value": "5034999"}, "ProductID": ["10378"], "Type": 2},
                {"Description": {"Value": "Release Notes"}, "ProductID": ["11923"], "Type": 2},
                {"Description": {"Value": "5039999"}, "ProductID": ["11923"], "Type": 1},
            ],
        }
    ],
}
CVRF_XML: Final = b"""<?xml version="1.0"?>
<cvrf:cvrfdoc xmlns:cvrf="http://www.icasi.org/CVRF/schema/cvrf/1.1" xmlns:prod="p" xmlns:vuln="v">
  <cvrf:DocumentTracking>
    <cvrf:InitialReleaseDate>2026-03-10T08:00:00</cvrf:InitialReleaseDate>
    <cvrf:CurrentReleaseDate>2026-03-12T08:00:00</cvrf:CurrentReleaseDate>
  </cvrf:DocumentTracking>
  <prod:ProductTree>
    <prod:FullProductName ProductID="11923">Windows Server 2022 (Server Core installation)</prod:FullProductName>
    <prod:FullProductName ProductID="10378">Windows Server 2012 R2</prod:FullProductName>
    <prod:FullProductName ProductID="12097">Windows 10 Version 22H2 for x64-based Systems</prod:FullProductName>
    <prod:FullProductName ProductID="9">Microsoft Visio 2016</prod:FullProductName>
  </prod:ProductTree>
  <vuln:Vulnerability Ordinal="1">
    <vuln:Title>Remote Code Execution</vuln:Title>
    <vuln:CVE>CVE-2026-0001</vuln:CVE>
    <vuln:Threats>
      <vuln:Threat Type="Impact"><vuln:Description>Remote Code Execution</vuln:Description></vuln:Threat>
      <vuln:Threat Type="Severity"><vuln:Description>Important</vuln:Description></vuln:Threat>
      <vuln:Threat Type="Severity"><vuln:Description>Critical</vuln:Description></vuln:Threat>
    </vuln:Threats>
    <vuln:Remediations>
      <vuln:Remediation Type="Vendor Fix">
        <vuln:Description>5034123</vuln:Description>
        <vuln:ProductID>11923</vuln:ProductID><vuln:ProductID>12097</vuln:ProductID><vuln:ProductID>9</vuln:ProductID>
      </vuln:Remediation>
      <vuln:Remediation Type="Vendor Fix">
        <vuln:Description>5034999</vuln:Description><vuln:ProductID>10378</vuln:ProductID>
      </vuln:Remediation>
      <vuln:Remediation Type="Workaround"><vuln:Description>5039999</vuln:Description></vuln:Remediation>
    </vuln:Remediations>
  </vuln:Vulnerability>
</cvrf:cvrfdoc>
"""
CSAF: Final = {
    "document": {
        "aggregate_severity": {"text": "Critical"},
        "tracking": {
            "initial_release_date": "2026-03-10T08:00:00.000Z",
            "current_release_date": "2026-03-12T08:00:00.000Z",
        },
    },
    "product_tree": {
        "branches": [
            {
                "category": "vendor",
                "name": "Microsoft",
                "branches": [
                    {"product": {"product_id": "1", "name": "Windows Server 2022 (Server Core installation)"}},
                    {"product": {"product_id": "2", "name": "Windows 10 Version 22H2 for x64-based Systems"}},
                ],
            }
        ],
        "full_product_names": [
            {"product_id": "3", "name": "Microsoft Visio 2016"},
            {"product_id": "4", "name": "Windows Server 2012 R2"},
        ],
    },
    "vulnerabilities": [
        {
            "cve": "CVE-2026-0001",
            "title": "Remote Code Execution",
            "threats": [{"category": "impact", "details": "Remote Code Execution"}],
            "remediations": [
                {
                    "category": "vendor_fix",
                    "details": "10.0.20348.2227:Security Update:https://support.example.net/help/5034123",
                    "product_ids": ["1", "2", "3"],
                },
                {
                    "category": "vendor_fix",
                    "url": "https://catalog.example.net/Search.aspx?q=KB5034999",
                    "product_ids": ["4"],
                },
                {"category": "workaround", "details": "KB5039999", "product_ids": ["1"]},
            ],
        }
    ],
}


@pytest.mark.parametrize(
    "data", [json.dumps(CVRF_JSON).encode(), CVRF_XML, b"\xef\xbb\xbf" + CVRF_XML, json.dumps(CSAF).encode()]
)
def test_microsoft_says_the_same_in_every_form(data: bytes) -> None:
    (notice,) = read(FeedKind.MICROSOFT, data, ANY).notices
    assert notice == Notice(
        id="CVE-2026-0001",
        kind="SecurityUpdates",
        severity="Critical",
        issued="2026-03-10",
        updated="2026-03-12",
        title="Remote Code Execution",
        cve_ids=("CVE-2026-0001",),
        fixes=tuple(
            Fix(operating_system=OperatingSystem.WINDOWS, product=product, name=kb)
            for kb, product in (
                ("KB5034123", "WindowsServer2022"),
                ("KB5034123", "Windows10"),
                ("KB5034123", ""),
                ("KB5034999", "WindowsServer2012R2"),
            )
        ),
    )


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"Vulnerability": [{"CVE": "ADV240001"}, {}]}).encode(),
        json.dumps({"document": {}, "vulnerabilities": [{"title": "advice"}]}).encode(),
        b"<cvrfdoc><Vulnerability><CVE>ADV240001</CVE></Vulnerability></cvrfdoc>",
    ],
)
def test_advice_of_microsoft_without_a_cve_is_passed_over(data: bytes) -> None:
    assert read(FeedKind.MICROSOFT, data, ANY) == Feed()


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"{}", "neither CVRF nor CSAF"), (b"<html/>", "its root is <html>"), (b"x", "it is no JSON")],
)
def test_what_is_not_of_microsoft_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read(FeedKind.MICROSOFT, data, ANY)


def test_the_list_of_exploited_cves() -> None:
    listed = {"vulnerabilities": [{"cveID": "CVE-2026-0001", "dateAdded": "2026-03-01", "dueDate": "2026-03-22"}]}
    assert read(FeedKind.KEV, json.dumps(listed).encode(), ANY).cves == (
        Cve(
            cve_id="CVE-2026-0001",
            is_known_exploited=True,
            exploited_since="2026-03-01",
            due_on="2026-03-22",
        ),
    )
    with pytest.raises(Invalid, match=r"vulnerabilities\[0\]\.cveID: 'KEV-1' is no CVE"):
        read(FeedKind.KEV, b'{"vulnerabilities": [{"cveID": "KEV-1"}]}', ANY)


EPSS: Final = b"#model_version:v2026.01.01,score_date:2026-03-14T00:00:00+0000\ncve,epss,percentile\n"


def test_scores_are_exact() -> None:
    found = read(FeedKind.EPSS, EPSS + b"CVE-2026-0001,0.97559,0.99999\nCVE-2026-0002,0.000430000,1\n", ANY)
    assert [(one.epss_score_billionths, one.epss_percentile_billionths) for one in found.cves] == [
        (975_590_000, 999_990_000),
        (430_000, 1_000_000_000),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"cve,score\n", "its columns are cve,score"),
        (EPSS + b"CVE-2026-0001,0.5\n", "row 1: it has 2 columns"),
        (EPSS + b"CVE-2026-0001,high,0\n", "row 1: 'high' is no number"),
        (EPSS + b"CVE-2026-0001,0,0\nCVE-2026-0002,1.5,0\n", "row 2: 1.5 is not from 0 to 1"),
        (EPSS + b"CVE-2026-0001,NaN,0\n", "row 1: NaN is not from 0 to 1"),
        (b"\xff\xff", "it is no text in UTF-8"),
    ],
)
def test_scores_that_are_none_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read(FeedKind.EPSS, data, ANY)


def test_a_notice_in_several_files_has_the_packages_of_all() -> None:
    def one(name: str) -> Feed:
        return Feed(
            notices=(Notice(id="A", fixes=(Fix(operating_system=OperatingSystem.DEBIAN, name=name, version="1"),)),)
        )

    (notice,) = merged([one("a"), one("b"), one("a")]).notices
    assert [fix.name for fix in notice.fixes] == ["a", "b"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "affected",
                    "package",
                    "ranges",
                    "events",
                    "releases",
                    "vulnerabilities",
                    "cve",
                    "cveID",
                    "document",
                    "ProductTree",
                ]
            )
            | st.text(max_size=3),
            below,
            max_size=4,
        )
    ),
    max_leaves=15,
)


def outcome(kind: FeedKind, data: bytes) -> Feed | str:
    """Return what is read, or why it is refused; anything else that is raised is a fault."""
    try:
        return read(kind, data, ROCKY)
    except Invalid as refused:
        return str(refused)


@given(kind=st.sampled_from(FeedKind), content=_JSON)
def test_whatever_json_comes_is_read_or_refused(kind: FeedKind, content: object) -> None:
    assert outcome(kind, json.dumps(content).encode())


@given(kind=st.sampled_from(FeedKind), data=st.binary(max_size=200))
def test_whatever_bytes_come_are_read_or_refused(kind: FeedKind, data: bytes) -> None:
    assert outcome(kind, data)
