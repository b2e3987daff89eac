"""Whether a machine with rpm waits for a reboot."""

import subprocess
import sys
from pathlib import Path

import pytest

from patchwindow_agent import rpm_reboot, rpm_repair
from patchwindow_agent.errors import InstallFailed
from patchwindow_agent.programs import Completed
from patchwindow_agent.rpm_database import Installed

DNF = "Core libraries or services have been updated since boot-up:\n  * glibc\n  * openssl-libs\n\nReboot is required to fully utilize these updates.\nMore information: https://example.org\n"
YUM = "Core libraries or services have been updated:\n  glibc -> 2.17-326.el7\n\nReboot is required to ensure that your system benefits from these updates.\n"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Completed(1, DNF, ""), "Updated since the boot: glibc, openssl-libs"),
        (Completed(1, YUM, ""), "Updated since the boot: glibc"),
        (Completed(0, "No core libraries or services have been updated.\nReboot should not be necessary.\n", ""), None),
        (Completed(1, "", "No such command: needs-restarting. Please use /usr/bin/dnf --help\n"), None),
        (Completed(127, "", "needs-restarting: No such file or directory"), None),
    ],
)
def test_needs_restarting_is_heard_where_it_is_there(said: Completed, reason: str | None) -> None:
    assert rpm_reboot.asked_for(said) == reason


def kernel(version: str, name: str = "kernel-core") -> Installed:
    return Installed(name, "x86_64", version, 0, 0)


def test_a_kernel_that_is_older_than_the_newest_of_its_package_asks_for_a_reboot() -> None:
    packages = [kernel("5.14.0-9.el9"), kernel("5.14.0-10.el9"), kernel("9-1", "kernel-uek-core")]
    reason = rpm_reboot.older_kernel(packages, "5.14.0-9.el9.x86_64")
    assert reason == "Kernel 5.14.0-9.el9.x86_64 runs, 5.14.0-10.el9.x86_64 is installed"
    assert rpm_reboot.older_kernel(packages, "5.14.0-10.el9.x86_64") is None
    assert rpm_reboot.older_kernel(packages, "5.14.0-9.el9.x86_64+debug") == reason.replace(
        "x86_64 runs", "x86_64+debug runs"
    )


def test_the_kernel_of_a_containers_host_is_not_compared() -> None:
    assert rpm_reboot.older_kernel([kernel("5.14.0-9.el9")], "6.1.0-18-amd64") is None


def test_a_kernel_of_suse_is_known_by_its_flavour_and_without_the_number_of_its_build() -> None:
    packages = [
        kernel("6.4.0-150600.23.7.3", "kernel-default"),
        kernel("6.4.0-150600.23.14.2", "kernel-default"),
        kernel("6.4.0-150600.99.1.1", "kernel-azure"),
    ]
    assert rpm_reboot.older_suse_kernel(packages, "6.4.0-150600.23.7-default") == (
        "Kernel 6.4.0-150600.23.7-default runs, 6.4.0-150600.23.14.2 of kernel-default is installed"
    )
    assert rpm_reboot.older_suse_kernel(packages, "6.4.0-150600.23.14-default") is None
    # Of a container's host.
    assert rpm_reboot.older_suse_kernel(packages, "6.1.0-18-amd64") is None
    assert rpm_reboot.older_suse_kernel(packages, "6.4.0-150600.2-default") is None


def test_a_transaction_that_still_runs_is_waited_for_before_anything_is_repaired(tmp_path: Path) -> None:
    """In the middle of a transaction the database looks as after a kill."""
    (tmp_path / "var/lib/rpm").mkdir(parents=True)
    lock = tmp_path / "var/lib/rpm/.rpm.lock"
    lock.touch()
    hold = "import fcntl, sys\nf = open(sys.argv[1], 'r+b')\nfcntl.lockf(f, fcntl.LOCK_EX)\nprint('held', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        waited: list[float] = []
        with pytest.raises(InstallFailed, match="has been running for 30 minutes"):
            rpm_repair.await_transaction(tmp_path, waited.append)
        assert sum(waited) == 1800
        holder.stdin.close()
    waited.clear()
    rpm_repair.await_transaction(tmp_path, waited.append)
    assert waited == []
