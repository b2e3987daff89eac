"""What is in a file or behind a URL, up to a size."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.unpack import SIZE_MAX

_CONNECT_S: Final = 10.0
_READ_S: Final = 60.0
_STEP: Final = 2**20


def content_of(name: str, *, size_max: int = SIZE_MAX) -> bytes:
    """Return the bytes of the file, or of what the http or https URL gives.

    Raises:
        Invalid: it cannot be had, or has more than *size_max* bytes.
    """
    scheme = urlsplit(name).scheme
    if scheme in {"http", "https"}:
        return _fetched(name, size_max)
    try:
        with Path(name).open("rb") as file:
            data = file.read(size_max + 1)
    except OSError as problem:
        raise Invalid(f"it cannot be read: {problem.strerror or problem}") from None
    return _bounded(data, size_max)


def _fetched(url: str, size_max: int) -> bytes:
    # Imported when one is wanted: it takes a while.
    import urllib3

    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=_CONNECT_S, read=_READ_S), retries=3)
    pieces: list[bytes] = []
    size = 0
    try:
        # Kept as it is: a file that is compressed is so by its publisher.
        answer = pool.request("GET", url, preload_content=False, decode_content=False)
        if answer.status != 200:
            raise Invalid(f"the server answers with HTTP status {answer.status}; check the URL")
        while size <= size_max and (piece := answer.read(_STEP)):
            pieces.append(piece)
            size += len(piece)
    except urllib3.exceptions.HTTPError as problem:
        raise Invalid(f"it cannot be fetched: {problem}") from None
    finally:
        pool.clear()
    return _bounded(b"".join(pieces), size_max)


def _bounded(data: bytes, size_max: int) -> bytes:
    if len(data) > size_max:
        raise Invalid(f"it has more than {size_max // 2**20} MiB; split it")
    return data
