"""Installations below a capability URL: the order with its sources, the plan, progress, and what the report makes of it."""

import gzip
import json
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fakes.edge import Edge, Received, Sent
from tests.fakes.scans import SECURITY, facts_of, package, report_of, send, update
from tests.fakes.site import SITE

from patchwindow.operations.capabilities import capability_url

LIST: Final = "https://mirror.example/list.yaml"
BASELINES: Final = "https://mirror.example/baselines.json"
# The predefined baseline of Debian approves what its security source offers.
FACTS: Final = facts_of(
    [package("bash"), package("curl"), package("openssl")],
    [update("bash", origin=0), update("curl"), update("openssl")],
)
DONE: Final = facts_of(
    [package("bash"), package("curl", "2", origin=SECURITY), package("openssl", "2", origin=SECURITY)]
)


def path_of(edge: Edge, node_id: str, **parameters: str) -> str:
    command_id = send(edge.here, node_id, **{"Operation": "Install", **parameters})
    return capability_url(SITE, command_id, node_id).removeprefix(SITE.public_url)


def get(edge: Edge, path: str) -> Received:
    return edge.ask(Sent(method="GET", path=f"{path}/order", headers={"Host": "patch.example.net"}))


def post(edge: Edge, path: str, what: str, body: Any) -> Received:
    headers = {"Host": "patch.example.net", "Content-Encoding": "gzip"}
    return edge.ask(Sent([gzip.compress(json.dumps(body).encode())], path=f"{path}/{what}", headers=headers))


def plan(edge: Edge, path: str, facts: Any = FACTS) -> Any:
    received = post(edge, path, "plan", {"schema": 1, "facts": facts})
    assert received.status == 200, received
    return received.json


def baseline(edge: Edge, **members: Any) -> str:
    """Make a baseline that approves all of Debian's, with more *members*, the default."""
    rule = {"PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["*"]}]}, "EnableNonSecurity": True}
    made = edge.here.perform(
        "CreatePatchBaseline",
        Name="ours",
        OperatingSystem="DEBIAN",
        ApprovalRules={"PatchRules": [{**rule, "ApproveAfterDays": 0}]},
        **members,
    )
    edge.here.perform("RegisterDefaultPatchBaseline", BaselineId=made["BaselineId"])
    baseline_id: str = made["BaselineId"]
    return baseline_id


def progress_of(edge: Edge, path: str) -> Any:
    command_id = get(edge, path).json["commandId"]
    return edge.call("GetPatchProgress", {"CommandId": command_id})["Instances"]


def test_a_plan_has_what_the_baseline_approves_exactly_as_the_facts_name_it(edge: Edge) -> None:
    path = path_of(edge, edge.here.node())
    assert get(edge, path).json["operation"] == "Install"
    assert plan(edge, path) == {
        "schema": 1,
        "wanted": [
            {"title": f"{name}.amd64:2", "name": name, "arch": "amd64", "version": "2", "advisories": []}
            for name in ("curl", "openssl")
        ],
        "blocked": [],
        "failed": {},
    }


def test_by_what_an_order_was_made_is_kept(edge: Edge) -> None:
    baseline_id = baseline(edge)
    path = path_of(edge, edge.here.node())
    plan(edge, path)
    post(edge, path, "progress", {"schema": 1, "phase": "Installing"})
    assert [(one["BaselineId"], one["BaselineRevision"]) for one in progress_of(edge, path)] == [(baseline_id, 1)]


def test_what_is_rejected_with_block_is_named_to_the_node_and_never_wanted(edge: Edge) -> None:
    baseline(edge, RejectedPatches=["openssl", "libnew"], RejectedPatchesAction="BLOCK")
    path = path_of(edge, edge.here.node())
    told = plan(edge, path)
    assert [patch["name"] for patch in told["wanted"]] == ["bash", "curl"]
    assert told["blocked"] == [{"name": name, "arch": "", "version": ""} for name in ("libnew", "openssl")]


def test_a_list_takes_the_place_of_the_baseline_and_is_fetched_once(edge: Edge) -> None:
    edge.files[LIST] = b"patches: [{id: 'bash.*'}, {id: 'nothing.amd64'}]"
    path = path_of(edge, edge.here.node(), InstallOverrideList=LIST)
    assert get(edge, path).status == 200
    edge.files[LIST] = b"patches: [{id: 'curl.amd64'}]"
    assert get(edge, path).status == 200
    assert [patch["name"] for patch in plan(edge, path)["wanted"]] == ["bash"]


def test_a_list_does_not_bring_in_what_is_blocked(edge: Edge) -> None:
    baseline(edge, RejectedPatches=["curl"], RejectedPatchesAction="BLOCK")
    edge.files[LIST] = b"patches: [{id: '*'}]"
    path = path_of(edge, edge.here.node(), InstallOverrideList=LIST)
    get(edge, path)
    told = plan(edge, path)
    assert [patch["name"] for patch in told["wanted"]] == ["bash", "openssl"]
    assert told["failed"] == {
        "curl.amd64:2": "the install override list names it, but it is blocked: RejectedPatches names it with curl"
    }


def test_a_list_that_cannot_be_fetched_fails_the_operation_before_it_begins(edge: Edge) -> None:
    path = path_of(edge, edge.here.node(), InstallOverrideList=LIST)
    assert get(edge, path).status == 400
    assert post(edge, path, "plan", {"schema": 1, "facts": FACTS}).json == {
        "error": "the install override list has not been fetched; ask for the order first"
    }


def test_a_scan_ignores_the_list(edge: Edge) -> None:
    assert get(edge, path_of(edge, edge.here.node(), Operation="Scan", InstallOverrideList=LIST)).status == 200


def test_a_baseline_override_decides_what_is_installed(edge: Edge) -> None:
    rule = {"PatchFilterGroup": {"PatchFilters": [{"Key": "SECTION", "Values": ["games"]}]}}
    entry = {"Name": "Override", "OperatingSystem": "DEBIAN", "ApprovalRules": {"PatchRules": [rule]}}
    edge.files[BASELINES] = json.dumps([{**entry, "ApprovedPatches": ["curl"]}]).encode()
    path = path_of(edge, edge.here.node(), BaselineOverride=BASELINES)
    assert get(edge, path).status == 200
    assert [patch["name"] for patch in plan(edge, path)["wanted"]] == ["curl"]


def test_a_scan_and_an_installation_by_one_snapshot_go_by_one_list(edge: Edge) -> None:
    snapshot, node = "6f1d1a7e-0000-4000-8000-000000000001", edge.here.node()
    assert get(edge, path_of(edge, node, Operation="Scan", SnapshotId=snapshot)).status == 200
    baseline(edge, ApprovedPatchesComplianceLevel="LOW")
    edge.here.clock.advance(timedelta(days=1))
    path = path_of(edge, node, SnapshotId=snapshot)
    get(edge, path)
    assert [patch["name"] for patch in plan(edge, path)["wanted"]] == ["curl", "openssl"]


@pytest.mark.parametrize(("products", "is_here"), [(["Debian12"], True), (["*"], True), (["Debian11"], False)])
@pytest.mark.parametrize("operation", ["Scan", "Install"])
def test_the_sources_of_the_baseline_for_the_product_are_in_the_order(
    edge: Edge,
    operation: str,
    products: list[str],
    is_here: bool,  # noqa: FBT001  (a parameter of cases)
) -> None:
    source = {"Name": "ours", "Products": products, "Configuration": "deb http://mirror.example.net bookworm main"}
    baseline(edge, Sources=[source])
    path = path_of(edge, edge.here.node(), Operation=operation)
    named = {"name": "ours", "configuration": source["Configuration"]}
    assert get(edge, path).json["sources"] == ([named] if is_here else [])


def test_progress_is_the_last_word_of_the_node(edge: Edge) -> None:
    path = path_of(edge, node := edge.here.node())
    for done in (1, 2):
        told = {"schema": 1, "phase": "Installing", "done": done, "total": 3, "what": "openssl\n"}
        assert post(edge, path, "progress", told).json == {}
    (one,) = progress_of(edge, path)
    told_at = one.pop("ToldTime")
    assert told_at == edge.here.clock.now().timestamp()
    assert one == {"InstanceId": node, "Phase": "Installing", "Done": 2, "Total": 3, "What": "openssl"}
    post(edge, path, "report", report_of(edge.here, DONE, operation="Install"))
    assert [(one["Phase"], one["Done"]) for one in progress_of(edge, path)] == [("Reported", 0)]


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({}, "schema: None is not known"),
        ({"schema": 1, "phase": "Resting"}, "phase: 'Resting' is none; use one of Repairing, "),
        ({"schema": 1, "phase": "Installing", "done": -1}, "done: -1 is no whole number from 0 to 1000000"),
        ({"schema": 1, "phase": "Installing", "total": True}, "total: True is no whole number"),
        ({"schema": 1, "phase": "Installing", "what": 1}, "what: 1 is no text"),
    ],
)
def test_what_is_no_progress_is_refused(edge: Edge, told: Any, problem: str) -> None:
    received = post(edge, path_of(edge, edge.here.node()), "progress", told)
    assert received.status == 400
    assert received.json["error"].startswith(problem)


def test_a_command_that_has_ended_gets_no_plan_and_takes_no_progress(edge: Edge) -> None:
    path = path_of(edge, node := edge.here.node())
    edge.here.perform("CancelCommand", CommandId=get(edge, path).json["commandId"], InstanceIds=[node])
    for what, body in (("plan", {"schema": 1, "facts": FACTS}), ("progress", {"schema": 1, "phase": "Installing"})):
        assert post(edge, path, what, body).status == 403


def test_a_scan_gets_no_plan(edge: Edge) -> None:
    received = post(edge, path_of(edge, edge.here.node(), Operation="Scan"), "plan", {"schema": 1, "facts": FACTS})
    assert (received.status, "is to Scan, for which there is no plan" in received.json["error"]) == (400, True)


def test_the_state_after_an_installation_has_what_failed_what_waits_and_when(edge: Edge) -> None:
    edge.files[LIST] = b"patches: [{id: '*'}]"
    path = path_of(edge, node := edge.here.node(), InstallOverrideList=LIST, RebootOption="NoReboot")
    get(edge, path)
    facts = facts_of([package("bash"), package("curl", "2", origin=SECURITY), package("openssl")], [update("openssl")])
    more = {
        "operation": "Install",
        "failed": {"openssl.amd64:2": "its script failed"},
        "pendingReboot": ["curl.amd64:2"],
    }
    told = report_of(edge.here, facts, **more)
    assert post(edge, path, "report", told).status == 200
    (state,) = edge.call("DescribeInstancePatchStates", {"InstanceIds": [node]})["InstancePatchStates"]
    assert state["LastNoRebootInstallOperationTime"] == told["endedAt"]
    assert (state["InstallOverrideList"], state["RebootOption"], state["Operation"]) == (LIST, "NoReboot", "Install")
    assert (state["FailedCount"], state["InstalledPendingRebootCount"], state["MissingCount"]) == (1, 1, 0)
    patches = edge.call("DescribeInstancePatches", {"InstanceId": node})["Patches"]
    assert {one["Title"]: one["State"] for one in patches} == {
        "bash.amd64:1": "InstalledOther",
        "curl.amd64:2": "InstalledPendingReboot",
        "openssl.amd64:1": "InstalledOther",
        "openssl.amd64:2": "Failed",
    }


def test_after_an_installation_nothing_approved_is_left(edge: Edge) -> None:
    path = path_of(edge, edge.here.node())
    verdict = post(edge, path, "report", report_of(edge.here, DONE, operation="Install")).json
    assert (verdict["status"], verdict["counts"]["Missing"]) == ("COMPLIANT", 0)
    assert plan(edge, path, DONE)["wanted"] == []


def with_hooks(edge: Edge, node: str, **parameters: str) -> str:
    given = {name: [value] for name, value in {"Operation": "Install", **parameters}.items()}
    document = "AWS-RunPatchBaselineWithHooks"
    answer = edge.here.perform("SendCommand", DocumentName=document, InstanceIds=[node], Parameters=given)
    return capability_url(SITE, answer["Command"]["CommandId"], node).removeprefix(SITE.public_url)


def part(edge: Edge, path: str, part: str, what: str = "order", body: Any = None) -> Any:
    """Ask in one part of a command with hooks, and return the answer."""
    headers = {"Host": "patch.example.net", "Content-Encoding": "gzip"}
    given = [b""] if body is None else [gzip.compress(json.dumps(body).encode())]
    method = "GET" if body is None else "POST"
    return edge.ask(Sent(given, method=method, path=f"{path}/{what}", query=f"part={part}", headers=headers)).json


@pytest.mark.parametrize(("option", "last"), [("RebootIfNeeded", "Install"), ("NoReboot", "Nothing")])
def test_the_parts_of_a_command_with_hooks_have_orders_of_their_own(edge: Edge, option: str, last: str) -> None:
    path = with_hooks(edge, edge.here.node(), RebootOption=option)
    orders = [part(edge, path, name) for name in ("scan", "install", "reboot")]
    assert [(order["part"], order["operation"], order["rebootOption"]) for order in orders] == [
        ("scan", "Scan", option),
        ("install", "Install", "NoReboot"),
        ("reboot", last, option),
    ]
    assert part(edge, path, "")["error"].startswith("part: '' is none of AWS-RunPatchBaselineWithHooks")


def test_the_scan_of_a_command_with_hooks_says_whether_anything_follows(edge: Edge) -> None:
    path = with_hooks(edge, edge.here.node())
    told = part(edge, path, "scan", "report", report_of(edge.here, FACTS))
    assert (told["counts"]["Missing"], told["isOver"]) == (2, False)
    assert len(part(edge, path, "install", "plan", {"schema": 1, "facts": FACTS})["wanted"]) == 2
    assert "isOver" not in part(edge, path, "install", "report", report_of(edge.here, DONE, operation="Install"))
    assert part(edge, path, "scan", "report", report_of(edge.here, DONE))["isOver"] is True


def test_an_installation_for_an_association_changes_its_compliance_alone(edge: Edge) -> None:
    node = edge.here.node()
    made = edge.here.perform(
        "CreateAssociation",
        Name="AWS-RunPatchBaselineAssociation",
        Targets=[{"Key": "InstanceIds", "Values": [node]}],
        Parameters={"Operation": ["Install"], "InstallOverrideList": [LIST]},
    )["AssociationDescription"]["AssociationId"]
    edge.files[LIST] = b"patches: [{id: 'bash.*'}]"
    given = {"Operation": ["Install"], "AssociationId": [made], "InstallOverrideList": [LIST]}
    document = "AWS-RunPatchBaselineAssociation"
    sent = edge.here.perform("SendCommand", DocumentName=document, InstanceIds=[node], Parameters=given)
    path = capability_url(SITE, sent["Command"]["CommandId"], node).removeprefix(SITE.public_url)
    get(edge, path)
    assert [patch["name"] for patch in plan(edge, path)["wanted"]] == ["bash"]
    assert post(edge, path, "report", report_of(edge.here, DONE, operation="Install")).json["status"] == "COMPLIANT"
    assert edge.call("DescribeInstancePatchStates", {"InstanceIds": [node]})["InstancePatchStates"] == []
    items = edge.call("ListComplianceItems", {"ResourceIds": [node], "ResourceTypes": ["ManagedInstance"]})
    assert [(one["ComplianceType"], one["Status"]) for one in items["ComplianceItems"]] == [
        ("Association", "COMPLIANT")
    ]
