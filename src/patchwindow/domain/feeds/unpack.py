"""Feeds as they come: plain, or compressed in a way that the standard library reads."""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any, Final

from patchwindow.domain.errors import Invalid

SIZE_MAX: Final = 512 * 2**20
"""How large a feed may be when it is unpacked; the largest in use, Debian's tracker, has about a tenth."""

_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
_PACKERS: Final[dict[bytes, Callable[[], Any]]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(wbits=31),
    b"\xfd7zXZ\x00": lzma.LZMADecompressor,
    b"BZh": bz2.BZ2Decompressor,
}
_STEP: Final = 2**20


def unpack(data: bytes, *, size_max: int = SIZE_MAX) -> bytes:
    """Return *data*, unpacked where it is compressed by gzip, xz or bzip2, as its first bytes say.

    Raises:
        Invalid: it is larger than *size_max*, damaged, cut off, or compressed by zstd.
    """
    if data.startswith(_ZSTANDARD):
        raise Invalid("it is compressed by zstd, which cannot be read here; unpack it first, with `zstd -d`")
    make = next((make for magic, make in _PACKERS.items() if data.startswith(magic)), None)
    unpacked = data if make is None else _all(make(), data, size_max)
    if len(unpacked) > size_max:
        raise Invalid(f"it has more than {size_max // 2**20} MiB; split it")
    return unpacked


def _all(packer: Any, data: bytes, size_max: int) -> bytes:
    """Return what *packer* makes of *data*; never much more than *size_max*, whatever was packed."""
    pieces: list[bytes] = []
    size = 0
    try:
        while not packer.eof and size <= size_max:
            piece = packer.decompress(data, _STEP)
            # What zlib has not read yet it hands back; the others keep it.
            data = getattr(packer, "unconsumed_tail", b"")
            if not piece and not data and getattr(packer, "needs_input", True):
                break
            pieces.append(piece)
            size += len(piece)
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as problem:
        raise Invalid(f"it is compressed and damaged: {problem}; get it again") from None
    if not packer.eof and size <= size_max:
        raise Invalid("it is compressed and ends too early; get it again")
    return b"".join(pieces)
