"""What is left of an apt or dpkg that was cut off, and how it is finished; on the real ones."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.agent.apt_orders import Told, apt, order, titles, versions
from tests.agent.fake_server import eventually
from tests.rig.toy_apt import Root
from tests.rig.toy_troubles import NEW, build_troubles, make_troubled_root

from patchwindow_agent.errors import InstallFailed

pytestmark = pytest.mark.skipif(
    shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None, reason="needs apt and dpkg"
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_troubles(tmp_path_factory.mktemp("apt") / "repository")


def cut_off(root: Root, *names: str) -> None:
    """Begin to install *names* and kill apt, dpkg and the scripts once one of these waits, as a power cut would."""
    process = subprocess.Popen(
        ["apt-get", "-qy", "-o", "Dpkg::Use-Pty=0", "install", *names],
        env=root.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    eventually((root.path / "run/waiting").exists)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (root.path / "run/go").touch()


OPERATION = """
import os, sys
from pathlib import Path
from tests.agent.apt_orders import Told, apt, order
from tests.rig.toy_apt import Root

apt(Root(Path(sys.argv[1]))).install(order("slow", "good-one"), Told())
"""


def test_a_kill_of_the_operation_leaves_apt_to_finish_and_the_next_one_waits_for_it(
    repository: Path, tmp_path: Path
) -> None:
    root = make_troubled_root(repository, tmp_path / "root", "slow", "good-one")
    operation = subprocess.Popen(
        [sys.executable, "-c", OPERATION, str(root.path)],
        cwd=Path(__file__).parent.parent.parent,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    )
    eventually((root.path / "run/waiting").exists)
    os.killpg(operation.pid, signal.SIGKILL)
    operation.wait()
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        (root.path / "run/go").touch()
        time.sleep(0.1)

    manager = apt(root, sleep=sleep, lock_wait_s=200)
    manager.repair()
    assert waited, "apt was still at work"
    assert manager.install(order("slow", "good-one"), Told()).installed == titles("slow", "good-one")
    log = (root.path / "var/log/dpkg.log").read_text()
    assert log.count("upgrade slow:all 1.0 2.0") == 1
    assert log.count("configure slow:all 2.0") == 1


def test_where_apt_alone_is_killed_its_dpkg_is_waited_for(repository: Path, tmp_path: Path) -> None:
    root = make_troubled_root(repository, tmp_path / "root", "slow", "good-one")

    def kill_apt() -> None:
        eventually((root.path / "run/waiting").exists)
        (dpkg,) = [process for process in dpkgs(root) if b"--configure" in (process / "cmdline").read_bytes()]
        apt_get = int((dpkg / "stat").read_text().rpartition(")")[2].split()[1])
        os.kill(apt_get, signal.SIGKILL)

    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        assert len(dpkgs(root)) == 1
        (root.path / "run/go").touch()
        time.sleep(0.1)

    killer = threading.Thread(target=kill_apt, daemon=True)
    killer.start()
    outcome = apt(root, sleep=sleep, lock_wait_s=200).install(order("slow", "good-one"), Told())
    killer.join()
    assert waited, "dpkg was still at work"
    assert (outcome.installed, outcome.failed) == (titles("slow", "good-one"), {})
    log = (root.path / "var/log/dpkg.log").read_text()
    assert log.count("configure slow:all 2.0") == 1


def dpkgs(root: Root) -> list[Path]:
    """Return the dpkg processes that work on *root*."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"dpkg") and f"--root={root.path}".encode() in words:
                found.append(folder)
    return found


MANY = ("good-one", "good-two", "phased", "needs-new", "moves-library", "victim", "overtaken", "with-conffile")


def transaction(root: Root) -> "subprocess.Popen[bytes]":
    """Begin to install the new versions of MANY."""
    names = [f"{name}={NEW[name]}" for name in MANY]
    return subprocess.Popen(
        ["apt-get", "-qy", "-o", "Dpkg::Use-Pty=0", "install", *names],
        env=root.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.slow
def test_whenever_all_is_cut_off_the_next_operation_repairs_and_finishes_it(repository: Path, tmp_path: Path) -> None:
    whole = make_troubled_root(repository, tmp_path / "whole", "libtoy", *MANY)
    began_at = time.monotonic()
    assert transaction(whole).wait() == 0
    length_s = time.monotonic() - began_at
    moments, interrupted = 24, 0
    for number in range(moments):
        root = make_troubled_root(repository, tmp_path / f"root-{number}", "libtoy", *MANY)
        process = transaction(root)
        time.sleep(length_s * number / moments)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        manager = apt(root)
        interrupted += bool(manager.repair())
        assert manager.repair() == [], number
        assert manager.facts()[0]["packages"], number
        outcome = manager.install(order(*MANY), Told())
        assert (outcome.installed, outcome.failed) == (titles(*MANY), {}), number
        assert root.run("dpkg", "--audit") == "", number
        # What the root has in the end is what it has where nothing was cut off.
        listed = ("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Package}${Version}\\n")
        assert root.run(*listed) == whole.run(*listed), number
    assert interrupted > 0, "no moment was in the middle of dpkg's work"


def test_a_machine_with_nothing_half_done_is_left_alone(repository: Path, tmp_path: Path) -> None:
    root = make_troubled_root(repository, tmp_path / "root", "good-one")
    before = (root.path / "var/log/dpkg.log").read_text()
    assert apt(root).repair() == []
    assert (root.path / "var/log/dpkg.log").read_text() == before


def test_what_was_cut_off_while_it_was_configured_is_finished_and_not_installed_twice(
    repository: Path, tmp_path: Path
) -> None:
    root = make_troubled_root(repository, tmp_path / "root", "slow", "good-one", "good-two")
    cut_off(root, "slow", "good-one")
    manager = apt(root)
    said = manager.repair()
    assert said[0].startswith("finished what was interrupted: ")
    assert "slow" in said[0]
    assert versions(root, "slow", "good-one") == {"slow": "ii 2.0", "good-one": "ii 2.0"}
    assert manager.repair() == []
    outcome = manager.install(order("slow", "good-one", "good-two"), Told())
    assert outcome.installed == titles("slow", "good-one", "good-two")
    log = (root.path / "var/log/dpkg.log").read_text()
    assert log.count("upgrade slow:all 1.0 2.0") == 1


def test_what_was_cut_off_while_it_was_unpacked_is_installed_anew(repository: Path, tmp_path: Path) -> None:
    root = make_troubled_root(repository, tmp_path / "root", "slow-unpack", "good-one")
    cut_off(root, "slow-unpack", "good-one")
    manager = apt(root)
    assert versions(root, "slow-unpack") == {"slow-unpack": "iHR1.0"}
    manager.repair()
    assert versions(root, "slow-unpack", "good-one")["slow-unpack"] == "ii 1.0"
    outcome = manager.install(order("slow-unpack", "good-one"), Told())
    assert outcome.installed == titles("slow-unpack", "good-one")


def test_what_cannot_be_had_in_its_old_version_any_more_is_told_and_mended_by_the_new_one(
    repository: Path, tmp_path: Path
) -> None:
    root = make_troubled_root(repository, tmp_path / "root", "slow-unpack")
    cut_off(root, "slow-unpack")
    lines = (root.path / "etc/apt/sources.list").read_text().splitlines()
    root.set_sources(*(line for line in lines if "toy-security" in line))
    root.run("apt-get", "-q", "update")
    manager = apt(root)
    assert any("slow-unpack was cut off while it was unpacked" in sentence for sentence in manager.repair())
    assert manager.install(order("slow-unpack"), Told()).installed == titles("slow-unpack")


def test_packages_that_lack_what_they_need_get_it(repository: Path, tmp_path: Path) -> None:
    root = make_troubled_root(repository, tmp_path / "root", "needs-new")
    deb = next((repository / "pool").rglob("needs-new_2.0.deb"))
    subprocess.run(["dpkg", "-i", str(deb)], env=root.environ, check=False, capture_output=True)
    assert versions(root, "needs-new") == {"needs-new": "iU 2.0"}
    said = apt(root).repair()
    assert said[-1] == (
        "packages lacked what they need (needs-new : Depends: new-dependency but it is not installed), and have it now"
    )
    assert versions(root, "needs-new", "new-dependency") == {"needs-new": "ii 2.0", "new-dependency": "ii 2.0"}


def test_a_repair_that_would_remove_packages_is_left_to_people(repository: Path, tmp_path: Path) -> None:
    root = make_troubled_root(repository, tmp_path / "root", "needs-nothing-there")
    deb = next((repository / "pool").rglob("needs-nothing-there_2.0.deb"))
    subprocess.run(["dpkg", "-i", str(deb)], env=root.environ, check=False, capture_output=True)
    root.set_sources()
    root.run("apt-get", "-q", "update")
    with pytest.raises(InstallFailed, match="apt would remove needs-nothing-there; decide by hand"):
        apt(root).repair()
    assert versions(root, "needs-nothing-there") == {"needs-nothing-there": "iU 2.0"}
