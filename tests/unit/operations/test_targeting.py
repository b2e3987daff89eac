"""Which nodes targets select, said by the store for all nodes and by a function for one."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.site import Installation

from patchwindow.domain.errors import Invalid
from patchwindow.domain.window import Target
from patchwindow.operations.targeting import includes, select, targets_of

TAGS: Final[list[dict[str, str]]] = [
    {},
    {"env": "live"},
    {"env": "test", "role": "web"},
    {"env": "live", "role": "web", "empty": ""},
]
KEYS: Final = ("env", "role", "empty", "absent")

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


def test_ids_of_no_node_are_passed_over(here: Installation) -> None:
    node = here.node()
    ids = Target(key="InstanceIds", values=("mi-0123456789abcdef0", node))
    with here.database.read() as work:
        assert [one.instance_id for one in select(work, [ids])] == [node]
        assert select(work, [ids, Target(key="InstanceIds", values=("mi-0123456789abcdef0",))]) == []


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
        ([{"Key": "env", "Values": ["a"]}], "target key 'env' is not known; use InstanceIds, tag:<key> or tag-key"),
        (
            [{"Key": "resource-groups:Name", "Values": ["a"]}],
            "target key 'resource-groups:Name': resource groups are not served yet; use tag:<key> instead",
        ),
        (
            [{"Key": "InstanceIds", "Values": ["web-1"]}],
            "'web-1' is not a node id (mi- and 17 characters, or i- and 8 or 17)",
        ),
        (
            [{"Key": "InstanceIds", "Values": [f"mi-{number:017}" for number in range(51)]}],
            "InstanceIds names 51 nodes; 50 are the most, use tags for more",
        ),
        ([{"Key": "tag:", "Values": ["a"]}], "target key 'tag:' is not known; use InstanceIds, tag:<key> or tag-key"),
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
