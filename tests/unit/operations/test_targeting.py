"""Which nodes targets select, said by the store for all nodes and by a function for one."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.site import Installation

from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.window import ResourceType, Target
from patchwindow.operations.targeting import group_queries, includes, select, targets_of

TAGS: Final[list[dict[str, str]]] = [
    {},
    {"env": "live"},
    {"env": "test", "role": "web"},
    {"env": "live", "role": "web", "empty": ""},
]
KEYS: Final = ("env", "role", "empty", "absent")
GROUPS: Final[dict[str, tuple[str, list[dict[str, Any]]]]] = {
    "live": ("AWS::AllSupported", [{"Key": "env", "Values": ["live"]}]),
    "web": ("AWS::EC2::Instance", [{"Key": "role"}, {"Key": "env", "Values": ["test", "live"]}]),
    "empty": ("AWS::SSM::ManagedInstance", [{"Key": "empty", "Values": [""]}]),
    "buckets": ("AWS::S3::Bucket", [{"Key": "env"}]),
}
GROUP: Final = {"Key": "resource-groups:Name", "Values": ["web"]}
TYPES: Final = {"Key": "resource-groups:ResourceTypeFilters", "Values": ["AWS::EC2::Instance"]}

filters = st.one_of(
    st.builds(
        Target,
        key=st.sampled_from([f"tag:{key}" for key in KEYS]),
        values=st.lists(st.sampled_from(["live", "test", "web", ""]), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(
        Target, key=st.just("tag-key"), values=st.lists(st.sampled_from(KEYS), min_size=1, max_size=2).map(tuple)
    ),
)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, dict[str, dict[str, str]]]]:
    here = Installation(tmp_path_factory.mktemp("fleet"))
    for name, (type, filters) in GROUPS.items():
        query = json.dumps({"ResourceTypeFilters": [type], "TagFilters": filters})
        here.perform("CreateGroup", Name=name, ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": query})
    yield here, {here.node(tags=tags, ping={}): tags for tags in TAGS}
    here.close()


@given(targets=st.lists(filters, min_size=1, max_size=3), places=st.none() | st.sets(st.integers(0, len(TAGS) - 1)))
def test_a_node_is_included_exactly_if_it_is_selected(
    fleet: tuple[Installation, dict[str, dict[str, str]]], targets: list[Target], places: set[int] | None
) -> None:
    """ "several keys are ANDed, several values ORed"; of tag-key "all must be present" (windows reference, §4)."""
    here, nodes = fleet
    if places is not None:
        ids = list(nodes)
        targets = [*targets, Target(key="InstanceIds", values=tuple(ids[place] for place in places))]
    with here.database.read() as work:
        selected = [node.instance_id for node in select(work, targets)]
    assert selected == [id for id, tags in sorted(nodes.items()) if includes(targets, id, tags)]


@given(
    group=st.sampled_from(list(GROUPS)),
    types=st.none()
    | st.lists(st.sampled_from(["AWS::AllSupported", "AWS::EC2::INSTANCE", "AWS::S3::Bucket"]), min_size=1),
)
def test_a_node_is_included_in_a_group_exactly_if_it_is_selected(
    fleet: tuple[Installation, dict[str, dict[str, str]]], group: str, types: list[str] | None
) -> None:
    here, nodes = fleet
    targets = [Target(key="resource-groups:Name", values=(group,))]
    if types is not None:
        targets.append(Target(key="resource-groups:ResourceTypeFilters", values=tuple(types)))
    with here.database.read() as work:
        selected = [node.instance_id for node in select(work, targets)]
        queries = group_queries(work)
    assert selected == [id for id, tags in sorted(nodes.items()) if includes(targets, id, tags, queries)]


def test_a_group_selects_the_nodes_with_its_tags_and_of_its_types(
    fleet: tuple[Installation, dict[str, dict[str, str]]],
) -> None:
    here, nodes = fleet
    by_place = list(nodes)
    expected = {"live": [1, 3], "web": [2, 3], "empty": [3], "buckets": []}
    with here.database.read() as work:
        for group, places in expected.items():
            found = select(work, [Target(key="resource-groups:Name", values=(group,))])
            assert [node.instance_id for node in found] == sorted(by_place[place] for place in places)


def test_a_group_that_does_not_exist_is_no_group_of_all_nodes(
    fleet: tuple[Installation, dict[str, dict[str, str]]],
) -> None:
    here, nodes = fleet
    gone = [Target(key="resource-groups:Name", values=("gone",))]
    with (
        here.database.read() as work,
        pytest.raises(NotFound, match=r"resource group 'gone' does not exist; create it"),
    ):
        select(work, gone)
    assert not any(includes(gone, id, tags) for id, tags in nodes.items())


def test_ids_of_no_node_are_passed_over(here: Installation) -> None:
    node = here.node()
    ids = Target(key="InstanceIds", values=("mi-0123456789abcdef0", node))
    with here.database.read() as work:
        assert [one.instance_id for one in select(work, [ids])] == [node]
        assert select(work, [ids, Target(key="InstanceIds", values=("mi-0123456789abcdef0",))]) == []


@pytest.mark.parametrize(
    ("members", "resource_type", "message"),
    [
        (
            [{"Key": "resource-groups:Name", "Values": ["web"]}],
            ResourceType.INSTANCE,
            "target key 'resource-groups:Name' does not go with ResourceType INSTANCE; use RESOURCE_GROUP",
        ),
        (
            [{"Key": "tag:env", "Values": ["live"]}],
            ResourceType.RESOURCE_GROUP,
            "target key 'tag:env' does not go with ResourceType RESOURCE_GROUP; use resource-groups:Name, or INSTANCE",
        ),
    ],
)
def test_targets_of_another_type_are_refused(
    members: list[dict[str, Any]], resource_type: ResourceType, message: str
) -> None:
    with pytest.raises(Invalid) as caught:
        targets_of(members, resource_type=resource_type)
    assert str(caught.value) == message
    (other,) = set(ResourceType) - {resource_type}
    assert targets_of(members, resource_type=other) == targets_of(members)


def test_targets_are_read_as_they_were_given() -> None:
    members = [{"Key": "tag:env", "Values": ["live", "test"]}, {"Key": "tag-key", "Values": ["role"]}]
    assert targets_of(members) == (
        Target(key="tag:env", values=("live", "test")),
        Target(key="tag-key", values=("role",)),
    )


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "Please specify at least one target, such as Key=tag:<key>,Values=<value>"),
        ([{"Values": ["a"]}], "Targets[0] has no Key; give it one such as InstanceIds or tag:<key>"),
        (
            [{"Key": "tag:env"}],
            "Please specify at least one target. Filter values can't be null or empty, as those of 'tag:env' are",
        ),
        (
            [{"Key": "tag:env", "Values": ["live", ""]}],
            "Please specify at least one target. Filter values can't be null or empty, as those of 'tag:env' are",
        ),
        (
            [{"Key": "env", "Values": ["a"]}],
            "target key 'env' is not known; use InstanceIds, tag:<key>, tag-key or resource-groups:Name",
        ),
        (
            [{"Key": "resource-groups:Owner", "Values": ["a"]}],
            "target key 'resource-groups:Owner' is not known; use InstanceIds, tag:<key>, tag-key or resource-groups:Name",
        ),
        (
            [{"Key": "resource-groups:Name", "Values": ["a", "b"]}],
            "resource-groups:Name names 2 groups; name one, and register a target for each",
        ),
        (
            [{"Key": "resource-groups:Name", "Values": [name]} for name in "ab"],
            "targets name 2 times resource-groups:Name; give it once",
        ),
        (
            [{"Key": "resource-groups:ResourceTypeFilters", "Values": ["AWS::EC2::Instance"]}],
            "targets name 0 times resource-groups:Name; give it once",
        ),
        (
            [GROUP, TYPES, TYPES],
            "targets name 2 times resource-groups:ResourceTypeFilters; give it once, with all types",
        ),
        (
            [GROUP, {**TYPES, "Values": ["AWS::EC2::Instance"] * 6}],
            "resource-groups:ResourceTypeFilters names 6 types; 5 are the most",
        ),
        (
            [GROUP, {**TYPES, "Values": ["Instance"]}],
            "resource type 'Instance' has not the form AWS::<service>::<type>; use AWS::AllSupported or AWS::SSM::ManagedInstance",
        ),
        (
            [GROUP, {"Key": "tag:env", "Values": ["live"]}],
            "target keys 'resource-groups:Name' and 'tag:env' do not go together; use one of the two",
        ),
        (
            [{"Key": "InstanceIds", "Values": ["web-1"]}],
            "'web-1' is not a node id (mi- and 17 characters, or i- and 8 or 17)",
        ),
        (
            [{"Key": "InstanceIds", "Values": [f"mi-{number:017}" for number in range(51)]}],
            "InstanceIds names 51 nodes; 50 are the most, use tags for more",
        ),
        (
            [{"Key": "tag:", "Values": ["a"]}],
            "target key 'tag:' is not known; use InstanceIds, tag:<key>, tag-key or resource-groups:Name",
        ),
        (
            [
                {"Key": "tag-key", "Values": ["a", "b", "c", "d"]},
                *({"Key": f"tag:{it}", "Values": ["a"]} for it in "ef"),
            ],
            "targets name more than 5 tag keys; use fewer",
        ),
    ],
)
def test_what_selects_nothing_is_refused(members: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        targets_of(members)
    assert str(caught.value) == message
