"""Requests of the API as bytes, signed by botocore's own signer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Key:
    """An access key."""

    id: str
    secret: str


def signed(
    address: tuple[str, int], key: Key, operation: str, members: Mapping[str, Any], *, is_last: bool = False
) -> bytes:
    """Return the whole HTTP request for *operation*, *is_last* on its connection; it is good for a quarter of an hour."""
    host = "{}:{}".format(*address)
    body = json.dumps(members, separators=(",", ":")).encode()
    headers = {
        "Host": host,
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AmazonSSM.{operation}",
        "User-Agent": "patchwindow-bench",
        "Content-Length": str(len(body)),
    }
    request = AWSRequest(method="POST", url=f"http://{host}/", data=body, headers=headers)
    SigV4Auth(Credentials(key.id, key.secret), "ssm", REGION).add_auth(request)
    lines = [b"POST / HTTP/1.1", *([b"Connection: close"] if is_last else [])]
    for name, value in request.headers.items():
        text = value if isinstance(value, bytes) else value.encode()
        lines.append(name.encode() + b": " + text)
    return b"\r\n".join([*lines, b"", body])
