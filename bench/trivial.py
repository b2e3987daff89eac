"""An ASGI application that does nothing: how fast uvicorn and the load generator are by themselves."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

BODY: Final = b'{"WindowId":"mw-0123456789abcdef0"}'
_HEADERS: Final = [(b"content-type", b"application/x-amz-json-1.1"), (b"content-length", b"%d" % len(BODY))]


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answer every request alike; it has no start and no end to do."""
    if scope["type"] != "http":
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": BODY})
