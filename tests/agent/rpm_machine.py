"""A toy root of rpm for the table of kills, whatever package manager works on it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.agent.kill_matrix import CELLS, REPRESENTATIVE, Cell
from tests.rig.toy_rpm import Root

__all__ = ["FAST", "SLOW", "RpmMachine"]

# The second needs the first.
_ALWAYS: Final = {"toy-base": "1.0-2", "toy-app": "2.1-1", "glibc": "2.36-2"}
# Its script takes four seconds, in which it stands beside its older version.
_WAITING: Final = {"toy-slow": "1.1-1"}
_FORM: Final = "%{NAME}.%{ARCH}:0:%{VERSION}-%{RELEASE} %{INSTALLTID}.%{INSTALLTIME}\\n"
# rpm unpacks and configures a package in one step, and no script makes a repair wait so that it could be met at work.
_NOT_APART: Final = ("unpacking", "repairing")

FAST: Final = REPRESENTATIVE[0]
"""The case that `make test` plays: the others take up to a quarter of a minute each."""
SLOW: Final = [cell for cell in CELLS if cell is not FAST and cell.point not in _NOT_APART]


class RpmMachine:
    """What any package manager of rpm has in common; *root* may be changed."""

    def __init__(self, root: Root, folder: Path, cell: Cell) -> None:
        self.folder = folder
        self._versions = _ALWAYS | (_WAITING if cell.point == "configuring" else {})
        self._root = root

    def wanted(self) -> Mapping[str, str]:
        return {name: f"{name}.noarch:0:{version}" for name, version in self._versions.items()}

    def whole(self) -> Mapping[str, str]:
        lines = [line.split(" ") for line in self._root.run("rpm", "-qa", "--qf", _FORM).splitlines()]
        names = [title.partition(".")[0] for title, _ in lines]
        wanted = set(self.wanted().values())
        return {
            title: installed
            for title, installed in lines
            if title in wanted and names.count(title.partition(".")[0]) == 1
        }

    def is_in_the_middle(self) -> bool:
        there = {title for title in self._root.packages() if title.startswith("toy-slow.")}
        return len(there) > 1

    def go_on(self) -> None:
        """It goes on by itself."""
