"""What makes rpm's database whole again after a kill or a power cut, with dnf or with yum."""

import re
from pathlib import Path
from typing import Callable, Sequence

from patchwindow_agent import rpm_repair, rpm_version
from patchwindow_agent.dnf_command import Command
from patchwindow_agent.programs import Run
from patchwindow_agent.rpm_database import Installed


def repair(run: Run, command: Command, *, root: Path, sleep: Callable[[float], None]) -> Sequence[str]:
    """Repair what needs it; return what was done, a sentence for each.

    Raises:
        InstallFailed: it cannot be repaired.
    """
    done: list[str] = []
    rpm_repair.await_transaction(root, sleep)
    installed = rpm_repair.read(run, done)
    unfinished = list((root / "var/lib/yum").glob("transaction-all*"))
    # Its list is of what was decided then; what is approved now is installed by the operation itself.
    if unfinished and run(["yum-complete-transaction", "--cleanup-only", "-y"]).exit_code == 0:
        done.append("Dropped the list of an unfinished yum transaction")
    older = _duplicates(installed, command)
    if older:
        # A kill between the new version and the clean-up of the old leaves both. dnf also installs the new one again,
        # so that its scripts run; where it cannot, the old version alone is taken away.
        command.transact(["--setopt=clean_requirements_on_remove=False", "remove", "--duplicates"])
        rpm_repair.remove_older(run, older, done)
    return done


def _duplicates(installed: Sequence[Installed], command: Command) -> Sequence[Installed]:
    """Return the older ones of packages that are there twice and should not be, as kernels should."""
    older = rpm_repair.older(installed)
    if not older:
        return older
    # Which packages are kept beside each other is a matter of configuration, which the package manager has read.
    checked = command.run(["check", command.dialect.duplicates])
    named = set(re.findall(r"[^\s\"]+", checked.stdout))
    return [package for package in older if {rpm_repair.spec(package), _spec_with_epoch(package)} & named]


def _spec_with_epoch(package: Installed) -> str:
    epoch, version, release = rpm_version.split(package.version)
    return f"{package.name}-{epoch}:{version}-{release}.{package.arch}"
