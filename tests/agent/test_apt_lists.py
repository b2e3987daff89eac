"""Lists of apt that a refresh has taken away where it failed."""

from pathlib import Path

import pytest
from tests.agent.apt_orders import apt
from tests.rig.toy_troubles import build_troubles, make_troubled_root

from patchwindow_agent.apt_lists import lost
from patchwindow_agent.disk_room import Disk
from patchwindow_agent.errors import ScanFailed

RELEASE, SIGNED = "mirror_dists_toy_Release", "mirror_dists_toy_InRelease"
INDEX = "mirror_dists_toy_main_binary-amd64_Packages"


def test_nothing_is_lost_where_all_is_there_also_in_another_form() -> None:
    assert lost(frozenset({RELEASE, INDEX}), frozenset({SIGNED, INDEX})) == []


def test_a_list_without_its_publisher_is_told_whenever_that_was_lost() -> None:
    told = [f"the Release file of {INDEX}", RELEASE]
    assert lost(frozenset({RELEASE, INDEX}), frozenset({INDEX})) == sorted(told)
    assert lost(frozenset({INDEX}), frozenset({INDEX})) == told[:1]
    assert lost(frozenset({RELEASE, INDEX}), frozenset({RELEASE})) == [INDEX]


def test_without_room_the_lists_are_left_as_they_are_and_without_all_of_them_nothing_is_said(tmp_path: Path) -> None:
    root = make_troubled_root(build_troubles(tmp_path / "repository"), tmp_path / "root", "good-one")
    told, _ = apt(root).facts()
    full = apt(root, disk_of=lambda _: Disk(1, 0))
    with pytest.raises(ScanFailed, match="cannot refresh the package lists: no room for"):
        full.refresh()
    assert full.facts()[0] == told

    # As apt-get leaves it where it could not write them.
    for path in (root.path / "var/lib/apt/lists").glob("*Release"):
        path.unlink()
    (tmp_path / "repository").rename(tmp_path / "gone")
    patched = apt(root)
    with pytest.raises(ScanFailed, match="cannot refresh the package lists"):
        patched.refresh()
    with pytest.raises(ScanFailed, match="what is missing on the machine is not known"):
        patched.facts()
