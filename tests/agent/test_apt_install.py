"""Orders, carried out by the real apt and dpkg of this machine on roots of old packages."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.agent.apt_orders import KERNEL, Told, apt, order, title, titles, versions
from tests.agent.fake_server import eventually
from tests.rig.toy_apt import Root
from tests.rig.toy_troubles import build_troubles, make_troubled_root

from patchwindow_agent import programs
from patchwindow_agent.apt import Apt
from patchwindow_agent.disk_room import Disk, disk_of
from patchwindow_agent.errors import InstallFailed
from patchwindow_agent.package_manager import Blocked, Order, Phase, Wanted

pytestmark = pytest.mark.skipif(
    shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None, reason="needs apt and dpkg"
)

MakeRoot = Callable[..., Root]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_troubles(tmp_path_factory.mktemp("apt") / "repository")


@pytest.fixture
def make_root(repository: Path, tmp_path: Path) -> MakeRoot:
    """Return what makes a root with the old versions of the packages that it is told."""

    def make(*names: str) -> Root:
        return make_troubled_root(repository, tmp_path / "root", *names)

    return make


def test_exactly_what_is_wanted_is_installed_and_progress_is_told(make_root: MakeRoot) -> None:
    root, told = make_root("good-one", "good-two", "victim"), Told()
    outcome = apt(root).install(order("good-one", "good-two"), told)
    assert outcome.installed == titles("good-one", "good-two")
    assert (outcome.failed, outcome.came_along, outcome.removed, outcome.remarks) == ({}, [], [], [])
    assert versions(root, "good-one", "good-two", "victim") == {
        "good-one": "ii 2.0",
        "good-two": "ii 2.0",
        "victim": "ii 1.0",
    }
    assert told.phases() == [Phase.SIMULATING, Phase.DOWNLOADING, Phase.INSTALLING]
    assert told.lines[-1] == (Phase.INSTALLING, 2, 2, "good-two")


def test_what_a_patch_needs_comes_along_and_is_told(make_root: MakeRoot) -> None:
    root = make_root("needs-new")
    outcome = apt(root).install(order("needs-new"), Told())
    assert outcome.installed == titles("needs-new")
    assert outcome.came_along == ["new-dependency.all:2.0"]


def test_a_patch_that_is_there_already_counts_as_installed_and_nothing_is_done(make_root: MakeRoot) -> None:
    root, told = make_root("good-one"), Told()
    manager = apt(root)
    manager.install(order("good-one"), Told())
    outcome = manager.install(order("good-one"), told)
    assert outcome.installed == titles("good-one")
    assert told.lines == []


def test_a_package_keeps_its_mark_of_being_there_for_others_only(make_root: MakeRoot) -> None:
    root = make_root("good-one", "good-two")
    root.run("apt-mark", "auto", "good-one")
    apt(root).install(order("good-one", "good-two"), Told())
    assert root.run("apt-mark", "showauto").split() == ["good-one"]


def test_an_update_that_is_phased_to_no_machine_is_installed_where_it_is_wanted(make_root: MakeRoot) -> None:
    root = make_root("phased")
    assert "Inst phased" not in root.run("apt-get", "-s", "dist-upgrade")
    assert apt(root).install(order("phased"), Told()).installed == titles("phased")


def test_a_security_update_is_told_and_installed_although_a_newer_version_is_there(make_root: MakeRoot) -> None:
    root = make_root("overtaken")
    manager = apt(root)
    facts, _ = manager.facts()
    assert [(update["candidate"], update["security"]) for update in facts["updates"]] == [("3.0", False), ("2.0", True)]
    assert manager.install(order("overtaken"), Told()).installed == titles("overtaken")
    facts, _ = manager.facts()
    assert [(update["installed"], update["candidate"]) for update in facts["updates"]] == [("2.0", "3.0")]


@pytest.mark.parametrize("of_machine", ["--force-confold", "--force-confnew"])
def test_a_changed_configuration_file_is_kept_and_the_new_one_put_beside_it(
    make_root: MakeRoot, of_machine: str
) -> None:
    root = make_root("with-conffile")
    with (root.path / "etc/apt/alternative.conf").open("a") as file:
        file.write(f'DPkg::Options:: "{of_machine}";\n')
    (root.path / "etc/with.conf").write_text("ours\n")
    assert apt(root).install(order("with-conffile"), Told()).installed == titles("with-conffile")
    assert (root.path / "etc/with.conf").read_text() == "ours\n"
    assert (root.path / "etc/with.conf.dpkg-dist").read_text() == "publisher = new\n"


def test_a_script_that_fails_fails_its_patch_and_those_that_need_it_and_the_rest_goes_on(make_root: MakeRoot) -> None:
    root = make_root("good-one", "bad-postinst", "needs-bad", "bad-preinst", "good-two")
    outcome = apt(root).install(order("bad-preinst", "good-one", "bad-postinst", "needs-bad", "good-two"), Told())
    assert outcome.installed == titles("good-one", "good-two")
    assert dict(outcome.failed) == {
        title("bad-postinst"): "installed bad-postinst package post-installation script subprocess returned error exit "
        "status 7 (the database is not there)",
        title("bad-preinst"): "new bad-preinst package pre-installation script subprocess returned error exit status 7 "
        "(the database is not there)",
        title("needs-bad"): "needs-bad depends on bad-postinst (>= 2.0): Package bad-postinst is not configured yet",
    }
    log = (root.path / "var/log/apt/term.log").read_text()
    assert "Setting up good-two (2.0) ...\n" in log
    assert "the database is not there\ndpkg: error processing package bad-postinst (--configure):\n" in log
    assert "pmstatus:" not in log
    assert versions(root, "bad-preinst", "bad-postinst") == {"bad-preinst": "ii 1.0", "bad-postinst": "iF 2.0"}


def test_once_it_is_over_no_transaction_begins_and_what_is_left_has_not_failed(make_root: MakeRoot) -> None:
    root = make_root("good-one")
    outcome = apt(root).install(order("good-one"), Told(), lambda: "it is cancelled")
    assert (outcome.installed, outcome.failed, outcome.left) == ([], {}, titles("good-one"))
    assert versions(root, "good-one") == {"good-one": "ii 1.0"}


def test_a_package_that_stays_broken_does_not_keep_later_orders_out(make_root: MakeRoot) -> None:
    root = make_root("bad-postinst", "good-one")
    manager = apt(root)
    manager.install(order("bad-postinst"), Told())
    manager.refresh()
    facts, _ = manager.facts()
    # Not as if it were installed.
    (package,) = [package for package in facts["packages"] if package["name"] == "bad-postinst"]
    (update,) = [update for update in facts["updates"] if update["name"] == "bad-postinst"]
    assert (package["version"], update["installed"], update["candidate"]) == ("1.0", "1.0", "2.0")
    said = manager.repair()
    assert len(said) == 1
    assert said[0].startswith("bad-postinst 2.0 is not configured: installed bad-postinst package post-installation")
    outcome = manager.install(order("good-one"), Told())
    assert outcome.installed == titles("good-one")
    again = manager.install(order("bad-postinst"), Told())
    assert "the database is not there" in again.failed[title("bad-postinst")]


def test_held_packages_are_neither_changed_nor_a_dependency(make_root: MakeRoot) -> None:
    root = make_root("held", "needs-held", "good-one")
    outcome = apt(root).install(order("held", "needs-held", "good-one"), Told())
    assert outcome.installed == titles("good-one")
    assert outcome.failed[title("held")] == "held on the node"
    assert "needs-held : Depends: held (>= 2.0)" in outcome.failed[title("needs-held")]
    assert versions(root, "held") == {"held": "hi 1.0"}


def test_a_removal_that_nothing_makes_up_for_fails_the_patch_that_asks_for_it(make_root: MakeRoot) -> None:
    root = make_root("victim", "removes-victim", "good-one")
    outcome = apt(root).install(order("removes-victim", "good-one"), Told())
    assert outcome.installed == titles("good-one")
    assert outcome.failed == {title("removes-victim"): "would remove victim, which nothing replaces"}
    assert versions(root, "victim") == {"victim": "ii 1.0"}


def test_a_removal_is_done_and_told_where_the_order_allows_it(make_root: MakeRoot) -> None:
    root = make_root("victim", "removes-victim")
    outcome = apt(root).install(order("removes-victim", may_remove=True), Told())
    assert outcome.installed == titles("removes-victim")
    assert outcome.removed == ["victim.all:1.0"]


def test_a_library_that_another_stands_in_for_may_go(make_root: MakeRoot) -> None:
    root = make_root("libtoy", "moves-library")
    outcome = apt(root).install(order("moves-library"), Told())
    assert outcome.installed == titles("moves-library")
    assert (outcome.came_along, outcome.removed) == (["libtoy-t64.all:2.0"], ["libtoy.all:1.0"])


@pytest.mark.parametrize(
    "blocked",
    [Blocked("new-dependency", "all"), Blocked("new-dependency", "", "2.0"), Blocked("new-dependency", "all", "2.0")],
)
def test_a_rejected_package_fails_the_patches_that_need_it(make_root: MakeRoot, blocked: Blocked) -> None:
    root = make_root("needs-new", "good-one")
    outcome = apt(root).install(order("needs-new", "good-one", blocked=(blocked,)), Told())
    assert outcome.installed == titles("good-one")
    reason = "needs new-dependency.all:2.0, which is rejected by the baseline"
    assert outcome.failed == {title("needs-new"): reason}
    assert versions(root, "new-dependency") == {"new-dependency": ""}


def test_another_version_of_a_rejected_package_may_come(make_root: MakeRoot) -> None:
    blocked = Blocked("new-dependency", "all", "1.0")
    outcome = apt(make_root("needs-new")).install(order("needs-new", blocked=(blocked,)), Told())
    assert outcome.installed == titles("needs-new")


def test_what_nobody_offers_fails_with_what_apt_says(make_root: MakeRoot) -> None:
    root = make_root("needs-nothing-there", "good-one")
    wanted = [Wanted("good-one.all:9", "good-one", "all", "9"), *order("needs-nothing-there").wanted]
    outcome = apt(root).install(Order([*wanted, Wanted("x.all:1", "x", "all", "1")]), Told())
    assert outcome.installed == []
    assert outcome.failed["good-one.all:9"] == "Version '9' for 'good-one' was not found"
    assert "Depends: not-to-be-had (>= 2.0)" in outcome.failed[title("needs-nothing-there")]
    assert outcome.failed["x.all:1"] == "not installed on the node, so there is nothing to update"


def test_an_older_version_is_never_installed(make_root: MakeRoot) -> None:
    root = make_root("good-one")
    manager = apt(root)
    manager.install(order("good-one"), Told())
    outcome = manager.install(Order([Wanted("good-one.all:1.0", "good-one", "all", "1.0")]), Told())
    assert "downgraded" in outcome.failed["good-one.all:1.0"]
    assert versions(root, "good-one") == {"good-one": "ii 2.0"}


def test_a_lock_that_goes_away_is_waited_for_and_told(make_root: MakeRoot) -> None:
    root, told, waited = make_root("good-one"), Told(), []
    lock = (root.path / "var/lib/dpkg/lock-frontend").open("w")
    fcntl.lockf(lock, fcntl.LOCK_EX)

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        lock.close()

    assert apt(root, sleep=sleep).install(order("good-one"), told).installed == titles("good-one")
    assert waited == [2]
    assert any(f"lock-frontend is held by process {os.getpid()}" in what for *_, what in told.lines)


@pytest.mark.parametrize("name", ["lib/dpkg/lock-frontend", "lib/dpkg/lock", "cache/apt/archives/lock"])
def test_a_lock_that_is_never_released_is_told_with_its_holder(make_root: MakeRoot, name: str) -> None:
    root = make_root("good-one")
    waited: list[float] = []
    with (root.path / "var" / name).open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        held = rf"{name} is held by process {os.getpid()} .*; waited 20 s"
        with pytest.raises(InstallFailed, match=held):
            apt(root, sleep=waited.append).install(order("good-one"), Told())
    assert sum(waited) == 20
    assert versions(root, "good-one") == {"good-one": "ii 1.0"}


def test_a_user_without_rights_is_told_so_before_anything_is_tried(make_root: MakeRoot) -> None:
    root, told = make_root("good-one"), Told()
    run = programs.runner(root.environ)
    manager = Apt(run, root=root.path, cache=None, kernel=KERNEL, stale=list, can_write=lambda _: False)
    for change in (manager.repair, lambda: manager.install(order("good-one"), told)):
        with pytest.raises(InstallFailed, match=r"may not write .*/var/lib/dpkg, so it can install nothing; run the"):
            change()
    assert told.lines == []


def test_no_room_for_the_packages_is_told_before_anything_is_done(make_root: MakeRoot) -> None:
    root = make_root("good-one")
    with pytest.raises(
        InstallFailed, match=r"no room for .*usr.*: 3\d MB are needed and 9 MB are free; free at least 2\d MB"
    ):
        apt(root, disk_of=lambda _: Disk(1, 9_000_000)).install(order("good-one"), Told())
    assert versions(root, "good-one") == {"good-one": "ii 1.0"}


def test_no_room_in_boot_fails_the_kernels_and_the_rest_goes_on(make_root: MakeRoot) -> None:
    root = make_root("linux-image-6.1.0-1-toy", "good-one")

    def disk_of(folder: Path) -> Disk:
        return Disk(2, 50_000_000) if folder.name == "boot" else Disk(1, 10**12)

    (root.path / "boot").mkdir()
    (root.path / "boot/initrd.img-6.1.0-1-toy").write_bytes(bytes(40_000_000))
    outcome = apt(root, disk_of=disk_of).install(order("linux-image-6.1.0-1-toy", "good-one"), Told())
    assert outcome.installed == titles("good-one")
    kernel = outcome.failed[title("linux-image-6.1.0-1-toy")]
    assert kernel.endswith("boot: 72 MB are needed and 50 MB are free; free at least 22 MB there")


def test_a_script_that_never_ends_is_killed_and_told(make_root: MakeRoot) -> None:
    root = make_root("slow", "good-one")
    real = programs.runner(root.environ)

    def impatient(command: list[str], *, timeout_s: float = 60, **options: object) -> programs.Completed:
        return real(command, timeout_s=1.5 if "--no-remove" in command else timeout_s, **options)  # type: ignore[arg-type]  # handed on as they came

    manager = Apt(impatient, root=root.path, cache=None, kernel=KERNEL, stale=list)  # type: ignore[arg-type]  # likewise
    outcome = manager.install(order("good-one", "slow"), Told())
    assert outcome.installed == titles("good-one")
    assert outcome.failed[title("slow")] == "apt-get did not end in time and was killed at slow"
    (root.path / "run/go").touch()
    assert manager.repair() == ["finished what was interrupted: slow"]


def test_what_uses_replaced_files_is_a_remark(make_root: MakeRoot) -> None:
    root = make_root("good-one")
    run = programs.runner(root.environ)
    manager = Apt(run, root=root.path, cache=None, kernel=KERNEL, stale=lambda: ["nginx", "sshd"])
    outcome = manager.install(order("good-one"), Told())
    assert outcome.remarks == ["processes that still use replaced programs or libraries: nginx, sshd"]
    assert manager.needs_reboot() == []


def test_two_transactions_at_once_wait_for_each_other(make_root: MakeRoot) -> None:
    root = make_root("slow", "good-one")
    outcomes: list[list[str]] = []
    first = threading.Thread(
        target=lambda: outcomes.append(list(apt(root).install(order("slow"), Told()).installed)), daemon=True
    )
    first.start()
    eventually((root.path / "run/waiting").exists)

    def sleep(_: float) -> None:
        (root.path / "run/go").touch()
        first.join(timeout=20)

    assert apt(root, sleep=sleep).install(order("good-one"), Told()).installed == titles("good-one")
    assert outcomes == [titles("slow")]


def may_mount() -> bool:
    """Return whether this process may mount file systems."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=False, capture_output=True)
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=True)
    return done.returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Return what puts a disk of 4 MB over a folder, with what is in it."""
    if os.geteuid() != 0 or not may_mount():
        pytest.skip("needs root and the right to mount: run as root, in a container with CAP_SYS_ADMIN")
    mounted: list[Path] = []

    def mount(folder: Path) -> None:
        aside = tmp_path / "aside"
        shutil.copytree(folder, aside, symlinks=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder], check=True)
        mounted.append(folder)
        shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.needs_root
def test_a_disk_that_is_really_too_small_is_noticed_before(
    make_root: MakeRoot, small_disk: Callable[[Path], None]
) -> None:
    root = make_root("good-one")
    small_disk(root.path / "usr")
    with pytest.raises(InstallFailed, match=r"no room for .*/usr: 3\d MB are needed and 4 MB are free"):
        apt(root, disk_of=disk_of).install(order("good-one"), Told())


@pytest.mark.needs_root
def test_a_disk_that_fills_up_in_the_middle_fails_what_does_not_fit_and_the_rest_goes_on(
    make_root: MakeRoot, small_disk: Callable[[Path], None]
) -> None:
    root = make_root("large", "good-one")
    small_disk(root.path / "usr")
    outcome = apt(root).install(order("large", "good-one"), Told())
    assert outcome.installed == titles("good-one")
    assert "No space left on device" in outcome.failed[title("large")]
    assert versions(root, "large") == {"large": "ii 1.0"}
    assert (root.path / "usr/share/large/version").read_text() == "1.0\n"


@pytest.mark.needs_root
def test_what_is_there_and_what_is_missing_is_told_from_a_full_disk_too(
    make_root: MakeRoot, small_disk: Callable[[Path], None]
) -> None:
    root = make_root("good-one", "good-two")
    told, _ = apt(root).facts()
    cache = root.path / "var/cache/apt"
    small_disk(cache)
    for path in cache.glob("*.bin"):
        path.unlink()
    with (cache / "fills-the-disk").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    with pytest.raises(subprocess.CalledProcessError):
        root.run("apt-cache", "policy")
    assert apt(root).facts()[0] == told
