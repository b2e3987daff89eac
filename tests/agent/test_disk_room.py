from pathlib import Path

import pytest

from patchwindow_agent.disk_room import Disk, Need, disk_of, shortage

MB = 1_000_000


def disks(path: Path) -> Disk:
    return Disk(2, 90 * MB) if path.is_relative_to("/boot") else Disk(1, 500 * MB)


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ([], None),
        ([Need(Path("/usr"), 400 * MB), Need(Path("/boot"), 50 * MB)], None),
        (
            [Need(Path("/usr"), 400 * MB), Need(Path("/boot"), 80 * MB)],
            "no room for /boot: 112 MB are needed and 90 MB are free; free at least 22 MB there",
        ),
        # On one disk they add up.
        (
            [Need(Path("/usr"), 400 * MB), Need(Path("/var/cache"), 80 * MB)],
            "no room for /usr, /var/cache: 512 MB are needed and 500 MB are free; free at least 12 MB there",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_how_much_is_lacking(needs: list[Need], expected: str | None) -> None:
    assert shortage(needs, disks) == expected


def test_a_folder_that_is_not_there_yet_is_on_the_disk_of_its_parent(tmp_path: Path) -> None:
    disk = disk_of(tmp_path / "not" / "there")
    assert disk.id == tmp_path.stat().st_dev
    assert disk.free > 0
