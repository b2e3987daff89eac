"""Where overrides are fetched from: what a URL may say, and which addresses may stand behind it.

Whoever may send a command chooses the URL, and the server asks for it: so it asks nobody inside the network but the hosts
that the operator of the server named, and metadata services never.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

from patchwindow.domain.errors import Invalid
from patchwindow.domain.webhook_address import Address, unwrapped
from patchwindow.domain.webhook_address import check_address as check_host_address

_URL_MAX: Final = 2000
_FORBIDDEN: Final = "`'\"$"
_BUCKET: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")
_BUCKET_LENGTHS: Final = range(3, 64)
_EXAMPLE: Final = "https://mirror.example/overrides.yaml"


@dataclass(frozen=True, slots=True)
class WebSource:
    """Something on a web server."""

    url: SplitResult


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file of the server's machine, by its absolute path."""

    path: str


Source = WebSource | FileSource


def parse_source(url: str, *, s3_endpoint: str | None = None) -> Source:
    """Return what *url* names: https, s3 (at *s3_endpoint*, otherwise at the public service) or file.

    Raises:
        Invalid: it is no URL of these kinds.
    """
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > _URL_MAX:
        raise Invalid(
            f"URL {url!r:.100} is not one; use at most {_URL_MAX} visible ASCII characters, such as {_EXAMPLE}"
        )
    parts = _split(url)
    name = unquote(parts.path).rpartition("/")[2]
    if not name or any(character in name for character in _FORBIDDEN):
        raise Invalid(f"URL {url!r} names no file, or one with any of {_FORBIDDEN}; give the file another name")
    if parts.scheme == "https":
        return WebSource(parse_web(url))
    if parts.scheme == "s3":
        return WebSource(parse_web(_s3_url(parts, s3_endpoint), is_plain_allowed=s3_endpoint is not None))
    if parts.scheme == "file" and not parts.netloc:
        return FileSource(unquote(parts.path))
    raise Invalid(f"URL {url!r} is not https://, s3:// or file:///; write it as {_EXAMPLE}")


def parse_web(url: str, *, is_plain_allowed: bool = False) -> SplitResult:
    """Return the parts of a URL that is asked for, be it by a redirect.

    Raises:
        Invalid: it is not https (or http, where that is allowed), or has no host, or a user.
    """
    parts = _split(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if not (parts.scheme == "https" or (is_plain_allowed and parts.scheme == "http")):
        raise Invalid(f"URL {url!r} is not encrypted, or no URL of a web server; use https://")
    if not parts.hostname or parts.username is not None or port == 0:
        raise Invalid(f"URL {url!r} has no host, or a user, or no port; write it as {_EXAMPLE}")
    return parts


def check_address(address: Address, host: str, *, known_hosts: Collection[str]) -> None:
    """Return if *address*, which *host* stands for, may be asked.

    Raises:
        Invalid: it is link-local, a metadata service or no single host's; or it is not public, and the host not known.
    """
    real = unwrapped(address)
    try:
        check_host_address(real, is_plain=False)
    except Invalid:
        raise Invalid(
            f"host {host} has the address {address}, which is link-local, a metadata service or not one host's; "
            "overrides are never fetched from there"
        ) from None
    if not real.is_global and host not in known_hosts:
        raise Invalid(
            f"host {host} has the address {address}, which is not public; "
            f"start the server with --override-host {host}, if overrides may be fetched from there"
        )


def _s3_url(parts: SplitResult, endpoint: str | None) -> str:
    bucket, key = parts.netloc, quote(unquote(parts.path), safe="/-_.~")
    if len(bucket) not in _BUCKET_LENGTHS or not _BUCKET.issuperset(bucket) or not bucket[0].isalnum():
        raise Invalid(f"bucket {bucket!r} of {parts.geturl()!r} is no name of a bucket; write s3://bucket/key")
    if endpoint is not None:
        return f"{endpoint.rstrip('/')}/{bucket}{key}"
    if "." in bucket:
        # No certificate covers a name with more points.
        return f"https://s3.amazonaws.com/{bucket}{key}"
    return f"https://{bucket}.s3.amazonaws.com{key}"


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as problem:
        raise Invalid(f"URL {url!r} cannot be read: {problem}; write it as {_EXAMPLE}") from None
