"""Agents' polls: held until something waits, their time is up, their client is gone, or the server stops."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from botocore.credentials import Credentials
from tests.fakes.delivery import hand_out
from tests.fakes.edge import Connection, Edge, Sent


def polling(edge: Edge, node_id: str, session: Credentials, **members: Any) -> Sent:
    request = {
        "Destination": node_id,
        "MessagesRequestId": "poll-1",
        "VisibilityTimeoutInSeconds": 10,
        "WaitSeconds": 20,
        **members,
    }
    return edge.signed("GetMessages", request, session)


def send_command(edge: Edge, node_id: str) -> None:
    sent = edge.here.perform("SendCommand", DocumentName="AWS-Noop", InstanceIds=[node_id])
    hand_out(edge.here, sent["Command"]["CommandId"], node_id)


async def ids(connection: Connection) -> int:
    """Return how many messages the poll is answered with."""
    received = await connection.answer()
    assert received is not None
    assert received.status == 200
    return len(received.json["Messages"])


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def play() -> None:
        await scenario()

    asyncio.run(play())


def test_what_waits_is_handed_out_at_once(edge: Edge) -> None:
    node_id, _, session = edge.node()
    send_command(edge, node_id)
    received = edge.ask(polling(edge, node_id, session))
    assert received.status == 200
    assert received.headers["content-type"] == "application/x-amz-json-1.1"
    assert (received.json["Destination"], received.json["MessagesRequestId"]) == (node_id, "poll-1")
    assert len(received.json["Messages"]) == 1


def test_a_poll_waits_as_long_as_it_says_and_is_answered_with_nothing(edge: Edge) -> None:
    node_id, _, session = edge.node()

    async def scenario() -> None:
        connection = Connection(edge, polling(edge, node_id, session))
        assert await connection.is_waiting()
        edge.here.clock.advance(timedelta(seconds=19))
        edge.bell.ring(node_id)
        assert await connection.is_waiting()
        edge.here.clock.advance(timedelta(seconds=1))
        edge.bell.ring(node_id)
        assert await ids(connection) == 0

    run(scenario)


def test_a_poll_that_does_not_say_waits_fifteen_seconds(edge: Edge) -> None:
    node_id, _, session = edge.node()

    async def scenario() -> None:
        connection = Connection(edge, polling(edge, node_id, session, WaitSeconds=None))
        assert await connection.is_waiting()
        edge.here.clock.advance(timedelta(seconds=14))
        edge.bell.ring(node_id)
        assert await connection.is_waiting()
        edge.here.clock.advance(timedelta(seconds=1))
        edge.bell.ring(node_id)
        assert await ids(connection) == 0

    run(scenario)


def test_a_new_message_wakes_the_poll_of_its_node_alone(edge: Edge) -> None:
    node_id, _, session = edge.node()
    other_id, _, other_session = edge.node()

    async def scenario() -> None:
        connection = Connection(edge, polling(edge, node_id, session))
        other = Connection(edge, polling(edge, other_id, other_session))
        assert await connection.is_waiting()
        assert await other.is_waiting()
        await asyncio.to_thread(send_command, edge, node_id)
        assert await ids(connection) == 1
        assert await other.is_waiting()
        other.go_away()
        assert await other.answer() is None

    run(scenario)


def test_a_hidden_message_is_handed_out_when_it_shows_again(edge: Edge) -> None:
    node_id, _, session = edge.node()
    send_command(edge, node_id)
    assert len(edge.ask(polling(edge, node_id, session, VisibilityTimeoutInSeconds=1)).json["Messages"]) == 1

    async def scenario() -> None:
        connection = Connection(edge, polling(edge, node_id, session))
        assert await connection.is_waiting()
        # The poll itself wakes when the message shows; nobody rings.
        edge.here.clock.advance(timedelta(seconds=1))
        assert await ids(connection) == 1

    run(scenario)


def test_a_client_that_goes_away_ends_its_poll_and_takes_nothing_with_it(edge: Edge) -> None:
    node_id, _, session = edge.node()

    async def scenario() -> None:
        connection = Connection(edge, polling(edge, node_id, session))
        assert await connection.is_waiting()
        connection.go_away()
        assert await connection.answer() is None
        gone_before = Connection(edge, polling(edge, node_id, session))
        gone_before.go_away()
        await asyncio.to_thread(send_command, edge, node_id)
        assert await gone_before.answer() is None
        assert await ids(Connection(edge, polling(edge, node_id, session))) == 1

    run(scenario)


def test_a_poll_that_may_not_be_is_refused_at_once(edge: Edge) -> None:
    node_id, _, _ = edge.node()
    other_id, _, other_session = edge.node()
    received = edge.ask(polling(edge, node_id, other_session))
    assert (received.status, received.json) == (
        400,
        {
            "__type": "AccessDeniedException",
            "message": f"node {other_id} may act for itself only, not for {node_id}",
        },
    )
    assert edge.ask(polling(edge, other_id, other_session, WaitSeconds=301)).json["__type"] == "ValidationException"


def test_a_poll_ends_with_its_node(edge: Edge) -> None:
    node_id, _, session = edge.node()

    async def scenario() -> None:
        connection = Connection(edge, polling(edge, node_id, session))
        assert await connection.is_waiting()
        await asyncio.to_thread(edge.here.perform, "DeregisterManagedInstance", InstanceId=node_id)
        received = await connection.answer()
        assert received is not None
        assert (received.status, received.json["__type"]) == (400, "AccessDeniedException")
        assert received.json["message"] == f"node {node_id} is not registered any more"

    run(scenario)


def test_a_server_that_stops_answers_its_polls_and_those_still_to_come(edge: Edge) -> None:
    node_id, _, session = edge.node()

    async def scenario() -> None:
        connection = Connection(edge, polling(edge, node_id, session))
        assert await connection.is_waiting()
        await asyncio.to_thread(edge.app.stop_waiting)
        assert await ids(connection) == 0
        assert await ids(Connection(edge, polling(edge, node_id, session))) == 0

    run(scenario)
