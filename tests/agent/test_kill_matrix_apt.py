"""Each point at which an installation with the real apt can be killed, and what comes of it."""

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from tests.agent.apt_orders import apt, title
from tests.agent.kill_matrix import CELLS, REPRESENTATIVE, Cell, check
from tests.rig.toy_troubles import build_troubles, make_troubled_root

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow_agent.package_manager import PackageManager

pytestmark = pytest.mark.skipif(
    shutil.which("apt-get") is None, reason="needs apt and dpkg, which only Debian's family has"
)
_ALWAYS: Final = ("good-one", "good-two", "with-conffile")
# What waits in the middle: in its script before it is unpacked, or in the one that configures it.
_WAITING: Final = {"unpacking": "slow-unpack", "configuring": "slow", "repairing": "slow"}


class AptMachine:
    """A toy root for apt."""

    system = OperatingSystem.DEBIAN

    def __init__(self, repository: Path, folder: Path, cell: Cell) -> None:
        self.folder = folder
        self._names = (*_ALWAYS, *([_WAITING[cell.point]] if cell.point in _WAITING else []))
        self._root = make_troubled_root(repository, folder / "root", *self._names)
        self._waiting = self._root.path / "run/waiting"

    def manager(self) -> PackageManager:
        # An apt that was left alone is waited for.
        return apt(self._root, sleep=time.sleep)

    def wanted(self) -> Mapping[str, str]:
        return {name: title(name) for name in self._names}

    def whole(self) -> Mapping[str, str]:
        told = self._root.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}|${Package}|${Version}\n").splitlines()
        found = [line.split("|") for line in told]
        info = self._root.path / "var/lib/dpkg/info"
        # dpkg writes the list of a package's files anew each time that it unpacks it.
        return {
            title(name): str((info / f"{name}.list").stat().st_mtime_ns)
            for status, name, version in found
            if status.strip() == "ii" and version == "2.0"
        }

    def is_in_the_middle(self) -> bool:
        try:
            # So that it is seen once for each time that a script comes there.
            self._waiting.unlink()
        except FileNotFoundError:
            return False
        return True

    def go_on(self) -> None:
        (self._root.path / "run/go").touch()

    def rest(self) -> str:
        return self._root.run("dpkg", "--audit")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_troubles(tmp_path_factory.mktemp("kills") / "repository")


@pytest.mark.parametrize("cell", REPRESENTATIVE, ids=str)
def test_what_was_killed_is_finished_and_told_as_it_is(repository: Path, tmp_path: Path, cell: Cell) -> None:
    check(AptMachine(repository, tmp_path, cell), cell)


@pytest.mark.slow
@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell not in REPRESENTATIVE], ids=str)
def test_what_was_killed_anywhere_is_finished_and_told_as_it_is(repository: Path, tmp_path: Path, cell: Cell) -> None:
    check(AptMachine(repository, tmp_path, cell), cell)
