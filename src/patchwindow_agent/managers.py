"""Which package manager a machine has: that of its system where it is there, else the first that is."""

import shutil
from pathlib import Path
from typing import Callable, Mapping, NamedTuple, Optional, Protocol, Sequence

from patchwindow_agent import machine, programs, reboot
from patchwindow_agent.apt import Apt
from patchwindow_agent.dnf import Dnf
from patchwindow_agent.errors import Unsupported
from patchwindow_agent.macos import Macos
from patchwindow_agent.package_manager import PackageManager
from patchwindow_agent.yum import Yum
from patchwindow_agent.zypper import Zypper


class Constructor(Protocol):
    """Makes a package manager; *cache* is a folder of our own, None where there is none."""

    def __call__(
        self, run: programs.Run, *, root: Path, cache: Optional[Path], kernel: reboot.Kernel
    ) -> PackageManager: ...


class Known(NamedTuple):
    """A package manager that patch operations can work with."""

    # As the facts call it.
    name: str
    # It is recognised by these programs, all of them.
    programs: Sequence[str]
    make: Constructor
    # Where its packages are, if not below /: what the manager itself obeys.
    root_of: Callable[[Mapping[str, str]], Path] = lambda _: Path("/")
    # Systems are its own, by how their ids begin, or those of the systems that they are made from, also where another
    # one is installed: SUSE offers dnf, Fedora zypper and apt.
    systems: Sequence[str] = ()


def _dpkg_root(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("DPKG_ROOT") or "/")


_RED_HAT = ("fedora", "rhel", "centos", "rocky", "almalinux", "ol", "amzn")

MANAGERS: Sequence[Known] = (
    Known("apt", ("apt-get", "dpkg-query"), Apt, _dpkg_root, systems=("debian", "ubuntu", "raspbian")),
    # Where there is dnf, yum is another name of it.
    Known("dnf", ("rpm", "dnf"), Dnf, systems=_RED_HAT),
    Known("yum", ("rpm", "yum"), Yum, systems=_RED_HAT),
    Known("zypper", ("rpm", "zypper"), Zypper, systems=("sle", "sl-", "opensuse", "suse")),
    Known("macos", ("softwareupdate", "sw_vers"), Macos, systems=("macos",)),
)


def find(environ: Mapping[str, str], *, cache: Optional[Path], machine_root: Path = Path("/")) -> PackageManager:
    """Return the package manager of this machine, or of the root that *environ* names.

    Raises:
        Unsupported: there is none that is known here.
    """
    path = environ.get("PATH")
    here = [known for known in MANAGERS if all(shutil.which(program, path=path) for program in known.programs)]
    system = machine.read_system(machine_root)
    if not here:
        names = ", ".join(known.name for known in MANAGERS)
        raise Unsupported(
            f"{system.name} has no package manager that is known here; patch operations work with {names}"
        )
    own = (known for id in (system.id, *system.like) for known in here if id.startswith(tuple(known.systems)))
    known = next(own, here[0])
    root = known.root_of(environ)
    return known.make(programs.runner(environ), root=root, cache=cache, kernel=reboot.running_kernel())
