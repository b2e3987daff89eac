"""Compliance follows a baseline on a running server, with boto3, and when the server is killed in between."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.node import PaperNode
from tests.fakes.scans import SECURITY, facts_of, package, update
from tests.fakes.server import Plane, running_plane, until

FACTS = facts_of([package("bash"), package("openssl", origin=SECURITY)], [update("openssl")])
GROUP = "web"
_SOON_S = 5.0


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    """A control plane of the test's own, for which a scan is stale after a day."""
    with running_plane(tmp_path, "--stale-after-days", "1") as plane:
        yield plane
    assert "Traceback" not in plane.server.log.read_text()


@pytest.fixture
def node(plane: Plane, tmp_path: Path) -> Iterator[PaperNode]:
    """A node of the patch group, which was scanned."""
    activation = plane.activation(Tags=[{"Key": "Patch Group", "Value": GROUP}])
    node = PaperNode.registered(plane.url, activation, tmp_path / "node")
    plane.client.send_command(
        DocumentName="AWS-RunPatchBaseline", InstanceIds=[node.node_id], Parameters={"Operation": ["Scan"]}
    )
    node.scan(FACTS)
    yield node
    node.close()


def told(plane: Plane) -> dict[str, Any]:
    """Return what our own service tells of the only node."""
    (found,) = plane.connect(plane.key, service="patchwindow").get_fleet_compliance()["Nodes"]
    members: dict[str, Any] = found
    return members


def summary(plane: Plane) -> tuple[int, int]:
    """Return how many nodes the API calls compliant, and how many not."""
    (found,) = plane.client.list_compliance_summaries()["ComplianceSummaryItems"]
    return found["CompliantSummary"]["CompliantCount"], found["NonCompliantSummary"]["NonCompliantCount"]


def test_a_changed_choice_is_seen_within_seconds_and_without_a_rescan(plane: Plane, node: PaperNode) -> None:
    before = told(plane)
    assert (before["InstanceId"], before["State"], summary(plane)) == (node.node_id, "Missing", (0, 1))
    own = plane.client.create_patch_baseline(Name="own", OperatingSystem="DEBIAN")["BaselineId"]
    plane.client.register_patch_baseline_for_patch_group(BaselineId=own, PatchGroup=GROUP)
    until(lambda: summary(plane) == (1, 0), "compliance", within_s=_SOON_S)
    plane.client.update_patch_baseline(BaselineId=own, ApprovedPatches=["openssl"])
    until(lambda: summary(plane) == (0, 1), "the end of compliance", within_s=_SOON_S)
    after = told(plane)
    assert (after["State"], after["BaselineId"], after["BaselineRevision"]) == ("Missing", own, 2)
    assert after["FactsTime"] == before["FactsTime"]
    assert after["ComputedTime"] > before["ComputedTime"]
    history = plane.connect(plane.key, service="patchwindow").get_compliance_history(InstanceId=node.node_id)
    (past,) = history["Scans"]
    assert (past["Status"], past["BaselineId"]) == ("NON_COMPLIANT", before["BaselineId"])


def test_what_was_changed_when_the_server_died_is_computed_when_it_is_back(plane: Plane, node: PaperNode) -> None:
    own = plane.client.create_patch_baseline(Name="own", OperatingSystem="DEBIAN")["BaselineId"]
    plane.client.register_default_patch_baseline(BaselineId=own)
    plane.server.kill()
    plane.server.start()
    until(lambda: summary(plane) == (1, 0), "compliance", within_s=_SOON_S)
    assert told(plane)["InstanceId"] == node.node_id
