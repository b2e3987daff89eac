"""Requests that are written together: each has its own answer, and nobody waits for one who may not write."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.edge import Connection, Edge, Received, Sent

WINDOW: Final[dict[str, Any]] = {
    "Name": "nightly",
    "Schedule": "cron(0 2 ? * SUN *)",
    "Duration": 4,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
}

# What the trigger of a window inserts names a row that is not there, which is found at the commit, and only then.
NO_COMMIT: Final = """
CREATE TABLE needed (id INTEGER PRIMARY KEY);
CREATE TABLE needing (id INTEGER REFERENCES needed DEFERRABLE INITIALLY DEFERRED);
CREATE TRIGGER no_commit AFTER INSERT ON maintenance_window WHEN NEW.body LIKE '%cursed%'
BEGIN INSERT INTO needing VALUES (1); END;
"""
NO_INSERT: Final = """
CREATE TRIGGER no_insert BEFORE INSERT ON maintenance_window WHEN NEW.body LIKE '%cursed%'
BEGIN SELECT RAISE(ABORT, 'cursed'); END;
"""


def create(edge: Edge, name: str, key: str = "operator", **more: Any) -> Sent:
    return edge.signed("CreateMaintenanceWindow", {**WINDOW, "Name": name, **more}, edge.keys[key])


def all_at_once(edge: Edge, sent: Sequence[Sent]) -> list[Received]:
    """Return the answers to requests that all come while somebody writes."""

    async def scenario() -> list[Received]:
        with edge.here.database.write():
            connections = [Connection(edge, one) for one in sent]
            await asyncio.gather(*(connection.is_waiting() for connection in connections))
        return [received for connection in connections if (received := await connection.answer()) is not None]

    return asyncio.run(scenario())


def names(edge: Edge) -> set[str]:
    """Return what the windows are called."""
    return {each["Name"] for each in edge.call("DescribeMaintenanceWindows", {})["WindowIdentities"]}


def change(tmp_path: Path, script: str) -> None:
    """Run a script on the edge's database, from outside."""
    with closing(sqlite3.connect(tmp_path / "patchwindow.sqlite3")) as connection:
        connection.executescript(script)


def kinds(received: Sequence[Received]) -> list[str | None]:
    """Return the name of each refusal, None where there is none."""
    return [one.json.get("__type") for one in received]


def test_each_of_many_has_the_answer_to_its_own_request(edge: Edge) -> None:
    window = edge.call("CreateMaintenanceWindow", {**WINDOW, "Name": "first"})
    received = all_at_once(
        edge,
        [
            create(edge, "one"),
            create(edge, "two"),
            create(edge, "viewed", "viewer"),
            create(edge, "forged", "wrong"),
            create(edge, "invalid", Duration=99),
            create(edge, "refused", Tags=[{"Key": "aws:a", "Value": "b"}]),
            edge.signed("DeleteMaintenanceWindow", window, edge.keys["operator"]),
            edge.signed("UpdateMaintenanceWindow", {**window, "Name": "gone"}, edge.keys["operator"]),
            create(edge, "three"),
        ],
    )
    assert kinds(received) == [
        None,
        None,
        "AccessDeniedException",
        "InvalidSignatureException",
        "ValidationException",
        "ValidationException",
        None,
        "DoesNotExistException",
        None,
    ]
    assert received[6].json == window
    assert len({one.headers["x-amzn-requestid"] for one in received}) == len(received)
    assert names(edge) == {"one", "two", "three"}


def test_a_client_token_that_comes_twice_at_once_makes_one_thing(edge: Edge) -> None:
    token = {"ClientToken": "0123456789"}
    sent = [create(edge, "before"), *(create(edge, "once", **token) for _ in range(3)), create(edge, "other", **token)]
    received = all_at_once(edge, sent)
    assert kinds(received) == [None, None, None, None, "IdempotentParameterMismatch"]
    assert len({one.body for one in received[1:4]}) == 1
    assert names(edge) == {"before", "once"}


@pytest.mark.parametrize("key", ["unknown", "wrong", "disabled", "viewer"])
def test_who_may_not_write_is_refused_while_another_writes(edge: Edge, key: str) -> None:
    async def scenario() -> Received | None:
        with edge.here.database.write():
            return await Connection(edge, create(edge, "forged", key)).answer()

    received = asyncio.run(scenario())
    assert received is not None
    assert received.status == 400


def test_a_key_that_is_disabled_while_its_request_waits_is_refused(edge: Edge) -> None:
    async def scenario() -> list[Mapping[str, Any]]:
        with edge.here.database.write() as work:
            # The first one is looked at already and waits for the writer; the second is not.
            early = Connection(edge, create(edge, "early"))
            late = Connection(edge, create(edge, "late"))
            assert await early.is_waiting()
            assert await late.is_waiting()
            work.access_keys.enable(edge.keys["operator"].access_key, to=False)
        answers = [await connection.answer() for connection in (early, late)]
        return [received.json for received in answers if received is not None]

    early, late = asyncio.run(scenario())
    assert early.keys() == {"WindowId"}
    assert late["__type"] == "UnrecognizedClientException"
    assert names(edge) == {"early"}


def test_a_defect_is_told_to_the_one_request_that_has_it(
    edge: Edge, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    change(tmp_path, NO_INSERT)
    received = all_at_once(edge, [create(edge, name) for name in ("one", "two", "cursed", "three")])
    assert kinds(received) == [None, None, "InternalServerError", None]
    assert names(edge) == {"one", "two", "three"}
    (record,) = caplog.records
    assert received[2].headers["x-amzn-requestid"] in record.getMessage()
    assert record.exc_info


def test_a_commit_that_fails_is_told_to_all_whom_it_concerns(
    edge: Edge, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    change(tmp_path, NO_COMMIT)
    received = all_at_once(edge, [create(edge, name) for name in ("alone", "two", "cursed", "three")])
    assert [one.status for one in received] == [200, 500, 500, 500]
    assert names(edge) == {"alone"}
    assert len(caplog.records) == 3
    for one, record in zip(received[1:], caplog.records, strict=True):
        assert one.headers["x-amzn-requestid"] in record.getMessage()
    assert edge.ask(create(edge, "after")).status == 200
    assert json.loads(edge.ask(create(edge, "cursed")).body)["__type"] == "InternalServerError"
