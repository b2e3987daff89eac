"""Whether a machine with rpm waits for a reboot: what its own tool says, and the kernel that runs."""

import re
from typing import Optional, Sequence

from patchwindow_agent import rpm_version
from patchwindow_agent.programs import Completed
from patchwindow_agent.rpm_database import Installed

_UPDATED = re.compile(r"^  (?:\* )?(\S+)", re.MULTILINE)


def asked_for(needs_restarting: Completed) -> Optional[str]:
    """Return what `needs-restarting -r` says, None where nothing waits or it is not on the machine.

    It ends with 1 where a reboot is needed, and so does dnf where it has no such command; only the first says why.
    """
    if needs_restarting.exit_code != 1 or "eboot is required" not in needs_restarting.stdout:
        return None
    names = sorted(set(_UPDATED.findall(needs_restarting.stdout)))
    return f"Updated since the boot: {', '.join(names)}" if names else "needs-restarting asks for a reboot"


def older_kernel(packages: Sequence[Installed], release: str) -> Optional[str]:
    """Return how the kernel that runs, by its *release* as uname tells it, is older than the newest that is installed.

    Only a kernel that is installed is compared, with others of its package: in a container the machine's own runs.
    """
    running = [package for package in packages if _is_kernel(package, release)]
    if not running:
        return None
    # `kernel` and `kernel-core` are of one version; the shorter name has the packages of all distributions.
    mine = min(running)
    newest = max(
        (package for package in packages if package.key == mine.key),
        key=lambda package: rpm_version.sort_key(package.version),
    )
    if newest.version == mine.version:
        return None
    return f"Kernel {release} runs, {_release_of(newest)} is installed"


def _is_kernel(package: Installed, release: str) -> bool:
    return package.name.startswith("kernel") and _release_of(package) == re.sub(r"\+\w+$", "", release)


def _release_of(package: Installed) -> str:
    _, version, release = rpm_version.split(package.version)
    return f"{version}-{release}.{package.arch}"


def older_suse_kernel(packages: Sequence[Installed], release: str) -> Optional[str]:
    """Return how the kernel that runs on SUSE is older than the newest one of its flavour.

    `6.4.0-150600.23.7-default` is of the package `kernel-default`, whose release has the number of its build more:
    `6.4.0-150600.23.7.3`.
    """
    number, _, flavour = release.rpartition("-")
    mine = [package for package in packages if package.name in (f"kernel-{flavour}", f"kernel-{flavour}-base")]
    if not any(_is_build_of(package, number) for package in mine):
        return None
    newest = max(mine, key=lambda package: rpm_version.sort_key(package.version))
    if _is_build_of(newest, number):
        return None
    return f"Kernel {release} runs, {newest.version} of {newest.name} is installed"


def _is_build_of(package: Installed, number: str) -> bool:
    return package.version == number or package.version.startswith(f"{number}.")
