"""Reading requests and sending answers over ASGI; nothing about what they say."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = b"application/x-amz-json-1.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    body: bytes
    request_id: str
    content_type: bytes = JSON
    error_type: str | None = None
    """The name of a refusal, where clients look for it in a header."""


class TooLarge(Exception):
    """The body is larger than is read."""


class Disconnected(Exception):
    """The client went away before its request was complete."""


async def read_body(receive: Receive, *, bytes_max: int) -> bytes:
    """Return the request's body, chunked or not.

    Raises:
        TooLarge: it has more than *bytes_max* bytes; the rest is not read.
        Disconnected: the client went away.
    """
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        # Nearly every request comes in one piece.
        body: bytes = message.get("body", b"")
        if len(body) > bytes_max:
            raise TooLarge
        return body
    pieces: list[bytes] = []
    size = 0
    while True:
        if message["type"] != "http.request":
            raise Disconnected
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > bytes_max:
            raise TooLarge
        if not message.get("more_body"):
            return b"".join(pieces)
        message = await receive()


async def send_answer(send: Send, answer: Answer) -> None:
    """Send *answer* whole."""
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        (b"x-amzn-requestid", answer.request_id.encode()),
    ]
    if answer.error_type is not None:
        headers.append((b"x-amzn-errortype", answer.error_type.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
