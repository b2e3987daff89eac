"""Files of repositories, in every form that their publishers pack them in."""

import bz2
import ctypes
import ctypes.util
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patchwindow_agent import compression, zstd_file
from patchwindow_agent.errors import ScanFailed

CONTENT = b"<updates>" + os.urandom(700_000).hex().encode() + b"</updates>"


def zstd(content: bytes) -> bytes:
    library = zstd_file.load_library("zstd")
    library.ZSTD_compressBound.restype = library.ZSTD_compress.restype = ctypes.c_size_t
    size = library.ZSTD_compressBound(len(content))
    packed = ctypes.create_string_buffer(size)
    length = library.ZSTD_compress(packed, size, content, len(content), 3)
    return packed.raw[:length]


def write_zchunk(path: Path, content: bytes) -> None:
    library = zstd_file.load_library("zck")
    library.zck_create.restype = ctypes.c_void_p
    library.zck_write.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    library.zck_write.restype = ctypes.c_ssize_t
    context = ctypes.c_void_p(library.zck_create())
    with path.open("wb") as file:
        assert library.zck_init_write(context, file.fileno())
        assert library.zck_write(context, content, len(content)) == len(content)
        assert library.zck_close(context)
    library.zck_free(ctypes.byref(context))


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".xml", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress), (".zst", zstd)],
)
def test_a_file_is_read_as_the_end_of_its_name_says(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"updateinfo{suffix}"
    path.write_bytes(pack(CONTENT))
    with compression.open_file(path) as stream:
        assert stream.read() == CONTENT


@pytest.mark.skipif(ctypes.util.find_library("zck") is None, reason="needs libzck, which comes with dnf")
def test_a_zchunk_file_is_read_by_the_library_of_dnf(tmp_path: Path) -> None:
    path = tmp_path / "updateinfo.xml.zck"
    write_zchunk(path, CONTENT)
    with compression.open_file(path) as stream:
        assert stream.read() == CONTENT
    path.write_bytes(b"no zchunk at all")
    with pytest.raises(ScanFailed, match=r"cannot read .*updateinfo.xml.zck"):
        compression.open_file(path)


@settings(max_examples=20, deadline=None)
@given(content=st.binary(max_size=5000))
def test_what_zstandard_packs_is_unpacked(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("zst") / "file.zst"
    path.write_bytes(zstd(content))
    with compression.open_file(path) as stream:
        assert stream.read() == content


@pytest.mark.parametrize("damage", [lambda packed: packed[:-20], lambda packed: packed[:100] + b"x" * 100])
def test_a_damaged_zstandard_file_is_an_error_and_not_a_short_list(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "updateinfo.xml.zst"
    path.write_bytes(damage(zstd(CONTENT)))
    with compression.open_file(path) as stream, pytest.raises(OSError, match=r"damaged|end is missing"):
        stream.read()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScanFailed, match=r"cannot read .*nowhere.xml.gz: No such file"):
        compression.open_file(tmp_path / "nowhere.xml.gz")


def test_a_library_that_is_not_there_is_named() -> None:
    with pytest.raises(OSError, match="libnosuchlibrary, which unpacks it, is not on this machine; install it"):
        zstd_file.load_library("nosuchlibrary")
