"""Each point at which an installation with the real dnf can be killed, and what comes of it."""

import os
from pathlib import Path

import pytest
from tests.agent.dnf_operations import dnf
from tests.agent.kill_matrix import Cell, check
from tests.agent.rpm_machine import FAST, SLOW, RpmMachine
from tests.rig import toy_rpm
from tests.rig.toy_rpm import Repository, Root, build_repository, copy_root, make_root

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow_agent.package_manager import PackageManager

_LACK = toy_rpm.MISSING or ("" if os.geteuid() == 0 else "needs root: rpm changes its root")
pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(bool(_LACK), reason=f"{_LACK}; .ci/install-needs installs what the tests need"),
]


class DnfMachine(RpmMachine):
    """A toy root for dnf."""

    system = OperatingSystem.ROCKY_LINUX

    def manager(self) -> PackageManager:
        return dnf(self._root)

    def rest(self) -> str:
        return self._root.run("dnf", "-q", "-C", "check")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return build_repository(tmp_path_factory.mktemp("rpm") / "repository")


@pytest.fixture(scope="module")
def old_root(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Root:
    return make_root(repository, tmp_path_factory.mktemp("rpm") / "root")


def play(old: Root, folder: Path, cell: Cell) -> None:
    check(DnfMachine(copy_root(old, folder / "root"), folder, cell), cell)


@pytest.mark.parametrize("cell", [FAST], ids=str)
def test_what_was_killed_is_finished_and_told_as_it_is(old_root: Root, tmp_path: Path, cell: Cell) -> None:
    play(old_root, tmp_path, cell)


@pytest.mark.slow
@pytest.mark.parametrize("cell", SLOW, ids=str)
def test_what_was_killed_anywhere_is_finished_and_told_as_it_is(old_root: Root, tmp_path: Path, cell: Cell) -> None:
    play(old_root, tmp_path, cell)
