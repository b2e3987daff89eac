"""Facts from the real apt and dpkg of this machine, on a root of old packages. Needs neither root nor a network."""

import fcntl
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.rig.toy_apt import PENDING, Root, build_repository, make_root

from patchwindow_agent import programs, reboot
from patchwindow_agent.apt import Apt
from patchwindow_agent.errors import Locked, ScanFailed

pytestmark = pytest.mark.skipif(
    shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None, reason="needs apt and dpkg"
)

OLD_KERNEL = reboot.Kernel("6.1.0-1-toy", "#1")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_repository(tmp_path_factory.mktemp("apt") / "repository")


@pytest.fixture(scope="module")
def old_root(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Root:
    """Return a root that the tests only read."""
    return make_root(repository, tmp_path_factory.mktemp("apt") / "root")


@pytest.fixture
def root(repository: Path, tmp_path: Path) -> Root:
    """Return a root that the test may change."""
    return make_root(repository, tmp_path / "root")


def apt(root: Root, *, cache: Path | None = None) -> Apt:
    run = programs.runner(root.environ)
    return Apt(run, root=root.path, cache=cache, kernel=OLD_KERNEL, sleep=lambda _: None)


@pytest.fixture(scope="module")
def facts(old_root: Root) -> dict[str, Any]:
    manager = apt(old_root)
    assert manager.refresh().is_refreshed
    return manager.facts()[0]


def by_name(entries: list[dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in entries}


def test_every_pending_update_is_reported_the_held_kept_back_and_phased_ones_too(
    facts: dict[str, Any], old_root: Root
) -> None:
    assert set(by_name(facts["updates"])) == PENDING
    listed = old_root.run("apt", "list", "--upgradable").splitlines()
    assert {line.partition("/")[0] for line in listed if "/" in line} == PENDING


def test_an_update_says_where_it_comes_from(facts: dict[str, Any]) -> None:
    updates, origins = by_name(facts["updates"]), facts["origins"]
    sources = {name: [origins[number]["codename"] for number in update["origins"]] for name, update in updates.items()}
    assert sources["toy-base"] == ["toy-security"]
    assert sources["toy-app"] == ["toy-updates"]
    assert sources["toy-vendor"] == ["vendor"]
    assert origins[updates["toy-vendor"]["origins"][0]]["origin"] == "Vendor, Inc"
    assert {name for name, update in updates.items() if update["security"]} == {"toy-base", "toy-held", "toy-kernel"}
    assert {name for name, update in updates.items() if update["held"]} == {"toy-held"}
    assert facts["held"] == ["toy-held"]


def test_an_update_carries_its_versions_section_priority_and_size(facts: dict[str, Any]) -> None:
    updates = by_name(facts["updates"])
    assert (updates["toy-epoch"]["installed"], updates["toy-epoch"]["candidate"]) == ("1:0.9~rc1", "1:0.9")
    assert (updates["toy-app"]["section"], updates["toy-app"]["priority"]) == ("web", "optional")
    assert updates["toy-app"]["size"] > 1000


def test_a_source_package_is_named_where_it_has_another_name_or_version(facts: dict[str, Any]) -> None:
    update, package = by_name(facts["updates"])["toy-app"], by_name(facts["packages"])["toy-app"]
    assert (update["source"], update["sourceVersion"]) == ("toy-suite", "2.1-0")
    assert (package["source"], package.get("sourceVersion")) == ("toy-suite", None)
    assert "source" not in by_name(facts["packages"])["toy-base"]


def test_every_installed_package_is_reported_with_who_offers_its_version(facts: dict[str, Any], old_root: Root) -> None:
    packages = by_name(facts["packages"])
    assert sorted(packages) == old_root.run("dpkg-query", "-W", "-f", "${Package}\n").split()
    assert [facts["origins"][number]["codename"] for number in packages["toy-current"]["origins"]] == ["toy"]
    assert packages["toy-current"]["priority"] == "required"


def test_a_version_that_nobody_offers_any_more_has_no_origin(root: Root) -> None:
    root.set_sources()
    manager = apt(root)
    manager.refresh()
    facts, _ = manager.facts()
    assert facts["origins"] == []
    assert facts["updates"] == []
    assert all(package["origins"] == [] for package in facts["packages"])


def test_two_nodes_in_the_same_state_have_equal_facts(facts: dict[str, Any], root: Root) -> None:
    manager = apt(root)
    manager.refresh()
    assert manager.facts()[0] == facts


def test_packages_tell_when_they_were_installed(old_root: Root) -> None:
    facts, installed_at = apt(old_root).facts()
    assert len(installed_at) == len(facts["packages"])
    assert min(installed_at) > 1_700_000_000


def test_a_patched_root_has_nothing_pending_and_asks_for_a_reboot(root: Root) -> None:
    root.run("apt-get", "-q", "update")
    root.run("apt-mark", "unhold", "toy-held")
    root.run("apt-get", "-qy", "-o", "APT::Get::Always-Include-Phased-Updates=true", "dist-upgrade")
    manager = apt(root)
    manager.refresh()
    facts, _ = manager.facts()
    assert facts["updates"] == []
    assert facts["reboot"] == {"required": True, "reasons": ["Packages ask for a reboot: toy-kernel"]}


def test_a_mirror_that_cannot_be_reached_is_named(root: Root) -> None:
    root.set_sources("deb [trusted=yes] http://127.0.0.1:9/debian toy main")
    with pytest.raises(ScanFailed, match=r"http://127\.0\.0\.1:9/debian/dists/toy/InRelease: Could not connect"):
        apt(root).refresh()


def test_a_lock_that_stays_is_told_with_its_holder(root: Root) -> None:
    with (root.path / "var/lib/apt/lists/lock").open("w") as lock:
        # The kind of lock that apt takes; a program of its own sees that this process holds it.
        fcntl.lockf(lock, fcntl.LOCK_EX)
        with pytest.raises(Locked, match=rf"lists/lock is held by process {os.getpid()} .*; waited 120 s"):
            apt(root).refresh()


def test_a_lock_that_goes_away_is_waited_for(root: Root) -> None:
    lock = (root.path / "var/lib/apt/lists/lock").open("w")
    fcntl.lockf(lock, fcntl.LOCK_EX)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        lock.close()

    run = programs.runner(root.environ)
    manager = Apt(run, root=root.path, cache=None, kernel=OLD_KERNEL, sleep=sleep)
    assert manager.refresh().is_refreshed
    assert waited == [2]


def test_the_agents_own_cache_is_used_where_the_machine_keeps_none(root: Root, tmp_path: Path) -> None:
    with (root.path / "etc/apt/alternative.conf").open("a") as file:
        file.write('Dir::Cache::pkgcache "";\n')
    manager = apt(root, cache=tmp_path)
    manager.refresh()
    assert set(by_name(manager.facts()[0]["updates"])) == PENDING
    assert (tmp_path / "pkgcache.bin").exists()


def without_rights(root: Root, *, cache: Path | None) -> Apt:
    """Return the package manager as a user has it who may write none of its folders."""
    run = programs.runner(root.environ)
    return Apt(run, root=root.path, cache=cache, kernel=OLD_KERNEL, can_write=lambda _: False)


def test_without_rights_the_lists_are_refreshed_in_a_folder_of_the_users_own(root: Root, tmp_path: Path) -> None:
    lists = root.path / "var/lib/apt/lists"
    before = {path.name for path in lists.iterdir()}
    manager = without_rights(root, cache=tmp_path)
    assert manager.refresh().is_refreshed
    assert set(by_name(manager.facts()[0]["updates"])) == PENDING
    assert list((tmp_path / "lists").glob("*Packages*"))
    # The machine's own know only the suites of the old packages, as before.
    assert {path.name for path in lists.iterdir()} == before


def test_without_rights_and_a_folder_the_present_lists_are_read_and_their_age_told(old_root: Root) -> None:
    apt(old_root).refresh()
    manager = without_rights(old_root, cache=None)
    lists = manager.refresh()
    assert not lists.is_refreshed
    assert lists.problem is not None
    assert "may not write" in lists.problem
    assert lists.as_of > 1_700_000_000
    assert set(by_name(manager.facts()[0]["updates"])) == PENDING
