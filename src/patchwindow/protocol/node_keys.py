"""The keys that nodes register: a public RSA key, as the amazon-ssm-agent has it, or a secret, as ours.

A request that a node signs with its private key is Signature Version 4 with another end: the string to sign is not hashed
with a secret, but signed with RSASSA-PSS (SHA-256, MGF1 with SHA-256, 32 bytes of salt), in base64.
Source: agent-protocol reference, sections 4 and 5.2.
"""

import base64
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from patchwindow.domain.errors import BadSignature, InvalidParameters
from patchwindow.domain.node import KeyType, Node
from patchwindow.protocol.sigv4 import Authorization, SignedRequest, check_claims, string_to_sign, verify

SKEW_MAX: Final = timedelta(minutes=5)
"""What a request by which a node gets its credentials may be old, or early: less than others, as it is worth more."""

_RSA_BITS_MIN: Final = 2048
_RSA_BITS_MAX: Final = 8192
"""Larger keys protect nothing more and take the server long."""
_HMAC_BYTES_MIN: Final = 32
_PADDING: Final = PSS(mgf=MGF1(SHA256()), salt_length=32)


def check_key(text: str, key_type: KeyType) -> None:
    """Check that *text* is a key of this type that is good for anything.

    Raises:
        InvalidParameters: it is not.
    """
    match key_type:
        case KeyType.RSA:
            _read_rsa(text)
        case KeyType.HMAC:
            _check_secret(text)


def verify_node(request: SignedRequest, authorization: Authorization, node: Node, *, now: datetime) -> None:
    """Check that *request* was signed with the key of *node*, enough of it, and within 5 minutes of *now*.

    Raises:
        BadSignature: the signature is not one of this key, or does not cover what it must.
        StaleSignature: it was made too long ago, or by a clock that is wrong.
    """
    if node.public_key_type == KeyType.HMAC:
        verify(request, authorization, secret=node.public_key, now=now, skew_max=SKEW_MAX)
        return
    check_claims(request, authorization, now=now, skew_max=SKEW_MAX)
    try:
        signature = base64.b64decode(authorization.signature, validate=True)
        signed = string_to_sign(request, authorization).encode()
        _read_rsa(node.public_key).verify(signature, signed, _PADDING, SHA256())
    except (ValueError, InvalidSignature):
        raise BadSignature(
            f"the request is not signed with the private key whose public one {node.instance_id} registered; "
            "register the machine anew if its key is lost"
        ) from None


def _read_rsa(text: str) -> RSAPublicKey:
    """Return the key in *text*, base64 of a DER SubjectPublicKeyInfo."""
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey):
        raise InvalidParameters(f"the public key is not the base64 of a DER public key, as {KeyType.RSA} needs")
    if not _RSA_BITS_MIN <= key.key_size <= _RSA_BITS_MAX:
        raise InvalidParameters(
            f"the public key has {key.key_size} bits; use one of {_RSA_BITS_MIN} to {_RSA_BITS_MAX} bits"
        )
    return key


def _check_secret(text: str) -> None:
    try:
        length = len(base64.b64decode(text, validate=True))
    except ValueError:
        length = 0
    if length < _HMAC_BYTES_MIN:
        raise InvalidParameters(
            f"the public key is not the base64 of {_HMAC_BYTES_MIN} bytes or more, as {KeyType.HMAC} needs"
        )
