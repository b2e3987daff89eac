"""A machine to manage whose packages are known: this one, with a toy apt root instead of its own packages."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fakes.commandline import environment
from tests.rig.toy_apt import Root, make_root

SECURITY: Final = {
    "toy-base.all:1.0+deb99u1": "Security",
    "toy-held.all:1.1": "Security",
    "toy-kernel.all:6.1.2": "Security",
}
"""The updates in the toy repository's security suite, with their class: what a baseline for security updates approves."""

INSTALLED: Final = frozenset(
    {
        "toy-app.all:2.0",
        "toy-base.all:1.0",
        "toy-current.all:3.2",
        "toy-epoch.all:1:0.9~rc1",
        "toy-grows.all:1.0",
        "toy-held.all:1.0",
        "toy-kernel.all:6.1.1",
        "toy-phased.all:1.0",
        "toy-vendor.all:1.0",
    }
)
"""What is installed in a new root; none of it came from a security suite."""

_ROOT_VARIABLES: Final = ("APT_CONFIG", "DPKG_ROOT", "DPKG_ADMINDIR", "DPKG_FORCE", "DEBIAN_FRONTEND")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the programs of one machine see."""

    home: Path
    environ: dict[str, str]


def make_machine(repository: Path, folder: Path) -> Machine:
    """Make a machine in *folder* with old packages in it and updates pending."""
    return machine_of(make_root(repository, folder / "root"), folder)


def machine_of(root: Root, folder: Path) -> Machine:
    """Return the machine with its home in *folder* whose packages are in *root*."""
    return Machine(folder, environment(folder, {name: root.environ[name] for name in _ROOT_VARIABLES}))
