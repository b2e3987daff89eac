"""The catalogue of patches: what nodes report, what is imported, and the views of both."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.scans import MAIN, facts_of, package, report_of, scan, send
from tests.fakes.site import VIEWER, Installation
from tests.unit.operations.catalogued import (
    CURL,
    OPENSSL_FACTS,
    ROCKY,
    ROCKY_FACTS,
    WINDOWS,
    WINDOWS_FACTS,
    available,
    imported,
    rocky,
    titles,
)

from patchwindow.domain.errors import Denied, Invalid, InvalidPageToken
from patchwindow.operations import reports
from patchwindow.operations.report_reading import read


def test_what_nodes_report_is_available(here: Installation) -> None:
    assert here.perform("DescribeAvailablePatches") == {"Patches": []}
    scan(here, here.node(), OPENSSL_FACTS)
    assert titles(here) == ["bash.amd64:5", "openssl.amd64:1", "openssl.amd64:3"]
    assert available(here, "openssl.amd64:3") == {
        "Title": "openssl.amd64:3",
        "Name": "openssl",
        "Arch": "amd64",
        "Epoch": 0,
        "Version": "3",
        "Product": "Debian12",
        "Classification": "Security",
        "Severity": "important",
        "Repository": "Debian-Security bookworm-security",
    }


def test_a_package_of_a_notice_has_what_the_notice_says(here: Installation) -> None:
    rocky(here)
    assert available(here, "openssl.x86_64:1:3.0.7-27.el9") == {
        "Title": "openssl.x86_64:1:3.0.7-27.el9",
        "Name": "openssl",
        "Arch": "x86_64",
        "Epoch": 1,
        "Version": "3.0.7",
        "Release": "27.el9",
        "Product": "RockyLinux9.5",
        "Classification": "Security",
        "Severity": "Important",
        "Repository": "baseos",
        "AdvisoryIds": ["RLSA-2026:0101"],
        "CVEIds": ["CVE-2026-0001"],
        "ReleaseDate": datetime(2026, 1, 5, tzinfo=UTC),
    }


def test_an_update_of_windows_is_shown_as_such(here: Installation) -> None:
    scan(here, here.node(ping=WINDOWS), WINDOWS_FACTS, installedAt=[0])
    assert here.perform("DescribeAvailablePatches")["Patches"] == [
        {
            "Id": "6f1d1a7e-0000-4000-8000-000000000001",
            "Title": "2026-03 Cumulative Update (KB5034123)",
            "KbNumber": "KB5034123",
            "Vendor": "Microsoft",
            "Product": "WindowsServer2022",
            "ProductFamily": "Windows",
            "Classification": "SecurityUpdates",
            "MsrcSeverity": "Critical",
            "ReleaseDate": datetime(2026, 3, 10, tzinfo=UTC),
        }
    ]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("ARCH", "x86_64", 4),
        ("ADVISORY_ID", "RLSA-2026:0101", 1),
        ("CVE_ID", "CVE-2026-0001", 1),
        ("CVE_ID", "CVE-2026-9999", 0),
        ("PRODUCT", "RockyLinux9.5", 4),
        ("PRODUCT", "*", 8),
        ("CLASSIFICATION", "security", 2),
        ("SEVERITY", "Important", 2),
        ("PRIORITY", "Important", 1),
        ("MSRC_SEVERITY", "Critical", 1),
        ("NAME", "openssl", 4),
        ("NAME", "2026-03 Cumulative Update (KB5034123)", 1),
        ("PATCH_ID", "KB5034123", 1),
        ("PATCH_ID", "5034123", 1),
        ("PATCH_ID", "curl.x86_64", 2),
        ("REPOSITORY", "baseos", 3),
        ("EPOCH", "1", 2),
        ("VERSION", "7.76.1", 2),
        ("RELEASE", "27.el9", 1),
        ("SECTION", "utils", 3),
        ("SECURITY", "True", 2),
        ("PATCH_SET", "APPLICATION", 0),
        ("PRODUCT_FAMILY", "Windows", 1),
    ],
)
def test_every_key_filters(here: Installation, key: str, value: str, expected: int) -> None:
    scan(here, here.node(), OPENSSL_FACTS)
    rocky(here)
    scan(here, here.node(ping=WINDOWS), WINDOWS_FACTS, installedAt=[0])
    assert len(titles(here, **{key: value})) == expected


def test_filters_must_all_hold_and_of_their_values_any(here: Installation) -> None:
    rocky(here)
    assert titles(here, NAME="openssl", RELEASE="27.el9") == ["openssl.x86_64:1:3.0.7-27.el9"]
    answer = here.perform(
        "DescribeAvailablePatches", Filters=[{"Key": "NAME", "Values": ["curl", "openssl"]}], MaxResults=1
    )
    assert len(answer["Patches"]) == 1
    assert "NextToken" in answer


@pytest.mark.parametrize("wrong", [{"Key": "KERNEL", "Values": ["1"]}, {"Key": "NAME", "Values": []}])
def test_a_filter_that_means_nothing_is_refused(here: Installation, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=r"filter"):
        here.perform("DescribeAvailablePatches", Filters=[wrong])


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_have_every_patch_once(here: Installation, size: int) -> None:
    scan(here, here.node(), OPENSSL_FACTS)
    rocky(here)
    pages = list(here.pages("DescribeAvailablePatches", "Patches", MaxResults=size))
    assert all(len(page) <= size for page in pages)
    assert [patch["Title"] for page in pages for patch in page] == titles(here)


def test_a_token_of_another_request_is_refused(here: Installation) -> None:
    scan(here, here.node(), OPENSSL_FACTS)
    token = here.perform("DescribeAvailablePatches", MaxResults=1)["NextToken"]
    with pytest.raises(InvalidPageToken):
        here.perform("DescribeAvailablePatches", NextToken=token, Filters=[{"Key": "NAME", "Values": ["bash"]}])


def test_equal_facts_are_read_once_and_what_is_new_is_added(here: Installation) -> None:
    scan(here, here.node(), OPENSSL_FACTS)
    first = titles(here)
    here.clock.advance(timedelta(days=1))
    scan(here, here.node(), OPENSSL_FACTS)
    assert titles(here) == first
    scan(here, here.node(), facts_of([package("zsh")]))
    assert titles(here) == [*first, "zsh.amd64:1"]


def test_a_revised_notice_changes_what_is_known(here: Installation) -> None:
    rocky(here)
    revised = {**ROCKY_FACTS["advisories"][0], "severity": "Critical", "cves": ["CVE-2026-0001", "CVE-2026-0003"]}
    scan(here, here.node(ping=ROCKY), {**ROCKY_FACTS, "advisories": [revised]})
    assert titles(here, CVE_ID="CVE-2026-0003") == ["openssl.x86_64:1:3.0.7-27.el9"]
    assert available(here, "openssl.x86_64:1:3.0.7-27.el9")["Severity"] == "Critical"


def test_an_import_adds_what_the_publisher_did_not_say(here: Installation) -> None:
    rocky(here)
    assert imported(here, CURL) == {"Source": "updateinfo", "AdvisoryCount": 1, "CveCount": 0}
    curl = available(here, "curl.x86_64:0:7.76.1-32.el9")
    assert curl["AdvisoryIds"] == ["RLSA-2026:0102"]
    assert curl["CVEIds"] == ["CVE-2026-0002"]
    assert (curl["Classification"], curl["Severity"]) == ("Security", "Moderate")
    assert curl["ReleaseDate"] == datetime(2026, 2, 1, tzinfo=UTC)
    assert titles(here, CVE_ID="CVE-2026-0002") == ["curl.x86_64:0:7.76.1-32.el9", "libcurl.x86_64:0:7.76.1-32.el9"]


def test_what_was_imported_first_is_added_to_what_is_reported_later(here: Installation) -> None:
    imported(here, CURL)
    rocky(here)
    assert available(here, "curl.x86_64:0:7.76.1-32.el9")["Product"] == "RockyLinux9.5"
    assert available(here, "curl.x86_64:0:7.76.1-32.el9")["CVEIds"] == ["CVE-2026-0002"]


def test_the_word_of_the_publisher_stands(here: Installation) -> None:
    rocky(here)
    before = available(here, "openssl.x86_64:1:3.0.7-27.el9")
    fix = {**CURL["Fixes"][0], "Name": "openssl", "Version": "1:3.0.7-27.el9"}
    imported(here, {**CURL, "Fixes": [fix], "Severity": "Low"})
    assert available(here, "openssl.x86_64:1:3.0.7-27.el9") == before


def test_importing_twice_changes_nothing_and_a_revision_does(here: Installation) -> None:
    imported(here, CURL)
    first = here.perform("DescribeAvailablePatches")
    imported(here, CURL)
    assert here.perform("DescribeAvailablePatches") == first
    imported(here, {**CURL, "Fixes": CURL["Fixes"][:1], "Severity": "Low"})
    (patch,) = here.perform("DescribeAvailablePatches")["Patches"]
    assert (patch["Name"], patch["Severity"]) == ("curl", "Low")


def test_a_refused_import_leaves_what_was_there(here: Installation) -> None:
    imported(here, CURL)
    before = here.perform("GetCatalogStatus")
    with pytest.raises(Invalid, match=r"Advisories\[1\]\.Issued: '2026-02-30' is no day"):
        imported(here, {**CURL, "Id": "another"}, {**CURL, "Issued": "2026-02-30"})
    with pytest.raises(Invalid, match=r"Cves\[0\]\.DueOn"):
        imported(here, Cves=[{"CVEId": "CVE-2026-0001", "DueOn": "soon"}])
    assert here.perform("GetCatalogStatus") == before


def test_a_viewer_may_look_and_not_import(here: Installation) -> None:
    assert here.perform("GetCatalogStatus", VIEWER)["Sources"] == []
    with pytest.raises(Denied, match="viewer"):
        here.perform("ImportAdvisories", VIEWER, Source="x")


def test_the_status_counts_what_is_known(here: Installation) -> None:
    rocky(here)
    imported(here, CURL, Cves=[{"CVEId": "CVE-2026-0002", "IsKnownExploited": True, "DueOn": "2026-04-01"}])
    imported(here, source="epss", Cves=[{"CVEId": "CVE-2026-0002", "EpssScoreBillionths": 5}])
    assert here.perform("GetCatalogStatus") == {
        "Patches": [{"OperatingSystem": "ROCKY_LINUX", "PatchCount": 5, "ReportedCount": 4}],
        "Sources": [
            {"Source": "epss", "ImportedAt": here.clock.now(), "AdvisoryCount": 0},
            {"Source": "updateinfo", "ImportedAt": here.clock.now(), "AdvisoryCount": 1},
        ],
        "CveCount": 1,
        "ExploitedCveCount": 1,
        "ScoredCveCount": 1,
    }


@pytest.mark.parametrize(
    ("system", "property", "expected"),
    [
        ("WINDOWS", "MSRC_SEVERITY", ["Critical", "Important", "Moderate", "Low", "Unspecified"]),
        ("UBUNTU", "PRIORITY", ["Required", "Important", "Standard", "Optional", "Extra"]),
        ("ORACLE_LINUX", "CLASSIFICATION", ["Security", "Bugfix", "Enhancement"]),
        ("ROCKY_LINUX", "PRODUCT", ["RockyLinux9.5"]),
        ("DEBIAN", "PRODUCT", []),
        ("WINDOWS", "PRODUCT_FAMILY", ["Windows"]),
    ],
)
def test_properties_are_what_filters_may_name(
    here: Installation, system: str, property: str, expected: list[str]
) -> None:
    rocky(here)
    scan(here, here.node(ping=WINDOWS), WINDOWS_FACTS, installedAt=[0])
    answer = here.perform("DescribePatchProperties", OperatingSystem=system, Property=property)
    assert answer == {"Properties": [{"Name": value} for value in expected]}


def test_products_of_windows_are_told_apart_by_their_patch_set(here: Installation) -> None:
    scan(here, here.node(ping=WINDOWS), WINDOWS_FACTS, installedAt=[0])
    of_set = {
        name: here.perform("DescribePatchProperties", OperatingSystem="WINDOWS", Property="PRODUCT", PatchSet=name)
        for name in ("OS", "APPLICATION")
    }
    assert of_set == {"OS": {"Properties": [{"Name": "WindowsServer2022"}]}, "APPLICATION": {"Properties": []}}


def test_a_property_that_the_system_does_not_have_is_refused(here: Installation) -> None:
    with pytest.raises(Invalid, match="Property SEVERITY is none of UBUNTU; use one of PRODUCT, PRIORITY"):
        here.perform("DescribePatchProperties", OperatingSystem="UBUNTU", Property="SEVERITY")


def test_a_report_that_is_refused_leaves_no_trace(here: Installation) -> None:
    node = here.node(ping={"PlatformType": "Linux", "PlatformName": "Plan 9", "PlatformVersion": "4"})
    command_id = send(here, node)
    facts = facts_of([package("rc", origin=MAIN)], name="Plan 9")
    with pytest.raises(Exception, match="no operating system"), here.call("report") as call:
        reports.receive(call, command_id, node, read(report_of(here, facts)))
    assert titles(here) == []
