"""Each point at which an installation with the real zypper can be killed, and what comes of it."""

import os
import time
from pathlib import Path

import pytest
from tests.agent.kill_matrix import Cell, check
from tests.agent.rpm_machine import FAST, SLOW, RpmMachine
from tests.rig import toy_zypper
from tests.rig.toy_rpm import Root, build_repository, make_root
from tests.rig.toy_zypper import copy_zypper_root, make_zypper_root

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow_agent import programs, reboot
from patchwindow_agent.package_manager import PackageManager
from patchwindow_agent.zypper import Zypper

_LACK = toy_zypper.MISSING or ("" if os.geteuid() == 0 else "needs root: rpm changes its root")
pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(bool(_LACK), reason=f"{_LACK}; .ci/install-needs installs what the tests need"),
]


class ZypperMachine(RpmMachine):
    """A toy root for zypper."""

    system = OperatingSystem.SUSE

    def manager(self) -> PackageManager:
        kernel = reboot.Kernel("6.1.1-1-default", "#1")
        run = programs.runner(self._root.environ)
        # A zypper that was left alone is waited for.
        return Zypper(run, root=self._root.path, cache=None, kernel=kernel, sleep=time.sleep, stale=list)

    def rest(self) -> str:
        said = self._root.run("zypper", "-n", "--no-refresh", "verify", "--dry-run")
        return "" if "Dependencies of all installed packages are satisfied." in said else said


@pytest.fixture(scope="module")
def old_root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    folder = tmp_path_factory.mktemp("zypper")
    repository = build_repository(folder / "repository")
    return make_zypper_root(repository, make_root(repository, folder / "dnf"), folder / "root")


def play(old: Root, folder: Path, cell: Cell) -> None:
    check(ZypperMachine(copy_zypper_root(old, folder / "root"), folder, cell), cell)


@pytest.mark.parametrize("cell", [FAST], ids=str)
def test_what_was_killed_is_finished_and_told_as_it_is(old_root: Root, tmp_path: Path, cell: Cell) -> None:
    play(old_root, tmp_path, cell)


@pytest.mark.slow
@pytest.mark.parametrize("cell", SLOW, ids=str)
def test_what_was_killed_anywhere_is_finished_and_told_as_it_is(old_root: Root, tmp_path: Path, cell: Cell) -> None:
    play(old_root, tmp_path, cell)
