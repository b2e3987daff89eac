"""What the engine does every hour: the trend of the day, and forgetting."""

from datetime import timedelta

import pytest
from tests.engine.scanning import BAD, CLEAN, grouped, prepare, scan, status
from tests.engine.world import World
from tests.fakes.site import as_node

from patchwindow.operations import retention
from patchwindow.operations.retention import Retention


@pytest.fixture
def world(world: World) -> World:
    """A world with the predefined baselines, whose history is kept for 30 days."""
    prepare(world)
    with world.database.write() as work:
        retention.keep(work, Retention(history_days=30))
    return world


def kept(world: World, node: str) -> int:
    """Return how many scans of the node are told."""
    return len(world.perform("GetComplianceHistory", InstanceId=node)["Scans"])


def compliant(world: World) -> list[tuple[str, int]]:
    """Return how many nodes were compliant, by day."""
    days = world.perform("GetComplianceHistory")["Days"]
    return [(day["Day"], day["Counts"]["Compliant"]) for day in days]


def test_nothing_is_planned_before_a_node_has_reported(world: World) -> None:
    assert world.turn() is None


def test_the_numbers_of_a_day_are_those_of_its_last_hour(world: World) -> None:
    node = grouped(world)
    scan(world, node, BAD)
    world.turn()
    assert compliant(world) == [("2026-01-15", 0)]
    world.after(minutes=55)
    scan(world, node, CLEAN)
    assert compliant(world) == [("2026-01-15", 0)]
    world.perform("UpdateInstanceInformation", as_node(node), InstanceId=node)
    world.after(minutes=5)
    assert compliant(world) == [("2026-01-15", 1)]


def test_scans_are_forgotten_when_they_are_older_than_what_is_set(world: World) -> None:
    node = grouped(world)
    for facts in (BAD, CLEAN):
        scan(world, node, facts)
        world.after(days=20)
    assert kept(world, node) == 1
    assert status(world, node) == "COMPLIANT"
    world.after(days=30)
    assert (kept(world, node), status(world, node)) == (0, "COMPLIANT"), "its state stays"


def test_what_nobody_needs_any_more_goes_with_the_history(world: World) -> None:
    node = grouped(world)
    scan(world, node, BAD)
    with world.database.read() as work:
        before = work.patch_states.get(node)
    assert before is not None
    scan(world, node, CLEAN)
    # One hour drops what refers to evaluations, the next what they refer to.
    for _ in range(3):
        world.after(days=31)
    with world.database.read() as work:
        after = work.patch_states.get(node)
        assert after is not None
        assert work.facts.get(before.facts_digest) is None
        assert work.facts.get(after.facts_digest) is not None


def test_two_engines_do_a_chore_once(world: World) -> None:
    scan(world, grouped(world), CLEAN)
    other = world.new_engine()
    first = world.turn()
    assert first == world.clock.now() + timedelta(hours=1)
    assert other.turn() == first


def test_changes_are_forgotten_when_they_are_older_than_what_is_set(world: World) -> None:
    node = grouped(world)
    scan(world, node, CLEAN)
    old = len(world.perform("ListChanges")["Changes"])
    assert old
    world.after(days=20)
    world.perform("CreatePatchBaseline", Name="own")
    assert len(world.perform("ListChanges")["Changes"]) == old + 1
    world.after(days=11)
    assert [one["Operation"] for one in world.perform("ListChanges")["Changes"]] == ["CreatePatchBaseline"]
