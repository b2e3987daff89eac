"""Nodes that are scanned in a world, and what is then true of them."""

from datetime import timedelta
from typing import Any, Final

from tests.engine.world import Members, World
from tests.fakes.scans import SECURITY, facts_of, package, update

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import PREDEFINED, default_for
from patchwindow.operations.report_reading import read
from patchwindow.operations.reports import receive
from patchwindow.store.baselines import OWNER_AWS

BAD: Final = facts_of([package("bash"), package("openssl", origin=SECURITY)], [update("openssl")])
CLEAN: Final = facts_of([package("bash")])
NODE: Final = "ManagedInstance"
GROUP: Final = "Patch Group"


def prepare(world: World) -> None:
    """Keep what every start of a server keeps."""
    with world.database.write() as work:
        for one in PREDEFINED:
            work.baselines.put(one, owner=OWNER_AWS)
        for system in OperatingSystem:
            work.baselines.set_default(system, default_for(system).baseline_id)


def grouped(world: World, group: str = "") -> str:
    """Return the id of a new node in that patch group."""
    (node,) = world.nodes(1)
    if group:
        tag(world, node.id, group)
    return node.id


def tag(world: World, node_id: str, group: str) -> None:
    """Put a node into a patch group."""
    world.perform("AddTagsToResource", ResourceType=NODE, ResourceId=node_id, Tags=[{"Key": GROUP, "Value": group}])


def scan(world: World, node_id: str, facts: Any, **report: Any) -> Members:
    """Let a node be scanned, and return the verdict."""
    made = world.perform(
        "SendCommand",
        DocumentName="AWS-RunPatchBaseline",
        InstanceIds=[node_id],
        Parameters={"Operation": [report.get("operation", "Scan")]},
    )
    now = world.clock.now()
    told = {
        "schema": 1,
        "operation": "Scan",
        "startedAt": (now - timedelta(seconds=2)).timestamp(),
        "endedAt": now.timestamp(),
        "facts": facts,
        "installedAt": [0] * len(facts["packages"]),
        **report,
    }
    with world.service.call_of_node(node_id, writes=True) as call:
        return receive(call, made["Command"]["CommandId"], node_id, read(told))


def state(world: World, node_id: str) -> Members:
    """Return the patch state of a node."""
    (found,) = world.perform("DescribeInstancePatchStates", InstanceIds=[node_id])["InstancePatchStates"]
    members: Members = found
    return members


def patches(world: World, node_id: str) -> Members:
    """Return the states of a node's patches, by title."""
    found = world.perform("DescribeInstancePatches", InstanceId=node_id)["Patches"]
    return {patch["Title"]: patch["State"] for patch in found}


def status(world: World, node_id: str) -> str:
    """Return whether a node is compliant."""
    filters = [{"Key": "InstanceId", "Values": [node_id]}]
    (found,) = world.perform("ListResourceComplianceSummaries", Filters=filters)["ResourceComplianceSummaryItems"]
    return str(found["Status"])


def own_baseline(world: World, **members: Any) -> str:
    """Return a new baseline for Debian that approves nothing unless *members* say so."""
    made = world.perform("CreatePatchBaseline", **{"Name": "own", "OperatingSystem": "DEBIAN", **members})
    return str(made["BaselineId"])
