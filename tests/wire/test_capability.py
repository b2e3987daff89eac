"""What patch operations ask below their capability URL."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fakes.edge import PROGRAM, Edge, Received, Sent
from tests.fakes.scans import facts_of, package, report_of, send, update
from tests.fakes.site import SITE, as_node

from patchwindow.documents.patch_script import script_digest
from patchwindow.operations.capabilities import capability_url
from patchwindow.operations.sending import dispatch
from patchwindow.protocol.messages import message_id
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


def planned(edge: Edge, path: str) -> Received:
    body = json.dumps({"schema": 1, "facts": facts_of([package("openssl")], [update("openssl")])}).encode()
    return edge.ask(Sent([body], path=f"{path}/plan", headers={"Host": "patch.example.net"}))


def report(edge: Edge, **more: Any) -> bytes:
    facts = facts_of([package("curl"), package("openssl")], [update("openssl")])
    return json.dumps(report_of(edge.here, facts, **more)).encode()


def test_the_program_and_the_order_are_given_to_who_has_the_address(edge: Edge) -> None:
    path = path_of(edge)
    program = get(edge, f"{path}/program")
    assert (program.status, program.headers["content-type"], program.body) == (200, "application/zip", PROGRAM)
    script = get(edge, f"{path}/script")
    assert (script.status, script.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert hashlib.sha256(script.body).hexdigest() == script_digest()
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
        "over": "",
        "secondsLeft": order.json["secondsLeft"],
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
@pytest.mark.parametrize("what", ["program", "script", "order", "report"])
def test_an_address_that_was_made_up_opens_nothing(edge: Edge, token: str, what: str) -> None:
    path = f"/operation/{token}"
    received = post(edge, path, b"{}") if what == "report" else get(edge, f"{path}/{what}")
    assert received.status == 403
    assert received.json == {
        "error": "this patch-operation was not given out by this server, or not for this use; ask for a new one"
    }


def test_the_order_of_a_command_that_was_never_sent_to_the_node_is_refused(edge: Edge) -> None:
    path = path_of(edge)
    order = get(edge, f"{path}/order").json
    edge.here.perform("CancelCommand", CommandId=order["commandId"], InstanceIds=[order["nodeId"]])
    problem = (
        f"command {order['commandId']} has ended on node {order['nodeId']}, or never was sent to it; send a new one"
    )
    for received in (get(edge, f"{path}/order"), post(edge, path, gzip.compress(report(edge)))):
        assert (received.status, received.json) == (403, {"error": problem})
    assert edge.call("DescribeInstancePatchStates", {"InstanceIds": [order["nodeId"]]}) == {"InstancePatchStates": []}


class TestOver:
    """What a node is told, and what is taken of it, once its command is to change nothing more."""

    @pytest.fixture
    def taken(self, edge: Edge) -> tuple[str, str, str]:
        """Return an installation that a node has taken: the path of its capability, the command, the node."""
        node_id = edge.here.node()
        command_id = send(edge.here, node_id, Operation="Install")
        with edge.here.call("dispatch") as call:
            command = call.work.commands.get(command_id)
            assert command is not None
            dispatch(call.work, command, call.work.invocations.unsent(command_id, 1), call.now)
        edge.here.perform("AcknowledgeMessage", as_node(node_id), MessageId=message_id(command_id, node_id))
        return capability_url(SITE, command_id, node_id).removeprefix(SITE.public_url), command_id, node_id

    def test_a_command_that_is_being_cancelled_gets_no_plan(self, edge: Edge, taken: tuple[str, str, str]) -> None:
        path, command_id, node_id = taken
        assert (planned(edge, path).status, get(edge, f"{path}/order").json["over"]) == (200, "")
        edge.here.perform("CancelCommand", CommandId=command_id, InstanceIds=[node_id])
        received = planned(edge, path)
        over = f"command {command_id} is cancelled"
        assert (received.status, received.json["error"]) == (
            410,
            f"{over}; nothing more may be installed by it, so report what is there",
        )
        order = get(edge, f"{path}/order").json
        assert (order["over"], order["secondsLeft"]) == (over, 0)

    def test_a_command_that_has_expired_gets_no_plan_though_no_engine_has_ended_it(
        self, edge: Edge, taken: tuple[str, str, str]
    ) -> None:
        path, _, _ = taken
        left_s = get(edge, f"{path}/order").json["secondsLeft"]
        edge.here.clock.advance(timedelta(seconds=left_s - 1))
        assert planned(edge, path).status == 200
        edge.here.clock.advance(timedelta(seconds=1))
        assert planned(edge, path).status == 410

    def test_a_late_report_is_taken_for_48_hours_and_leaves_the_invocation_as_it_ended(
        self, edge: Edge, taken: tuple[str, str, str]
    ) -> None:
        path, command_id, node_id = taken
        said = json.dumps({"documentStatus": "TimedOut", "documentTraceOutput": "", "runtimeStatus": None})
        edge.here.perform(
            "SendReply", as_node(node_id), MessageId=message_id(command_id, node_id), ReplyId="1", Payload=said
        )
        edge.here.clock.advance(timedelta(hours=47))
        late = post(edge, path, report(edge, operation="Install"), {})
        assert late.status == 200, late
        (found,) = edge.call("DescribeInstancePatchStates", {"InstanceIds": [node_id]})["InstancePatchStates"]
        assert (found["Operation"], found["MissingCount"]) == ("Install", 1)
        asked = {"CommandId": command_id, "InstanceId": node_id}
        assert edge.call("GetCommandInvocation", asked)["StatusDetails"] == "ExecutionTimedOut"
        edge.here.clock.advance(timedelta(hours=1))
        for received in (get(edge, f"{path}/order"), post(edge, path, report(edge, operation="Install"), {})):
            assert received.status == 403


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
