"""Whether the disks have room for what is to come: sizes in bytes, told in MB of a million."""

import os
from pathlib import Path
from typing import Callable, NamedTuple, Optional, Sequence

# What package databases, logs and scripts write beside the files of packages.
_RESERVE = 32_000_000
_MB = 1_000_000


class Need(NamedTuple):
    """Room that something needs in a folder, which may not be there yet."""

    folder: Path
    size: int


class Disk(NamedTuple):
    """A file system, and how much an ordinary user may still write to it."""

    id: int
    free: int


def disk_of(folder: Path) -> Disk:
    """Return the disk that *folder* is on, or would be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    told = os.statvfs(folder)
    return Disk(folder.stat().st_dev, told.f_bavail * told.f_frsize)


def shortage(needs: Sequence[Need], disk_of: Callable[[Path], Disk] = disk_of) -> Optional[str]:
    """Return where *needs* do not fit and how much is lacking, None where they do; needs on one disk add up."""
    folders: dict[int, list[Need]] = {}
    disks: dict[int, Disk] = {}
    for need in needs:
        disk = disk_of(need.folder)
        disks[disk.id] = disk
        folders.setdefault(disk.id, []).append(need)
    for id, disk in disks.items():
        size = sum(need.size for need in folders[id]) + _RESERVE
        if size > disk.free:
            names = ", ".join(sorted({str(need.folder) for need in folders[id]}))
            return (
                f"no room for {names}: {_mb(size)} MB are needed and {disk.free // _MB} MB are free; "
                f"free at least {_mb(size - disk.free)} MB there"
            )
    return None


def _mb(size: int) -> int:
    # Upwards, so that what is asked for is enough.
    return -(-size // _MB)
