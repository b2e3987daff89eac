"""Zstandard files, by the library that the machine's own package manager uses: Python has one itself from 3.14 on."""

import ctypes
import ctypes.util
import errno
import io
from pathlib import Path
from typing import BinaryIO

_AT_ONCE = 1024 * 1024


def open(path: Path) -> BinaryIO:
    """Open *path* to read what is packed in it.

    Raises:
        OSError: it cannot be opened, or the library is not on the machine; when read: it is damaged.
    """
    return io.BufferedReader(_Zstd(load_library("zstd"), path.open("rb")), _AT_ONCE)


def load_library(name: str) -> ctypes.CDLL:
    """Return the library *name* of this machine.

    Raises:
        OSError: it is not there.
    """
    found = ctypes.util.find_library(name)
    if found is None:
        raise OSError(errno.ENOENT, f"lib{name}, which unpacks it, is not on this machine; install it")
    return ctypes.CDLL(found)


class _ZstdBuffer(ctypes.Structure):
    """Both `ZSTD_inBuffer` and `ZSTD_outBuffer`: where, how long, and how far."""

    _fields_ = (("address", ctypes.c_void_p), ("size", ctypes.c_size_t), ("position", ctypes.c_size_t))


class _Zstd(io.RawIOBase):
    """The content of a Zstandard file. Source: zstd.h, "Streaming decompression"."""

    def __init__(self, library: ctypes.CDLL, file: BinaryIO) -> None:
        self._library = library
        self._library.ZSTD_createDStream.restype = ctypes.c_void_p
        self._library.ZSTD_isError.argtypes = [ctypes.c_size_t]
        self._library.ZSTD_decompressStream.restype = ctypes.c_size_t
        self._library.ZSTD_decompressStream.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        self._library.ZSTD_freeDStream.argtypes = [ctypes.c_void_p]
        self._file = file
        self._left = 0
        self._stream = self._library.ZSTD_createDStream()
        self._memory = ctypes.create_string_buffer(_AT_ONCE)
        self._packed = _ZstdBuffer(ctypes.addressof(self._memory), 0, 0)

    def readable(self) -> bool:
        return True

    def readinto(self, target: "memoryview") -> int:  # type: ignore[override]  # any buffer in the stub; BufferedReader hands a view
        unpacked = (ctypes.c_char * len(target)).from_buffer(target)
        out = _ZstdBuffer(ctypes.addressof(unpacked), len(target), 0)
        while out.position == 0:
            if self._packed.position == self._packed.size:
                content = self._file.read(_AT_ONCE)
                if not content and self._left:
                    raise OSError(errno.EILSEQ, "its end is missing")
                if not content:
                    return 0
                ctypes.memmove(self._memory, content, len(content))
                self._packed.size, self._packed.position = len(content), 0
            self._left = self._library.ZSTD_decompressStream(
                self._stream, ctypes.byref(out), ctypes.byref(self._packed)
            )
            if self._library.ZSTD_isError(self._left):
                raise OSError(errno.EILSEQ, "it is damaged")
        return int(out.position)

    def close(self) -> None:
        if not self.closed:
            self._library.ZSTD_freeDStream(self._stream)
            self._file.close()
        super().close()
