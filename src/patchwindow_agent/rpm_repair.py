"""What any package manager does to rpm's database before it trusts it again."""

import errno
import fcntl
import re
from pathlib import Path
from typing import Callable, Sequence

from patchwindow_agent import dnf_output, rpm_database, rpm_version
from patchwindow_agent.errors import InstallFailed
from patchwindow_agent.programs import Run
from patchwindow_agent.rpm_database import Installed

_DAMAGED = re.compile(r"rpmdb|DB_RUNRECOVERY|malformed|corrupt", re.IGNORECASE)
_TRANSACTION_WAIT_S = 1800
_TRANSACTION_PAUSE_S = 5
# Where rpm has its database, and its lock beside it; the second is that of newer systems.
_DATABASES = ("var/lib/rpm", "usr/lib/sysimage/rpm")


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


def read(run: Run, done: "list[str]") -> Sequence[Installed]:
    """Return what is installed, from a database that is rebuilt where it is damaged; what was done is added to *done*.

    Raises:
        InstallFailed: it cannot be rebuilt.
    """
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


def older(installed: Sequence[Installed]) -> Sequence[Installed]:
    """Return what is there beside a newer version of the same package."""
    newest = rpm_database.newest(installed)
    return [package for package in installed if newest[package.key].version != package.version]


def remove_older(run: Run, packages: Sequence[Installed], done: "list[str]") -> None:
    """Take *packages* away where they are still there; for each, what was done is added to *done*.

    Raises:
        InstallFailed: rpm would not.
    """
    left = set(read(run, done))
    for package in (package for package in packages if package in left):
        removed = run(["rpm", "-e", "--nodeps", spec(package)])
        if removed.exit_code != 0:
            reason = dnf_output.problem_text(*removed)
            raise InstallFailed(f"{package.title} is installed beside a newer version and cannot be removed: {reason}")
    done += [
        f"Removed {package.title}, which an unfinished transaction had left beside a newer version"
        for package in packages
    ]


def spec(package: Installed) -> str:
    """Return what names exactly *package* to rpm."""
    _, version, release = rpm_version.split(package.version)
    return f"{package.name}-{version}-{release}.{package.arch}"


def _is_locked(path: Path) -> bool:
    try:
        with path.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError as problem:
        return problem.errno in (errno.EACCES, errno.EAGAIN)
    return False
