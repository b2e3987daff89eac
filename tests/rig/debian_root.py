"""Real Debian roots with real updates pending, made by mmdebstrap from this machine's own mirrors.

A root holds a minimal system of the plain release; the lists with updates and security updates are there, and their
archives are downloaded but not installed. So it is scanned and patched without a network. Building one takes about
half a minute and needs root; it is kept in a cache folder, by suite and month.
"""

import hashlib
import os
import subprocess
import time
from pathlib import Path
from typing import Final

__all__ = ["CannotBuildError", "cached_tarball", "mirror_itself", "unpack"]

_KEPT: Final = ("Origin:", "Label:", "Suite:", "Version:", "Codename:", "Date:", "Architectures:", "Components:")
_TARGETS: Final = "$(LABEL) $(REPO_URI)"
# Python runs the patch operation; the rest is what apt itself takes with it.
_PACKAGES: Final = "python3,ca-certificates,openssl"


class CannotBuildError(Exception):
    """The root cannot be built here; the message says why."""


def _mirrors() -> dict[str, str]:
    """Return the addresses that this machine's own apt fetches from, by the label of the publisher."""
    text = _output("apt-get", "indextargets", "--format", _TARGETS, "Created-By: Packages")
    return dict(line.split(" ", 1) for line in reversed(text.splitlines()) if " " in line)


def cached_tarball(suite: str, *more: str) -> Path:
    """Return the archive of *suite* with *more* packages, built if it is not there yet.

    Raises:
        CannotBuildError: it cannot be built, as where the mirror no longer has the suite.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = home / "patchwindow-tests" / f"{'-'.join([suite, *more])}-{time.strftime('%Y-%m')}.tar"
    if path.exists():
        return path
    mirrors = _mirrors()
    if not {"Debian", "Debian-Security"} <= mirrors.keys():
        raise CannotBuildError(f"this machine's apt has no mirror of Debian and of its security updates: {mirrors}")
    path.parent.mkdir(parents=True, exist_ok=True)
    sources = path.with_suffix(".sources")
    sources.write_text(
        f"deb {mirrors['Debian']} {suite} main\n"
        f"deb {mirrors['Debian']} {suite}-updates main\n"
        f"deb {mirrors['Debian-Security']} {suite}-security main\n"
    )
    # mmdebstrap goes by the end of the name.
    aside = path.with_name(f"new-{path.name}")
    hooks = (
        'rm -f "$1"/var/cache/apt/archives/*.deb',
        f'cp "{sources}" "$1/etc/apt/sources.list"; cp /etc/resolv.conf "$1/etc"',
        'chroot "$1" apt-get -q update',
        'chroot "$1" apt-get -qy --download-only dist-upgrade',
        'rm -f "$1/etc/resolv.conf" "$1"/var/cache/apt/*.bin',
    )
    done = subprocess.run(
        [
            *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join([_PACKAGES, *more])}"),
            *('--aptopt=Acquire::Languages "none"', "--skip=cleanup/apt"),
            *(f"--customize-hook={hook}" for hook in hooks),
            *(suite, str(aside), f"deb {mirrors['Debian']} {suite} main"),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        aside.unlink(missing_ok=True)
        raise CannotBuildError(f"{suite} cannot be built: {done.stderr.strip()[-300:]}")
    aside.rename(path)
    return path


def unpack(tarball: Path, folder: Path) -> Path:
    """Unpack *tarball* into *folder*, which is made, and return it."""
    folder.mkdir()
    _output("tar", "-C", str(folder), "-xf", str(tarball))
    return folder


def mirror_itself(root: Path) -> None:
    """Make a mirror on *root*'s own disk of the lists that it has, and its only one, so that they can be refreshed.

    What the publishers say of their suites stays, without the signatures: of each list only the uncompressed one is there.
    """
    lists = root / "var/lib/apt/lists"
    lines = []
    for release in sorted(lists.glob("*_InRelease")):
        site, _, suite = release.name.removesuffix("_InRelease").partition("_dists_")
        index = "main/binary-amd64/Packages"
        folder = root / "srv/mirror" / site / "dists" / suite
        (folder / index).parent.mkdir(parents=True)
        (lists / f"{site}_dists_{suite}_{index.replace('/', '_')}").rename(folder / index)
        content = (folder / index).read_bytes()
        told = [line for line in release.read_text().splitlines() if line.startswith(_KEPT)]
        hashes = ["SHA256:", f" {hashlib.sha256(content).hexdigest()} {len(content)} {index}"]
        (folder / "Release").write_text("\n".join([*told, *hashes]) + "\n")
        release.unlink()
        lines.append(f"deb [trusted=yes] file:///srv/mirror/{site} {suite} main\n")
    (root / "etc/apt/sources.list").write_text("".join(lines))
    (root / "etc/apt/apt.conf.d/languages").write_text('Acquire::Languages "none";\n')


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
