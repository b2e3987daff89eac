"""The catalogue with the ordinary AWS CLI, boto3 and our own command line: reported, imported, decided, explained."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.commandline import PATCHWINDOW, run
from tests.fakes.node import PaperNode
from tests.fakes.scans import SECURITY, facts_of, package, update
from tests.fakes.server import Plane, all_pages

FACTS: Final = facts_of([package("openssl"), package("bash")], [update("openssl", "3", origin=SECURITY)])
OSV: Final = {
    "id": "DSA-6001-1",
    "published": "2026-01-05T10:00:00Z",
    "upstream": ["CVE-2026-0001"],
    "affected": [
        {
            "package": {"ecosystem": "Debian:12", "name": "openssl"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.5"}]}],
        }
    ],
}
TAG: Final = {"Key": "patchwindow:ApproveByFirstSeen", "Value": "true"}
RULE: Final = {
    "PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]},
    "ApproveAfterDays": 7,
    "ComplianceLevel": "HIGH",
}


@pytest.fixture(scope="module")
def baseline(plane: Plane) -> str:
    """The default baseline of Debian, which waits seven days from first sight."""
    made: str = plane.client.create_patch_baseline(
        Name="patient", OperatingSystem="DEBIAN", ApprovalRules={"PatchRules": [RULE]}, Tags=[TAG]
    )["BaselineId"]
    plane.client.register_default_patch_baseline(BaselineId=made)
    return made


@pytest.fixture(scope="module")
def node(plane: Plane, baseline: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A node that was scanned once the baseline was there."""
    assert baseline
    node = PaperNode.registered(plane.url, plane.activation(), tmp_path_factory.mktemp("node") / "state")
    plane.client.send_command(
        DocumentName="AWS-RunPatchBaseline", InstanceIds=[node.node_id], Parameters={"Operation": ["Scan"]}
    )
    node.scan(FACTS)
    yield node.node_id
    node.close()


@pytest.fixture(scope="module")
def _imported(plane: Plane, node: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert node
    feed = tmp_path_factory.mktemp("feeds") / "osv.json"
    feed.write_text(json.dumps(OSV))
    imported = run([*PATCHWINDOW, "catalog", "import", str(feed), "--kind", "osv"], plane.shell().environ)
    assert "AdvisoryCount  1" in imported.out


def test_the_aws_cli_lists_what_nodes_reported(plane: Plane, node: str) -> None:
    assert node
    shell = plane.shell()
    patches = shell.aws("describe-available-patches", "--filters", "Key=PRODUCT,Values=Debian12")["Patches"]
    assert [patch["Title"] for patch in patches] == ["bash.amd64:1", "openssl.amd64:1", "openssl.amd64:3"]
    paged = shell.aws("describe-available-patches", "--page-size", "1")["Patches"]
    assert paged == patches
    named = shell.aws(
        *("describe-patch-properties", "--operating-system", "DEBIAN", "--property", "PRODUCT"),
    )["Properties"]
    assert named == [{"Name": "Debian12"}]


@pytest.mark.usefixtures("_imported")
def test_what_was_imported_is_found_by_its_cve(plane: Plane) -> None:
    filters = [{"Key": "CVE_ID", "Values": ["CVE-2026-0001"]}]
    (patch,) = plane.client.describe_available_patches(Filters=filters)["Patches"]
    assert patch["Title"] == "openssl.amd64:3"
    assert patch["AdvisoryIds"] == ["DSA-6001-1"]
    assert patch["ReleaseDate"].date() == datetime(2026, 1, 5, tzinfo=UTC).date()


def test_effective_patches_wait_from_first_sight(plane: Plane, baseline: str, node: str) -> None:
    found = all_pages(
        plane.client,
        "describe_effective_patches_for_patch_baseline",
        "EffectivePatches",
        BaselineId=baseline,
        MaxResults=1,
    )
    statuses = {one["Patch"]["Title"]: one["PatchStatus"] for one in found}
    assert set(statuses) == {"openssl.amd64:3"}
    status = statuses["openssl.amd64:3"]
    assert status["DeploymentStatus"] == "PENDING_APPROVAL"
    assert status["ComplianceLevel"] == "HIGH"
    assert status["ApprovalDate"].date() - datetime.now(UTC).date() in (timedelta(days=7), timedelta(days=6))
    states = plane.client.describe_instance_patches(InstanceId=node)["Patches"]
    assert "openssl.amd64:3" not in {patch["Title"] for patch in states}


def test_explain_says_that_it_counts_from_first_sight(plane: Plane, node: str) -> None:
    told = run([*PATCHWINDOW, "explain", node, "openssl.amd64:3"], plane.shell().environ)
    assert "first seen" in told.out


@pytest.mark.usefixtures("_imported")
def test_the_status_tells_of_both(plane: Plane) -> None:
    own: Any = plane.connect(plane.key, service="patchwindow")
    status = own.get_catalog_status()
    assert status["Patches"] == [{"OperatingSystem": "DEBIAN", "PatchCount": 3, "ReportedCount": 3}]
    assert [one["Source"] for one in status["Sources"]] == ["osv"]


def test_a_file_that_is_no_feed_changes_nothing(plane: Plane, tmp_path: Path) -> None:
    own: Any = plane.connect(plane.key, service="patchwindow")
    before = own.get_catalog_status()["Sources"]
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[")
    refused = run([*PATCHWINDOW, "catalog", "import", str(wrong), "--kind", "osv"], plane.shell().environ, exit_code=1)
    assert "wrong.json: it is no JSON" in refused.err
    assert own.get_catalog_status()["Sources"] == before


@pytest.mark.parametrize(
    ("operation", "members", "code"),
    [
        ("describe_available_patches", {"Filters": [{"Key": "KERNEL", "Values": ["1"]}]}, "ValidationException"),
        ("describe_available_patches", {"NextToken": "nothing"}, "ValidationException"),
        ("describe_available_patches", {"MaxResults": 101}, "ValidationException"),
        (
            "describe_patch_properties",
            {"OperatingSystem": "UBUNTU", "Property": "SEVERITY"},
            "ValidationException",
        ),
        (
            "describe_effective_patches_for_patch_baseline",
            {"BaselineId": "pb-00000000000000000"},
            "DoesNotExistException",
        ),
        (
            "describe_effective_patches_for_patch_baseline",
            {"BaselineId": "pb-0000000000000000000000"},
            "InvalidResourceId",
        ),
    ],
)
def test_refusals_have_the_names_of_the_api(plane: Plane, operation: str, members: dict[str, Any], code: str) -> None:
    with pytest.raises(plane.client.exceptions.ClientError) as refused:
        getattr(plane.unchecked, operation)(**members)
    assert refused.value.response["Error"]["Code"] == code
