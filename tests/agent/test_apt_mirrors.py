"""What apt fetches from: mirrors that break, and repositories that a baseline names."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.agent.apt_orders import Told, apt, order, title, titles, versions
from tests.rig.mirror import Mirror, serve
from tests.rig.toy_apt import Package, Root, build_repository
from tests.rig.toy_troubles import build_troubles, make_troubled_root

from patchwindow_agent.errors import ScanFailed
from patchwindow_agent.package_manager import Source

pytestmark = pytest.mark.skipif(
    shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None, reason="needs apt and dpkg"
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_troubles(tmp_path_factory.mktemp("apt") / "repository")


@pytest.fixture
def mirror(repository: Path) -> Iterator[Mirror]:
    with serve(repository) as mirror:
        yield mirror


@pytest.fixture
def root(repository: Path, mirror: Mirror, tmp_path: Path) -> Root:
    return make_troubled_root(repository, tmp_path / "root", "good-one", "good-two", "needs-new", url=mirror.url)


def test_what_was_fetched_is_not_left_behind(root: Root, mirror: Mirror) -> None:
    assert apt(root).install(order("good-one"), Told()).installed == titles("good-one")
    assert mirror.asked.count("good-one_2.0.deb") == 1
    assert list((root.path / "var/cache/apt/archives").glob("*.deb")) == []


def test_a_download_that_is_cut_off_is_tried_again_after_a_while(root: Root, mirror: Mirror) -> None:
    mirror.cuts["good-one_2.0.deb"] = 2
    slept: list[float] = []
    outcome = apt(root, sleep=slept.append).install(order("good-one", "good-two"), Told())
    assert outcome.installed == titles("good-one", "good-two")
    assert slept == [5, 20]
    assert len(outcome.remarks) == 2
    assert outcome.remarks[0].startswith("tried to download again after 5 s: Failed to fetch http://127.0.0.1")


def test_an_archive_that_cannot_be_had_fails_the_patches_that_need_it_and_the_rest_goes_on(
    root: Root, mirror: Mirror
) -> None:
    mirror.cuts["new-dependency_2.0.deb"] = 99
    slept: list[float] = []
    outcome = apt(root, sleep=slept.append).install(order("needs-new", "good-one"), Told())
    assert outcome.installed == titles("good-one")
    reason = outcome.failed[title("needs-new")]
    assert reason.startswith(f"needs new-dependency.all:2.0: cannot be downloaded: {mirror.url}/pool/")
    assert slept == [5, 20, 60]
    assert versions(root, "needs-new", "new-dependency") == {"needs-new": "ii 1.0", "new-dependency": ""}


def test_what_a_mirror_says_that_it_does_not_have_is_not_asked_for_again(root: Root, mirror: Mirror) -> None:
    mirror.missing.add("good-two_2.0.deb")
    outcome = apt(root, sleep=lambda _: pytest.fail("slept")).install(order("good-two", "good-one"), Told())
    assert outcome.installed == titles("good-one")
    reason = outcome.failed[title("good-two")]
    assert reason.startswith(f"cannot be downloaded: {mirror.url}/pool/toy-security/good-two_2.0.deb: 404")


def test_a_mirror_that_is_gone_fails_every_patch_with_the_reason(root: Root, mirror: Mirror) -> None:
    text = (root.path / "etc/apt/sources.list").read_text()
    root.set_sources(text.replace(mirror.url, "http://127.0.0.1:9"))
    for path in (root.path / "var/lib/apt/lists").glob("127.0.0.1:*"):
        port = mirror.url.rpartition(":")[2]
        path.rename(path.with_name(path.name.replace(f":{port}_", ":9_")))
    outcome = apt(root).install(order("good-one", "good-two"), Told())
    assert outcome.installed == []
    assert set(outcome.failed) == set(titles("good-one", "good-two"))
    assert [reason for reason in outcome.failed.values() if "onnect to 127.0.0.1:9" not in reason] == []


@pytest.fixture(scope="module")
def other_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository that a baseline may name: it knows one package."""
    packages = [Package("vendor", "good-one", "1.5")]
    return build_repository(tmp_path_factory.mktemp("apt") / "other", packages)


LINE = "deb [trusted=yes] file://{folder} vendor main"
PARAGRAPH = "Types: deb\nURIs: file://{folder}\nSuites: vendor\nComponents: main\nTrusted: yes"


@pytest.mark.parametrize("form", [LINE, PARAGRAPH])
@pytest.mark.parametrize("has_cache", [True, False])
def test_a_baselines_sources_are_the_only_ones_and_the_machines_are_untouched(
    root: Root, other_repository: Path, tmp_path: Path, *, form: str, has_cache: bool
) -> None:
    def machine() -> dict[Path, bytes]:
        folders = (root.path / "etc", root.path / "var/lib/apt/lists")
        return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}

    before = machine()
    manager = apt(root, cache=tmp_path / "cache" if has_cache else None)
    with manager.using([Source("other", form.format(folder=other_repository))]):
        assert manager.refresh().is_refreshed
        facts, _ = manager.facts()
        assert {update["name"]: update["candidate"] for update in facts["updates"]} == {"good-one": "1.5"}
        outcome = manager.install(order("good-two"), Told())
        assert outcome.failed == {title("good-two"): "Version '2.0' for 'good-two' was not found"}
    assert machine() == before
    facts, _ = manager.facts()
    assert {update["name"]: update["candidate"] for update in facts["updates"]} == {
        "good-one": "2.0",
        "good-two": "2.0",
        "needs-new": "2.0",
    }


def test_sources_that_apt_cannot_read_are_told(root: Root, tmp_path: Path) -> None:
    manager = apt(root, cache=tmp_path / "cache")
    with pytest.raises(ScanFailed, match="Malformed entry 1"), manager.using([Source("bad", "deb nonsense")]):
        manager.refresh()
    assert manager.refresh().is_refreshed
