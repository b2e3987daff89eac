"""Signatures of requests: Signature Version 4, as far as an agent needs it. Values in, values out."""

import hashlib
import hmac
import time
from typing import Mapping, NamedTuple, Optional
from urllib.parse import quote

_LABEL = "AWS4-HMAC-SHA256"


class Key(NamedTuple):
    """What signs: an access key, with a session token where it is a temporary one."""

    id: str
    secret: str
    session_token: Optional[str] = None


class Scope(NamedTuple):
    """What a signature is good for."""

    region: str
    service: str


def signed(headers: Mapping[str, str], body: bytes, *, path: str, key: Key, scope: Scope, at: float) -> dict[str, str]:
    """Return *headers* with the signature of a POST of *body* to *path*, made at *at* (seconds since 1970).

    Every given header is signed, so *headers* holds `Host`, `Content-Type` and `X-Amz-Target` and nothing that a
    proxy may change.
    """
    amz_date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    to_sign = {**headers, "X-Amz-Date": amz_date}
    if key.session_token is not None:
        to_sign["X-Amz-Security-Token"] = key.session_token
    lines = sorted((name.lower(), " ".join(value.split())) for name, value in to_sign.items())
    names = ";".join(name for name, _ in lines)
    canonical = "\n".join(
        [
            "POST",
            quote(path, safe="/-_.~"),
            "",
            *(f"{name}:{value}" for name, value in lines),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    day = amz_date[:8]
    scope_text = f"{day}/{scope.region}/{scope.service}/aws4_request"
    string_to_sign = "\n".join([_LABEL, amz_date, scope_text, hashlib.sha256(canonical.encode()).hexdigest()])
    signing_key = ("AWS4" + key.secret).encode()
    for part in (day, scope.region, scope.service, "aws4_request"):
        signing_key = hmac.digest(signing_key, part.encode(), "sha256")
    signature = hmac.digest(signing_key, string_to_sign.encode(), "sha256").hex()
    to_sign["Authorization"] = (
        f"{_LABEL} Credential={key.id}/{scope_text}, SignedHeaders={names}, Signature={signature}"
    )
    return to_sign
