"""Facts and installations by the real zypper of this machine, on roots of old packages. Needs no network."""

import http.server
import os
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.rig import toy_rpm, toy_zypper
from tests.rig.toy_rpm import PENDING, Package, Repository, Root, build_repository, make_root
from tests.rig.toy_zypper import copy_zypper_root, make_zypper_root, set_repositories, stanza

from patchwindow.domain import facts_reading
from patchwindow.domain.facts_patches import patches_of
from patchwindow_agent import programs, reboot
from patchwindow_agent.errors import InstallFailed, ScanFailed
from patchwindow_agent.package_manager import Blocked, Order, Outcome, Phase, Source, Wanted
from patchwindow_agent.pending import titles_of
from patchwindow_agent.zypper import Zypper

_LACK = toy_zypper.MISSING or ("" if os.geteuid() == 0 else "needs root: rpm changes its root")
pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(bool(_LACK), reason=f"{_LACK}; .ci/install-needs installs what the tests need"),
]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return build_repository(tmp_path_factory.mktemp("zypper") / "repository")


@pytest.fixture(scope="module")
def old_root(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Root:
    """Return a root with fresh lists that the tests only read."""
    folder = tmp_path_factory.mktemp("zypper")
    root = make_zypper_root(repository, make_root(repository, folder / "dnf"), folder / "root")
    assert zypper(root).refresh().is_refreshed
    return root


@pytest.fixture
def root(old_root: Root, tmp_path: Path) -> Root:
    """Return a root that the test may change."""
    return copy_zypper_root(old_root, tmp_path / "root")


def zypper(root: Root, *, cache: Path | None = None, sleep: Callable[[float], None] = lambda _: None) -> Zypper:
    kernel = reboot.Kernel("6.1.1-1-default", "#1")
    run = programs.runner(root.environ)
    return Zypper(run, root=root.path, cache=cache, kernel=kernel, sleep=sleep, stale=lambda: ["sshd"])


@pytest.fixture(scope="module")
def scanned(old_root: Root) -> tuple[dict[str, Any], list[int]]:
    return zypper(old_root).facts()


@pytest.fixture(scope="module")
def facts(scanned: tuple[dict[str, Any], list[int]]) -> dict[str, Any]:
    return scanned[0]


def offered(facts: Mapping[str, Any]) -> set[str]:
    """Return the updates of *facts*, as the server calls them."""
    return {readings[0].title for readings in patches_of(facts_reading.parse(facts)).offered}


def wanted(*titles: str) -> tuple[Wanted, ...]:
    """Return what the server orders where it calls patches *titles*, in which it writes an epoch always."""
    split = [title.partition(":") for title in titles]
    return tuple(
        Wanted(title, *name.rpartition(".")[::2], version.removeprefix("0:"))
        for title, (name, _, version) in zip(titles, split, strict=True)
    )


def listed_patches(root: Root) -> dict[str, ET.Element]:
    """Return what zypper itself says of the patches that are needed, or optional, by their names."""
    text = root.run("zypper", "-n", "-x", "--no-refresh", "list-patches")
    return {update.get("name", ""): update for update in ET.fromstring(text).iter("update")}  # noqa: S314  # zypper's own


def quietly(phase: Phase, done: int, total: int, what: str) -> None:
    """Hear how far an installation is."""


# Facts.


def test_every_pending_update_is_reported_all_versions_and_the_locked_one_too(
    facts: dict[str, Any], old_root: Root
) -> None:
    assert offered(facts) == PENDING
    text = old_root.run("zypper", "-n", "-x", "--no-refresh", "list-updates", "--all")
    listed = {update.get("name") for update in ET.fromstring(text).iter("update")}  # noqa: S314  # zypper's own
    assert {update["name"] for update in facts["updates"]} == listed
    assert facts["held"] == [toy_rpm.HELD]


def test_notices_of_updates_are_the_patches_that_zypper_lists(facts: dict[str, Any], old_root: Root) -> None:
    listed = listed_patches(old_root)
    pending = {index for update in facts["updates"] for index in update["advisories"]}
    assert {facts["advisories"][index]["id"] for index in pending} == set(listed)
    assert len(listed) == len(toy_rpm.ADVISORIES)
    for notice in facts["advisories"]:
        update = listed[notice["id"]]
        issues = {(issue.get("type"), issue.get("id")) for issue in update.iter("issue")}
        assert (notice["kind"], notice["severity"].lower()) == (update.get("category"), update.get("severity"))
        assert issues == {*(("cve", id) for id in notice["cves"]), *(("bugzilla", id) for id in notice["bugs"])}
        dated = update.find("issue-date")
        assert dated is not None
        # zypper shows the later of the two dates.
        assert dated.get("text", "").startswith(notice["updated"])


def test_what_comes_along_with_an_update_is_what_the_solver_of_zypper_would_add(
    facts: dict[str, Any], old_root: Root
) -> None:
    for update in facts["updates"]:
        if update["name"] not in {"toy-app", "toy-base", "toy-grows", "toy-low"}:
            continue
        spec = f"{update['name']}.noarch={update['candidate']}"
        text = old_root.run("zypper", "-n", "-x", "--no-refresh", "install", "--no-recommends", "--dry-run", spec)
        planned = {f"{one.get('name')}:{one.get('edition')}" for one in ET.fromstring(text).iter("solvable")}  # noqa: S314  # zypper's own
        mine = {
            f"{facts['updates'][index]['name']}:{facts['updates'][index]['candidate']}" for index in update["pulls"]
        }
        mine |= {
            f"{facts['additions'][index]['name']}:{facts['additions'][index]['version']}" for index in update["adds"]
        }
        assert mine == planned - {f"{update['name']}:{update['candidate']}"}


def test_facts_of_the_real_zypper_are_read_by_the_server(facts: dict[str, Any]) -> None:
    read = facts_reading.parse(facts)
    assert {package.name for package in read.additions} == {"toy-lib2", "toy-deep"}
    assert all(update.size > 1000 and update.built == "2026-01-01" for update in read.updates)
    assert [(origin.id, origin.label) for origin in read.origins] == [("toy", "Toy toy")]
    assert not read.reboot.required


def test_packages_tell_when_they_were_installed(scanned: tuple[dict[str, Any], list[int]]) -> None:
    facts, installed_at = scanned
    assert len(installed_at) == len(facts["packages"])
    assert min(installed_at) > 1_700_000_000


def test_sources_are_the_only_repositories_while_they_are_used_and_have_lists_of_their_own(
    repository: Repository, root: Root, tmp_path: Path
) -> None:
    set_repositories(root, stanza(repository, url="http://127.0.0.1:9/gone"))
    before = sorted((root.path / "etc/zypp").rglob("*"))
    manager = zypper(root, cache=tmp_path / "cache")
    # Of the same alias as the machine's own, which cannot be reached.
    with manager.using([Source("own", stanza(repository))]):
        assert manager.refresh().is_refreshed
    with manager.using([Source("own", stanza(repository))]):
        assert offered(manager.facts()[0]) == PENDING
        assert manager.install(Order(wanted("toy-low.noarch:1:1.0-1")), quietly).installed == ["toy-low.noarch:1:1.0-1"]
    assert sorted((root.path / "etc/zypp").rglob("*")) == before
    with manager.using([Source("other", stanza(repository, "other"))]):
        assert manager.refresh().is_refreshed
    assert len(list((tmp_path / "cache").iterdir())) == 1, "lists of earlier sources are let go"
    with pytest.raises(ScanFailed, match="gone"):
        manager.refresh()


def test_a_repository_that_cannot_be_reached_is_named(repository: Repository, root: Root) -> None:
    set_repositories(root, stanza(repository), stanza(repository, "gone", url="http://127.0.0.1:9/gone"))
    with pytest.raises(ScanFailed, match=r"cannot refresh the package lists: .*Toy gone"):
        zypper(root).refresh()


def test_an_enabled_repository_without_lists_fails_the_scan(repository: Repository, root: Root) -> None:
    """It would be said to have no updates otherwise."""
    set_repositories(root, stanza(repository), stanza(repository, "new", url="http://127.0.0.1:9/gone"))
    with pytest.raises(ScanFailed, match="the lists of the repository new are not at"):
        zypper(root).facts()


def test_lists_of_unsigned_packages_are_refused_where_the_repository_must_sign_them(
    repository: Repository, root: Root
) -> None:
    set_repositories(root, repository.stanza("strict"))
    with pytest.raises(ScanFailed, match=r"Signature verification failed for repomd\.xml"):
        zypper(root).refresh()


# Installations.


@pytest.fixture(scope="module")
def patched(old_root: Root, tmp_path_factory: pytest.TempPathFactory) -> tuple[Root, Outcome, Sequence[Phase]]:
    """Return a root on which one of each kind was installed, with what came of it."""
    root = copy_zypper_root(old_root, tmp_path_factory.mktemp("zypper") / "patched")
    phases: list[Phase] = []
    order = Order(
        wanted(
            "toy-grows.noarch:0:1.1-1",
            "toy-low.noarch:1:1.0-1",
            "toy-mid.noarch:0:1.1-1",
            "kernel.noarch:0:6.1.2-1",
            "toy-warns.noarch:0:1.1-1",
            "toy-broken.noarch:0:1.1-1",
            "toy-held.noarch:0:1.1-1",
            "toy-plain.noarch:0:9.9-1",
            "toy-eats.noarch:0:1.1-1",
        )
    )
    outcome = zypper(root).install(order, lambda phase, *_: phases.append(phase))
    return root, outcome, phases


def test_exactly_what_is_wanted_is_installed_and_what_that_needs(
    patched: tuple[Root, Outcome, Sequence[Phase]],
) -> None:
    root, outcome, _ = patched
    assert set(outcome.installed) == {
        "toy-grows.noarch:0:1.1-1",
        "toy-low.noarch:1:1.0-1",
        "toy-mid.noarch:0:1.1-1",
        "kernel.noarch:0:6.1.2-1",
        "toy-warns.noarch:0:1.1-1",
    }
    assert outcome.came_along == ["toy-deep.noarch:0:3.0-1", "toy-lib2.noarch:0:2.0-1"]
    assert outcome.removed == []
    assert root.packages() >= {
        *outcome.installed,
        *outcome.came_along,
        "kernel.noarch:0:6.1.1-1",
        "toy-base.noarch:0:1.0-1",
    }


def test_what_fails_is_told_by_title_and_keeps_nothing_else_out(
    patched: tuple[Root, Outcome, Sequence[Phase]],
) -> None:
    root, outcome, _ = patched
    failed = dict(outcome.failed)
    assert failed.pop("toy-broken.noarch:0:1.1-1").startswith('error: lua script failed: [string "%prein(toy-broken')
    assert "the node holds toy-held back by a lock" in failed.pop("toy-held.noarch:0:1.1-1")
    assert "no repository of the node offers toy-plain 9.9-1" in failed.pop("toy-plain.noarch:0:9.9-1")
    assert "conflicts with toy-food" in failed.pop("toy-eats.noarch:0:1.1-1")
    assert failed == {}
    assert any("%post(toy-warns-1.1-1.noarch)" in remark for remark in outcome.remarks)
    assert outcome.remarks[-1] == "processes that still use replaced programs or libraries: sshd"
    assert "toy-broken.noarch:0:1.0-1" in root.packages()


def test_an_installation_tells_how_far_it_is(patched: tuple[Root, Outcome, Sequence[Phase]]) -> None:
    _, _, phases = patched
    assert [one for one, before in zip(phases, [None, *phases], strict=False) if one is not before] == [
        Phase.SIMULATING,
        Phase.DOWNLOADING,
        Phase.INSTALLING,
    ]


def test_after_an_installation_zypper_has_no_patch_left_of_what_was_wanted(
    patched: tuple[Root, Outcome, Sequence[Phase]],
) -> None:
    root, outcome, _ = patched
    facts, _ = zypper(root).facts()
    assert not offered(facts) & set(outcome.installed)
    assert titles_of(facts) == root.packages()
    left = set(listed_patches(root))
    # 3 and 5 are whole; of 6, 7 and 8 packages are left, 1, 2 and 4 were not wanted or are locked.
    assert {"TOYSA-2026:0003", "TOYSA-2026:0005"} == set(toy_rpm.ADVISORIES) - left
    pending = {index for update in facts["updates"] for index in update["advisories"]}
    assert {facts["advisories"][index]["id"] for index in pending} == left
    assert facts["reboot"]["required"]


def test_a_blocked_package_is_not_installed_and_keeps_out_what_needs_it(root: Root) -> None:
    order = Order(
        wanted("toy-grows.noarch:0:1.1-1", "toy-low.noarch:1:1.0-1"), blocked=[Blocked("toy-deep", "noarch", "3.0-1")]
    )
    outcome = zypper(root).install(order, quietly)
    assert outcome.installed == ["toy-low.noarch:1:1.0-1"]
    assert outcome.failed == {"toy-grows.noarch:0:1.1-1": "it needs toy-deep.noarch:3.0-1, which is blocked"}
    assert outcome.came_along == []


def test_packages_are_removed_only_where_the_task_allows_it(root: Root) -> None:
    manager = zypper(root)
    eats = wanted("toy-eats.noarch:0:1.1-1", "toy-held.noarch:0:1.1-1")
    assert not manager.install(Order(eats), quietly).installed
    assert "toy-food.noarch:0:1.0-1" in root.packages()
    outcome = manager.install(Order(eats, may_remove=True), quietly)
    assert outcome.installed == ["toy-eats.noarch:0:1.1-1"]
    assert outcome.removed == ["toy-food.noarch:0:1.0-1"]
    # The lock stays, though zypper's own solution would lift it.
    assert "toy-held.noarch:0:1.0-1" in root.packages()


def test_a_package_that_another_replaces_under_its_own_name_may_go(root: Root, tmp_path: Path) -> None:
    generations = (
        (Package("toy-moves", "1.0-1"), Package("toy-name", "1.0-1")),
        (
            Package("toy-moves", "1.1-1", ("Requires: toy-renamed",)),
            Package("toy-renamed", "2.0-1", ("Provides: toy-name = 2.0", "Obsoletes: toy-name < 2.0")),
        ),
    )
    set_repositories(root, stanza(build_repository(tmp_path / "moved", generations), "moved"))
    root.run("zypper", "-n", "--gpg-auto-import-keys", "install", "toy-moves=1.0-1", "toy-name=1.0-1")
    outcome = zypper(root).install(Order(wanted("toy-moves.noarch:0:1.1-1")), quietly)
    assert outcome.installed == ["toy-moves.noarch:0:1.1-1"]
    assert (outcome.came_along, outcome.removed) == (["toy-renamed.noarch:0:2.0-1"], ["toy-name.noarch:0:1.0-1"])


def test_what_needs_a_locked_package_fails_and_the_lock_stays(root: Root) -> None:
    root.run("zypper", "-n", "addlock", "toy-base")
    for may_remove in (False, True):
        order = Order(wanted("toy-app.noarch:0:2.1-1", "toy-low.noarch:1:1.0-1"), may_remove=may_remove)
        assert set(zypper(root).install(order, quietly).failed) == {"toy-app.noarch:0:2.1-1"}
    assert "toy-base.noarch:0:1.0-1" in root.packages()


def test_once_it_is_over_no_transaction_begins_and_what_is_left_has_not_failed(root: Root) -> None:
    order = Order(wanted("toy-low.noarch:1:1.0-1"))
    outcome = zypper(root).install(order, quietly, lambda: "it is cancelled")
    assert (outcome.installed, outcome.failed, outcome.left) == ([], {}, ["toy-low.noarch:1:1.0-1"])
    assert "toy-low.noarch:1:1.0~rc1-1" in root.packages()


def test_a_package_without_a_signature_is_refused(repository: Repository, root: Root) -> None:
    set_repositories(root, stanza(repository, url=f"file://{repository.unsigned}"))
    manager = zypper(root)
    manager.refresh()
    outcome = manager.install(Order(wanted("toy-low.noarch:1:1.0-1")), quietly)
    assert "Signature verification failed" in outcome.failed["toy-low.noarch:1:1.0-1"]
    assert "toy-low.noarch:1:1.0~rc1-1" in root.packages()


def test_a_lock_that_goes_away_is_waited_for_and_one_that_stays_is_told(root: Root) -> None:
    # zypper writes there who holds the lock, and looks whether that is a zypper that lives.
    lock = root.path / "run/zypp.pid"
    holder = subprocess.Popen(["zypper", "60"], executable="/bin/sleep")
    lock.write_text(str(holder.pid))
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            lock.write_text("")

    try:
        outcome = zypper(root, sleep=sleep).install(Order(wanted("toy-low.noarch:1:1.0-1")), quietly)
    finally:
        holder.kill()
        holder.wait()
    assert outcome.installed == ["toy-low.noarch:1:1.0-1"]
    assert waited == [2, 2]


class _Failing(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, but its packages only once somebody has waited."""

    waited: list[float]

    def do_GET(self) -> None:
        if self.path.endswith(".rpm") and not self.waited:
            self.close_connection = True
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_download_that_fails_is_tried_again(repository: Repository, root: Root) -> None:
    waited: list[float] = []
    handler = type("Handler", (_Failing,), {"waited": waited})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=repository.path / "signed"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        set_repositories(root, stanza(repository, url=f"http://127.0.0.1:{server.server_address[1]}"))
        manager = zypper(root, sleep=waited.append)
        manager.refresh()
        outcome = manager.install(Order(wanted("toy-low.noarch:1:1.0-1")), quietly)
    finally:
        server.shutdown()
        server.server_close()
    assert outcome.installed == ["toy-low.noarch:1:1.0-1"]
    assert waited == [10]
    assert outcome.remarks[0].startswith("tried again after 10 s: ")


@pytest.mark.slow
def test_a_transaction_that_was_killed_is_repaired(root: Root) -> None:
    command = ["zypper", "-n", "--no-refresh", "install", "toy-slow.noarch=1.1-1"]
    killed = subprocess.Popen(command, env=root.environ, stdout=subprocess.DEVNULL, start_new_session=True)
    ends_at = time.monotonic() + 30
    while "toy-slow.noarch:0:1.1-1" not in root.packages():
        assert time.monotonic() < ends_at
        time.sleep(0.2)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    # rpm is in a group of its own and goes on; a power cut ends it too.
    for process in _rpms_of(root):
        os.kill(process, signal.SIGKILL)
    assert {"toy-slow.noarch:0:1.0-1", "toy-slow.noarch:0:1.1-1"} <= root.packages()
    assert zypper(root).repair() == [
        "Removed toy-slow.noarch:0:1.0-1, which an unfinished transaction had left beside a newer version"
    ]
    assert {name for name in root.packages() if name.startswith("toy-slow")} == {"toy-slow.noarch:0:1.1-1"}
    assert zypper(root).repair() == []


def _rpms_of(root: Root) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"rpm") and str(root.path).encode() in words:
                found.append(int(folder.name))
    return found


def test_kernels_stand_beside_each_other_and_need_no_repair(
    patched: tuple[Root, Outcome, Sequence[Phase]],
) -> None:
    root, _, _ = patched
    assert zypper(root).repair() == []
    assert {"kernel.noarch:0:6.1.1-1", "kernel.noarch:0:6.1.2-1"} <= root.packages()


def test_only_root_installs_and_refreshes(old_root: Root) -> None:
    run = programs.runner(old_root.environ)
    manager = Zypper(run, root=old_root.path, cache=None, kernel=reboot.Kernel("1", "1"), is_root=False)
    lists = manager.refresh()
    assert (lists.is_refreshed, lists.problem) == (
        False,
        "only root may refresh the lists of zypper; what root has is read",
    )
    assert lists.as_of > 1_700_000_000
    with pytest.raises(InstallFailed, match="only root may install with zypper"):
        manager.install(Order(()), quietly)
