"""Whether the machine waits for a reboot, and why; and which processes still use files that were replaced."""

import itertools
import os
import re
from pathlib import Path
from typing import Iterable, NamedTuple, Optional, Sequence

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


# So many processes are looked at, and so many names told: a look at one takes some 50 microseconds.
_PROCESSES_MAX = 20_000
_NAMES_MAX = 20
_MAPS_MAX = 4 * 1024 * 1024
# Memory of a library or program whose file is gone. Deleted files of data, shared memory and the like say nothing.
_DELETED = re.compile(r" /(?:usr/|opt/)?(?:\S+/)*(?:lib|lib64|libexec|bin|sbin)/[^\n]* \(deleted\)$", re.MULTILINE)


def stale_processes(proc: Path = Path("/proc")) -> Sequence[str]:
    """Return the names of processes that run with programs or libraries whose files were replaced, sorted, each once.

    They alone are no reason for a reboot: who uses old libraries is helped by a restart of the service. Other users'
    processes cannot be looked at without rights, and are left out.
    """
    found: set[str] = set()
    if not proc.is_dir():
        return []
    folders = itertools.islice((path for path in proc.iterdir() if path.name.isdigit()), _PROCESSES_MAX)
    for folder in folders:
        try:
            with (folder / "maps").open(encoding="utf-8", errors="replace") as file:
                if _DELETED.search(file.read(_MAPS_MAX)) is not None:
                    found.add((folder / "comm").read_text(encoding="utf-8", errors="replace").strip())
        except OSError:
            # It has ended meanwhile, or is another user's.
            continue
    return sorted(found)


def stale_remarks(names: Sequence[str]) -> Sequence[str]:
    """Return what people should read of processes with these *names*, nothing where there are none."""
    if not names:
        return []
    more = f" and {len(names) - _NAMES_MAX} more" if len(names) > _NAMES_MAX else ""
    return [f"processes that still use replaced programs or libraries: {', '.join(names[:_NAMES_MAX])}{more}"]


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
