"""The plain pages beside the API, and what starts and stops with the application."""

import asyncio
from typing import Any

import pytest
from tests.fakes.edge import PROGRAM, Edge, Sent


@pytest.mark.parametrize(
    ("asked", "status", "content_type", "body"),
    [
        ("GET /healthz", 200, "text/plain; charset=utf-8", b"ok\n"),
        (
            "GET /",
            200,
            "text/plain; charset=utf-8",
            b"patchwindow: the API is at POST /, for AWS SDKs with this endpoint URL\n",
        ),
        ("GET /agent/agent.pyz", 200, "application/zip", PROGRAM),
        (
            "POST /v1/control-channel/mi-0123456789abcdef0",
            400,
            "application/xml",
            b"<AccessDeniedException><Message>no control channel here</Message></AccessDeniedException>",
        ),
        (
            "GET /v1/control-channel/mi-0123456789abcdef0?role=subscribe&stream=input",
            400,
            "application/xml",
            b"<AccessDeniedException><Message>no control channel here</Message></AccessDeniedException>",
        ),
        (
            "POST /v1/data-channel/0123456789abcdef0",
            400,
            "application/xml",
            b"<AccessDeniedException><Message>no control channel here</Message></AccessDeniedException>",
        ),
        ("PUT /bucket/prefix/stdout", 404, "text/plain; charset=utf-8", b"Not Found"),
        ("PUT /", 405, "text/plain; charset=utf-8", b"Method Not Allowed"),
        ("POST /healthz", 405, "text/plain; charset=utf-8", b"Method Not Allowed"),
        ("POST /x", 404, "text/plain; charset=utf-8", b"Not Found"),
        ("GET /operation/x", 404, "text/plain; charset=utf-8", b"Not Found"),
    ],
)
def test_a_page_is_answered_without_a_signature(
    edge: Edge, asked: str, status: int, content_type: str, body: bytes
) -> None:
    method, address = asked.split()
    path, _, query = address.partition("?")
    received = edge.ask(Sent(method=method, path=path, query=query, headers={"Host": "patch.example.net"}))
    assert (received.status, received.headers["content-type"], received.body) == (status, content_type, body)


def test_what_works_in_the_background_starts_and_stops_with_the_application(edge: Edge) -> None:
    async def live() -> list[str]:
        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        outbox: asyncio.Queue[Any] = asyncio.Queue()
        life = asyncio.ensure_future(edge.app({"type": "lifespan", "asgi": {}, "state": {}}, inbox.get, outbox.put))
        seen = []
        for step in ("startup", "shutdown"):
            await inbox.put({"type": f"lifespan.{step}"})
            seen.append((await asyncio.wait_for(outbox.get(), 5))["type"])
            await asyncio.sleep(0)
            assert edge.is_background_running is (step == "startup")
        await life
        return seen

    assert asyncio.run(live()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
