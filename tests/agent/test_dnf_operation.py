"""Installations with the real dnf from the plan to the verdict, and what is so after a kill in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.agent.dnf_operations import Server, install
from tests.rig import toy_rpm
from tests.rig.toy_rpm import ADVISORIES, Repository, Root, build_repository, copy_root, make_root

from patchwindow.domain.patch_state import PatchState

_LACK = toy_rpm.MISSING or ("" if os.geteuid() == 0 else "needs root: rpm changes its root")
pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(bool(_LACK), reason=f"{_LACK}; .ci/install-needs installs what the tests need"),
]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return build_repository(tmp_path_factory.mktemp("rpm") / "repository")


@pytest.fixture(scope="module")
def old_root(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Root:
    return make_root(repository, tmp_path_factory.mktemp("rpm") / "root")


@pytest.fixture
def root(old_root: Root, tmp_path: Path) -> Root:
    return copy_root(old_root, tmp_path / "root")


def approved(root: Root) -> set[str]:
    """Return what dnf itself lists for the filters of the baseline: grave security updates, and mended bugs."""
    found = set()
    for options in (["--sec-severity=Critical", "--sec-severity=Important"], ["--bugfix"]):
        lines = root.run("dnf", "-q", "-C", "updateinfo", "list", *options).splitlines()
        found |= {line.split()[-1].removesuffix(".noarch") for line in lines}
    return {f"{name}.noarch:0:{version}-{release}" for name, version, release in (one.rsplit("-", 2) for one in found)}


BROKEN, HELD = "toy-broken.noarch:0:1.1-1", "toy-held.noarch:0:1.1-1"


def test_what_is_wanted_is_what_dnf_lists_by_the_same_filters_and_after_it_nothing_is_left(
    root: Root, tmp_path: Path
) -> None:
    root.run("dnf", "-q", "makecache")
    listed = approved(root)
    assert len(listed) >= len([one for one in ADVISORIES.values() if one.severity in ("Critical", "Important")])
    server = Server()

    ended = install(root, tmp_path / "state", server)

    assert {patch.title for patch in server.plans[0].wanted} == listed
    assert approved(root) == {BROKEN, HELD}
    # A patch whose script refuses it, and one that is locked, were tried and are told; all else is there.
    assert (ended.exit_code, set(server.reports[0]["failed"])) == (1, {BROKEN, HELD})
    states = {entry.title: entry.state for entry in server.verdict().entries}
    assert {title for title, state in states.items() if state is PatchState.FAILED} == {BROKEN, HELD}
    assert {states[title] for title in listed - {BROKEN, HELD}} == {PatchState.INSTALLED_PENDING_REBOOT}
    assert PatchState.MISSING not in states.values()


def begin(root: Root, state: Path) -> "subprocess.Popen[bytes]":
    """Return an operation that is in the middle of its transaction, in a session of its own."""
    operation = subprocess.Popen(
        [sys.executable, "-m", "tests.agent.dnf_operations", str(root.path), str(state)],
        cwd=Path(__file__).parent.parent.parent,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    )
    for _ in range(600):
        if "toy-slow.noarch:0:1.1-1" in root.packages():
            return operation
        time.sleep(0.1)
    raise AssertionError("the transaction does not begin")


def command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        # It has ended meanwhile.
        return b""


def transactions(root: Root) -> list[int]:
    """Return the processes of dnf that work on *root*."""
    folders = [folder for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    wanted = f"--installroot={root.path}".encode()
    return [int(folder.name) for folder in folders if wanted in command_line(folder)]


@pytest.mark.slow
def test_a_kill_of_the_operation_leaves_dnf_to_finish_and_the_next_run_tells_what_it_did(
    root: Root, tmp_path: Path
) -> None:
    operation = begin(root, tmp_path / "state")
    os.killpg(operation.pid, signal.SIGKILL)
    operation.wait()
    assert transactions(root), "dnf is still at work"
    server = Server()
    install(root, tmp_path / "state", server)
    assert set(server.reports[0]["failed"]) == {BROKEN, HELD}
    assert {"toy-slow.noarch:0:1.1-1", "toy-base.noarch:0:1.0-2"} <= set(server.reports[0]["pendingReboot"])
    # The second run found it done: nothing was installed twice.
    assert {patch.title for patch in server.plans[0].wanted} == {BROKEN, HELD}
    assert approved(root) == {BROKEN, HELD}
    assert root.run("dnf", "check") == ""


@pytest.mark.slow
def test_a_power_cut_in_the_middle_of_a_transaction_is_repaired_and_the_rest_installed(
    root: Root, tmp_path: Path
) -> None:
    operation = begin(root, tmp_path / "state")
    for process in [*transactions(root), operation.pid]:
        os.kill(process, signal.SIGKILL)
    operation.wait()
    assert {"toy-slow.noarch:0:1.0-1", "toy-slow.noarch:0:1.1-1"} <= root.packages()
    server = Server()
    ended = install(root, tmp_path / "state", server, boot_id="boot-2")
    assert "toy-slow.noarch:0:1.0-1" not in root.packages()
    assert "which an unfinished transaction had left beside a newer version" in ended.text
    assert set(server.reports[0]["failed"]) == {BROKEN, HELD}
    assert approved(root) == {BROKEN, HELD}
    assert root.run("dnf", "check") == ""
