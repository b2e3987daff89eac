"""Facts and installations by the real dnf and rpm of this machine, on roots of old packages. Needs no network."""

import http.server
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.rig import toy_rpm
from tests.rig.toy_rpm import PENDING, Repository, Root, build_repository, copy_root, make_root

from patchwindow.domain import facts_reading
from patchwindow.domain.facts_patches import patches_of
from patchwindow_agent import programs, reboot
from patchwindow_agent.dnf import Dnf
from patchwindow_agent.errors import ScanFailed
from patchwindow_agent.package_manager import Blocked, Order, Outcome, Phase, Source, Wanted
from patchwindow_agent.pending import titles_of

_LACK = toy_rpm.MISSING or ("" if os.geteuid() == 0 else "needs root: rpm changes its root")
pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(bool(_LACK), reason=f"{_LACK}; .ci/install-needs installs what the tests need"),
]

OLD_KERNEL = reboot.Kernel("6.1.1-1.noarch", "#1")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return build_repository(tmp_path_factory.mktemp("rpm") / "repository")


@pytest.fixture(scope="module")
def old_root(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Root:
    """Return a root that the tests only read."""
    return make_root(repository, tmp_path_factory.mktemp("rpm") / "root")


@pytest.fixture
def root(old_root: Root, tmp_path: Path) -> Root:
    """Return a root that the test may change."""
    return copy_root(old_root, tmp_path / "root")


def dnf(root: Root, *, sleep: Callable[[float], None] = lambda _: None) -> Dnf:
    run = programs.runner(root.environ)
    return Dnf(run, root=root.path, cache=None, kernel=OLD_KERNEL, sleep=sleep, stale=lambda: ["sshd"])


@pytest.fixture(scope="module")
def scanned(old_root: Root) -> tuple[dict[str, Any], list[int]]:
    manager = dnf(old_root)
    assert manager.refresh().is_refreshed
    return manager.facts()


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


def quietly(phase: Phase, done: int, total: int, what: str) -> None:
    """Hear how far an installation is."""


# Facts.


def test_every_pending_update_is_reported_all_versions_and_the_held_one_too(
    facts: dict[str, Any], old_root: Root
) -> None:
    assert offered(facts) == PENDING
    listed = old_root.run("dnf", "-q", "-C", "check-update", codes=(100,)).split()
    names = {f"{update['name']}.{update['arch']}" for update in facts["updates"] if not update["held"]}
    assert {word for word in listed if word.endswith(".noarch")} == names
    assert facts["held"] == [toy_rpm.HELD]


@pytest.mark.parametrize("kind", ["security", "bugfix", "enhancement"])
def test_notices_of_updates_are_those_that_dnf_lists(facts: dict[str, Any], old_root: Root, kind: str) -> None:
    listed = old_root.run("dnf", "-q", "-C", "updateinfo", "list", f"--{kind}")
    mine = {
        (facts["advisories"][index]["id"], f"{update['name']}-{update['candidate']}.{update['arch']}")
        for update in facts["updates"]
        for index in update["advisories"]
        if facts["advisories"][index]["kind"] == kind
    }
    assert mine == {(line.split()[0], line.split()[-1]) for line in listed.splitlines()}
    assert mine


def test_a_notice_carries_what_the_publisher_says_of_it(facts: dict[str, Any]) -> None:
    assert next(notice for notice in facts["advisories"] if notice["id"] == "TOYSA-2026:0001") == {
        "id": "TOYSA-2026:0001",
        "kind": "security",
        "severity": "Critical",
        "issued": "2026-01-05",
        "updated": "2026-01-06",
        "title": "security update TOYSA-2026:0001",
        "cves": ["CVE-2026-0001", "CVE-2026-0002"],
        "bugs": ["77"],
    }


def test_what_comes_along_with_an_update_is_what_the_solver_of_dnf_would_add(
    facts: dict[str, Any], old_root: Root
) -> None:
    for update in facts["updates"]:
        if update["name"] not in {"toy-app", "toy-base", "toy-grows", "toy-low"}:
            continue
        said = old_root.run(
            "dnf", "-C", "--assumeno", "upgrade", f"{update['name']}-{update['candidate']}.noarch", codes=(1,)
        )
        table = said.partition("Transaction Summary")[0]
        planned = {
            f"{words[0]}:{words[2]}"
            for line in table.splitlines()
            if line[:1] == " " and len(words := line.split()) >= 5
        }
        mine = {
            f"{facts['updates'][index]['name']}:{facts['updates'][index]['candidate']}" for index in update["pulls"]
        }
        mine |= {
            f"{facts['additions'][index]['name']}:{facts['additions'][index]['version']}" for index in update["adds"]
        }
        assert mine == planned - {f"{update['name']}:{update['candidate']}", "Package:Version"}


def test_facts_of_the_real_dnf_are_read_by_the_server(facts: dict[str, Any]) -> None:
    read = facts_reading.parse(facts)
    assert {package.name for package in read.additions} == {"toy-lib2", "toy-deep"}
    assert all(update.size > 1000 and update.built == "2026-01-01" for update in read.updates)
    assert [(origin.id, origin.label) for origin in read.origins] == [("toy", "Toy toy")]


def test_packages_tell_when_they_were_installed(scanned: tuple[dict[str, Any], list[int]]) -> None:
    facts, installed_at = scanned
    assert len(installed_at) == len(facts["packages"])
    assert min(installed_at) > 1_700_000_000


def test_sources_are_the_only_repositories_while_they_are_used(repository: Repository, root: Root) -> None:
    root.set_repositories(repository.stanza("gone", url="http://127.0.0.1:9/gone"))
    manager = dnf(root)
    with manager.using([Source("own", repository.stanza("own"))]):
        assert manager.refresh().is_refreshed
        assert [origin["id"] for origin in manager.facts()[0]["origins"]] == ["own"]
    with pytest.raises(ScanFailed, match="gone"):
        manager.refresh()


def test_a_repository_that_cannot_be_reached_is_named(repository: Repository, root: Root) -> None:
    root.set_repositories(repository.stanza("gone", url="http://127.0.0.1:9/gone"))
    with pytest.raises(ScanFailed, match=r"cannot refresh the package lists: .*repo 'gone'"):
        dnf(root).refresh()


def test_a_repository_that_may_be_left_out_is_told_with_the_age_of_the_lists(
    repository: Repository, root: Root
) -> None:
    gone = repository.stanza("gone", url="http://127.0.0.1:9/gone") + "skip_if_unavailable=1\n"
    root.set_repositories(repository.stanza(), gone)
    lists = dnf(root).refresh()
    assert not lists.is_refreshed
    assert lists.problem == "not reached, and configured to be left out then: gone"
    assert lists.as_of > 1_700_000_000


# Installations.


@pytest.fixture(scope="module")
def patched(old_root: Root, tmp_path_factory: pytest.TempPathFactory) -> tuple[Root, Outcome, Sequence[Phase]]:
    """Return a root on which one of each kind was installed, with what came of it."""
    root = copy_root(old_root, tmp_path_factory.mktemp("rpm") / "patched")
    manager = dnf(root)
    manager.refresh()
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
    outcome = manager.install(order, lambda phase, *_: phases.append(phase))
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
    assert "PREIN scriptlet" in failed.pop("toy-broken.noarch:0:1.1-1")
    assert "the node holds toy-held back" in failed.pop("toy-held.noarch:0:1.1-1")
    assert "no repository of the node offers toy-plain 9.9-1" in failed.pop("toy-plain.noarch:0:9.9-1")
    assert "conflicts with toy-food" in failed.pop("toy-eats.noarch:0:1.1-1")
    assert failed == {}
    assert any("POSTIN scriptlet in rpm package toy-warns" in remark for remark in outcome.remarks)
    assert outcome.remarks[-1] == "processes that still use replaced programs or libraries: sshd"
    assert "toy-broken.noarch:0:1.0-1" in root.packages()


def test_an_installation_tells_how_far_it_is(patched: tuple[Root, Outcome, Sequence[Phase]]) -> None:
    _, _, phases = patched
    assert list(dict.fromkeys(phases)) == [Phase.SIMULATING, Phase.DOWNLOADING, Phase.INSTALLING]


def test_after_an_installation_dnf_has_nothing_left_of_what_was_wanted(
    patched: tuple[Root, Outcome, Sequence[Phase]],
) -> None:
    root, outcome, _ = patched
    facts, _ = dnf(root).facts()
    assert not offered(facts) & set(outcome.installed)
    assert titles_of(facts) == root.packages()
    listed = root.run("dnf", "-q", "-C", "updateinfo", "list", "--security")
    # 1.1 of toy-mid was wanted and is there; so 1.2, which is no security update, is all that dnf has for it.
    assert "toy-mid" not in listed
    assert "toy-grows.noarch" not in root.run("dnf", "-q", "-C", "check-update", codes=(100,))
    assert "Kernel 6.1.1-1.noarch runs, 6.1.2-1.noarch is installed" in facts["reboot"]["reasons"]


def test_a_blocked_package_is_not_installed_and_keeps_out_what_needs_it(root: Root) -> None:
    manager = dnf(root)
    order = Order(
        wanted("toy-grows.noarch:0:1.1-1", "toy-low.noarch:1:1.0-1"), blocked=[Blocked("toy-deep", "noarch", "3.0-1")]
    )
    outcome = manager.install(order, quietly)
    assert outcome.installed == ["toy-low.noarch:1:1.0-1"]
    assert "toy-deep-3.0-1.noarch is filtered out by exclude filtering" in outcome.failed["toy-grows.noarch:0:1.1-1"]
    assert outcome.came_along == []


def test_packages_are_removed_only_where_the_task_allows_it(root: Root) -> None:
    manager = dnf(root)
    eats = wanted("toy-eats.noarch:0:1.1-1")
    assert not manager.install(Order(eats), quietly).installed
    assert "toy-food.noarch:0:1.0-1" in root.packages()
    outcome = manager.install(Order(eats, may_remove=True), quietly)
    assert outcome.installed == ["toy-eats.noarch:0:1.1-1"]
    assert outcome.removed == ["toy-food.noarch:0:1.0-1"]


def test_once_it_is_over_no_transaction_begins_and_what_is_left_has_not_failed(root: Root) -> None:
    order = Order(wanted("toy-low.noarch:1:1.0-1"))
    outcome = dnf(root).install(order, quietly, lambda: "it is cancelled")
    assert (outcome.installed, outcome.failed, outcome.left) == ([], {}, ["toy-low.noarch:1:1.0-1"])
    assert "toy-low.noarch:1:1.0~rc1-1" in root.packages()


def test_a_package_without_a_signature_is_refused(repository: Repository, root: Root) -> None:
    root.set_repositories(repository.stanza(url=f"file://{repository.unsigned}"))
    manager = dnf(root)
    manager.refresh()
    outcome = manager.install(Order(wanted("toy-low.noarch:1:1.0-1")), quietly)
    assert "not signed" in outcome.failed["toy-low.noarch:1:1.0-1"]
    assert "toy-low.noarch:1:1.0~rc1-1" in root.packages()


class _Failing(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, but its packages only once somebody has waited."""

    waited: list[float]

    def do_GET(self) -> None:
        if self.path.endswith(".rpm") and not self.waited:
            self.send_error(503)
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.slow
def test_a_download_that_fails_is_tried_again(repository: Repository, root: Root) -> None:
    waited: list[float] = []
    handler = type("Handler", (_Failing,), {"waited": waited})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=repository.path / "signed"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        root.set_repositories(repository.stanza(url=url) + "retries=1\n")
        manager = dnf(root, sleep=waited.append)
        manager.refresh()
        outcome = manager.install(Order(wanted("toy-low.noarch:1:1.0-1")), quietly)
    finally:
        server.shutdown()
        server.server_close()
    assert outcome.installed == ["toy-low.noarch:1:1.0-1"]
    assert waited == [10]
    assert "tried again after 10 s" in outcome.remarks[0]


@pytest.mark.slow
def test_a_transaction_that_was_killed_is_repaired(root: Root) -> None:
    """The old version and the new are both in the database then, and dnf takes the machine for patched."""
    root.run("dnf", "-q", "makecache")
    running = subprocess.Popen(
        ["dnf", "-y", "upgrade", "toy-slow"], env=root.environ, stdout=subprocess.DEVNULL, start_new_session=True
    )
    for _ in range(200):
        if "toy-slow.noarch:0:1.1-1" in root.packages():
            break
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert {"toy-slow.noarch:0:1.0-1", "toy-slow.noarch:0:1.1-1"} <= root.packages()
    assert dnf(root).repair() == [
        "Removed toy-slow.noarch:0:1.0-1, which an unfinished transaction had left beside a newer version"
    ]
    assert {name for name in root.packages() if name.startswith("toy-slow")} == {"toy-slow.noarch:0:1.1-1"}
    assert root.run("dnf", "check") == ""
    assert dnf(root).repair() == []


@pytest.mark.slow
def test_a_lock_that_goes_away_is_waited_for(root: Root) -> None:
    # dnf writes there who holds the lock; this process lives as long as the test.
    lock = root.path / "var/lib/dnf/rpmdb_lock.pid"
    lock.write_text(str(os.getpid()))
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            lock.unlink()

    outcome = dnf(root, sleep=sleep).install(Order(wanted("toy-low.noarch:1:1.0-1")), quietly)
    assert outcome.installed == ["toy-low.noarch:1:1.0-1"]
    assert waited == [2, 2]


def test_a_healthy_machine_needs_no_repair(old_root: Root) -> None:
    assert dnf(old_root).repair() == []
