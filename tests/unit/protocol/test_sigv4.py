"""Signature Version 4, with botocore and a recorded agent as the oracles."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.errors import BadSignature, MissingSignature, StaleSignature
from patchwindow.protocol.sigv4 import (
    SignedRequest,
    read_authorization,
    signature,
    verify,
)

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
RECORDED_SECRET = "stubSecretKeyStubSecretKeyStubSecretKey0"
RECORDED = [
    json.loads(line)
    for line in Path(__file__).with_name("recorded").joinpath("requests.jsonl").read_text().splitlines()
]

words = st.text(st.characters(categories=["L", "N", "P"]), max_size=8)
segments = st.sampled_from(
    ["", ".", "..", "v1", "control-channel", "a b", "é", "a+b", "~x", "mi-0123456789abcdef0", "100%"]
)
queries = st.lists(st.tuples(words.filter(bool), words), max_size=3)


def arrived(method: str, url: str, headers: Mapping[str, str], body: bytes) -> SignedRequest:
    """Return the request as it comes off the wire."""
    parts = urlsplit(url)
    lower = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    host = [] if any(name == b"host" for name, _ in lower) else [(b"host", parts.netloc.encode())]
    return SignedRequest(method, parts.path.encode(), parts.query.encode(), [*lower, *host], body)


def signed_by_botocore(
    url: str = "https://127.0.0.1:8443/",
    *,
    method: str = "POST",
    body: bytes = b"{}",
    headers: Mapping[str, str] | None = None,
    token: str | None = None,
    region: str = "eu-home-1",
    service: str = "ssm",
) -> SignedRequest:
    credentials = botocore.credentials.Credentials("AKIDEXAMPLE", SECRET, token)
    request = botocore.awsrequest.AWSRequest(method=method, url=url, data=body, headers=dict(headers or {}))
    botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    return arrived(method, url, dict(request.headers.items()), body)


def signed_at(request: SignedRequest) -> datetime:
    return read_authorization(request).signed_at


def check(request: SignedRequest, *, secret: str = SECRET, later: timedelta = timedelta()) -> None:
    verify(request, read_authorization(request), secret=secret, now=signed_at(request) + later)


def without(request: SignedRequest, name: bytes) -> SignedRequest:
    return replace(request, headers=[header for header in request.headers if header[0] != name])


def with_header(request: SignedRequest, name: bytes, value: bytes) -> SignedRequest:
    return replace(request, headers=[*without(request, name).headers, (name, value)])


@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=st.lists(segments, max_size=4),
    query=queries,
    body=st.binary(max_size=50) | st.text(max_size=50).map(str.encode),
    note=st.lists(words, max_size=3).map("  ".join),
    token=st.none() | st.text("abc/+=", min_size=1, max_size=9),
    region=st.text("abcxyz-0123456789", min_size=1, max_size=12),
    service=st.sampled_from(["ssm", "ec2messages", "ssmmessages"]),
)
def test_what_botocore_signs_is_verified(
    *,
    method: str,
    path: list[str],
    query: list[tuple[str, str]],
    body: bytes,
    note: str,
    token: str | None,
    region: str,
    service: str,
) -> None:
    encoded = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query)
    url = f"https://patch.example.test:8443/{quote('/'.join(path))}" + (f"?{encoded}" if encoded else "")
    headers = {"X-Amz-Target": "AmazonSSM.SendCommand", "X-Note": note}
    request = signed_by_botocore(
        url, method=method, body=body, headers=headers, token=token, region=region, service=service
    )
    check(request)
    authorization = read_authorization(request)
    assert authorization.amz_date == f"{authorization.signed_at:%Y%m%dT%H%M%SZ}"
    assert (authorization.access_key_id, authorization.session_token) == ("AKIDEXAMPLE", token)
    assert (authorization.region, authorization.service) == (region, service)


@pytest.mark.parametrize(
    "change",
    [
        {"body": b"{ }"},
        {"method": "PUT"},
        {"path": b"/x"},
        {"query": b"a=b"},
    ],
)
def test_a_request_changed_after_signing_is_refused(change: dict[str, Any]) -> None:
    request = signed_by_botocore()
    with pytest.raises(BadSignature, match="does not match the signature you provided"):
        check(replace(request, **change))


@pytest.mark.parametrize("name", [b"host", b"x-amz-target", b"x-amz-security-token", b"content-type"])
def test_a_signed_header_changed_after_signing_is_refused(name: bytes) -> None:
    headers = {"X-Amz-Target": "AmazonSSM.GetMaintenanceWindow", "Content-Type": "application/x-amz-json-1.1"}
    request = signed_by_botocore(headers=headers, token="t")
    check(request)
    with pytest.raises(BadSignature):
        check(with_header(request, name, b"AmazonSSM.DeleteMaintenanceWindow"))
    with pytest.raises(BadSignature):
        check(without(request, name))


def test_another_secret_gives_another_signature() -> None:
    with pytest.raises(BadSignature, match="check the secret key of AKIDEXAMPLE"):
        check(signed_by_botocore(), secret=SECRET[::-1])


@pytest.mark.parametrize("name", [b"x-amz-target", b"x-amz-security-token"])
def test_what_decides_the_request_must_be_signed_where_it_is_sent(name: bytes) -> None:
    with pytest.raises(BadSignature, match=f"does not cover {name.decode()}"):
        check(with_header(signed_by_botocore(), name, b"AmazonSSM.DeleteMaintenanceWindow"))


@pytest.mark.parametrize("name", ["host", "x-amz-date"])
def test_host_and_date_must_be_signed(name: str) -> None:
    request = signed_by_botocore()
    claims = read_authorization(request)
    rest = replace(claims, signed_headers=tuple(signed for signed in claims.signed_headers if signed != name))
    with pytest.raises(BadSignature, match=f"does not cover {name}"):
        verify(
            request,
            replace(rest, signature=signature(request, rest, secret=SECRET)),
            secret=SECRET,
            now=signed_at(request),
        )


@pytest.mark.parametrize("minutes", [-15, 0, 15])
def test_a_signature_is_fresh_for_fifteen_minutes_either_way(minutes: int) -> None:
    check(signed_by_botocore(), later=timedelta(minutes=minutes))


@pytest.mark.parametrize("seconds", [-901, 901])
def test_a_stale_signature_names_both_times(seconds: int) -> None:
    request = signed_by_botocore()
    now = signed_at(request) + timedelta(seconds=seconds)
    with pytest.raises(StaleSignature) as refused:
        check(request, later=timedelta(seconds=seconds))
    assert read_authorization(request).amz_date in str(refused.value)
    assert f"{now:%Y%m%dT%H%M%SZ}" in str(refused.value)


def test_a_signature_for_another_service_is_refused() -> None:
    with pytest.raises(BadSignature, match="service 's3'"):
        check(signed_by_botocore(service="s3"))


def test_a_presigned_request_is_refused_and_told_what_to_do() -> None:
    request = SignedRequest("GET", b"/", b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00", [(b"host", b"h")], b"")
    with pytest.raises(MissingSignature, match="query string is not served; send it in the Authorization header"):
        read_authorization(request)


def test_an_unsigned_request_is_refused() -> None:
    with pytest.raises(MissingSignature, match="is not signed"):
        read_authorization(SignedRequest("POST", b"/", b"", [(b"host", b"h")], b"{}"))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (b"authorization", b"Bearer abc", "begins with 'Bearer'"),
        (b"authorization", b"AWS4-ECDSA-P256-SHA256 Credential=a/b", "begins with 'AWS4-ECDSA-P256-SHA256'"),
        (b"authorization", b"AWS4-HMAC-SHA256", "needs Credential="),
        (b"authorization", b"AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0", "needs Credential="),
        (
            b"authorization",
            b"AWS4-HMAC-SHA256 Credential=a/20260101/r/ssm/x, SignedHeaders=host, Signature=0",
            "ends with 'x'",
        ),
        (b"x-amz-content-sha256", b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "sign the whole body"),
        (b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD", "sign the whole body"),
        (b"x-amz-date", b"2026-11-23T01:04:37Z", "send the time of signing in the form"),
        (b"x-amz-date", b"20001123T010437Z", "they must agree"),
    ],
)
def test_a_signature_that_cannot_be_read_is_refused_with_its_reason(name: bytes, value: bytes, message: str) -> None:
    with pytest.raises(MissingSignature) as refused:
        read_authorization(with_header(signed_by_botocore(), name, value))
    assert message in str(refused.value)


def test_a_date_that_no_calendar_has_is_refused() -> None:
    request = with_header(signed_by_botocore(), b"x-amz-date", b"20261399T010437Z")
    header = dict(request.headers)[b"authorization"].replace(
        read_authorization(signed_by_botocore()).date.encode(), b"20261399"
    )
    with pytest.raises(MissingSignature, match="20261399T010437Z"):
        read_authorization(with_header(request, b"authorization", header))


def test_a_header_that_comes_twice_is_refused() -> None:
    request = signed_by_botocore()
    twice = replace(request, headers=[*request.headers, (b"authorization", b"AWS4-HMAC-SHA256 Credential=other")])
    with pytest.raises(MissingSignature, match="2 headers authorization"):
        read_authorization(twice)


def recorded(signed_by: str) -> list[dict[str, Any]]:
    return [request for request in RECORDED if request["signed_by"] == signed_by]


def as_arrived(request: dict[str, Any]) -> SignedRequest:
    return arrived(request["method"], request["path"], request["headers"], request["body"].encode())


def test_every_recorded_signature_of_an_agent_is_verified() -> None:
    for request in recorded("sigv4"):
        check(as_arrived(request), secret=RECORDED_SECRET)
    assert len(recorded("sigv4")) > 50
