"""What makes rpm's database whole again after a kill or a power cut, with dnf or with yum."""

import errno
import fcntl
import re
from pathlib import Path
from typing import Callable, Sequence

from patchwindow_agent import dnf_output, rpm_database, rpm_version
from patchwindow_agent.dnf_command import Command
from patchwindow_agent.errors import InstallFailed
from patchwindow_agent.programs import Run
from patchwindow_agent.rpm_database import Installed

_DAMAGED = re.compile(r"rpmdb|DB_RUNRECOVERY|malformed|corrupt", re.IGNORECASE)


_TRANSACTION_WAIT_S = 1800
_TRANSACTION_PAUSE_S = 5
# Where rpm has its database, and its lock beside it; the second is that of newer systems.
_DATABASES = ("var/lib/rpm", "usr/lib/sysimage/rpm")


def repair(run: Run, command: Command, *, root: Path, sleep: Callable[[float], None]) -> Sequence[str]:
    """Repair what needs it; return what was done, a sentence for each.

    Raises:
        InstallFailed: it cannot be repaired.
    """
    done: list[str] = []
    await_transaction(root, sleep)
    installed = _read(run, done)
    unfinished = list((root / "var/lib/yum").glob("transaction-all*"))
    # Its list is of what was decided then; what is approved now is installed by the operation itself.
    if unfinished and run(["yum-complete-transaction", "--cleanup-only", "-y"]).exit_code == 0:
        done.append("Dropped the list of an unfinished yum transaction")
    older = _duplicates(installed, command)
    if older:
        # A kill between the new version and the clean-up of the old leaves both. dnf also installs the new one again,
        # so that its scripts run; where it cannot, the old version alone is taken away.
        command.transact(["--setopt=clean_requirements_on_remove=False", "remove", "--duplicates"])
        left = set(_read(run, done))
        for package in (package for package in older if package in left):
            removed = run(["rpm", "-e", "--nodeps", _spec(package)])
            if removed.exit_code != 0:
                reason = dnf_output.problem_text(*removed)
                raise InstallFailed(
                    f"{package.title} is installed beside a newer version and cannot be removed: {reason}"
                )
        done += [
            f"Removed {package.title}, which an unfinished transaction had left beside a newer version"
            for package in older
        ]
    return done


def await_transaction(root: Path, sleep: Callable[[float], None]) -> None:
    """Wait for the end of a transaction that runs already, as that of an operation which was killed and it was not.

    In its middle the database looks as after a kill. rpm locks a file for the length of a transaction, whoever began it.

    Raises:
        InstallFailed: it has not ended after half an hour.
    """
    for _ in range(_TRANSACTION_WAIT_S // _TRANSACTION_PAUSE_S):
        if not any(_is_locked(root / folder / ".rpm.lock") for folder in _DATABASES):
            return
        sleep(_TRANSACTION_PAUSE_S)
    raise InstallFailed(
        f"another transaction of rpm has been running for {_TRANSACTION_WAIT_S // 60} minutes: try again when it has ended"
    )


def _is_locked(path: Path) -> bool:
    try:
        with path.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError as problem:
        return problem.errno in (errno.EACCES, errno.EAGAIN)
    return False


def _read(run: Run, done: "list[str]") -> Sequence[Installed]:
    """Return what is installed, from a database that is rebuilt where it is damaged."""
    asked = run(rpm_database.QUERY)
    if asked.exit_code != 0 or _DAMAGED.search(asked.stderr):
        rebuilt = run(["rpm", "--rebuilddb"])
        done.append("Rebuilt the damaged database of rpm")
        asked = run(rpm_database.QUERY)
        if rebuilt.exit_code != 0 or asked.exit_code != 0:
            raise InstallFailed(
                f"the database of rpm is damaged and cannot be rebuilt: {dnf_output.problem_text(*asked)}"
            )
    return rpm_database.parse_installed(asked.stdout)


def _duplicates(installed: Sequence[Installed], command: Command) -> Sequence[Installed]:
    """Return the older ones of packages that are there twice and should not be, as kernels should."""
    newest = rpm_database.newest(installed)
    older = [package for package in installed if newest[package.key].version != package.version]
    if not older:
        return older
    # Which packages are kept beside each other is a matter of configuration, which the package manager has read.
    checked = command.run(["check", command.dialect.duplicates])
    named = set(re.findall(r"[^\s\"]+", checked.stdout))
    return [package for package in older if {_spec(package), _spec_with_epoch(package)} & named]


def _spec(package: Installed) -> str:
    _, version, release = rpm_version.split(package.version)
    return f"{package.name}-{version}-{release}.{package.arch}"


def _spec_with_epoch(package: Installed) -> str:
    epoch, version, release = rpm_version.split(package.version)
    return f"{package.name}-{epoch}:{version}-{release}.{package.arch}"
