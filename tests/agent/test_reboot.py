from pathlib import Path

import pytest

from patchwindow_agent.apt_output import Installed
from patchwindow_agent.reboot import Kernel, reasons

RUNNING = Kernel("6.1.0-37-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.140-1 (2025-05-22)")


def image(release: str, version: str) -> Installed:
    return Installed(f"linux-image-{release}", "amd64", version, "kernel", "optional", is_held=False)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ([], []),
        ([image("6.1.0-37-amd64", "6.1.140-1")], []),
        (
            [image("6.1.0-37-amd64", "6.1.140-1"), image("6.1.0-38-amd64", "6.1.147-1")],
            ["Kernel 6.1.0-37-amd64 runs, 6.1.0-38-amd64 is installed"],
        ),
        # As numbers, not as text.
        ([image("6.1.0-9-amd64", "6.1.27-1"), image("6.1.0-37-amd64", "6.1.140-1")], []),
        # The same name, built anew.
        (
            [image("6.1.0-37-amd64", "6.1.140-2")],
            ["Kernel 6.1.0-37-amd64 runs as built in 6.1.140-1, 6.1.140-2 is installed"],
        ),
        # Another flavour, and the package that only points to the newest kernel.
        ([image("6.1.0-40-cloud-amd64", "6.1.150-1"), image("amd64", "6.1.150-1")], []),
    ],
)
def test_a_kernel_older_than_the_newest_installed_one_is_a_reason(
    images: list[Installed], expected: list[str], tmp_path: Path
) -> None:
    assert reasons(tmp_path, images, RUNNING) == expected


def test_a_containers_packages_say_nothing_of_the_machines_kernel(tmp_path: Path) -> None:
    images = [image("6.1.0-37-amd64", "6.1.140-1")]
    assert reasons(tmp_path, images, Kernel("5.15.0-1053-aws", "#58-Ubuntu SMP")) == []


def test_the_flag_file_is_a_reason_with_the_packages_that_left_it(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/reboot-required").touch()
    assert reasons(tmp_path, [], RUNNING) == ["/run/reboot-required is there"]
    (tmp_path / "run/reboot-required.pkgs").write_text("libc6\ndbus\nlibc6\n")
    assert reasons(tmp_path, [], RUNNING) == ["Packages ask for a reboot: dbus, libc6"]
