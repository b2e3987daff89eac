"""The catalogue forgets what no node has had and no import has named for as long as the history is kept."""

from typing import Any, Final

import pytest
from tests.engine.scanning import BAD, CLEAN, grouped, prepare, scan
from tests.engine.world import World

from patchwindow.operations import retention
from patchwindow.operations.retention import Retention

DAYS: Final = 30


@pytest.fixture
def world(world: World) -> World:
    """A world with the predefined baselines, whose history is kept for 30 days."""
    prepare(world)
    with world.database.write() as work:
        retention.keep(work, Retention(history_days=DAYS))
    return world


def titles(world: World) -> set[str]:
    return {patch["Title"] for patch in world.perform("DescribeAvailablePatches")["Patches"]}


def advisory(id: str, name: str, version: str, *, is_exact: bool = True) -> dict[str, Any]:
    fix = {"OperatingSystem": "DEBIAN", "Product": "Debian12", "Name": name, "Version": version}
    fix |= {"Arch": "amd64", "Extent": "EXACT"} if is_exact else {"Extent": "SINCE"}
    return {"Id": id, "Kind": "security", "CVEIds": [f"CVE-2026-{id}"], "Fixes": [fix]}


def imported(world: World, *advisories: dict[str, Any], source: str = "feed") -> None:
    world.perform("ImportAdvisories", Source=source, Advisories=list(advisories))


def days(world: World, count: int) -> None:
    """Let days pass, each with what is done on it."""
    for _ in range(count):
        world.after(days=1)


def sources(world: World) -> dict[str, int]:
    return {one["Source"]: one["AdvisoryCount"] for one in world.perform("GetCatalogStatus")["Sources"]}


def test_a_patch_is_forgotten_when_no_node_has_had_it_for_as_long_as_the_history_is_kept(world: World) -> None:
    node = grouped(world)
    scan(world, node, BAD)
    scan(world, node, CLEAN)
    every = {"bash.amd64:1", "openssl.amd64:1", "openssl.amd64:2"}
    days(world, DAYS - 1)
    assert titles(world) == every
    # The facts stay until the history has forgotten the scan, and are marked as seen as long as they are there.
    days(world, 2 * DAYS)
    assert titles(world) == {"bash.amd64:1"}
    scan(world, node, BAD)
    assert titles(world) == every


def test_what_nodes_have_is_kept_though_they_are_never_scanned_again(world: World) -> None:
    scan(world, grouped(world), BAD)
    days(world, 4 * DAYS)
    assert titles(world) == {"bash.amd64:1", "openssl.amd64:1", "openssl.amd64:2"}


def test_an_advisory_goes_with_its_patch_when_no_import_names_it_and_no_node_has_the_package(world: World) -> None:
    scan(world, grouped(world), BAD)
    named = advisory("0001", "nginx", "1")
    imported(world, named, advisory("0002", "zlib1g", "2"), advisory("0003", "openssl", "2", is_exact=False))
    days(world, DAYS - 1)
    assert {"nginx.amd64:1", "zlib1g.amd64:2"} < titles(world)
    imported(world, named)
    days(world, 3)
    assert "nginx.amd64:1" in titles(world)
    assert "zlib1g.amd64:2" not in titles(world)
    assert sources(world) == {"feed": 2}
    with world.database.read() as work:
        assert work.catalog.names_of(["CVE-2026-0002"]) == set()
        assert work.catalog.names_of(["CVE-2026-0003"]) == {"openssl"}, "a node has the package"
    days(world, DAYS)
    assert sources(world) == {"feed": 1}


def test_a_patch_that_is_gone_from_nodes_stays_as_what_a_feed_names(world: World) -> None:
    node = grouped(world)
    scan(world, node, BAD)
    scan(world, node, CLEAN)
    named = advisory("0001", "openssl", "2")
    for _ in range(5):
        imported(world, named)
        days(world, DAYS - 2)
    assert titles(world) == {"bash.amd64:1", "openssl.amd64:2"}
    with world.database.read() as work:
        (patch,) = work.catalog.known("DEBIAN", ["openssl.amd64:2"])
        assert patch.first_seen_at is None
