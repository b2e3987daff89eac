"""The catalogue of patches: what nodes report, what is imported, and the views of both."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa
from tests.fakes.scans import MAIN, SECURITY, facts_of, package, report_of, scan, send, update
from tests.fakes.site import VIEWER, Installation

from patchwindow.domain.errors import Denied, Invalid, InvalidPageToken, NotFound
from patchwindow.operations import cohorts, reports
from patchwindow.operations.report_reading import read
from patchwindow.store.tables import facts_read, known_patch

OPENSSL_FACTS: Final = facts_of(
    [package("openssl"), package("bash", "5")], [update("openssl", "3", origin=SECURITY, priority="important")]
)
ROCKY: Final = {"PlatformType": "Linux", "PlatformName": "Rocky Linux", "PlatformVersion": "9.5"}
WINDOWS: Final = {
    "PlatformType": "Windows",
    "PlatformName": "Microsoft Windows Server 2022 Datacenter",
    "PlatformVersion": "10.0.20348",
}
ROCKY_FACTS: Final[dict[str, Any]] = {
    "schema": 2,
    "manager": "dnf",
    "os": {"id": "rocky", "name": "Rocky Linux", "versionId": "9.5", "arch": "x86_64"},
    "origins": [{"id": "baseos"}],
    "advisories": [
        {
            "id": "RLSA-2026:0101",
            "kind": "security",
            "severity": "Important",
            "issued": "2026-01-05",
            "cves": ["CVE-2026-0001"],
        }
    ],
    "packages": [
        {"name": "openssl", "arch": "x86_64", "version": "1:3.0.7-18.el9", "origins": []},
        {"name": "curl", "arch": "x86_64", "version": "7.76.1-31.el9", "origins": [0]},
    ],
    "updates": [
        {
            "name": "openssl",
            "arch": "x86_64",
            "installed": "1:3.0.7-18.el9",
            "candidate": "1:3.0.7-27.el9",
            "origins": [0],
            "advisories": [0],
        },
        {
            "name": "curl",
            "arch": "x86_64",
            "installed": "7.76.1-31.el9",
            "candidate": "7.76.1-32.el9",
            "origins": [0],
        },
    ],
    "reboot": {"required": False},
}
WINDOWS_FACTS: Final[dict[str, Any]] = {
    "schema": 2,
    "manager": "windows",
    "os": {"id": "windows", "name": WINDOWS["PlatformName"], "versionId": "10.0.20348", "arch": "AMD64"},
    "packages": [],
    "windowsUpdates": [
        {
            "title": "2026-03 Cumulative Update (KB5034123)",
            "kb": "KB5034123",
            "id": "6f1d1a7e-0000-4000-8000-000000000001",
            "state": "missing",
            "classification": "SecurityUpdates",
            "severity": "Critical",
            "product": "WindowsServer2022",
            "productFamily": "Windows",
            "released": "2026-03-10",
        }
    ],
    "reboot": {"required": False},
}
CURL: Final[dict[str, Any]] = {
    "Id": "RLSA-2026:0102",
    "Kind": "security",
    "Severity": "Moderate",
    "Issued": "2026-02-01",
    "Title": "curl security update",
    "CVEIds": ["CVE-2026-0002"],
    "Fixes": [
        {
            "OperatingSystem": "ROCKY_LINUX",
            "Product": "RockyLinux9",
            "Name": name,
            "Arch": "x86_64",
            "Version": "7.76.1-32.el9",
        }
        for name in ("curl", "libcurl")
    ],
}


def rocky(here: Installation) -> str:
    node = here.node(ping=ROCKY)
    scan(here, node, ROCKY_FACTS)
    return node


def titles(here: Installation, **filters: str) -> list[str]:
    wanted = [{"Key": key, "Values": [value]} for key, value in filters.items()]
    answer = here.perform("DescribeAvailablePatches", VIEWER, Filters=wanted)
    return [patch["Title"] for patch in answer["Patches"]]


def available(here: Installation, title: str) -> dict[str, Any]:
    answer = here.perform("DescribeAvailablePatches", VIEWER)
    (found,) = [patch for patch in answer["Patches"] if patch["Title"] == title]
    return dict(found)


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


def imported(here: Installation, *advisories: dict[str, Any], source: str = "updateinfo", **more: Any) -> Any:
    return here.perform("ImportAdvisories", Source=source, Advisories=list(advisories), **more)


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


def baseline(here: Installation, system: str = "ROCKY_LINUX", days: int = 7, **members: Any) -> str:
    rule = {
        "PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]},
        "ApproveAfterDays": days,
        "ComplianceLevel": "HIGH",
    }
    made = here.perform(
        "CreatePatchBaseline",
        Name="own",
        OperatingSystem=system,
        ApprovalRules={"PatchRules": [rule]},
        **members,
    )
    return str(made["BaselineId"])


def effective(here: Installation, baseline_id: str) -> dict[str, Any]:
    answer = here.perform("DescribeEffectivePatchesForPatchBaseline", VIEWER, BaselineId=baseline_id)
    return {one["Patch"]["Title"]: one["PatchStatus"] for one in answer["EffectivePatches"]}


def test_what_a_baseline_makes_of_the_catalogue(here: Installation) -> None:
    rocky(here)
    imported(here, CURL)
    own = baseline(
        here, days=20, ApprovedPatches=["curl"], ApprovedPatchesEnableNonSecurity=True, RejectedPatches=["*-18.el9"]
    )
    today = here.clock.now().date()
    assert effective(here, own) == {
        "curl.x86_64:0:7.76.1-31.el9": {"DeploymentStatus": "EXPLICIT_APPROVED", "ComplianceLevel": "UNSPECIFIED"},
        "curl.x86_64:0:7.76.1-32.el9": {"DeploymentStatus": "EXPLICIT_APPROVED", "ComplianceLevel": "UNSPECIFIED"},
        "libcurl.x86_64:0:7.76.1-32.el9": {
            "DeploymentStatus": "APPROVED",
            "ComplianceLevel": "HIGH",
            "ApprovalDate": datetime(2026, 2, 21, tzinfo=UTC),
        },
        "openssl.x86_64:1:3.0.7-18.el9": {"DeploymentStatus": "EXPLICIT_REJECTED", "ComplianceLevel": "UNSPECIFIED"},
        "openssl.x86_64:1:3.0.7-27.el9": {
            "DeploymentStatus": "APPROVED",
            "ComplianceLevel": "HIGH",
            "ApprovalDate": datetime(2026, 1, 25, tzinfo=UTC),
        },
    }, today


def test_what_is_imported_decides_nothing_about_what_nodes_reported(here: Installation) -> None:
    rocky(here)
    own = baseline(here)
    before = effective(here, own)
    fixes = CURL["Fixes"][:1]
    imported(here, {**CURL, "Fixes": fixes})
    assert effective(here, own) == before


def test_a_patch_that_waits_has_the_day_of_its_approval(here: Installation) -> None:
    rocky(here)
    days = (here.clock.now() - datetime(2026, 1, 5, tzinfo=UTC)).days + 3
    status = effective(here, baseline(here, days=days))["openssl.x86_64:1:3.0.7-27.el9"]
    assert status["DeploymentStatus"] == "PENDING_APPROVAL"
    assert status["ApprovalDate"].date() == here.clock.now().date() + timedelta(days=3)


def test_effective_patches_of_no_baseline_are_refused(here: Installation) -> None:
    with pytest.raises(NotFound):
        here.perform("DescribeEffectivePatchesForPatchBaseline", BaselineId="pb-00000000000000000")


TAG: Final = {"Key": "patchwindow:ApproveByFirstSeen", "Value": "true"}


def patch_states(here: Installation, node: str) -> dict[str, str]:
    answer = here.perform("DescribeInstancePatches", InstanceId=node)
    return {patch["Title"]: patch["State"] for patch in answer["Patches"]}


def test_a_baseline_may_count_from_first_sight(here: Installation) -> None:
    own = baseline(here, "DEBIAN", Tags=[TAG])
    here.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    node = here.node()
    scan(here, node, OPENSSL_FACTS)
    assert "openssl.amd64:3" not in patch_states(here, node)
    pending = effective(here, own)["openssl.amd64:3"]
    assert pending["DeploymentStatus"] == "PENDING_APPROVAL"
    assert pending["ApprovalDate"].date() == here.clock.now().date() + timedelta(days=7)
    here.clock.advance(timedelta(days=7))
    scan(here, node, OPENSSL_FACTS)
    assert patch_states(here, node)["openssl.amd64:3"] == "Missing"
    told = here.perform("ExplainPatch", InstanceId=node, Patch="openssl.amd64:3")["Patches"][0]
    assert "first seen" in told["Reason"]


def test_the_first_sight_of_any_node_counts_for_all(here: Installation) -> None:
    own = baseline(here, "DEBIAN", Tags=[TAG])
    here.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    scan(here, here.node(), OPENSSL_FACTS)
    here.clock.advance(timedelta(days=7))
    other = here.node()
    scan(
        here,
        other,
        facts_of([package("openssl")], [update("openssl", "3", origin=SECURITY), update("vim", "9", origin=SECURITY)]),
        installedAt=[0],
    )
    states = patch_states(here, other)
    assert states["openssl.amd64:3"] == "Missing"
    assert "vim.amd64:9" not in states


def test_the_tag_makes_a_version_of_the_baseline_and_taking_it_off_another(here: Installation) -> None:
    own = baseline(here, "DEBIAN")
    where = {"ResourceType": "PatchBaseline", "ResourceId": own}

    def is_dated() -> bool:
        return "ApprovalDate" in effective(here, own)["openssl.amd64:3"]

    scan(here, here.node(), OPENSSL_FACTS)
    assert not is_dated()
    here.perform("AddTagsToResource", **where, Tags=[TAG])
    assert is_dated()
    here.perform("UpdatePatchBaseline", BaselineId=own, Name="renamed", Replace=True)
    assert here.perform("GetPatchBaseline", BaselineId=own)["Name"] == "renamed"
    here.perform("AddTagsToResource", **where, Tags=[{**TAG, "Value": "false"}])
    here.perform("RemoveTagsFromResource", **where, TagKeys=[TAG["Key"]])
    with here.database.read() as work:
        kept = work.baselines.get(own)
    assert kept is not None
    assert kept.baseline.approves_by_first_seen is None
    assert kept.revision == 4


def test_facts_from_before_the_catalogue_count_from_their_next_evaluation(here: Installation) -> None:
    node = here.node()
    scan(here, node, OPENSSL_FACTS)
    with here.database.write() as work:
        work.catalog._change(sa.delete(facts_read), {})
        work.catalog._change(sa.delete(known_patch), {})
    own = baseline(here, "DEBIAN", Tags=[TAG])
    here.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    with here.database.write() as work:
        for digest in work.cohorts.due(here.clock.now(), 10):
            cohorts.recompute(work, digest, here.clock.now(), 10)
    assert "openssl.amd64:3" not in patch_states(here, node)
    here.clock.advance(timedelta(days=7))
    with here.database.write() as work:
        for digest in work.cohorts.due(here.clock.now(), 10):
            cohorts.recompute(work, digest, here.clock.now(), 10)
    assert patch_states(here, node)["openssl.amd64:3"] == "Missing"


def test_replacing_a_baseline_leaves_what_its_tag_says(here: Installation) -> None:
    own = baseline(here, "DEBIAN", Tags=[TAG])
    here.perform("UpdatePatchBaseline", BaselineId=own, Name="renamed", Replace=True)
    with here.database.read() as work:
        kept = work.baselines.get(own)
    assert kept is not None
    assert kept.baseline.approves_by_first_seen


@pytest.mark.parametrize(
    ("system", "value", "words"),
    [("DEBIAN", "yes", "write true or false"), ("ROCKY_LINUX", "true", "has dates of its own")],
)
def test_a_tag_that_cannot_be_is_refused(here: Installation, system: str, value: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        baseline(here, system, Tags=[{**TAG, "Value": value}])


def test_a_report_that_is_refused_leaves_no_trace(here: Installation) -> None:
    node = here.node(ping={"PlatformType": "Linux", "PlatformName": "Plan 9", "PlatformVersion": "4"})
    command_id = send(here, node)
    facts = facts_of([package("rc", origin=MAIN)], name="Plan 9")
    with pytest.raises(Exception, match="no operating system"), here.call("report") as call:
        reports.receive(call, command_id, node, read(report_of(here, facts)))
    assert titles(here) == []
