"""What patch operations ask below their capability URL."""

import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any, Final

import pytest
from tests.fakes.edge import PROGRAM, Edge, Received, Sent
from tests.fakes.scans import facts_of, package, report_of, send, update
from tests.fakes.site import SITE

from patchwindow.operations.capabilities import capability_url
from patchwindow.wire.capability import PACKED_MAX, UNPACKED_MAX

GZIP: Final = {"Content-Encoding": "gzip"}


def path_of(edge: Edge) -> str:
    """Send a scan to a new node and return the path of its capability."""
    node_id = edge.here.node()
    return capability_url(SITE, send(edge.here, node_id), node_id).removeprefix(SITE.public_url)


def get(edge: Edge, path: str) -> Received:
    return edge.ask(Sent(method="GET", path=path, headers={"Host": "patch.example.net"}))


def post(edge: Edge, path: str, body: bytes, headers: Mapping[str, str] = GZIP) -> Received:
    return edge.ask(Sent([body], path=f"{path}/report", headers={"Host": "patch.example.net", **headers}))


def report(edge: Edge, **more: Any) -> bytes:
    facts = facts_of([package("curl"), package("openssl")], [update("openssl")])
    return json.dumps(report_of(edge.here, facts, **more)).encode()


def test_the_program_and_the_order_are_given_to_who_has_the_address(edge: Edge) -> None:
    path = path_of(edge)
    program = get(edge, f"{path}/program")
    assert (program.status, program.headers["content-type"], program.body) == (200, "application/zip", PROGRAM)
    order = get(edge, f"{path}/order")
    assert (order.status, order.headers["content-type"]) == (200, "application/json")
    assert order.json == {
        "schema": 1,
        "operation": "Scan",
        "rebootOption": "RebootIfNeeded",
        "commandId": order.json["commandId"],
        "nodeId": order.json["nodeId"],
        "sources": [],
        "mayRemove": False,
        "part": "",
    }


def test_a_report_packed_or_plain_becomes_the_patch_state_of_the_node(edge: Edge) -> None:
    for body, headers in ((gzip.compress(report(edge)), GZIP), (report(edge), {})):
        path = path_of(edge)
        received = post(edge, path, body, headers)
        assert received.status == 200, received
        node_id = received.json["nodeId"]
        states = edge.call("DescribeInstancePatchStates", {"InstanceIds": [node_id]})["InstancePatchStates"]
        assert [(one["MissingCount"], one["Operation"]) for one in states] == [(1, "Scan")]


@pytest.mark.parametrize("token", ["x", "1.e30.x", "1..", "2.e30.proof", "%00"])
@pytest.mark.parametrize("what", ["program", "order", "report"])
def test_an_address_that_was_made_up_opens_nothing(edge: Edge, token: str, what: str) -> None:
    path = f"/operation/{token}"
    received = post(edge, path, b"{}") if what == "report" else get(edge, f"{path}/{what}")
    assert received.status == 403
    assert received.json == {
        "error": "this patch-operation was not given out by this server, or not for this use; ask for a new one"
    }


def test_an_address_is_good_while_its_command_is_open_on_the_node(edge: Edge) -> None:
    path = path_of(edge)
    order = get(edge, f"{path}/order").json
    edge.here.perform("CancelCommand", CommandId=order["commandId"], InstanceIds=[order["nodeId"]])
    problem = (
        f"command {order['commandId']} has ended on node {order['nodeId']}, or never was sent to it; send a new one"
    )
    for received in (get(edge, f"{path}/order"), post(edge, path, gzip.compress(report(edge)))):
        assert (received.status, received.json) == (403, {"error": problem})
    assert edge.call("DescribeInstancePatchStates", {"InstanceIds": [order["nodeId"]]}) == {"InstancePatchStates": []}


@pytest.mark.parametrize(
    ("body", "packed", "problem"),
    [
        (b"{}", True, "the body is no gzip-packed JSON: Not a gzipped file"),
        (gzip.compress(b"{}", mtime=0)[:-9], True, "the body is no gzip-packed JSON: Compressed file ended before "),
        (gzip.compress(b"{}", mtime=0)[:10] + b"\xff" * 20, True, "the body is no gzip-packed JSON: Error -3 while "),
        (gzip.compress(b"{", mtime=0), True, "the body is no gzip-packed JSON: Expecting property name "),
        (b"", False, "the body is no JSON: Expecting value"),
        (b'"\xff"', False, "the body is no JSON: 'utf-8' codec can't decode byte 0xff"),
        (b"[" * 100_000, False, "the body is no JSON: maximum recursion depth"),
        (gzip.compress(b"[]", mtime=0), True, "the body is a JSON list, not an object"),
        (b"{}", False, "schema: None is not known; this server reads schema 1"),
    ],
)
def test_what_is_no_report_is_refused(edge: Edge, body: bytes, packed: bool, problem: str) -> None:  # noqa: FBT001  (a parameter of cases)
    received = post(edge, path_of(edge), body, GZIP if packed else {})
    assert received.status == 400
    assert received.json["error"].startswith(problem)


def test_a_report_of_another_operation_is_refused(edge: Edge) -> None:
    received = post(edge, path_of(edge), report(edge, operation="Install"), {})
    assert (received.status, received.json) == (
        400,
        {"error": "operation: the report is of 'Install', and the command is Scan"},
    )


def test_a_report_that_is_too_large_is_refused(edge: Edge) -> None:
    path = path_of(edge)
    received = post(edge, path, b" " * (PACKED_MAX + 1))
    assert (received.status, received.json) == (413, {"error": f"the body is larger than {PACKED_MAX} bytes"})


def test_a_report_that_grows_too_large_is_not_unpacked_whole(edge: Edge) -> None:
    path = path_of(edge)
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    assert len(bomb) < PACKED_MAX
    received = post(edge, path, bomb)
    assert (received.status, received.json) == (
        413,
        {"error": f"the body is larger than {UNPACKED_MAX} bytes unpacked"},
    )
