"""Texts that only this server can make: session tokens and capability URLs that carry their own claims.

A seal is `1.<claims>.<proof>`, both parts in URL-safe base64: the claims are JSON that anybody can read, the proof is their
HMAC-SHA256. It is bound to a purpose, so that what opens one door opens no other.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final

from patchwindow.domain.errors import BadSignature

Claims = Mapping[str, str | int]

_VERSION: Final = "1"
_encode: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def seal(key: bytes, purpose: str, claims: Claims) -> str:
    """Return *claims* as a text that `unseal` reads for the same *key* and *purpose*."""
    payload = _text(_encode(claims).encode())
    return f"{_VERSION}.{payload}.{_proof(key, purpose, payload)}"


def unseal(key: bytes, purpose: str, token: str) -> dict[str, str | int]:
    """Return the claims that were sealed in *token*.

    Raises:
        BadSignature: *token* was not made by `seal` with this *key* and for this *purpose*.
    """
    version, _, rest = token.partition(".")
    payload, _, proof = rest.partition(".")
    # As bytes: a lone surrogate, which JSON can spell, is no reason to fail but one to refuse.
    given = proof.encode("utf-8", "surrogatepass")
    if version == _VERSION and hmac.compare_digest(_proof(key, purpose, payload).encode(), given):
        claims: dict[str, str | int] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims
    raise BadSignature(f"this {purpose} was not given out by this server, or not for this use; ask for a new one")


def _proof(key: bytes, purpose: str, payload: str) -> str:
    # Neither part can be shifted into the other: a payload has no line end.
    sealed = f"patchwindow seal {_VERSION}\n{purpose}\n{payload}"
    return _text(hmac.digest(key, sealed.encode("utf-8", "surrogatepass"), hashlib.sha256))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
