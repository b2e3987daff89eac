"""AWS Signature Version 4 as a server sees it: read what a request claims, and check that its signature proves it.

Source: "Create a signed AWS API request", AWS Identity and Access Management User Guide; agent-protocol reference, sections
3, 5.2 and 6. Only the Authorization header is served: no presigned URLs, no chunk signatures.
"""

import functools
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from patchwindow.domain.errors import BadSignature, MissingSignature, StaleSignature

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SERVICES: Final = frozenset({"ssm", "ec2messages", "ssmmessages", "resource-groups"})
SKEW_MAX: Final = timedelta(minutes=15)

# What a signature that leaves them out would let others change: where the request goes, when, for what and as whom.
_ALWAYS_SIGNED: Final = frozenset({"host", "x-amz-date"})
_SIGNED_IF_SENT: Final = frozenset({"x-amz-target", "x-amz-security-token"})
_AMZ_DATE: Final = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it arrived: *path* and *query* still percent-encoded, names of *headers* in lower case."""

    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    def values(self, name: str) -> list[bytes]:
        """Return the values of the header *name*, in the order in which they came."""
        wanted = name.encode()
        return [value for given, value in self.headers if given == wanted]


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a request's signature claims; nothing of it is proven yet."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    amz_date: str
    signed_at: datetime
    session_token: str | None

    @property
    def scope(self) -> str:
        """The credential scope: what the signing key is good for."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read_authorization(request: SignedRequest) -> Authorization:
    """Return what the signature of *request* claims.

    Raises:
        MissingSignature: there is none, or it has a form that is not served or cannot be read.
    """
    header = _single(request, "authorization")
    if header is None:
        if b"X-Amz-Signature=" in request.query:
            raise MissingSignature("a signature in the query string is not served; send it in the Authorization header")
        raise MissingSignature("the request is not signed; sign it with AWS Signature Version 4")
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise MissingSignature(f"the Authorization header begins with {algorithm!r}; sign with {ALGORITHM}")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    try:
        access_key_id, date, region, service, ending = fields["Credential"].rsplit("/", 4)
        signed_headers, signature = tuple(fields["SignedHeaders"].split(";")), fields["Signature"]
    except (KeyError, ValueError):
        raise MissingSignature(
            "the Authorization header needs Credential=<key>/<date>/<region>/<service>/aws4_request, "
            "SignedHeaders=<names> and Signature=<signature>"
        ) from None
    if ending != "aws4_request":
        raise MissingSignature(f"the credential scope ends with {ending!r}; it must end with aws4_request")
    payload = _single(request, "x-amz-content-sha256") or ""
    if payload.startswith(("STREAMING-", "UNSIGNED-")):
        raise MissingSignature(f"x-amz-content-sha256 is {payload}; sign the whole body, in one piece")
    amz_date, signed_at = _amz_date(request, date)
    return Authorization(
        access_key_id=access_key_id,
        date=date,
        region=region,
        service=service,
        signed_headers=signed_headers,
        signature=signature,
        amz_date=amz_date,
        signed_at=signed_at,
        session_token=_single(request, "x-amz-security-token"),
    )


def check_claims(
    request: SignedRequest, authorization: Authorization, *, now: datetime, skew_max: timedelta = SKEW_MAX
) -> None:
    """Check what can be checked without a key: that the signature covers enough, is for us, and is fresh at *now*.

    Raises:
        BadSignature: it leaves out headers that must be signed, or is for another service.
        StaleSignature: it was made more than *skew_max* before or after *now*.
    """
    if authorization.service not in SERVICES:
        raise BadSignature(
            f"the request is signed for service {authorization.service!r}; sign for one of {sorted(SERVICES)}"
        )
    needed = _ALWAYS_SIGNED | (_SIGNED_IF_SENT & {name.decode("latin-1") for name, _ in request.headers})
    if missing := needed.difference(authorization.signed_headers):
        raise BadSignature(f"the signature does not cover {', '.join(sorted(missing))}; sign these headers as well")
    if abs(now - authorization.signed_at) > skew_max:
        raise StaleSignature(
            f"Signature expired: the request was signed at {authorization.amz_date} and the server's time is "
            f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}; they may be {skew_max.seconds // 60} minutes apart, so set the clock"
        )


def verify(
    request: SignedRequest,
    authorization: Authorization,
    *,
    secret: str,
    now: datetime,
    skew_max: timedelta = SKEW_MAX,
) -> None:
    """Check that *request* was signed with *secret*, enough of it, and within *skew_max* of *now*.

    Raises:
        BadSignature: the signature is not the one that *secret* gives, or does not cover what it must.
        StaleSignature: it was made too long ago, or by a clock that is wrong.
    """
    check_claims(request, authorization, now=now, skew_max=skew_max)
    expected = signature(request, authorization, secret=secret)
    if not hmac.compare_digest(expected.encode(), authorization.signature.encode()):
        raise BadSignature(
            "The request signature we calculated does not match the signature you provided; "
            f"check the secret key of {authorization.access_key_id} and the signing method"
        )


def signature(request: SignedRequest, authorization: Authorization, *, secret: str) -> str:
    """Return the signature that *secret* gives to *request*, in hexadecimal."""
    key = _signing_key(secret, authorization.date, authorization.region, authorization.service)
    return hmac.new(key, string_to_sign(request, authorization).encode(), hashlib.sha256).hexdigest()


def string_to_sign(request: SignedRequest, authorization: Authorization) -> str:
    """Return what is signed: by the key that a secret gives, or by a node's private key (agent-protocol, 5.2)."""
    digest = hashlib.sha256(_canonical_request(request, authorization.signed_headers)).hexdigest()
    return f"{ALGORITHM}\n{authorization.amz_date}\n{authorization.scope}\n{digest}"


@functools.lru_cache(maxsize=1024)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Return the key for one day, region and service: four digests that are the same for all of its requests."""
    key = f"AWS4{secret}".encode()
    for step in (date, region, service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def _canonical_request(request: SignedRequest, signed_headers: Sequence[str]) -> bytes:
    lines = [request.method.encode(), _canonical_path(request.path), _canonical_query(request.query)]
    for name in signed_headers:
        values = request.values(name)
        if not values:
            raise BadSignature(f"the signature covers the header {name!r}, which the request does not have")
        lines.append(name.encode() + b":" + b",".join(b" ".join(value.split()) for value in values))
    lines += (b"", ";".join(signed_headers).encode(), hashlib.sha256(request.body).hexdigest().encode())
    return b"\n".join(lines)


def _canonical_path(path: bytes) -> bytes:
    """Return *path* without empty and dot segments, encoded once more: every service but S3 signs it so."""
    segments: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            del segments[-1:]
        elif segment not in (b"", b"."):
            segments.append(segment)
    ending = "/" if segments and path.endswith(b"/") else ""
    return f"/{quote_from_bytes(b'/'.join(segments), safe='/~')}{ending}".encode()


def _canonical_query(query: bytes) -> bytes:
    pairs = (part.partition(b"=") for part in query.split(b"&") if part)
    return "&".join(
        f"{name}={value}" for name, value in sorted((_encoded(n), _encoded(v)) for n, _, v in pairs)
    ).encode()


def _encoded(text: bytes) -> str:
    return quote_from_bytes(unquote_to_bytes(text), safe="-_.~")


def _amz_date(request: SignedRequest, date: str) -> tuple[str, datetime]:
    amz_date = _single(request, "x-amz-date") or ""
    try:
        signed_at = datetime.fromisoformat(amz_date if _AMZ_DATE.fullmatch(amz_date) else "")
    except ValueError:
        raise MissingSignature(
            f"x-amz-date is {amz_date!r}; send the time of signing in the form 20261123T010437Z"
        ) from None
    if amz_date[:8] != date:
        raise MissingSignature(
            f"x-amz-date is {amz_date}, but the credential scope names the date {date!r}; they must agree"
        )
    return amz_date, signed_at


def _single(request: SignedRequest, name: str) -> str | None:
    """Return the value of the header *name*, or None; one that comes twice could be read in two ways."""
    values = request.values(name)
    if len(values) > 1:
        raise MissingSignature(f"the request has {len(values)} headers {name}; send one")
    return values[0].decode("latin-1").strip() if values else None
