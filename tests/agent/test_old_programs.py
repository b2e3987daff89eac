"""Which programs of patch operations an agent clears away."""

import os
from pathlib import Path

from patchwindow_agent import old_programs

NOW = 1_795_400_000.0
DAY_S = 86_400


def test_programs_of_earlier_versions_go_after_a_week_and_nothing_else_does(tmp_path: Path) -> None:
    folder = tmp_path / "patchwindow"
    folder.mkdir()
    ages = {
        "program-now.pyz": 30,
        "program-old.pyz": 8,
        "program-recent.pyz": 6,
        "pending-reboot.json": 30,
        "other": 30,
    }
    for name, days in ages.items():
        (folder / name).touch()
        os.utime(folder / name, (NOW, NOW - days * DAY_S))
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    assert old_programs.remove(environ, "now", now=NOW) == [folder / "program-old.pyz"]
    assert {path.name for path in folder.iterdir()} == set(ages) - {"program-old.pyz"}


def test_without_a_folder_there_is_nothing_to_clear_away(tmp_path: Path) -> None:
    assert old_programs.remove({"HOME": str(tmp_path)}, "now", now=0.0) == []
