"""Bodies of requests: in pieces, too large, cut off, and what a defect of ours looks like."""

import asyncio
import json
import logging
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.edge import JSON, Connection, Edge, Sent

from patchwindow.wire.rpc import BODY_MAX

WINDOW: Final[dict[str, Any]] = {
    "Name": "nightly",
    "Schedule": "cron(0 2 ? * SUN *)",
    "Duration": 4,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
}


def create(edge: Edge, body: bytes) -> Sent:
    return edge.signed("CreateMaintenanceWindow", body, edge.keys["operator"])


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_body_in_pieces_is_one_body(edge: Edge, size: int) -> None:
    body = json.dumps(WINDOW).encode()
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    for last in ([], [b""]):
        assert edge.ask(replace(create(edge, body), pieces=[*pieces, *last])).status == 200


@pytest.mark.parametrize("pieces", [1, 4])
def test_a_body_beyond_the_limit_is_refused_unread(edge: Edge, pieces: int) -> None:
    sent = replace(create(edge, b"{}"), pieces=[b" " * (BODY_MAX // pieces)] * pieces + [b" "])
    received = edge.ask(sent if pieces > 1 else replace(sent, pieces=[b" " * (BODY_MAX + 1)]))
    assert (received.status, received.headers["content-type"]) == (413, JSON)
    assert received.json == {
        "__type": "RequestEntityTooLargeException",
        "Message": "the request body is larger than 1048576 bytes; send less at a time",
    }
    assert received.headers["x-amzn-requestid"]


def test_a_body_of_exactly_the_limit_is_read(edge: Edge) -> None:
    body = json.dumps(WINDOW).encode()
    assert edge.ask(create(edge, body + b" " * (BODY_MAX - len(body)))).status == 200


@pytest.mark.parametrize("text", ["[" * 100_000, '{"Name":' * 100_000])
def test_a_body_nested_too_deeply_is_refused(edge: Edge, text: str) -> None:
    received = edge.ask(create(edge, text.encode()))
    assert received.status == 400
    assert received.json == {
        "__type": "SerializationException",
        "message": "the request body is nested too deeply",
    }


@pytest.mark.parametrize("body", [b'{"Name": "\xff"}', b"\x1f\x8b\x08\x00"])
def test_a_body_that_is_no_text_is_refused(edge: Edge, body: bytes) -> None:
    received = edge.ask(create(edge, body))
    assert received.status == 400
    assert received.json["__type"] == "SerializationException"
    assert received.json["message"].startswith("the request body is not JSON in UTF-8: ")


def test_a_client_that_goes_away_within_its_body_gets_nothing_and_changes_nothing(edge: Edge) -> None:
    class Broken(Connection):
        async def _receive(self) -> dict[str, Any]:
            if self._pieces:
                return {"type": "http.request", "body": self._pieces.pop(0), "more_body": True}
            return {"type": "http.disconnect"}

    async def exchange() -> None:
        assert await Broken(edge, create(edge, json.dumps(WINDOW).encode())).answer() is None

    asyncio.run(exchange())
    assert edge.call("DescribeMaintenanceWindows", {}) == {"WindowIdentities": []}


def test_a_defect_is_told_without_details_and_logged_with_them(
    edge: Edge, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = edge.call("CreateMaintenanceWindow", WINDOW)
    with sqlite3.connect(tmp_path / "patchwindow.sqlite3") as connection:
        connection.execute("UPDATE maintenance_window SET body = 'not what a record looks like'")
    connection.close()
    with caplog.at_level(logging.ERROR):
        received = edge.ask(edge.signed("GetMaintenanceWindow", made, edge.keys["viewer"]))
    request_id = received.headers["x-amzn-requestid"]
    assert received.status == 500
    assert received.json == {
        "__type": "InternalServerError",
        "Message": f"the server failed; its log has the reason under request {request_id}",
    }
    (record,) = caplog.records
    assert record.getMessage() == f"request {request_id} (AmazonSSM.GetMaintenanceWindow) failed"
    assert record.exc_info
