"""Tags through the operations of the API."""

from typing import Any

import pytest
from tests.fakes.site import SITE, Installation

from patchwindow.domain.errors import Denied, Invalid, InvalidResourceType, TooManyTags, UnknownResource
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import arn, default_for


def tags_of(here: Installation, node: str) -> dict[str, str]:
    found = here.perform("ListTagsForResource", ResourceType="ManagedInstance", ResourceId=node)["TagList"]
    return {tag["Key"]: tag["Value"] for tag in found}


def add(here: Installation, node: str, **tags: str) -> None:
    named(here, node, "AddTagsToResource", Tags=[{"Key": key, "Value": value} for key, value in tags.items()])


def named(here: Installation, node: str, operation: str, **more: Any) -> None:
    here.perform(operation, ResourceType="ManagedInstance", ResourceId=node, **more)


def group_sizes(here: Installation, *groups: str) -> list[int]:
    return [here.perform("DescribePatchGroupState", PatchGroup=group)["Instances"] for group in groups]


def test_an_equal_key_gets_the_new_value_and_keys_are_case_sensitive(here: Installation) -> None:
    node = here.node(tags={"env": "test"})
    add(here, node, env="live", Env="other")
    assert tags_of(here, node) == {"Env": "other", "env": "live"}


def test_removing_an_absent_key_is_fine(here: Installation) -> None:
    node = here.node(tags={"env": "test", "role": "web"})
    named(here, node, "RemoveTagsFromResource", TagKeys=["env", "absent"])
    assert tags_of(here, node) == {"role": "web"}


def test_a_resource_carries_no_more_tags_than_its_quota(here: Installation) -> None:
    node = here.node()
    add(here, node, **{f"key-{number}": "" for number in range(200)})
    add(here, node, **{"key-7": "changed"})
    with pytest.raises(TooManyTags, match="quota tags-per-resource is 200, and this would be 201; "):
        add(here, node, one="more")
    assert len(tags_of(here, node)) == 200


def test_a_reserved_key_and_a_key_given_twice_are_refused(here: Installation) -> None:
    node = here.node()
    with pytest.raises(Invalid, match="'AWS:owner' begins with aws:"):
        add(here, node, **{"AWS:owner": "me"})
    with pytest.raises(Invalid, match="'env' is given 2 times"):
        named(
            here,
            node,
            "AddTagsToResource",
            Tags=[{"Key": "env", "Value": "a"}, {"Key": "env", "Value": "b"}],
        )
    assert tags_of(here, node) == {}


def test_the_patch_group_of_a_node_follows_its_tags(here: Installation) -> None:
    node = here.node(tags={"Patch Group": "web"})
    assert group_sizes(here, "web", "db") == [1, 0]
    add(here, node, PatchGroup="db")
    assert group_sizes(here, "web", "db") == [1, 0]
    named(here, node, "RemoveTagsFromResource", TagKeys=["Patch Group"])
    assert group_sizes(here, "web", "db") == [0, 1]
    named(here, node, "RemoveTagsFromResource", TagKeys=["PatchGroup"])
    assert group_sizes(here, "web", "db") == [0, 0]


def test_baselines_and_windows_can_be_tagged_by_id_and_by_arn(here: Installation) -> None:
    baseline = here.perform("CreatePatchBaseline", Name="own", Tags=[{"Key": "env", "Value": "test"}])["BaselineId"]
    assert here.perform("ListTagsForResource", ResourceType="PatchBaseline", ResourceId=baseline) == {
        "TagList": [{"Key": "env", "Value": "test"}]
    }
    by_arn = SITE.arn(f"patchbaseline/{baseline}")
    here.perform("RemoveTagsFromResource", ResourceType="PatchBaseline", ResourceId=by_arn, TagKeys=["env"])
    assert here.perform("ListTagsForResource", ResourceType="PatchBaseline", ResourceId=by_arn) == {"TagList": []}
    window = here.perform(
        "CreateMaintenanceWindow",
        Name="own",
        Schedule="rate(1 day)",
        Duration=2,
        Cutoff=1,
        AllowUnassociatedTargets=False,
    )["WindowId"]
    here.perform(
        "AddTagsToResource", ResourceType="MaintenanceWindow", ResourceId=window, Tags=[{"Key": "a", "Value": "b"}]
    )
    assert here.perform("ListTagsForResource", ResourceType="MaintenanceWindow", ResourceId=window) == {
        "TagList": [{"Key": "a", "Value": "b"}]
    }


def test_a_predefined_baseline_has_no_tags_and_gets_none(here: Installation) -> None:
    predefined = arn(default_for(OperatingSystem.DEBIAN).baseline_id, SITE.region)
    assert here.perform("ListTagsForResource", ResourceType="PatchBaseline", ResourceId=predefined) == {"TagList": []}
    with pytest.raises(Denied, match="AWS-DebianDefaultPatchBaseline is predefined"):
        here.perform(
            "AddTagsToResource", ResourceType="PatchBaseline", ResourceId=predefined, Tags=[{"Key": "a", "Value": ""}]
        )


@pytest.mark.parametrize("type_", ["Automation", "Parameter", "OpsItem"])
def test_other_resources_are_refused_with_those_that_are_served(here: Installation, type_: str) -> None:
    with pytest.raises(InvalidResourceType, match=r"use one of ManagedInstance, PatchBaseline, MaintenanceWindow"):
        here.perform("ListTagsForResource", ResourceType=type_, ResourceId="some")


@pytest.mark.parametrize(
    ("type_", "id_"),
    [
        ("ManagedInstance", "mi-00000000000000000"),
        ("PatchBaseline", "pb-00000000000000000"),
        ("MaintenanceWindow", "mw-00000000000000000"),
    ],
)
def test_an_unknown_resource_is_named(here: Installation, type_: str, id_: str) -> None:
    with pytest.raises(UnknownResource, match=f"no {type_} '{id_}'"):
        here.perform("ListTagsForResource", ResourceType=type_, ResourceId=id_)
