import shutil
import subprocess
from pathlib import Path

import pytest

from patchwindow_agent.apt_output import Installed
from patchwindow_agent.reboot import Kernel, reasons, stale_processes, stale_remarks

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


def process(proc: Path, pid: int, name: str, *maps: str) -> None:
    """Make a process as the kernel shows it."""
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "comm").write_text(f"{name}\n")
    lines = [
        f"7f00000000{number:02}-7f00000010{number:02} r-xp 00000000 08:01 77   {path}\n"
        for number, path in enumerate(maps)
    ]
    (folder / "maps").write_text("".join(lines))


def test_processes_on_replaced_programs_and_libraries_are_named_once_and_no_others(tmp_path: Path) -> None:
    process(tmp_path, 1, "systemd", "/usr/lib/systemd/systemd", "/usr/lib/x86_64-linux-gnu/libc.so.6")
    process(tmp_path, 20, "nginx", "/usr/sbin/nginx", "/usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)")
    process(tmp_path, 21, "nginx", "/usr/sbin/nginx", "/usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)")
    process(tmp_path, 30, "sshd", "/usr/sbin/sshd (deleted)")
    process(tmp_path, 40, "postgres", "/dev/zero (deleted)", "/SYSV0052e2c1 (deleted)", "/memfd:x (deleted)")
    process(tmp_path, 50, "app", "/opt/app/lib/libapp.so (deleted)")
    (tmp_path / "self").mkdir()
    (tmp_path / "60").mkdir()
    assert stale_processes(tmp_path) == ["app", "nginx", "sshd"]


def test_a_program_that_was_replaced_while_it_ran_is_noticed_for_real(tmp_path: Path) -> None:
    program = tmp_path / "bin/patchtest"
    program.parent.mkdir()
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    process = subprocess.Popen([program, "60"])
    try:
        program.unlink()
        assert "patchtest" in stale_processes()
    finally:
        process.kill()
        process.wait()


def test_many_names_are_told_as_the_first_ones_and_a_number() -> None:
    assert stale_remarks([]) == []
    (remark,) = stale_remarks([f"p{number:02}" for number in range(25)])
    assert remark.startswith("processes that still use replaced programs or libraries: p00, p01, ")
    assert remark.endswith("p19 and 5 more")
