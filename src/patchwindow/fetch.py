"""The real way to overrides: one file, from a web server at an address that was looked at, or from one directory.

No proxy and no cookies; a redirect is looked at like the URL itself.  Certificates are checked against those of the
system, or of SSL_CERT_FILE.
"""

import functools
import os
import stat
import time
from collections.abc import Collection
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

from patchwindow.domain.errors import Invalid
from patchwindow.domain.override_source import FileSource, Source, WebSource, check_address, parse_source, parse_web
from patchwindow.hooks import LookUp, connected, look_up

TIMEOUT_S: Final = 20.0
"""How long one override may take, redirects included: less than the patch operation on a node waits for its order."""
REDIRECTS_MAX: Final = 5

_OK: Final = 200
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where overrides may be fetched from, beside public web servers."""

    hosts: Collection[str] = ()
    """Hosts that may have addresses which are not public."""
    s3_endpoint: str | None = None
    """The URL of a service that speaks as S3 does, which then serves all `s3://` URLs."""
    directory: Path | None = None
    """Below it are the files that `file:` URLs may name; without it, none may be."""

    @property
    def known_hosts(self) -> frozenset[str]:
        """The hosts that may have any address but those that nobody may ask."""
        endpoint = urlsplit(self.s3_endpoint).hostname if self.s3_endpoint else None
        return frozenset((*(host.lower() for host in self.hosts), *([endpoint] if endpoint else ())))


class Fetcher:
    """Fetches overrides, unsigned: what not everybody may read needs a presigned https URL."""

    def __init__(self, places: Places, *, look_up: LookUp = look_up, timeout_s: float = TIMEOUT_S) -> None:
        self._places = places
        self._look_up = look_up
        self._timeout_s = timeout_s

    def fetch(self, url: str, bytes_max: int) -> bytes:
        """Return what *url* names.

        Raises:
            Invalid: nothing may be fetched from there, nothing could be, or it is larger than *bytes_max*.
        """
        source = parse_source(url, s3_endpoint=self._places.s3_endpoint)
        # Without its query, which can be a signature: the message is shown to who may read results.
        shown = url.partition("?")[0]
        until_s = time.monotonic() + self._timeout_s
        try:
            content = self._read(source, bytes_max, until_s)
        except (HTTPError, HTTPException, OSError, ValueError) as problem:
            # `ValueError` is of names that cannot be looked up.
            if time.monotonic() < until_s:
                raise Invalid(f"{shown} cannot be fetched: {problem}") from None
            content = b""
        if time.monotonic() >= until_s:
            # What looks like an answer may have been cut off.
            raise Invalid(f"{shown} did not come within {self._timeout_s:g} seconds; see that it can be read faster")
        if len(content) > bytes_max:
            raise Invalid(f"{shown} is larger than {bytes_max} bytes; an override may be no larger")
        return content

    def _read(self, source: Source, bytes_max: int, until_s: float) -> bytes:
        match source:
            case FileSource(path):
                return self._read_file(path, bytes_max)
            case WebSource(url):
                return self._read_web(url, bytes_max, until_s)

    def _read_file(self, path: str, bytes_max: int) -> bytes:
        directory = self._places.directory
        if directory is None:
            raise Invalid(f"file {path} is not read: start the server with --override-dir, and put overrides there")
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(os.path.realpath(directory)):
            raise Invalid(f"file {path} is not below the directory of overrides; put it there")
        # Of a pipe nobody may ever write the other end.
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Invalid(f"file {path} is no regular file; give one")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(bytes_max + 1)
        finally:
            os.close(descriptor)

    def _read_web(self, url: SplitResult, bytes_max: int, until_s: float) -> bytes:
        for _ in range(REDIRECTS_MAX + 1):
            answer = self._ask(url, bytes_max, until_s)
            if isinstance(answer, bytes):
                return answer
            url = parse_web(urljoin(url.geturl(), answer), is_plain_allowed=url.scheme == "http")
        raise Invalid(f"{url.scheme}://{url.netloc} redirects more than {REDIRECTS_MAX} times; give the last URL")

    def _ask(self, url: SplitResult, bytes_max: int, until_s: float) -> bytes | str:
        """Return what the server answers, or where it redirects to."""
        assert url.hostname is not None, "a parsed URL has a host"
        check = functools.partial(check_address, host=url.hostname, known_hosts=self._places.known_hosts)
        with connected(url, self._look_up, check, until_s) as connection:
            return _exchange(connection, url, bytes_max)


def _exchange(connection: HTTPConnection, url: SplitResult, bytes_max: int) -> bytes | str:
    target = f"{url.path or '/'}{f'?{url.query}' if url.query else ''}"
    headers = {"Host": url.netloc, "Accept": "*/*", "Accept-Encoding": "identity"}
    connection.request("GET", target, headers=headers, preload_content=False)
    response = connection.getresponse()
    where = response.headers.get("Location")
    if response.status in _REDIRECTS and where:
        return where
    if response.status != _OK:
        raise Invalid(f"{url.scheme}://{url.netloc}{url.path} answers {response.status}; see that it can be read there")
    body = b""
    while len(body) <= bytes_max and (piece := response.read(bytes_max + 1 - len(body), decode_content=False)):
        body += piece
    return body
