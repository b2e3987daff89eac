"""PreviewPatching: whom an installation would reach, and what they miss."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fakes.databases import migrated_url
from tests.fakes.fleet import Fleet

from patchwindow.domain.errors import Invalid, InvalidParameters

WEB = [{"Key": "tag:Patch Group", "Values": ["Web Server"]}]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with migrated_url("sqlite", tmp_path_factory.mktemp("fleet")) as url:
        fleet = Fleet(url, count=120)
        yield fleet
        fleet.close()


def told(fleet: Fleet, **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = fleet.world.perform("PreviewPatching", **asked)
    return answer


def missing(fleet: Fleet, node_ids: list[str]) -> Counter[str]:
    """Return how many of the nodes miss each patch, as DescribeInstancePatches says of each."""
    filters = [{"Key": "State", "Values": ["Missing", "Failed"]}]
    return Counter(
        patch["Title"]
        for node_id in node_ids
        for patch in fleet.world.perform("DescribeInstancePatches", InstanceId=node_id, Filters=filters)["Patches"]
    )


def test_the_nodes_are_those_that_the_command_would_have(fleet: Fleet) -> None:
    web = sorted(one.node_id for one in fleet.members if one.group == "Web Server")
    answer = told(fleet, Targets=WEB)
    assert answer["InstanceCount"] == len(web)
    assert [one["InstanceId"] for one in answer["Instances"]] == web[:20]


def test_the_patches_are_those_that_each_node_misses(fleet: Fleet) -> None:
    web = [one.node_id for one in fleet.members if one.group == "Web Server"]
    wanted = missing(fleet, web)
    answer = told(fleet, Targets=WEB)
    assert {one["Title"]: one["InstanceCount"] for one in answer["Patches"]} == wanted
    assert answer["PatchCount"] == len(wanted) > 0


def test_nodes_can_be_named_one_by_one(fleet: Fleet) -> None:
    some = [fleet.members[number].node_id for number in (1, 4, 9)]
    answer = told(fleet, InstanceIds=some)
    assert answer["InstanceCount"] == 3
    assert {one["Title"]: one["InstanceCount"] for one in answer["Patches"]} == missing(fleet, some)


def test_nodes_of_which_nothing_is_known_are_counted_apart(fleet: Fleet) -> None:
    never = [one.node_id for one in fleet.members if one.number % 40 == 39]
    lost = [one.node_id for one in fleet.members if one.number % 60 == 8]
    answer = told(fleet, InstanceIds=[*never, *lost])
    assert (answer["NeverScannedCount"], answer["OfflineCount"]) == (len(never), len(lost))


def test_compliant_nodes_have_nothing_to_install(fleet: Fleet) -> None:
    nodes = fleet.world.perform("GetFleetCompliance", Filters=[{"Key": "State", "Values": ["Compliant"]}])["Nodes"]
    answer = told(fleet, InstanceIds=[one["InstanceId"] for one in nodes[:10]])
    assert (answer["CompliantCount"], answer["PatchCount"]) == (10, 0)


def test_other_nodes_have_another_digest(fleet: Fleet) -> None:
    one, two = ([fleet.members[number].node_id] for number in (1, 2))
    assert told(fleet, InstanceIds=one)["InstancesDigest"] == told(fleet, InstanceIds=one)["InstancesDigest"]
    assert told(fleet, InstanceIds=one)["InstancesDigest"] != told(fleet, InstanceIds=two)["InstancesDigest"]


def test_targets_that_select_nobody_are_nobody(fleet: Fleet) -> None:
    answer = told(fleet, Targets=[{"Key": "tag:Patch Group", "Values": ["nobody"]}])
    assert (answer["InstanceCount"], answer["Instances"], answer["Patches"]) == (0, [], [])


@pytest.mark.parametrize("asked", [{}, {"InstanceIds": ["mi-00000000000000001"], "Targets": WEB}])
def test_nodes_are_named_in_one_way(fleet: Fleet, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameters, match="one of the two"):
        told(fleet, **asked)


def test_targets_are_checked_as_those_of_a_command(fleet: Fleet) -> None:
    with pytest.raises(Invalid, match="target key 'Role'"):
        told(fleet, Targets=[{"Key": "Role", "Values": ["web"]}])
