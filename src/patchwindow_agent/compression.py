"""Compressed files as streams, by what the end of their name says."""

import importlib
from pathlib import Path
from typing import BinaryIO, Mapping, cast

from patchwindow_agent.errors import ScanFailed

# What opens files with such an end. None of these is in every Python, so each is looked for where it is needed.
_MODULES: Mapping[str, str] = {
    ".gz": "gzip",
    ".bz2": "bz2",
    ".xz": "lzma",
    ".zst": "patchwindow_agent.zstd_file",
    ".zck": "patchwindow_agent.zchunk_file",
}


def open_file(path: Path) -> BinaryIO:
    """Open *path*, unpacked as its name says it is packed.

    Raises:
        ScanFailed: it cannot be opened, or what unpacks it is not on the machine.
    """
    try:
        if path.suffix not in _MODULES:
            return path.open("rb")
        module = importlib.import_module(_MODULES[path.suffix])
        return cast(BinaryIO, module.open(path))  # Every module of the table has such a function.
    except ImportError as problem:
        raise ScanFailed(f"cannot unpack {path}: this Python lacks what it needs: {problem}") from problem
    except OSError as problem:
        raise ScanFailed(f"cannot read {path}: {problem.strerror or problem}") from problem
