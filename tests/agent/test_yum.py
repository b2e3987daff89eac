"""yum 3, which cannot be had here: its lists are made by the real createrepo, what it prints is written from its source."""

from pathlib import Path
from typing import Any

import pytest
from tests.agent.fake_yum import FakeYum, lay_out
from tests.rig import toy_rpm
from tests.rig.toy_rpm import PENDING, Repository, build_repository

from patchwindow.domain import facts_reading
from patchwindow.domain.facts import Manager
from patchwindow.domain.facts_patches import patches_of
from patchwindow_agent import reboot
from patchwindow_agent.errors import InstallFailed, ScanFailed
from patchwindow_agent.package_manager import Order, Phase, Wanted
from patchwindow_agent.yum import Yum

pytestmark = pytest.mark.skipif(
    bool(toy_rpm.MISSING), reason=f"{toy_rpm.MISSING}; .ci/install-needs installs what the tests need"
)

OLD = frozenset(
    {
        "toy-base.noarch:1.0-1",
        "toy-app.noarch:2.0-1",
        "toy-grows.noarch:1.0-1",
        "toy-low.noarch:1:1.0~rc1-1",
        "toy-mid.noarch:1.0-1",
        "toy-held.noarch:1.0-1",
    }
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return build_repository(tmp_path_factory.mktemp("yum") / "repository")


@pytest.fixture
def root(repository: Repository, tmp_path: Path) -> Path:
    lay_out(repository, tmp_path)
    return tmp_path


@pytest.fixture
def machine() -> FakeYum:
    return FakeYum(set(OLD), held=frozenset({"toy-held"}))


def yum(machine: FakeYum, root: Path, *, is_root: bool = True, waited: list[float] | None = None) -> Yum:
    sleep = (waited if waited is not None else []).append
    kernel = reboot.Kernel("3.10.0-1.x86_64", "#1")
    return Yum(
        machine, root=root, cache=None, kernel=kernel, is_root=is_root, wall=lambda: 1.8e9, sleep=sleep, stale=list
    )


def wanted(title: str) -> Wanted:
    name, _, version = title.partition(":")
    return Wanted(title, *name.rpartition(".")[::2], version)


def quietly(phase: Phase, done: int, total: int, what: str) -> None:
    """Hear how far an installation is."""


@pytest.fixture
def facts(machine: FakeYum, root: Path) -> dict[str, Any]:
    manager = yum(machine, root)
    assert manager.refresh().is_refreshed
    return manager.facts()[0]


def test_facts_of_yum_are_read_by_the_server(facts: dict[str, Any]) -> None:
    read = facts_reading.parse(facts)
    assert read.manager is Manager.YUM
    installed = {title.partition(":")[0] for title in OLD}
    offered = {readings[0].title for readings in patches_of(read).offered}
    assert offered == {title for title in PENDING if title.partition(":")[0] in installed}
    assert [(origin.id, origin.site) for origin in read.origins] == [("toy", "mirrors.example.net")]


def test_notices_and_what_comes_along_are_as_with_dnf(facts: dict[str, Any]) -> None:
    updates = {f"{update['name']}:{update['candidate']}": update for update in facts["updates"]}
    app, grows = updates["toy-app:2.1-1"], updates["toy-grows:1.1-1"]
    assert [facts["updates"][index]["name"] for index in app["pulls"]] == ["toy-base"]
    assert {facts["additions"][index]["name"] for index in grows["adds"]} == {"toy-lib2", "toy-deep"}
    assert [facts["advisories"][index]["id"] for index in updates["toy-mid:1.1-1"]["advisories"]] == ["TOYSA-2026:0003"]
    assert (app["built"], app["size"] > 1000) == ("2026-01-01", True)


def test_what_yum_leaves_out_of_its_updates_is_held(facts: dict[str, Any]) -> None:
    assert facts["held"] == ["toy-held"]
    assert [update["name"] for update in facts["updates"] if update["held"]] == ["toy-held"]


def test_a_reboot_is_told_with_what_asks_for_it(facts: dict[str, Any]) -> None:
    assert facts["reboot"] == {"required": True, "reasons": ["Updated since the boot: glibc"]}


def test_exactly_the_wanted_versions_are_installed_after_a_plan_and_a_test(machine: FakeYum, root: Path) -> None:
    heard: list[tuple[Phase, int, int, str]] = []
    order = Order([wanted("toy-mid.noarch:1.1-1"), wanted("toy-low.noarch:1:1.0-1"), wanted("toy-held.noarch:1.1-1")])
    outcome = yum(machine, root).install(order, lambda *told: heard.append(told))
    assert outcome.installed == ["toy-mid.noarch:1.1-1", "toy-low.noarch:1:1.0-1"]
    assert list(outcome.failed) == ["toy-held.noarch:1.1-1"]
    assert "the node holds toy-held back" in outcome.failed["toy-held.noarch:1.1-1"]
    assert heard[-1] == (Phase.INSTALLING, 2, 2, "toy-low-1:1.0-1.noarch")
    updates = [command for command in machine.commands if "update-to" in command]
    assert all("toy-mid-0:1.1-1.noarch" in command for command in updates)
    assert "--assumeno" in updates[0]
    assert "--setopt=tsflags=test" in updates[-2]
    assert "-y" in updates[-1]


def test_a_lock_is_waited_for_and_told_when_it_stays(machine: FakeYum, root: Path) -> None:
    waited: list[float] = []
    order = Order([wanted("toy-low.noarch:1:1.0-1")])
    machine.locked_count = 3
    assert yum(machine, root, waited=waited).install(order, quietly).installed == ["toy-low.noarch:1:1.0-1"]
    assert waited == [2, 2, 2]
    waited.clear()
    machine.installed = set(OLD)
    machine.locked_count = 1000
    with pytest.raises(InstallFailed, match="another copy is running as pid 4242"):
        yum(machine, root, waited=waited).install(order, quietly)
    assert sum(waited) == 120


def test_an_ordinary_user_reads_the_lists_that_root_has(machine: FakeYum, root: Path) -> None:
    manager = yum(machine, root, is_root=False)
    lists = manager.refresh()
    assert not lists.is_refreshed
    assert lists.as_of > 1_700_000_000
    assert manager.facts()[0]["updates"]
    with pytest.raises(InstallFailed, match="only root"):
        manager.install(Order([wanted("toy-low.noarch:1:1.0-1")]), quietly)


def test_lists_that_are_not_there_are_an_error_and_not_a_node_without_updates(machine: FakeYum, root: Path) -> None:
    (root / "var/cache/yum/x86_64/7/toy/gen/primary_db.sqlite").unlink()
    with pytest.raises(ScanFailed, match="the list of packages of toy is not in"):
        yum(machine, root).facts()
