"""GetNodeCompliance: how one node stands, and by what."""

from datetime import timedelta

from tests.fakes.api import Api
from tests.fakes.scans import SECURITY, facts_of, package, scan, update
from tests.fakes.site import DEBIAN, Installation, as_node

from patchwindow.domain.fleet_state import FleetState

FACTS = facts_of([package("bash"), package("openssl", origin=SECURITY)], [update("openssl", priority="important")])


def test_a_scanned_node_is_told_with_what_it_was_judged_by(here: Installation, api: Api) -> None:
    node = here.node(tags={"Patch Group": "web", "Stage": "live"})
    scan(here, node, FACTS)
    told = api("GetNodeCompliance", InstanceId=node, EnvironmentTagKey="Stage")
    now = here.clock.now().timestamp()
    assert told["State"] == FleetState.MISSING
    assert (told["PatchGroup"], told["Environment"], told["OperatingSystem"]) == ("web", "live", "DEBIAN")
    assert (told["FactsTime"], told["ComputedTime"], told["BaselineRevision"]) == (now, now, 1)
    assert (told["MissingCount"], told["InstalledOtherCount"], told["Status"]) == (1, 1, "NON_COMPLIANT")


def test_it_is_what_the_fleet_tells_of_the_node(here: Installation, api: Api) -> None:
    nodes = [here.node(tags={"Patch Group": "web"}) for _ in range(4)]
    for node in nodes[1:3]:
        scan(here, node, FACTS)
    here.clock.advance(timedelta(days=8))
    for node in nodes[:2]:
        here.perform("UpdateInstanceInformation", as_node(node), InstanceId=node, **DEBIAN)
    scan(here, nodes[3], facts_of([package("bash")]))
    here.perform("UpdateInstanceInformation", as_node(nodes[3]), InstanceId=nodes[3], **DEBIAN)
    fleet = {one["InstanceId"]: one for page in api.pages("GetFleetCompliance", "Nodes") for one in page}
    alone = {node: api("GetNodeCompliance", InstanceId=node) for node in nodes}
    assert [alone[node]["State"] for node in nodes] == ["NeverScanned", "Stale", "Offline", "Compliant"]
    assert {node: {name: alone[node][name] for name in fleet[node]} for node in nodes} == fleet


def test_the_boot_is_told_with_when_it_was_first_heard_of(here: Installation, api: Api) -> None:
    node = here.node()
    assert "BootId" not in api("GetNodeCompliance", InstanceId=node)
    times = []
    for boot in ("boot-1", "boot-1", "boot-2"):
        here.clock.advance(timedelta(minutes=5))
        here.perform("UpdateInstanceInformation", as_node(node), InstanceId=node, BootId=boot)
        told = api("GetNodeCompliance", InstanceId=node)
        assert told["BootId"] == boot
        times.append(told["BootSeenTime"])
    assert times == [times[0], times[0], here.clock.now().timestamp()]
    # An agent that does not say so changes nothing.
    here.perform("UpdateInstanceInformation", as_node(node), InstanceId=node, **DEBIAN)
    assert api("GetNodeCompliance", InstanceId=node)["BootId"] == "boot-2"


def test_a_node_that_was_never_scanned_has_no_counts(here: Installation, api: Api) -> None:
    told = api("GetNodeCompliance", InstanceId=here.node())
    assert told["State"] == FleetState.NEVER_SCANNED
    assert not {"MissingCount", "FactsTime", "BaselineId"} & told.keys()


def test_an_unknown_node_is_refused(api: Api) -> None:
    assert api.code("GetNodeCompliance", InstanceId="mi-00000000000000000") == "InvalidInstanceId"
