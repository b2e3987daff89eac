"""What a machine says of itself, read from the files of other machines."""

import plistlib
from pathlib import Path

from patchwindow_agent.machine import System, read_system


def test_linux_is_what_its_os_release_says_also_of_a_release_that_nobody_knows(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(
        '# a comment\nNAME="Some Linux"\nID=some\nVERSION_ID="99.1"\nVERSION_CODENAME=next\nID_LIKE="rhel fedora"\nbroken="\n'
    )
    assert read_system(tmp_path) == System("some", "Some Linux", "99.1", "next", ("rhel", "fedora"))


def test_macos_is_what_its_own_file_says(tmp_path: Path) -> None:
    file = tmp_path / "System/Library/CoreServices/SystemVersion.plist"
    file.parent.mkdir(parents=True)
    file.write_bytes(
        plistlib.dumps({"ProductName": "macOS", "ProductVersion": "15.1.1", "ProductBuildVersion": "24B91"})
    )
    assert read_system(tmp_path) == System("macos", "macOS", "15.1.1", "")


def test_of_a_system_that_says_nothing_only_its_kind_is_told(tmp_path: Path) -> None:
    assert read_system(tmp_path) == System("linux", "Linux", "", "")
