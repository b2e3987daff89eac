"""Baseline overrides of patch operations: fetched before the order, and what a report comes to under one."""

import asyncio
import gzip
import json
import time
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fakes.edge import Connection, Edge, Received, Sent
from tests.fakes.scans import SECURITY, facts_of, package, report_of, scan, send, update
from tests.fakes.site import SITE

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.operations.capabilities import capability_url
from patchwindow.store.snapshots import SnapshotKey

URL: Final = "https://mirror.example/overrides.json"
FACTS: Final = facts_of([package("curl"), package("openssl", origin=SECURITY)], [update("openssl"), update("curl")])


def entry(*rejected: str, system: str = "DEBIAN", **more: Any) -> dict[str, Any]:
    rule = {"PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["*"]}]}, "ComplianceLevel": "HIGH"}
    return {
        "BaselineId": "pb-0123456789abcdef0",
        "Name": "Override",
        "OperatingSystem": system,
        "GlobalFilters": {"PatchFilters": []},
        "ApprovalRules": {"PatchRules": [rule]},
        "RejectedPatches": list(rejected),
        "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
        "CreatedDate": "2026-01-01T00:00:00Z",
        "PatchGroups": ["web"],
        **more,
    }


def put(edge: Edge, *entries: Any, url: str = URL) -> None:
    edge.files[url] = json.dumps(entries).encode()


def path_of(node_id: str, command_id: str) -> str:
    return capability_url(SITE, command_id, node_id).removeprefix(SITE.public_url)


def order(edge: Edge, path: str) -> Received:
    return edge.ask(Sent(method="GET", path=f"{path}/order", headers={"Host": "patch.example.net"}))


def report(edge: Edge, path: str) -> Received:
    body = gzip.compress(json.dumps(report_of(edge.here, FACTS)).encode())
    headers = {"Host": "patch.example.net", "Content-Encoding": "gzip"}
    return edge.ask(Sent([body], path=f"{path}/report", headers=headers))


def overridden(edge: Edge, node_id: str, **parameters: str) -> str:
    """Send a scan with an override to a node and return the path of its capability."""
    return path_of(node_id, send(edge.here, node_id, **{"BaselineOverride": URL, **parameters}))


def missing(received: Received) -> list[str]:
    assert received.status == 200, received
    return [one["title"] for one in received.json["missing"]]


def test_a_scan_is_judged_by_the_entry_of_the_nodes_operating_system(edge: Edge) -> None:
    put(edge, entry(system="UBUNTU"), entry("curl"))
    path = overridden(edge, edge.here.node(tags={"PatchGroup": "web"}))
    given = order(edge, path)
    assert (given.status, given.json["operation"]) == (200, "Scan")
    verdict = report(edge, path)
    assert missing(verdict) == ["openssl.amd64:2"]
    named = {name: verdict.json[name] for name in ("baselineId", "baselineName", "patchGroup", "status")}
    assert named == {
        "baselineId": "pb-0123456789abcdef0",
        "baselineName": "Override",
        "patchGroup": "web",
        "status": "NON_COMPLIANT",
    }
    assert edge.fetched == [URL]


def test_the_compliance_of_the_configured_baseline_is_not_overwritten(edge: Edge) -> None:
    put(edge, entry("curl", "openssl"))
    node_id = edge.here.node()
    scan(edge.here, node_id, FACTS)
    before = edge.call("DescribeInstancePatchStates", {"InstanceIds": [node_id]})
    items = edge.call("ListComplianceItems", {"ResourceIds": [node_id]})
    assert before["InstancePatchStates"][0]["MissingCount"] == 2
    edge.here.clock.advance(timedelta(minutes=1))
    path = overridden(edge, node_id)
    order(edge, path)
    assert missing(report(edge, path)) == []
    assert edge.call("DescribeInstancePatchStates", {"InstanceIds": [node_id]}) == before
    assert edge.call("ListComplianceItems", {"ResourceIds": [node_id]}) == items


def test_a_node_that_was_never_scanned_has_no_state_after_a_scan_with_an_override(edge: Edge) -> None:
    put(edge, entry())
    node_id = edge.here.node()
    path = overridden(edge, node_id)
    order(edge, path)
    assert missing(report(edge, path)) == ["curl.amd64:2", "openssl.amd64:2"]
    assert edge.call("DescribeInstancePatchStates", {"InstanceIds": [node_id]}) == {"InstancePatchStates": []}


def test_all_nodes_of_a_command_go_by_what_was_fetched_once(edge: Edge) -> None:
    put(edge, entry("curl"))
    nodes = [edge.here.node(), edge.here.node()]
    given = {"Operation": ["Scan"], "BaselineOverride": [URL]}
    answer = edge.here.perform("SendCommand", DocumentName="AWS-RunPatchBaseline", InstanceIds=nodes, Parameters=given)
    first, second = (path_of(node, answer["Command"]["CommandId"]) for node in nodes)
    order(edge, first)
    put(edge, entry("openssl"))
    order(edge, second)
    assert missing(report(edge, first)) == missing(report(edge, second)) == ["openssl.amd64:2"]
    assert edge.fetched == [URL]


def test_with_a_snapshot_id_later_edits_are_not_seen_and_without_they_are(edge: Edge) -> None:
    snapshot = "6f1d1a7e-0000-4000-8000-00000000000A"
    node_id = edge.here.node()
    put(edge, entry("curl"))
    paths = [overridden(edge, node_id, SnapshotId=snapshot)]
    order(edge, paths[0])
    put(edge, entry("openssl"))
    put(edge, entry("openssl", "curl"), url=f"{URL}?other")
    paths.append(overridden(edge, node_id, SnapshotId=snapshot.lower()))
    paths.append(overridden(edge, node_id))
    paths.append(overridden(edge, node_id, SnapshotId=snapshot, BaselineOverride=f"{URL}?other"))
    for path in paths[1:]:
        order(edge, path)
    found = [missing(report(edge, path)) for path in paths]
    assert found == [["openssl.amd64:2"], ["openssl.amd64:2"], ["curl.amd64:2"], []]


def test_nodes_that_ask_at_once_wait_for_one_fetch(edge: Edge) -> None:
    put(edge, entry("curl"))
    edge.while_fetching = lambda: time.sleep(0.1)
    nodes = [edge.here.node() for _ in range(5)]
    given = {"Operation": ["Scan"], "BaselineOverride": [URL]}
    answer = edge.here.perform("SendCommand", DocumentName="AWS-RunPatchBaseline", InstanceIds=nodes, Parameters=given)
    paths = [path_of(node, answer["Command"]["CommandId"]) for node in nodes]

    async def all_ask() -> list[Received | None]:
        headers = {"Host": "patch.example.net"}
        asking = [Connection(edge, Sent(method="GET", path=f"{path}/order", headers=headers)) for path in paths]
        return [await one.answer() for one in asking]

    received = asyncio.run(all_ask())
    assert [one.status for one in received if one is not None] == [200] * 5
    assert edge.fetched == [URL]


def test_others_write_while_an_override_is_fetched(edge: Edge) -> None:
    put(edge, entry())
    made: list[str] = []
    edge.while_fetching = lambda: made.append(edge.here.perform("CreatePatchBaseline", Name="meanwhile")["BaselineId"])
    assert order(edge, overridden(edge, edge.here.node())).status == 200
    assert len(made) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[", "the baseline override is no JSON: "),
        (b"\xff", "the baseline override is no JSON: "),
        (b"[" * 100_000, "the baseline override is no JSON: "),
        (b"{}", "the baseline override is no list of objects"),
        (b"[]", "the baseline override has no entries for DEBIAN; give exactly one"),
        (
            json.dumps([entry(RejectedPatchesAction="ALLOW")]).encode(),
            "1 validation error detected: Value 'ALLOW' at 'baselineOverride.rejectedPatchesAction' failed to satisfy",
        ),
        (json.dumps([entry(RejectedPatches="curl")]).encode(), "baselineOverride.rejectedPatches"),
        (
            json.dumps([entry("curl.amd64")]).encode(),
            "RejectedPatches[0]: 'curl.amd64' is no package name; write the bare name",
        ),
    ],
)
def test_what_is_no_override_for_the_node_is_refused(edge: Edge, content: bytes, problem: str) -> None:
    edge.files[URL] = content
    received = order(edge, overridden(edge, edge.here.node()))
    assert received.status == 400
    assert problem in received.json["error"]


def test_an_override_that_cannot_be_had_is_asked_for_anew_after_a_while(edge: Edge) -> None:
    paths = [overridden(edge, edge.here.node()) for _ in range(2)]
    for path in paths:
        received = order(edge, path)
        assert (received.status, received.json) == (400, {"error": f"{URL} cannot be fetched: it is not there"})
    assert edge.fetched == [URL]
    put(edge, entry())
    edge.here.clock.advance(timedelta(seconds=10))
    assert order(edge, paths[0]).status == 200
    assert edge.fetched == [URL] * 2


def test_a_report_without_an_order_is_judged_by_nothing(edge: Edge) -> None:
    put(edge, entry())
    received = report(edge, overridden(edge, edge.here.node()))
    assert received.status == 400
    assert "is not there; ask for the order first, or send a new command" in received.json["error"]


def test_both_overrides_together_fail_the_operation(edge: Edge) -> None:
    path = overridden(edge, edge.here.node(), InstallOverrideList="https://mirror.example/list.yaml")
    problem = "InstallOverrideList and BaselineOverride are both given; give only one of them"
    for received in (order(edge, path), report(edge, path)):
        assert (received.status, received.json) == (400, {"error": problem})
    assert edge.fetched == []


def test_a_scan_ignores_a_list_of_what_to_install(edge: Edge) -> None:
    node_id = edge.here.node()
    path = overridden(edge, node_id, BaselineOverride="", InstallOverrideList="https://mirror.example/list.yaml")
    assert order(edge, path).status == 200
    assert missing(report(edge, path)) == ["curl.amd64:2", "openssl.amd64:2"]
    assert edge.fetched == []
    (state,) = edge.call("DescribeInstancePatchStates", {"InstanceIds": [node_id]})["InstancePatchStates"]
    assert "InstallOverrideList" not in state


def test_a_given_snapshot_id_freezes_the_baseline_when_the_order_is_given(edge: Edge) -> None:
    snapshot = "6f1d1a7e-0000-4000-8000-00000000000a"
    node_id = edge.here.node()
    path = path_of(node_id, send(edge.here, node_id, SnapshotId=snapshot))
    assert order(edge, path).status == 200
    made_at = edge.here.clock.now()
    edge.here.clock.advance(timedelta(minutes=1))
    assert order(edge, path).status == 200
    with edge.here.database.read() as work:
        key = SnapshotKey(snapshot_id=snapshot, patch_group="", operating_system=OperatingSystem.DEBIAN)
        found = work.snapshots.find(key, made_at - timedelta(days=1))
    assert found is not None
    assert (found.made_at, found.baseline.name) == (made_at, "AWS-DebianDefaultPatchBaseline")
    report(edge, path)
    (state,) = edge.call("DescribeInstancePatchStates", {"InstanceIds": [node_id]})["InstancePatchStates"]
    assert state["SnapshotId"] == snapshot


def test_a_node_that_does_not_say_what_it_is_has_an_order_but_no_override(edge: Edge) -> None:
    put(edge, entry())
    node_id = edge.here.node(ping={})
    snapshot = "6f1d1a7e-0000-4000-8000-00000000000a"
    assert order(edge, path_of(node_id, send(edge.here, node_id, SnapshotId=snapshot))).status == 200
    received = order(edge, overridden(edge, node_id))
    assert received.status == 400
    assert "runs an unknown system, which is no operating system" in received.json["error"]
