"""Installations with the real zypper from the plan to the verdict, and what is so after a kill in the middle."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.agent.dnf_operations import Server, install
from tests.rig import toy_zypper
from tests.rig.toy_rpm import ADVISORIES, Root, build_repository, make_root
from tests.rig.toy_zypper import copy_zypper_root, make_zypper_root

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch_state import PatchState
from patchwindow.domain.predefined import default_for
from patchwindow_agent import programs, reboot
from patchwindow_agent.zypper import Zypper

_LACK = toy_zypper.MISSING or ("" if os.geteuid() == 0 else "needs root: rpm changes its root")
pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(bool(_LACK), reason=f"{_LACK}; .ci/install-needs installs what the tests need"),
]

SUSE = default_for(OperatingSystem.SUSE)
# With a package whose script takes its time.
SLOW = replace(SUSE, approved_patches=("toy-slow",))
BROKEN, HELD = "toy-broken.noarch:0:1.1-1", "toy-held.noarch:0:1.1-1"


@pytest.fixture(scope="module")
def old_root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    folder = tmp_path_factory.mktemp("zypper")
    repository = build_repository(folder / "repository")
    root = make_zypper_root(repository, make_root(repository, folder / "dnf"), folder / "root")
    root.run("zypper", "-n", "refresh")
    return root


@pytest.fixture
def root(old_root: Root, tmp_path: Path) -> Root:
    return copy_zypper_root(old_root, tmp_path / "root")


def zypper(root: Root) -> Zypper:
    kernel = reboot.Kernel("6.1.1-1-default", "#1")
    return Zypper(programs.runner(root.environ), root=root.path, cache=None, kernel=kernel, stale=list)


def needed(root: Root) -> set[str]:
    """Return the patches that zypper itself lists for the filters of the baseline: grave security updates."""
    options = ("--category", "security", "--severity", "critical", "--severity", "important")
    text = root.run("zypper", "-n", "--no-refresh", "--terse", "list-patches", *options)
    return {word for line in text.splitlines() for word in line.split() if word in ADVISORIES}


def packages_of(*advisories: str) -> set[str]:
    """Return the packages of *advisories* as the server calls them."""
    named = [package.rsplit("-", 2) for id in advisories for package in ADVISORIES[id].packages]
    return {
        f"{name}.noarch:{version if ':' in version else f'0:{version}'}-{release}" for name, version, release in named
    }


def test_what_is_wanted_is_what_zypper_lists_by_the_same_filters_and_after_it_nothing_is_left(
    root: Root, tmp_path: Path
) -> None:
    listed = needed(root)
    assert listed == {id for id, one in ADVISORIES.items() if one.severity in ("Critical", "Important")}
    server = Server(SUSE)

    ended = install(root, tmp_path / "state", server, manager=zypper(root))

    wanted = {patch.title for patch in server.plans[0].wanted}
    assert wanted == packages_of(*listed)
    # What is left is of a patch whose script refuses it, and of one that is locked.
    assert needed(root) == {"TOYSA-2026:0002", "TOYSA-2026:0008"}
    assert (ended.exit_code, set(server.reports[0]["failed"])) == (1, {BROKEN, HELD})
    states = {entry.title: entry.state for entry in server.verdict().entries}
    assert {title for title, state in states.items() if state is PatchState.FAILED} == {BROKEN, HELD}
    assert {states[title] for title in wanted - {BROKEN, HELD}} == {PatchState.INSTALLED_PENDING_REBOOT}
    assert PatchState.MISSING not in states.values()
    assert "reboot: zypper needs-rebooting: core libraries or services have been updated" in ended.text


def test_a_reboot_is_asked_for_once_and_the_verdict_comes_after_it(root: Root, tmp_path: Path) -> None:
    server = Server(SUSE)
    ended = install(root, tmp_path / "state", server, manager=zypper(root), may_reboot=True)
    assert (ended.exit_code, server.reports) == (194, [])
    # It is on a disk of memory, which a boot empties.
    (root.path / "run/reboot-needed").unlink()
    ended = install(root, tmp_path / "state", server, manager=zypper(root), may_reboot=True, boot_id="boot-2")
    assert (ended.exit_code, len(server.plans)) == (1, 1)
    assert server.reports[0]["pendingReboot"] == []
    assert set(server.reports[0]["failed"]) == {BROKEN, HELD}


def begin(root: Root, state: Path) -> "subprocess.Popen[bytes]":
    """Return an operation that is in the middle of its transaction, in a session of its own."""
    operation = subprocess.Popen(
        [sys.executable, "-m", "tests.agent.test_zypper_operation", str(root.path), str(state)],
        cwd=Path(__file__).parent.parent.parent,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    )
    for _ in range(600):
        if "toy-slow.noarch:0:1.1-1" in root.packages():
            return operation
        time.sleep(0.05)
    raise AssertionError("the transaction does not begin")


@pytest.mark.slow
def test_a_kill_of_the_operation_leaves_zypper_to_finish_and_the_next_run_tells_what_it_did(
    root: Root, tmp_path: Path
) -> None:
    operation = begin(root, tmp_path / "state")
    os.killpg(operation.pid, signal.SIGKILL)
    operation.wait()
    # rpm has both while the script runs, and zypper has not gone on to the next.
    assert "toy-slow.noarch:0:1.0-1" in root.packages()
    server = Server(SLOW)
    ended = install(root, tmp_path / "state", server, manager=zypper(root))
    assert set(server.reports[0]["failed"]) == {BROKEN, HELD}
    # The second run found it done: nothing was installed twice, and nothing had to be repaired.
    assert "toy-slow.noarch:0:1.1-1" not in {patch.title for patch in server.plans[0].wanted}
    assert "an unfinished transaction" not in ended.text
    assert {"toy-slow.noarch:0:1.1-1", "toy-base.noarch:0:1.0-2"} <= set(server.reports[0]["pendingReboot"])
    assert needed(root) == {"TOYSA-2026:0002", "TOYSA-2026:0008"}


if __name__ == "__main__":
    there = Root(Path(sys.argv[1]))
    install(there, Path(sys.argv[2]), Server(SLOW), manager=zypper(there))
