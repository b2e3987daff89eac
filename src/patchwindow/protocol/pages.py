"""Page tokens: where a list goes on, bound to the request that asked for it."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from patchwindow.domain.errors import InvalidPageToken

Key = tuple[str | int, ...]
_DIGEST_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a list: at most *size* entries, after the one whose key is *after*."""

    size: int
    after: Key | None


def read_page(operation: str, request: Mapping[str, Any], *, default: int) -> Page:
    """Return the page that *request* asks for; *default* entries where it names no MaxResults.

    Raises:
        InvalidPageToken: NextToken was not made by `next_token` for the same operation and filters.
    """
    token = request.get("NextToken")
    size = request.get("MaxResults", default)
    return Page(size, None if not token else _read(token, _binding(operation, request)))


def next_token(operation: str, request: Mapping[str, Any], last: Key) -> str:
    """Return the token of the page that follows the entry whose key is *last*."""
    key = json.dumps(last, separators=(",", ":")).encode()
    # In letters and digits alone: services differ in what else a token may have.
    return base64.b32encode(_digest(_binding(operation, request), key) + key).decode().rstrip("=")


def _read(token: str, binding: bytes) -> Key:
    try:
        raw = base64.b32decode(token + "=" * (-len(token) % 8))
        digest, key = raw[:_DIGEST_LENGTH], raw[_DIGEST_LENGTH:]
        if digest == _digest(binding, key):
            return tuple(json.loads(key))
    except ValueError:
        pass
    raise InvalidPageToken(f"NextToken {token!r} was not given out for this request; start again without it")


def _binding(operation: str, request: Mapping[str, Any]) -> bytes:
    rest = {name: value for name, value in request.items() if name not in ("NextToken", "MaxResults")}
    return f"{operation}\n{json.dumps(rest, sort_keys=True, default=str)}".encode()


def _digest(binding: bytes, key: bytes) -> bytes:
    return hashlib.sha256(binding + b"\n" + key).digest()[:_DIGEST_LENGTH]
