"""Compressed files as streams. Python brings gzip, bzip2 and xz; Zstandard and zchunk come by the libraries that the machine's own package manager uses."""

import bz2
import ctypes
import ctypes.util
import gzip
import io
import lzma
import os
from pathlib import Path
from typing import BinaryIO, cast

from patchwindow_agent.errors import ScanFailed

_AT_ONCE = 1024 * 1024


def open_file(path: Path) -> BinaryIO:
    """Open *path*, unpacked as its name says it is packed.

    Raises:
        ScanFailed: it cannot be opened, or the library that unpacks it is not on the machine.
    """
    try:
        return _open(path)
    except OSError as problem:
        raise ScanFailed(f"cannot read {path}: {problem.strerror or problem}") from problem


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path))  # It reads bytes, whatever its stub calls it; so do the next two.
    if path.suffix == ".bz2":
        return cast(BinaryIO, bz2.open(path))
    if path.suffix == ".xz":
        return cast(BinaryIO, lzma.open(path))
    if path.suffix == ".zst":
        return io.BufferedReader(_Zstd(path), _AT_ONCE)
    if path.suffix == ".zck":
        return io.BufferedReader(_Zchunk(path), _AT_ONCE)
    return path.open("rb")


class _ZstdBuffer(ctypes.Structure):
    """Both `ZSTD_inBuffer` and `ZSTD_outBuffer`: where, how long, and how far."""

    _fields_ = (("address", ctypes.c_void_p), ("size", ctypes.c_size_t), ("position", ctypes.c_size_t))


class _Zstd(io.RawIOBase):
    """The content of a Zstandard file. Source: zstd.h, "Streaming decompression"."""

    def __init__(self, path: Path) -> None:
        self._library = _load("zstd", path)
        self._library.ZSTD_createDStream.restype = ctypes.c_void_p
        self._library.ZSTD_decompressStream.restype = ctypes.c_size_t
        self._library.ZSTD_decompressStream.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        self._library.ZSTD_freeDStream.argtypes = [ctypes.c_void_p]
        self._path = path
        self._file = path.open("rb")
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
                if not content:
                    return 0
                ctypes.memmove(self._memory, content, len(content))
                self._packed.size, self._packed.position = len(content), 0
            left = self._library.ZSTD_decompressStream(self._stream, ctypes.byref(out), ctypes.byref(self._packed))
            if self._library.ZSTD_isError(left):
                raise OSError(0, "it is damaged")
        return int(out.position)

    def close(self) -> None:
        if not self.closed:
            self._library.ZSTD_freeDStream(self._stream)
            self._file.close()
        super().close()


class _Zchunk(io.RawIOBase):
    """The content of a zchunk file. Source: zck.h."""

    def __init__(self, path: Path) -> None:
        self._library = _load("zck", path)
        self._library.zck_create.restype = ctypes.c_void_p
        self._library.zck_init_read.argtypes = [ctypes.c_void_p, ctypes.c_int]
        self._library.zck_read.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
        self._library.zck_read.restype = ctypes.c_ssize_t
        self._library.zck_free.argtypes = [ctypes.c_void_p]
        self._descriptor = os.open(path, os.O_RDONLY)
        self._context = ctypes.c_void_p(self._library.zck_create())
        if not self._library.zck_init_read(self._context, self._descriptor):
            self.close()
            raise OSError(0, "it is damaged")

    def readable(self) -> bool:
        return True

    def readinto(self, target: "memoryview") -> int:  # type: ignore[override]  # any buffer in the stub; BufferedReader hands a view
        unpacked = (ctypes.c_char * len(target)).from_buffer(target)
        count = int(self._library.zck_read(self._context, ctypes.addressof(unpacked), len(target)))
        if count < 0:
            raise OSError(0, "it is damaged")
        return count

    def close(self) -> None:
        if not self.closed:
            self._library.zck_free(ctypes.byref(self._context))
            os.close(self._descriptor)
        super().close()


def _load(name: str, path: Path) -> ctypes.CDLL:
    found = ctypes.util.find_library(name)
    if found is None:
        raise ScanFailed(f"cannot unpack {path}: lib{name} is not on this machine; install it")
    return ctypes.CDLL(found)
