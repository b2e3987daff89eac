"""The real zypper on the toy roots of `toy_rpm`, which get its settings, its repository and a lock.

`unpack_zypper.sh` unpacks it aside where it cannot be installed beside dnf.
"""

import os
import shutil
import textwrap
from pathlib import Path
from typing import Final

from tests.rig import toy_rpm
from tests.rig.toy_rpm import Repository, Root

__all__ = ["MISSING", "copy_zypper_root", "make_zypper_root", "set_repositories", "stanza"]

_CACHES: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
_UNPACKED: Final = _CACHES / "patchwindow-tests/zypper/zypper"
_ZYPPER: Final = shutil.which("zypper") or (str(_UNPACKED) if _UNPACKED.exists() else "")
MISSING: Final = toy_rpm.MISSING or ("" if _ZYPPER else "needs zypper, or tests/rig/unpack_zypper.sh to have been run")
"""Why roots for zypper cannot be made here; empty where they can."""


def stanza(repository: Repository, alias: str = "toy", *, url: str = "") -> str:
    """Return the configuration of *repository* for zypper: its packages are signed, its lists are not."""
    return repository.stanza(alias, url=url) + "repo_gpgcheck=0\npkg_gpgcheck=1\n"


def set_repositories(root: Root, *stanzas: str) -> None:
    """Make *stanzas* the repositories of zypper."""
    for old in (root.path / "etc/zypp/repos.d").glob("*.repo"):
        old.unlink()
    for number, text in enumerate(stanzas):
        (root.path / f"etc/zypp/repos.d/{number}.repo").write_text(text)


def make_zypper_root(repository: Repository, old: Root, path: Path) -> Root:
    """Make a root like *old* in *path* that is one of openSUSE, with a package locked."""
    root = copy_zypper_root(old, path)
    for folder in ("etc/zypp/repos.d", "etc/zypp/services.d", "var/cache/zypp"):
        (path / folder).mkdir(parents=True)
    (path / "etc/os-release").write_text(
        'ID="opensuse-leap"\nNAME="openSUSE Leap"\nVERSION_ID="15.6"\nID_LIKE="suse"\n'
    )
    (path / "etc/zypp/zypp.conf").write_text("[main]\nmultiversion = provides:installonlypkg(kernel)\n")
    set_repositories(root, stanza(repository))
    root.run("zypper", "-n", "addlock", toy_rpm.HELD)
    return root


def copy_zypper_root(root: Root, path: Path) -> Root:
    """Make another root like *root* in *path*."""
    copied = toy_rpm.copy_root(root, path)
    shim = path / "shim/zypper"
    shim.write_text(
        textwrap.dedent(f"""\
            #!/bin/sh
            export HOME={path}/home
            exec '{_ZYPPER}' --root {path} "$@"
            """)
    )
    shim.chmod(0o755)
    return copied
