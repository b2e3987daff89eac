"""What a baseline makes of the catalogue, and the first sight that it may count from."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa
from tests.fakes.scans import SECURITY, facts_of, package, scan, update
from tests.fakes.site import VIEWER, Installation
from tests.unit.operations.catalogued import (
    CURL,
    OPENSSL_FACTS,
    imported,
    rocky,
)
from tests.unit.operations.explaining import recomputed

from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.store.tables import facts_read, known_patch


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
    recomputed(here)
    assert "openssl.amd64:3" not in patch_states(here, node)
    here.clock.advance(timedelta(days=7))
    recomputed(here)
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
