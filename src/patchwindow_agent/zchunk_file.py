"""zchunk files, in which dnf of Fedora keeps its lists, by the library that it uses itself."""

import ctypes
import errno
import io
import os
from pathlib import Path
from typing import BinaryIO

from patchwindow_agent.zstd_file import load_library

_AT_ONCE = 1024 * 1024


def open(path: Path) -> BinaryIO:
    """Open *path* to read what is packed in it.

    Raises:
        OSError: it cannot be opened, or the library is not on the machine; when read: it is damaged.
    """
    return io.BufferedReader(_Zchunk(load_library("zck"), os.open(path, os.O_RDONLY)), _AT_ONCE)


class _Zchunk(io.RawIOBase):
    """The content of a zchunk file. Source: zck.h."""

    def __init__(self, library: ctypes.CDLL, descriptor: int) -> None:
        self._library = library
        self._library.zck_create.restype = ctypes.c_void_p
        self._library.zck_init_read.argtypes = [ctypes.c_void_p, ctypes.c_int]
        self._library.zck_read.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
        self._library.zck_read.restype = ctypes.c_ssize_t
        self._library.zck_free.argtypes = [ctypes.c_void_p]
        self._descriptor = descriptor
        self._context = ctypes.c_void_p(self._library.zck_create())
        if not self._library.zck_init_read(self._context, self._descriptor):
            self.close()
            raise OSError(errno.EILSEQ, "it is damaged")

    def readable(self) -> bool:
        return True

    def readinto(self, target: "memoryview") -> int:  # type: ignore[override]  # any buffer in the stub; BufferedReader hands a view
        unpacked = (ctypes.c_char * len(target)).from_buffer(target)
        count = int(self._library.zck_read(self._context, ctypes.addressof(unpacked), len(target)))
        if count < 0:
            raise OSError(errno.EILSEQ, "it is damaged")
        return count

    def close(self) -> None:
        if not self.closed:
            self._library.zck_free(ctypes.byref(self._context))
            os.close(self._descriptor)
        super().close()
