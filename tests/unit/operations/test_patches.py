"""ListPatches and ListPatchInstances: the patches of all nodes."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa
from tests.fakes.api import Api
from tests.fakes.scans import SECURITY, facts_of, package, scan, update
from tests.fakes.site import Installation
from tests.unit.operations.explaining import recomputed

from patchwindow.domain.facts_patches import patches_of
from patchwindow.domain.facts_reading import parse
from patchwindow.store.tables import evaluation

OLD: Final = facts_of(
    [package("bash"), package("openssl", origin=SECURITY)],
    [update("openssl", priority="important"), update("bash", origin=0)],
)
NEW: Final = facts_of([package("bash"), package("openssl", "2", origin=SECURITY, priority="important")])
RPM: Final = {
    "schema": 2,
    "manager": "dnf",
    "os": {"id": "rhel", "name": "Red Hat Enterprise Linux", "versionId": "9.4", "arch": "x86_64"},
    "origins": [{"id": "baseos", "label": "BaseOS"}],
    "advisories": [
        {
            "id": "RHSA-2026:1",
            "kind": "security",
            "severity": "Critical",
            "issued": "2026-01-01",
            "cves": ["CVE-2026-1001"],
        }
    ],
    "packages": [{"name": "kernel", "arch": "x86_64", "version": "0:5.14-1", "origins": [0]}],
    "updates": [
        {
            "name": "kernel",
            "arch": "x86_64",
            "installed": "0:5.14-1",
            "candidate": "0:5.14-2",
            "origins": [0],
            "advisories": [0],
        }
    ],
    "reboot": {"required": False},
}
REDHAT: Final = {
    "PlatformType": "Linux",
    "PlatformName": "Red Hat Enterprise Linux",
    "PlatformVersion": "9.4",
}
EXPLOITED: Final = {"CVE-2026-1001": "2026-03-20", "CVE-2026-2002": "2026-04-01", "CVE-2026-3003": "2026-03-30"}
KERNEL: Final = "kernel.x86_64:0:5.14-2"


def scanned(here: Installation, facts: Any, **node: Any) -> str:
    made = here.node(**node)
    scan(here, made, facts)
    return made


def listed(api: Api, *filters: tuple[str, list[str]], **members: Any) -> dict[str, dict[str, Any]]:
    asked = [{"Key": key, "Values": values} for key, values in filters]
    pages = api.pages("ListPatches", "Patches", Filters=asked, **members)
    return {one["Title"]: one for page in pages for one in page}


def instances(api: Api, title: str, **members: Any) -> dict[str, str]:
    pages = api.pages("ListPatchInstances", "Instances", Title=title, **members)
    return {one["InstanceId"]: one["State"] for page in pages for one in page}


def test_without_nodes_there_are_no_patches(here: Installation, api: Api) -> None:
    here.node()
    assert listed(api) == {}


def test_a_patch_is_told_with_the_number_of_its_nodes_by_state(here: Installation, api: Api) -> None:
    at = here.clock.now()
    for facts in (OLD, OLD, NEW):
        scanned(here, facts)
    found = listed(api)
    assert list(found) == ["bash.amd64:1", "bash.amd64:2", "openssl.amd64:1", "openssl.amd64:2"]
    assert found["openssl.amd64:2"] == {
        "Title": "openssl.amd64:2",
        "KBId": "openssl.amd64",
        "Product": "Debian12",
        "Classification": "Security",
        "Severity": "important",
        "CVEIds": [],
        "ExploitedCVEIds": [],
        "AdvisoryIds": [],
        "FirstSeen": at.timestamp(),
        "InstanceCount": 3,
        "StateCounts": {"Missing": 2, "Installed": 1},
    }
    assert found["bash.amd64:2"]["StateCounts"] == {"NotApproved": 2}
    assert found["bash.amd64:1"]["StateCounts"] == {"InstalledOther": 3}


def test_the_counts_are_those_that_each_node_tells_of_itself(here: Installation, api: Api) -> None:
    nodes = [scanned(here, facts) for facts in (OLD, OLD, NEW)]
    by_node: Counter[tuple[str, str]] = Counter()
    for node in nodes:
        for page in here.pages("DescribeInstancePatches", "Patches", InstanceId=node):
            by_node.update((patch["Title"], patch["State"]) for patch in page)
    by_fleet = Counter(
        {
            (title, state): count
            for title, one in listed(api).items()
            for state, count in one["StateCounts"].items()
            if state != "NotApproved"
        }
    )
    assert by_fleet == by_node


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        ([("State", ["Missing"])], [KERNEL, "openssl.amd64:2"]),
        ([("State", ["not_approved", "Missing"])], ["bash.amd64:2", KERNEL, "openssl.amd64:2"]),
        ([("State", ["Missing"]), ("Product", ["debian12"])], ["openssl.amd64:2"]),
        ([("Name", ["OPEN"])], ["openssl.amd64:1", "openssl.amd64:2"]),
        ([("Name", ["bash.amd64:2", "kernel.x"]), ("State", ["Missing", "NotApproved"])], ["bash.amd64:2", KERNEL]),
        ([("CVE", ["cve-2026-1001"])], [KERNEL]),
        ([("CVE", ["CVE-2026"])], []),
        ([("AdvisoryId", ["rhsa-2026:1"])], [KERNEL]),
        ([("AdvisoryId", ["RHSA-2026"])], []),
        ([("KnownExploited", ["true"])], []),
        ([("KnownExploited", ["False"]), ("State", ["Missing"])], [KERNEL, "openssl.amd64:2"]),
        ([("Severity", ["Critical"])], [KERNEL]),
        ([("Classification", ["security"]), ("State", ["Missing"])], [KERNEL, "openssl.amd64:2"]),
        ([("MinAgeDays", ["1"])], []),
        ([("MaxAgeDays", ["0"]), ("State", ["Missing"])], [KERNEL, "openssl.amd64:2"]),
    ],
)
def test_filters_are_anded_and_their_values_ored(
    here: Installation, api: Api, filters: list[tuple[str, list[str]]], titles: list[str]
) -> None:
    scanned(here, OLD)
    scanned(here, RPM, ping=REDHAT)
    assert list(listed(api, *filters)) == titles


def test_age_is_counted_from_the_first_report(here: Installation, api: Api) -> None:
    older = scanned(here, OLD)
    first = here.clock.now()
    here.clock.advance(timedelta(days=3))
    scanned(here, NEW)
    found = listed(api, ("MinAgeDays", ["3"]))
    assert list(found) == ["bash.amd64:1", "bash.amd64:2", "openssl.amd64:1", "openssl.amd64:2"]
    assert {datetime.fromtimestamp(one["FirstSeen"], UTC) for one in found.values()} == {first}
    scan(here, older, NEW)
    assert listed(api)["openssl.amd64:2"]["FirstSeen"] == first.timestamp(), "the ledger keeps it"
    assert listed(api, ("MaxAgeDays", ["2"])) == {}


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("State", "Broken", "filter State has the value 'Broken'; use one of Missing, Failed"),
        ("KnownExploited", "maybe", "filter KnownExploited has the value 'maybe'; use true or false"),
        ("MinAgeDays", "-1", "give whole days"),
        ("MaxAgeDays", "99999", "give whole days"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(
    here: Installation, api: Api, key: str, value: str, problem: str
) -> None:
    scanned(here, OLD)
    fault = api.fault("ListPatches", Filters=[{"Key": key, "Values": [value]}])
    assert fault.code == "InvalidFilter"
    assert problem in fault.message


def test_what_nodes_cannot_tell_is_told_by_imported_advisories(here: Installation, api: Api) -> None:
    scanned(here, OLD)
    scanned(here, RPM, ping=REDHAT)
    fix = {"OperatingSystem": "DEBIAN", "Product": "Debian12", "Name": "openssl", "Version": "2", "Extent": "SINCE"}
    advisory = {"Id": "DSA-1", "CVEIds": ["CVE-2026-2002", "CVE-2026-3003"], "Fixes": [fix]}
    cves = [{"CVEId": id, "IsKnownExploited": True, "DueOn": day} for id, day in EXPLOITED.items()]
    api("ImportAdvisories", Source="tracker", Advisories=[advisory], Cves=cves)
    found = listed(api, ("KnownExploited", ["true"]))
    assert {title: (one["ExploitedCVEIds"], one["DueOn"]) for title, one in found.items()} == {
        KERNEL: (["CVE-2026-1001"], "2026-03-20"),
        "openssl.amd64:2": (["CVE-2026-2002", "CVE-2026-3003"], "2026-03-30"),
    }
    assert found["openssl.amd64:2"]["AdvisoryIds"] == ["DSA-1"]
    assert found[KERNEL]["AdvisoryIds"] == ["RHSA-2026:1"]
    assert list(listed(api, ("CVE", ["cve-2026-3003"]))) == ["openssl.amd64:2"]
    assert list(listed(api, ("AdvisoryId", ["dsa-1"]))) == ["openssl.amd64:2"]
    assert list(listed(api, ("KnownExploited", ["true"]), ("Product", ["Debian12"]))) == ["openssl.amd64:2"]
    assert "openssl.amd64:2" not in listed(api, ("KnownExploited", ["false"]))


def test_patches_come_in_pages(here: Installation, api: Api) -> None:
    scanned(here, OLD)
    pages = list(api.pages("ListPatches", "Patches", MaxResults=3))
    assert [len(page) for page in pages] == [3, 1]
    assert api.code("ListPatches", NextToken="x") == "InvalidNextToken"


def test_one_title_on_two_products_is_two_patches(here: Installation, api: Api) -> None:
    other = {**OLD, "os": {**OLD["os"], "versionId": "13"}}
    nodes = [scanned(here, facts) for facts in (OLD, other)]
    pages = list(api.pages("ListPatches", "Patches", Filters=[{"Key": "Name", "Values": ["bash.amd64:1"]}]))
    assert [one["Product"] for one in pages[0]] == ["Debian12", "Debian13"]
    assert instances(api, "bash.amd64:1") == dict.fromkeys(nodes, "InstalledOther")
    assert instances(api, "bash.amd64:1", Product="Debian13") == {nodes[1]: "InstalledOther"}


def test_the_nodes_of_a_patch_come_in_pages_with_its_state_on_each(here: Installation, api: Api) -> None:
    nodes = sorted(scanned(here, OLD) for _ in range(3))
    updated = scanned(here, NEW)
    assert instances(api, "openssl.amd64:2", MaxResults=2) == {**dict.fromkeys(nodes, "Missing"), updated: "Installed"}
    assert instances(api, "openssl.amd64:2", States=["Missing"]) == dict.fromkeys(nodes, "Missing")
    assert instances(api, "openssl.amd64:2", States=["Failed"]) == {}


def test_a_patch_that_no_node_has_is_refused(here: Installation, api: Api) -> None:
    scanned(here, OLD)
    fault = api.fault("ListPatchInstances", Title="openssl.amd64:2", Product="Debian13")
    assert fault.code == "DoesNotExistException"
    assert "no node has a patch with the title 'openssl.amd64:2' on Debian13" in fault.message


def test_what_changes_by_the_baseline_changes_in_the_list(here: Installation, api: Api) -> None:
    scanned(here, OLD, tags={"Patch Group": "web"})
    assert listed(api)["bash.amd64:2"]["StateCounts"] == {"NotApproved": 1}
    rule = {"PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["*"]}]}, "EnableNonSecurity": True}
    own = api("CreatePatchBaseline", Name="all", OperatingSystem="DEBIAN", ApprovalRules={"PatchRules": [rule]})
    api("RegisterPatchBaselineForPatchGroup", BaselineId=own["BaselineId"], PatchGroup="web")
    recomputed(here)
    assert listed(api)["bash.amd64:2"]["StateCounts"] == {"Missing": 1}


def test_the_samples_are_what_they_seem() -> None:
    (patch,) = patches_of(parse(RPM)).offered[0]
    assert (patch.title, patch.cve_ids, patch.classification) == (KERNEL, ("CVE-2026-1001",), "Security")


def test_what_an_older_version_made_of_facts_is_shown_as_it_is(here: Installation, api: Api) -> None:
    scanned(here, OLD, tags={"Patch Group": "web"})
    asked = ("ListResourceComplianceSummaries", "ResourceComplianceSummaryItems")
    before = listed(api), instances(api, "openssl.amd64:2"), list(here.pages(*asked))
    with here.database.write() as work:
        work.evaluations._change(sa.update(evaluation).values(listing_digest=None, places=None, tally=None), {})
    assert (listed(api), instances(api, "openssl.amd64:2"), list(here.pages(*asked))) == before
