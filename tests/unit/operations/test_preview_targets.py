"""PreviewTargets and CompareTargets: which nodes targets select now."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.world import World
from tests.fakes.databases import migrated_url

from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.operations.preview_targets import IDS_MAX


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with migrated_url("sqlite", tmp_path) as url:
        world = World(url)
        yield world
        world.close()


def selected(world: World, *targets: tuple[str, list[str]], **more: Any) -> list[str]:
    asked = [{"Key": key, "Values": values} for key, values in targets]
    answer = world.perform("PreviewTargets", Targets=asked, **more)
    assert len(answer["InstanceIds"]) == min(answer["InstanceCount"], IDS_MAX)
    found: list[str] = answer["InstanceIds"]
    return found


def test_a_node_has_to_meet_all_targets(world: World) -> None:
    one, other = world.node(Role="web", Env="prod"), world.node(Role="web")
    assert selected(world, ("tag:Role", ["web"])) == [one.id, other.id]
    assert selected(world, ("tag:Role", ["web"]), ("tag:Env", ["prod"])) == [one.id]
    assert selected(world, ("InstanceIds", [other.id])) == [other.id]
    assert selected(world, ("tag:Role", ["db"])) == []


def test_it_selects_what_a_window_would(world: World) -> None:
    world.nodes(3, Role="web")
    window = world.window()
    target = world.target(window, "tag:Role", "web")
    world.task(window, target)
    (opening,) = world.perform(
        "ListOpenings", After=world.clock.now(), Before=world.clock.now().replace(hour=23), WindowId=window
    )["Openings"]
    assert len(selected(world, ("tag:Role", ["web"]))) == opening["TargetCount"]


def test_of_many_the_first_are_named_and_all_counted(world: World) -> None:
    world.nodes(IDS_MAX + 1, Role="web")
    answer = world.perform("PreviewTargets", Targets=[{"Key": "tag:Role", "Values": ["web"]}])
    assert answer["InstanceCount"] == IDS_MAX + 1
    assert len(answer["InstanceIds"]) == IDS_MAX


@pytest.mark.parametrize(
    ("targets", "more", "said"),
    [
        ([], {}, "at least one target"),
        ([("Role", ["web"])], {}, "target key 'Role' is not known"),
        ([("tag:Role", ["web"])], {"ResourceType": "RESOURCE_GROUP"}, "does not go with ResourceType RESOURCE_GROUP"),
        ([("tag:Role", ["web"])], {"ResourceType": "GROUP"}, "ResourceType is 'GROUP'; use INSTANCE or RESOURCE_GROUP"),
    ],
)
def test_what_no_window_takes_is_refused(
    world: World, targets: list[tuple[str, list[str]]], more: dict[str, str], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        selected(world, *targets, **more)


def test_a_group_that_is_not_there_is_not_taken_for_an_empty_one(world: World) -> None:
    with pytest.raises(NotFound, match="resource group 'web' does not exist"):
        selected(world, ("resource-groups:Name", ["web"]))


def compared(world: World, before: list[Any], after: list[Any]) -> dict[str, Any]:
    return world.perform("CompareTargets", Before=before, After=after)


def by_tag(*values: str) -> list[dict[str, Any]]:
    return [{"Key": "tag:Role", "Values": list(values)}]


def test_gained_and_lost_are_told_by_id(world: World) -> None:
    web, db, both = world.node(Role="web"), world.node(Role="db"), world.node(Role="both")
    assert compared(world, [by_tag("web", "both")], [by_tag("db"), by_tag("both")]) == {
        "FormerInstanceCount": 2,
        "InstanceCount": 2,
        "GainedCount": 1,
        "GainedInstanceIds": [db.id],
        "LostCount": 1,
        "LostInstanceIds": [web.id],
    }
    assert compared(world, [], [by_tag("both"), by_tag("both")])["GainedInstanceIds"] == [both.id]
    assert compared(world, [by_tag("both")], [])["LostInstanceIds"] == [both.id]


def test_of_many_gained_the_first_are_named_and_all_counted(world: World) -> None:
    world.nodes(IDS_MAX + 1, Role="web")
    answer = compared(world, [], [by_tag("web")])
    assert (answer["GainedCount"], len(answer["GainedInstanceIds"])) == (IDS_MAX + 1, IDS_MAX)


def test_a_group_that_is_gone_selects_nobody_in_a_comparison(world: World) -> None:
    gone = [{"Key": "resource-groups:Name", "Values": ["gone"]}]
    assert compared(world, [gone], [])["FormerInstanceCount"] == 0


def test_a_comparison_refuses_what_selects_no_nodes(world: World) -> None:
    with pytest.raises(Invalid, match="target key 'Role' is not known"):
        compared(world, [], [[{"Key": "Role", "Values": ["web"]}]])
