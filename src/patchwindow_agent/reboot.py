"""Whether the machine waits for a reboot, and why."""

import os
import re
from pathlib import Path
from typing import Iterable, NamedTuple, Optional

from patchwindow_agent.apt_output import Installed

_IMAGE = re.compile(r"linux-image-(?:unsigned-)?(\d.*)")
_RELEASE = re.compile(r"(\d+(?:[.-]\d+)*)-?(.*)")
_DEBIAN_BUILD = re.compile(r"\bDebian (\S+)")


class Kernel(NamedTuple):
    """The kernel that runs, as uname tells it."""

    release: str
    version: str


def running_kernel() -> Kernel:
    """Return the kernel that runs."""
    told = os.uname()
    return Kernel(told.release, told.version)


def reasons(root: Path, packages: Iterable[Installed], kernel: Kernel) -> list[str]:
    """Return why the machine under *root* waits for a reboot, a sentence for each; empty where it does not."""
    found = [_flag(root), _older_kernel(packages, kernel)]
    return [reason for reason in found if reason is not None]


def _flag(root: Path) -> Optional[str]:
    """Return what the flag file says that Ubuntu's packages leave, and Debian's where a hook is installed."""
    if not (root / "run/reboot-required").exists():
        return None
    try:
        names = sorted(set((root / "run/reboot-required.pkgs").read_text(encoding="utf-8").split()))
    except OSError:
        names = []
    return f"Packages ask for a reboot: {', '.join(names)}" if names else "/run/reboot-required is there"


def _older_kernel(packages: Iterable[Installed], kernel: Kernel) -> Optional[str]:
    """Return how the running kernel is older than the newest one that is installed.

    Only kernels of one flavour (`amd64`, `cloud-amd64`) are compared: in a container the machine's own kernel runs,
    which has nothing to do with what is installed there.
    """
    running, flavour = _split(kernel.release)
    versions = {}
    for package in packages:
        image = _IMAGE.fullmatch(package.name)
        if image is not None and _split(image[1])[1] == flavour:
            versions[image[1]] = package.version
    if not versions:
        return None
    newest = max(versions, key=_split)
    if _split(newest)[0] > running:
        return f"Kernel {kernel.release} runs, {newest} is installed"
    # Debian keeps a kernel's name while its interface stays the same, so a newer build may have that name too.
    build = _DEBIAN_BUILD.search(kernel.version)
    installed = versions.get(kernel.release)
    if build is not None and installed is not None and build[1] != installed:
        return f"Kernel {kernel.release} runs as built in {build[1]}, {installed} is installed"
    return None


def _split(release: str) -> tuple[tuple[int, ...], str]:
    """Return the numbers of a kernel's release, and its flavour."""
    match = _RELEASE.fullmatch(release)
    if match is None:
        return (), release
    return tuple(int(number) for number in re.split(r"[.-]", match[1])), match[2]
