"""Each point at which an installation with the real dnf can be killed, and what comes of it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from tests.agent.dnf_operations import dnf
from tests.agent.kill_matrix import CELLS, REPRESENTATIVE, Cell, check
from tests.rig import toy_rpm
from tests.rig.toy_rpm import Repository, Root, build_repository, copy_root, make_root

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow_agent.package_manager import PackageManager

_LACK = toy_rpm.MISSING or ("" if os.geteuid() == 0 else "needs root: rpm changes its root")
pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(bool(_LACK), reason=f"{_LACK}; .ci/install-needs installs what the tests need"),
]
# The second needs the first.
_ALWAYS: Final = {"toy-base": "1.0-2", "toy-app": "2.1-1", "glibc": "2.36-2"}
# Its script takes four seconds, in which it stands beside its older version.
_SLOW: Final = {"toy-slow": "1.1-1"}
_FORM: Final = "%{NAME}.%{ARCH}:0:%{VERSION}-%{RELEASE} %{INSTALLTID}.%{INSTALLTIME}\\n"


# Its one transaction has one middle, and no script makes a repair wait so that it could be met at work.
_NOT_APART: Final = ("unpacking", "repairing")
_FAST: Final = REPRESENTATIVE[0]
_SLOW_CELLS: Final = [cell for cell in CELLS if cell is not _FAST and cell.point not in _NOT_APART]


class DnfMachine:
    """A toy root for dnf."""

    system = OperatingSystem.ROCKY_LINUX

    def __init__(self, old: Root, folder: Path, cell: Cell) -> None:
        self.folder = folder
        is_slow = cell.point == "configuring"
        self._versions = _ALWAYS | (_SLOW if is_slow else {})
        self._root = copy_root(old, folder / "root")

    def manager(self) -> PackageManager:
        return dnf(self._root)

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

    def rest(self) -> str:
        return self._root.run("dnf", "-q", "-C", "check")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return build_repository(tmp_path_factory.mktemp("rpm") / "repository")


@pytest.fixture(scope="module")
def old_root(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Root:
    return make_root(repository, tmp_path_factory.mktemp("rpm") / "root")


# The others take up to a quarter of a minute each.
@pytest.mark.parametrize("cell", [_FAST], ids=str)
def test_what_was_killed_is_finished_and_told_as_it_is(old_root: Root, tmp_path: Path, cell: Cell) -> None:
    check(DnfMachine(old_root, tmp_path, cell), cell)


@pytest.mark.slow
@pytest.mark.parametrize("cell", _SLOW_CELLS, ids=str)
def test_what_was_killed_anywhere_is_finished_and_told_as_it_is(old_root: Root, tmp_path: Path, cell: Cell) -> None:
    check(DnfMachine(old_root, tmp_path, cell), cell)
