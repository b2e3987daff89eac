"""Feeds that come compressed."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from typing import Final

import pytest

from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.unpack import unpack

CONTENT: Final = b"<updates/>" * 300_000
PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


@pytest.mark.parametrize("packer", PACKERS)
def test_what_is_packed_is_unpacked(packer: str) -> None:
    assert unpack(PACKERS[packer](CONTENT)) == CONTENT
    assert unpack(PACKERS[packer](b"")) == b""


def test_what_is_plain_stays_as_it_is() -> None:
    assert unpack(CONTENT) == CONTENT
    assert unpack(b"") == b""


@pytest.mark.parametrize("packer", PACKERS)
def test_what_grows_too_large_is_refused(packer: str) -> None:
    with pytest.raises(Invalid, match="it has more than 1 MiB"):
        unpack(PACKERS[packer](CONTENT), size_max=2**20)


@pytest.mark.parametrize("packer", PACKERS)
def test_what_is_cut_off_is_refused(packer: str) -> None:
    with pytest.raises(Invalid, match=r"ends too early|damaged"):
        unpack(PACKERS[packer](CONTENT)[:-9])


@pytest.mark.parametrize("packer", PACKERS)
def test_what_is_damaged_is_refused(packer: str) -> None:
    packed = bytearray(PACKERS[packer](CONTENT))
    packed[len(packed) // 2 :] = bytes(len(packed) - len(packed) // 2)
    with pytest.raises(Invalid, match="it is compressed and"):
        unpack(bytes(packed))


def test_zstd_is_refused_with_what_to_do() -> None:
    with pytest.raises(Invalid, match="unpack it first, with `zstd -d`"):
        unpack(b"\x28\xb5\x2f\xfd" + bytes(10))
