"""Keys of nodes, with a recorded amazon-ssm-agent as the oracle."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from patchwindow.domain.errors import BadSignature, InvalidParameters, StaleSignature
from patchwindow.domain.node import KeyType, Node
from patchwindow.protocol.node_keys import SKEW_MAX, check_key, verify_node
from patchwindow.protocol.sigv4 import SignedRequest, read_authorization

RECORDED: Final = [
    one
    for line in Path(__file__).with_name("recorded").joinpath("requests.jsonl").read_text().splitlines()
    if (one := json.loads(line))["signed_by"] == "rsa"
]


def arrived(recorded: Mapping[str, Any], *, body: str | None = None) -> SignedRequest:
    headers = [(name.lower().encode(), value.encode()) for name, value in recorded["headers"].items()]
    return SignedRequest("POST", b"/", b"", headers, (body or recorded["body"]).encode())


def node(public_key: str, *, key_type: KeyType = KeyType.RSA) -> Node:
    then = datetime(2026, 11, 23, tzinfo=UTC)
    return Node(
        instance_id="mi-0123456789abcdef0",
        activation_id="",
        iam_role="",
        registration_date=then,
        last_ping_date_time=then,
        public_key=public_key,
        public_key_type=key_type,
    )


def check(request: SignedRequest, public_key: str, *, later: timedelta = timedelta()) -> None:
    claims = read_authorization(request)
    verify_node(request, claims, node(public_key), now=claims.signed_at + later)


def text_of(key: PublicKeyTypes) -> str:
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: one["from"])
def test_what_an_agent_signed_with_its_private_key_is_verified(recorded: Mapping[str, Any]) -> None:
    check(arrived(recorded), recorded["public_key"])


def test_a_changed_body_another_key_and_a_torn_signature_are_refused() -> None:
    recorded = RECORDED[0]
    other = next(one["public_key"] for one in RECORDED if one["public_key"] != recorded["public_key"])
    with pytest.raises(BadSignature, match="is not signed with the private key"):
        check(arrived(recorded, body='{"Fingerprint":"another"}'), recorded["public_key"])
    with pytest.raises(BadSignature, match="is not signed with the private key"):
        check(arrived(recorded), other)
    request = arrived(recorded)
    claims = read_authorization(request)
    for torn in ("", "not base64", claims.signature[:-4], "é"):
        with pytest.raises(BadSignature, match="is not signed with the private key"):
            verify_node(request, replace(claims, signature=torn), node(recorded["public_key"]), now=claims.signed_at)


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_signature_of_a_node_is_fresh_for_five_minutes_either_way(sign: int) -> None:
    """agent-protocol, 5.2: "date within ±5 min"."""
    assert timedelta(minutes=5) == SKEW_MAX
    check(arrived(RECORDED[0]), RECORDED[0]["public_key"], later=sign * SKEW_MAX)
    with pytest.raises(StaleSignature, match="they may be 5 minutes apart, so set the clock"):
        check(arrived(RECORDED[0]), RECORDED[0]["public_key"], later=sign * (SKEW_MAX + timedelta(seconds=1)))


def test_a_key_that_proves_nothing_is_refused() -> None:
    elliptic = text_of(ec.generate_private_key(ec.SECP256R1()).public_key())
    for text in ("", "not base64", base64.b64encode(b"no key").decode(), elliptic):
        with pytest.raises(InvalidParameters, match="is not the base64 of a DER public key, as Rsa needs"):
            check_key(text, KeyType.RSA)
    short = text_of(rsa.generate_private_key(65537, 1024).public_key())  # noqa: S505  (it is to be refused)
    with pytest.raises(InvalidParameters, match="has 1024 bits; use one of 2048 to 8192 bits"):
        check_key(short, KeyType.RSA)
    check_key(RECORDED[0]["public_key"], KeyType.RSA)
