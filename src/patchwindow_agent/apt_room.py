"""How much room a transaction of apt needs, and where."""

import re
from pathlib import Path
from typing import Mapping, Sequence

from patchwindow_agent.apt_plan import Details, Simulation, States
from patchwindow_agent.disk_room import Need

_KERNEL = re.compile(r"linux-image-(?:unsigned-)?\d.*|raspberrypi-kernel")
# What a kernel and its initial file system take, by the beginnings of their names.
_KERNEL_FILES = ("vmlinuz-*", "initrd.img-*", "System.map-*", "config-*")
# For a first kernel; later ones are as large as those that are there.
_KERNEL_SIZE = 120_000_000


def file_needs(plan: Simulation, details: "Mapping[tuple[str, str], Details]", states: States, root: Path) -> Need:
    """Return the room for the files of *plan*: what they grow by, and the largest package once more.

    While one package is unpacked, its old files and its new ones are both there.
    """
    grown = largest = 0
    for change in plan.installs:
        old, new = states.get((change.name, change.arch)), details.get((change.name, change.version))
        size = new.size if new is not None else 0
        grown += max(0, size - (old.size if old is not None else 0))
        largest = max(largest, size)
    return Need(root / "usr", grown + largest)


def kernel_needs(plan: Simulation, root: Path) -> Sequence[Need]:
    """Return the room that kernels, and what is made for them, need in /boot; nothing where there are none."""
    count = sum(_KERNEL.fullmatch(change.name) is not None for change in plan.installs)
    if count == 0:
        return []
    boot = root / "boot"
    size = sum(max((path.stat().st_size for path in boot.glob(kind)), default=0) for kind in _KERNEL_FILES)
    return [Need(boot, count * (size or _KERNEL_SIZE))]
